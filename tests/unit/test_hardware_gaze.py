"""A camera's looks spread over its frames: what is held there is read in a few, and no frame is looked at in full."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import zxingcpp

from tillbox.hardware.decoding import Gaze, gaze
from tillbox.hardware.decoding.cascade import Sight, lines
from tillbox.hardware.decoding.looks import look_linear_quick
from tillbox.hardware.decoding.patches import patches
from tillbox.hardware.drivers.watch import Watch
from tillbox.proof.pictures import FAULTS, KINDS, counter, hold

ROUND = len(gaze.TURNS)
FEW_FRAMES = 2 * ROUND


def drawn(kind: str, text: str, scale: int = 3) -> np.ndarray:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat[kind])
    return np.pad(np.array(code.to_image(scale=scale)), 40, constant_values=255)


def held(gazing: Gaze, frame: np.ndarray, frames: int = FEW_FRAMES) -> set[bytes]:
    """What was read while something was held there for so many frames."""
    gazing.wake()
    return {one.raw for _ in range(frames) for one in gazing.look(frame)}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("QRCode", "TB1:COUPON"),
        ("MicroQRCode", "12345"),
        ("DataMatrix", "MEMBER-7"),
        ("Aztec", "MEMBER-7"),
        ("PDF417", "MEMBER-7"),
        ("EAN13", "6901234567892"),
        ("EAN8", "96385074"),
        ("Code128", "287634438256643940"),
        ("Code39", "SHELF-12"),
        ("Code93", "SHELF-12"),
        ("ITF", "10012345600019"),
        ("Codabar", "A40156B"),
        ("DataBarOmni", "0100012345600012"),
    ],
)
@pytest.mark.parametrize("quarter_turns", [0, 1])
def test_every_drawing_is_read_within_its_round(kind: str, text: str, quarter_turns: int) -> None:
    assert held(Gaze(), np.rot90(drawn(kind, text), quarter_turns)) == {text.encode()}


def test_a_payment_code_and_a_coupon_are_read_from_one_frame() -> None:
    bars, coupon = drawn("Code128", "287634438256643940"), drawn("QRCode", "TB1:COUPON", scale=6)
    phone = np.full((720, 1280), 255, np.uint8)
    phone[100 : 100 + len(bars), 100 : 100 + bars.shape[1]] = bars
    phone[400 : 400 + len(coupon), 100 : 100 + coupon.shape[1]] = coupon
    assert {one.raw for one in Gaze().look(phone)} == {b"287634438256643940", b"TB1:COUPON"}


@pytest.mark.parametrize("degrees", [0, 20, 45, 70])
def test_bars_are_read_however_they_are_turned(degrees: int) -> None:
    import cv2

    label = cv2.copyMakeBorder(
        drawn("Code128", "287634438256643940"), 300, 300, 200, 200, cv2.BORDER_CONSTANT, value=255
    )
    high, wide = label.shape
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), degrees, 1)
    turned = np.asarray(cv2.warpAffine(label, turn, (wide, high), borderValue=255), np.uint8)
    assert held(Gaze(), turned, frames=1) == {b"287634438256643940"}


def test_a_frame_that_had_its_time_is_not_looked_at_closely_and_the_next_one_is() -> None:
    member = drawn("DataMatrix", "MEMBER-7")
    gazing = Gaze()
    gazing.wake()
    assert not any(gazing.look(member, enough=lambda: True) for _ in range(FEW_FRAMES))
    assert held(gazing, member) == {b"MEMBER-7"}


def test_an_empty_counter_is_looked_at_closely_once_and_then_seldom() -> None:
    gazing, empty = Gaze(), np.full((480, 640), 160, np.uint8)
    assert not gazing.awake
    gazing.wake()
    for _ in range(ROUND):
        assert gazing.awake
        gazing.look(empty)
    assert not gazing.awake


def test_what_lies_there_unmoved_is_read_in_the_end() -> None:
    gazing, member = Gaze(), drawn("DataMatrix", "MEMBER-7")
    reads = [gazing.look(member) for _ in range(gaze.RESTING_FRAMES * ROUND)]
    assert any(reads)


def test_the_same_look_twice_is_one_witness() -> None:
    sight = Sight(drawn("EAN8", "96385074"))
    look = lines(look_linear_quick)
    sight.take(look)
    sight.take(look)
    assert sight.counted == ()
    sight.take(gaze.look_quickly)
    assert [one.raw for one in sight.counted] == [b"96385074"]


def test_a_patch_knows_where_on_the_picture_it_lies() -> None:
    picture = np.full((600, 800), 255, np.uint8)
    bars = drawn("EAN13", "6901234567892")
    picture[200 : 200 + len(bars), 300 : 300 + bars.shape[1]] = bars
    (patch,) = patches(picture)
    (read,) = look_linear_quick(patch.pixels)
    across, down = zip(*patch.place(read.corners), strict=True)
    quiet = 33  # eleven modules
    assert abs(min(across) - (340 + quiet)) < 15
    assert abs(max(across) - (300 + bars.shape[1] - 40 - quiet)) < 25
    assert min(down) > 180
    assert max(down) < 220 + len(bars)


# a watch, on frames as a camera gives them


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [one for one in FAULTS if one not in ("blur", "motion", "moire")])
def test_what_is_held_before_it_is_delivered_once_and_rightly(kind: str, fault: str) -> None:
    watch = Watch(repeat_ms=1_500, look_again_ms=500)
    for number, frame in enumerate(islice(counter(seed=2), 4)):
        assert watch.see(frame, number * 66) == ()
    says, frames = hold(kind, fault, seed=5)
    delivered = [
        one.raw for n, frame in enumerate(islice(frames, 8)) for one in watch.see(frame, 300 + n * 66)
    ]
    assert delivered == [says]


def test_an_unmoved_counter_is_left_alone_between_looks() -> None:
    watch = Watch(repeat_ms=1_500, look_again_ms=500)
    coupon = drawn("QRCode", "TB1", scale=1)[40:-40, 40:-40]
    empty = np.full((480, 640), round(coupon[::4].mean()), np.uint8)
    for number in range(ROUND + 1):
        watch.see(empty, number * 66)
    label = empty.copy()  # so small, and as bright on the whole, that it is no motion
    label[96 : 96 + len(coupon), 96 : 96 + coupon.shape[1]] = coupon
    now_ms = (ROUND + 1) * 66
    assert watch.see(label, now_ms) == ()
    later = [one.raw for number in range(1, 60) for one in watch.see(label, now_ms + number * 500)]
    assert later == [b"TB1"]
