"""A camera that the kernel believes in: its test driver vivid, whose input is fed from its own output.

A picture that is laid into the output's memory comes out of `/dev/video0`, as over an HDMI cable: no loopback
module is built, and nothing is installed. Input and output are set to the same size and signs, for vivid's
scaler has a fault of its own (seen in 6.1: it reads past the frame).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import struct
from pathlib import Path

import numpy as np
from tests.device.gadgets import ENUMERATION_S
from tests.patience import eventually

from tillbox.contracts.verdicts import Refused
from tillbox.hardware.decoding import Picture, load

DRIVER = Path("/sys/bus/platform/drivers/vivid")
DEVICE = "vivid.0"
CAMERA, OUTPUT = "/dev/video0", "/dev/video1"
WIDTH, HEIGHT, FORMAT = 640, 480, b"BGR3"  # what OpenCV asks a camera for
SIZE = WIDTH * HEIGHT * 3
COUNTER = 160  # an empty counter, light grey

# linux/videodev2.h
VIDIOC_S_FMT, VIDIOC_S_CTRL, VIDIOC_ENUM_DV_TIMINGS, VIDIOC_S_DV_TIMINGS = (
    0xC0D05605,
    0xC008561C,
    0xC0945662,
    0xC0845657,
)
VIDIOC_REQBUFS, VIDIOC_QUERYBUF, VIDIOC_QBUF, VIDIOC_STREAMON = 0xC0145608, 0xC0585609, 0xC058560F, 0x40045612
VIDEO_OUTPUT, MEMORY_MMAP, FIELD_NONE = 2, 1, 1
OSD_TEXT, NO_TEXT, LOOP_VIDEO = 0x00F0F001, 2, 0x00F0F025  # vivid's own controls
PLUGS_MAX = 20
BUFFERS = 2  # the last one stays on the screen for ever, so what is laid into it is seen at once


def held_here() -> list[str]:
    """Cameras that this process has open, gone ones among them."""
    links = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            links.append(os.readlink(f"/proc/self/fd/{number}"))
    return [link for link in links if link.startswith("/dev/video")]


class Camera:
    """camera = Camera(); camera.show(png); camera.unplug(); camera.plug(); camera.close()"""

    path = CAMERA

    def __init__(self) -> None:
        self._picture = np.full((HEIGHT, WIDTH), COUNTER, np.uint8)
        self._output: int | None = None
        self._screens: list[mmap.mmap] = []
        self._feed()

    def show(self, raw: bytes) -> None:
        """Hold a picture before it, in the middle of an empty counter."""
        picture = load(raw)
        assert not isinstance(picture, Refused), picture
        self._lay(picture)

    def plug(self) -> None:
        """Put it in. A reader that waits for it may open it before its signal is set up, and then it cannot be:
        the cable goes out and in again, as a person would do."""
        for _ in range(PLUGS_MAX):
            if self._output is not None:
                return
            if not Path(CAMERA).exists():
                # Whoever still holds the old one holds its number too, and the new one would be another.
                assert eventually(lambda: not held_here(), ENUMERATION_S)
                (DRIVER / "bind").write_text(DEVICE)
            assert eventually(lambda: Path(OUTPUT).exists() and Path(CAMERA).exists(), ENUMERATION_S)
            try:
                self._feed()
            except OSError as busy:
                if busy.errno not in (errno.EBUSY, errno.ENODEV, errno.ENOENT):
                    raise
                self.unplug()
        raise AssertionError("the camera's signal could not be set up")

    def unplug(self) -> None:
        if self._output is not None:
            self._leave()
            (DRIVER / "unbind").write_text(DEVICE)
            assert eventually(lambda: not Path(CAMERA).exists(), ENUMERATION_S)

    def close(self) -> None:
        """Leave it plugged in for the next one, and dark."""
        self.plug()
        self._leave()

    def _lay(self, picture: Picture) -> None:
        self._picture[:] = COUNTER
        tall, wide = picture.shape
        top, left = (HEIGHT - tall) // 2, (WIDTH - wide) // 2
        self._picture[top : top + tall, left : left + wide] = picture
        for screen in self._screens:
            screen[:SIZE] = np.repeat(self._picture, 3).tobytes()

    def _feed(self) -> None:
        """Set both ends alike, join them, and let the output show the picture."""
        camera = os.open(CAMERA, os.O_RDWR)
        try:
            self._set_up(camera)
        finally:
            os.close(camera)

    def _set_up(self, camera: int) -> None:
        self._output = os.open(OUTPUT, os.O_RDWR)
        timings = bytearray(148)  # the first of vivid's list is 640x480
        fcntl.ioctl(camera, VIDIOC_ENUM_DV_TIMINGS, timings)
        for end in (camera, self._output):
            fcntl.ioctl(end, VIDIOC_S_DV_TIMINGS, timings[16:])
        for control, value in ((LOOP_VIDEO, 1), (OSD_TEXT, NO_TEXT)):
            fcntl.ioctl(camera, VIDIOC_S_CTRL, struct.pack("Ii", control, value))
        form = bytearray(208)
        struct.pack_into("I4xII4sI", form, 0, VIDEO_OUTPUT, WIDTH, HEIGHT, FORMAT, FIELD_NONE)
        fcntl.ioctl(self._output, VIDIOC_S_FMT, form)
        fcntl.ioctl(
            self._output,
            VIDIOC_REQBUFS,
            bytearray(struct.pack("5I", BUFFERS, VIDEO_OUTPUT, MEMORY_MMAP, 0, 0)),
        )
        self._screens = [self._buffer(number) for number in range(BUFFERS)]
        fcntl.ioctl(self._output, VIDIOC_STREAMON, struct.pack("i", VIDEO_OUTPUT))

    def _buffer(self, number: int) -> mmap.mmap:
        """One frame's memory, mapped, grey, and handed to the driver."""
        assert self._output is not None
        about = bytearray(88)  # struct v4l2_buffer
        struct.pack_into("II52xI", about, 0, number, VIDEO_OUTPUT, MEMORY_MMAP)
        fcntl.ioctl(self._output, VIDIOC_QUERYBUF, about)
        (offset,), (length,) = struct.unpack_from("I", about, 64), struct.unpack_from("I", about, 72)
        screen = mmap.mmap(self._output, length, offset=offset)
        screen[:SIZE] = np.repeat(self._picture, 3).tobytes()
        struct.pack_into("IIIII", about, 0, number, VIDEO_OUTPUT, SIZE, 0, FIELD_NONE)
        fcntl.ioctl(self._output, VIDIOC_QBUF, about)
        return screen

    def _leave(self) -> None:
        for screen in self._screens:
            screen.close()
        self._screens = []
        if self._output is not None:
            os.close(self._output)
            self._output = None
