"""A camera through the kernel's own video interface: frames come, and what is held before it is seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.conformance.test_code_readers import qr
from tests.device.camera import COUNTER, HEIGHT, WIDTH, Camera

from tillbox.hardware.decoding import Picture, decode
from tillbox.hardware.drivers.frames_opencv import V4L2Frames
from tillbox.hardware.ports import DeviceLost

pytestmark = pytest.mark.device

FRAMES_UNDER_WAY = 6  # OpenCV's buffers and the driver's


@pytest.fixture
def camera() -> Iterator[Camera]:
    made = Camera()
    yield made
    made.close()


@pytest.fixture
def frames(camera: Camera) -> Iterator[V4L2Frames]:
    source = V4L2Frames(0)
    source.open()
    yield source
    source.close()


def look(frames: V4L2Frames) -> Picture:
    """What it sees once the frames that were under way are through."""
    for _ in range(FRAMES_UNDER_WAY):
        frames.next(50)
    frame = frames.next(50)
    assert frame is not None
    return frame


def test_the_frames_are_what_is_before_the_camera(camera, frames) -> None:
    empty = look(frames)
    assert empty.shape == (HEIGHT, WIDTH)
    assert abs(int(empty.mean()) - COUNTER) < 8
    camera.show(qr("TB1:COUPON"))
    assert [one.raw for one in decode(look(frames))] == [b"TB1:COUPON"]


def test_a_camera_that_is_pulled_out_is_lost_at_once(camera, frames) -> None:
    look(frames)
    camera.unplug()
    with pytest.raises(DeviceLost, match="cable"):
        look(frames)
