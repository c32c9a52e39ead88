"""The camera reader: what is held before it is read once, and what is wrong with it is said once."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import segno
import zxingcpp
from PIL import Image
from tests.patience import eventually

from tillbox.contracts.codes.reads import CodeRead, Symbology
from tillbox.contracts.verdicts import Reason, Refused
from tillbox.hardware.decoding import Found, Picture
from tillbox.hardware.drivers.camera import CameraReader
from tillbox.hardware.drivers.frames import FolderFrames
from tillbox.hardware.drivers.light import BURNT, DARK, Light
from tillbox.hardware.drivers.motion import Motion
from tillbox.hardware.drivers.repeats import Repeats
from tillbox.hardware.ports import DeviceBack, DeviceTrouble, TroubleKind
from tillbox.hardware.simulated.camera import SimulatedCamera

REPEAT_MS = 300


class Counter:
    """What a reader handed over and what it complained of."""

    def __init__(self) -> None:
        self.deliveries: list[set[bytes]] = []
        self.reads: list[CodeRead] = []
        self.news: list[DeviceTrouble | DeviceBack] = []

    def deliver(self, reads: tuple[CodeRead, ...]) -> None:
        self.reads += reads
        self.deliveries.append({read.raw for read in reads})

    def told(self) -> list[str]:
        return [one.kind if isinstance(one, DeviceTrouble) else "back" for one in self.news]


def qr(text: str) -> bytes:
    out = io.BytesIO()
    segno.make(text, micro=False).save(out, kind="png", scale=4)
    return out.getvalue()


def payment_code_and_coupon() -> bytes:
    bars = zxingcpp.create_barcode("287634438256643940", zxingcpp.BarcodeFormat.Code128).to_image(scale=2)
    phone = np.full((300, 700), 255, dtype=np.uint8)
    coupon = np.asarray(Image.open(io.BytesIO(qr("TB1:COUPON"))).convert("L"))
    phone[20 : 20 + len(coupon), 20 : 20 + coupon.shape[1]] = coupon
    phone[100 : 100 + bars.shape[0], 250 : 250 + bars.shape[1]] = np.array(bars)
    out = io.BytesIO()
    Image.fromarray(phone).save(out, "WEBP", lossless=True)
    return out.getvalue()


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def twin() -> SimulatedCamera:
    return SimulatedCamera()


@pytest.fixture
def watching(twin: SimulatedCamera, counter: Counter) -> Iterator[CameraReader]:
    reader = CameraReader("eye", twin, repeat_ms=REPEAT_MS, look_again_ms=100, silent_ms=300)
    reader.start(counter.deliver, counter.news.append)
    yield reader
    reader.stop()


def test_a_code_held_still_is_one_code_and_shown_again_it_is_another(watching, twin, counter) -> None:
    assert twin.show(qr("TB1:COUPON")) is None
    assert eventually(lambda: counter.deliveries == [{b"TB1:COUPON"}])
    time.sleep(2 * REPEAT_MS / 1000)  # long enough to be read again, were it not held
    assert counter.deliveries == [{b"TB1:COUPON"}]
    twin.clear()
    time.sleep(3 * REPEAT_MS / 1000)
    twin.show(qr("TB1:COUPON"))
    assert eventually(lambda: counter.deliveries == [{b"TB1:COUPON"}, {b"TB1:COUPON"}])
    assert counter.reads[0] == CodeRead(b"TB1:COUPON", Symbology.QR, "eye", "]Q1")


def test_a_payment_code_and_a_coupon_on_one_phone_arrive_together(watching, twin, counter) -> None:
    twin.show(payment_code_and_coupon())
    assert eventually(lambda: counter.deliveries == [{b"TB1:COUPON", b"287634438256643940"}])


def test_a_code_that_changes_on_the_phone_is_read_at_once(watching, twin, counter) -> None:
    codes = [b"28763443825664394%d" % number for number in range(4)]
    for code in codes:
        twin.show(qr(code.decode()))
        assert eventually(lambda code=code: counter.deliveries[-1:] == [{code}])
    assert counter.deliveries == [{code} for code in codes]


def test_what_is_no_picture_is_refused_to_whoever_shows_it(watching, twin, counter) -> None:
    refused = twin.show(b"milk, tea")
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.NO_PICTURE
    twin.show(qr("TB1:COUPON"))
    assert eventually(lambda: counter.deliveries == [{b"TB1:COUPON"}])
    assert counter.news == []


def test_a_torn_frame_is_told_and_looking_goes_on(watching, twin, counter) -> None:
    twin.tear()
    assert eventually(lambda: counter.told() == [TroubleKind.UNREADABLE])
    twin.show(qr("TB1:COUPON"))
    assert eventually(lambda: counter.deliveries == [{b"TB1:COUPON"}])
    assert counter.told() == [TroubleKind.UNREADABLE]


def test_a_frozen_camera_is_told_once_and_its_return_once(watching, twin, counter) -> None:
    twin.freeze()
    assert eventually(lambda: counter.told() == [TroubleKind.SILENT])
    twin.show(qr("TB1:COUPON"))
    twin.thaw()
    assert eventually(lambda: counter.deliveries == [{b"TB1:COUPON"}])
    assert counter.told() == [TroubleKind.SILENT, "back"]


def test_a_stalled_camera_that_runs_once_it_is_opened_anew_is_opened_anew(counter) -> None:
    class Stalls(SimulatedCamera):
        """Freezes for good, unless somebody opens it again."""

        def open(self) -> None:
            self.thaw()
            super().open()

    twin = Stalls()
    reader = CameraReader("eye", twin, repeat_ms=REPEAT_MS, silent_ms=300)
    reader.start(counter.deliver, counter.news.append)
    twin.freeze()
    assert eventually(lambda: counter.told() == ["silent", "back"])
    twin.show(qr("TB1:COUPON"))
    assert eventually(lambda: counter.deliveries == [{b"TB1:COUPON"}])
    reader.stop()


def test_a_pulled_cable_is_told_once_and_its_return_once(watching, twin, counter) -> None:
    twin.unplug()
    assert eventually(lambda: counter.told() == [TroubleKind.LOST])
    twin.show(qr("TB1:COUPON"))
    twin.plug()
    assert eventually(lambda: counter.deliveries == [{b"TB1:COUPON"}])
    assert counter.told() == [TroubleKind.LOST, "back"]


def test_a_frozen_camera_that_is_replugged_is_back_once(watching, twin, counter) -> None:
    twin.freeze()
    assert eventually(lambda: counter.told() == ["silent"])
    twin.unplug()
    assert eventually(lambda: counter.told() == ["silent", "lost"])
    twin.thaw()
    twin.plug()
    assert eventually(lambda: counter.told() == ["silent", "lost", "back"])


def test_after_stop_nothing_is_handed_over(watching, twin, counter) -> None:
    watching.stop()
    twin.show(qr("TB1:COUPON"))
    twin.unplug()
    time.sleep(0.2)  # a reader that had not stopped would have spoken by now
    assert (counter.deliveries, counter.news) == ([], [])


# a folder of pictures


@pytest.fixture
def folder(tmp_path: Path, counter: Counter) -> Iterator[Path]:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "yesterday.png").write_bytes(qr("OLD"))
    reader = CameraReader("folder", FolderFrames(pictures), repeat_ms=REPEAT_MS, silent_ms=200)
    reader.start(counter.deliver, counter.news.append)
    yield pictures
    reader.stop()


def test_a_picture_put_into_the_folder_is_read_and_yesterdays_is_not(folder, counter) -> None:
    (folder / "notes.txt").write_text("milk, tea")
    (folder / "one.png").write_bytes(qr("ONE"))
    assert eventually(lambda: counter.deliveries == [{b"ONE"}])
    (folder / "two.PNG").write_bytes(qr("TWO"))
    assert eventually(lambda: counter.deliveries == [{b"ONE"}, {b"TWO"}])
    time.sleep(2 * REPEAT_MS / 1000)
    (folder / "two again.png").write_bytes(qr("TWO"))
    assert eventually(lambda: counter.deliveries == [{b"ONE"}, {b"TWO"}, {b"TWO"}])
    assert counter.news == []  # a folder may be silent for as long as it likes


def test_a_picture_that_arrives_slowly_is_read_when_it_is_whole(folder, counter) -> None:
    data = qr("SLOW")
    for at in range(0, len(data), 80):
        with (folder / "slow.png").open("ab") as file:
            file.write(data[at : at + 80])
        time.sleep(0.03)
    assert eventually(lambda: counter.deliveries == [{b"SLOW"}])


def test_a_broken_picture_in_the_folder_is_trouble_and_the_next_is_read(folder, counter) -> None:
    (folder / "broken.png").write_bytes(qr("ONE")[:60])
    assert eventually(lambda: counter.told() == [TroubleKind.UNREADABLE])
    (folder / "two.png").write_bytes(qr("TWO"))
    assert eventually(lambda: counter.deliveries == [{b"TWO"}])


def test_a_folder_that_goes_away_is_a_camera_unplugged(folder, counter) -> None:
    os.rename(folder, folder.parent / "elsewhere")
    assert eventually(lambda: counter.told() == ["lost"])
    assert str(folder) in counter.news[0].hint
    folder.mkdir()
    assert eventually(lambda: counter.told() == ["lost", "back"])
    (folder / "one.png").write_bytes(qr("ONE"))
    assert eventually(lambda: counter.deliveries == [{b"ONE"}])


# a film, by OpenCV


def test_a_film_is_played_over_again_and_a_lost_one_is_trouble(tmp_path: Path, counter: Counter) -> None:
    import cv2

    from tillbox.hardware.drivers.frames_opencv import FilmFrames, V4L2Frames

    film = cv2.VideoWriter(str(tmp_path / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 20, (320, 320))
    for text in ("ONE", "TWO"):
        frame = Image.open(io.BytesIO(qr(text))).convert("RGB").resize((320, 320))
        for _ in range(10):
            film.write(np.asarray(frame))
    film.release()
    reader = CameraReader("film", FilmFrames(str(tmp_path / "film.avi")), repeat_ms=REPEAT_MS)
    reader.start(counter.deliver, counter.news.append)
    assert eventually(lambda: min(counter.deliveries.count({text}) for text in (b"ONE", b"TWO")) >= 2)
    reader.stop()
    assert counter.news == []

    (tmp_path / "notes.txt").write_text("milk, tea")
    for source in (FilmFrames(str(tmp_path / "notes.txt")), FilmFrames("/nowhere"), V4L2Frames(99)):
        absent = Counter()
        reader = CameraReader("absent", source)
        reader.start(absent.deliver, absent.news.append)
        assert eventually(lambda absent=absent: absent.told() == ["lost"])
        reader.stop()


class QueueOfOne:
    """A camera as V4L2 shows it with one buffer: the frame after the last one taken waits until it is taken."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.queued: int | None = None

    def isOpened(self) -> bool:
        return True

    def set(self, setting: int, value: float) -> bool:
        return True

    def later(self, ms: int) -> None:
        if self.queued is None:
            self.queued = self.now_ms + 33
        self.now_ms += ms

    def grab(self) -> bool:
        self.taken = self.now_ms + 33 if self.queued is None else self.queued
        self.now_ms = max(self.now_ms, self.taken)
        self.queued = None
        return True

    def read(self) -> tuple[bool, np.ndarray]:
        return self.grab(), np.full((2, 2), self.taken % 251, np.uint8)

    def release(self) -> None:
        pass


def test_a_frame_that_waited_while_the_box_was_busy_is_not_looked_at() -> None:
    from tillbox.hardware.drivers.frames_opencv import V4L2Frames

    camera = QueueOfOne()
    frames = V4L2Frames(0, opened=lambda _: camera, clock_ms=lambda: camera.now_ms)  # type: ignore[arg-type,return-value]
    frames.open()
    for busy_ms in (0, 20, 40, 200, 3_000, 0):
        camera.later(busy_ms)
        assert frames.next(50) is not None
        assert camera.now_ms - camera.taken <= 50


# the pure parts


def found(text: str) -> Found:
    return Found(text.encode(), text, Symbology.QR, ((0, 0), (1, 1)))


def test_a_code_counts_anew_only_after_it_was_out_of_sight() -> None:
    repeats = Repeats(repeat_ms=1_000)
    tea, milk = found("TEA"), found("MILK")
    assert repeats.fresh([tea], 0) == (tea,)
    assert repeats.fresh([tea, milk], 900) == (milk,)
    assert repeats.fresh([], 1_000) == ()
    assert repeats.fresh([tea], 1_899) == ()
    assert repeats.fresh([milk], 2_000) == (milk,)
    assert repeats.fresh([tea], 2_899) == (tea,)


def test_a_code_that_lies_still_is_in_sight_though_nobody_decodes_it() -> None:
    repeats = Repeats(repeat_ms=1_000)
    repeats.fresh([found("TEA")], 0)
    for now_ms in range(0, 60_000, 50):
        repeats.unchanged(now_ms)
    assert repeats.fresh([found("TEA")], 60_000) == ()


def test_a_code_that_this_look_misses_on_a_still_picture_is_still_there() -> None:
    repeats = Repeats(repeat_ms=1_000)
    tea, milk = found("TEA"), found("MILK")
    assert repeats.fresh([tea], 0) == (tea,)
    assert repeats.fresh([], 5_000, still=True) == ()
    assert repeats.fresh([milk], 6_000, still=True) == (milk,)
    assert repeats.fresh([tea, milk], 60_000, still=True) == ()
    assert repeats.fresh([], 60_100) == ()
    assert repeats.fresh([tea], 61_100) == (tea,)


def test_a_box_that_stalls_has_not_seen_the_code_twice() -> None:
    repeats = Repeats(repeat_ms=1_000)
    repeats.fresh([found("TEA")], 0)
    assert repeats.fresh([found("TEA")], 5_000) == ()
    assert repeats.fresh([], 5_050) == ()
    assert repeats.fresh([found("TEA")], 6_050) == (found("TEA"),)


def test_only_a_moving_picture_is_worth_a_look_and_noise_is_no_motion() -> None:
    motion = Motion()
    chance = np.random.default_rng(5)

    def frame(hand: int = 0) -> np.ndarray:
        picture = np.clip(chance.normal(160, 12, (480, 640)), 0, 255).astype(np.uint8)
        picture[400:440, 600:640] -= np.uint8(hand)
        return picture

    assert motion.moved(frame())
    assert not any(motion.moved(frame()) for _ in range(50))
    assert motion.moved(frame(hand=80))
    assert not motion.moved(frame(hand=80))
    assert motion.moved(frame(hand=80)[:240])
    assert motion.moved(np.zeros((1, 1), np.uint8))


def test_a_hand_that_is_slow_has_moved_in_the_end() -> None:
    motion = Motion()
    shades = range(160, 120, -2)
    moved = [motion.moved(np.full((480, 640), shade, np.uint8)) for shade in shades]
    assert moved[0]
    assert 2 <= sum(moved[1:]) < len(shades) / 2


@pytest.mark.parametrize(("level", "said"), [(4, DARK), (250, BURNT)])
def test_light_that_is_wrong_for_long_is_said_and_a_hand_before_the_lens_is_not(
    level: int, said: str
) -> None:
    light, counter = Light(), np.tile(np.arange(0, 256, 2, dtype=np.uint8), (96, 1))
    wrong = np.full((96, 128), level, np.uint8)
    assert [light.wrong(wrong, ms) for ms in range(0, 10_000, 500)] == [""] * 20
    assert light.wrong(counter, 10_500) == ""
    assert [light.wrong(wrong, ms) for ms in range(11_000, 30_000, 500)] == [""] * 38
    assert light.wrong(wrong, 32_000) == said
    assert light.wrong(counter, 34_000) == ""


def test_a_camera_in_the_dark_says_so_once_and_once_that_it_sees_again() -> None:
    now_ms, news = [0], []
    source = Lamp()
    reader = CameraReader("eye", source, clock_ms=lambda: now_ms[0])
    reader.start(lambda _: None, news.append)
    for lit, until_ms in ((False, 60_000), (True, 90_000)):
        source.lit = lit
        while now_ms[0] < until_ms:
            now_ms[0] += 1_000
            shown = source.shown
            assert eventually(lambda shown=shown: source.shown > shown + 1)
    reader.stop()
    assert [getattr(one, "kind", "back") for one in news] == [TroubleKind.BLIND, "back"]
    assert "light" in news[0].hint


class Lamp:
    """A camera whose lamp can be switched off."""

    steady = True

    def __init__(self) -> None:
        self.lit, self.shown = True, 0

    def open(self) -> None:
        return

    def next(self, wait_ms: int) -> Picture:
        time.sleep(0.002)
        self.shown += 1
        return np.full((96, 128), 120 if self.lit else 3, np.uint8)

    def close(self) -> None:
        return
