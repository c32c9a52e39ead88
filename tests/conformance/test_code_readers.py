"""What every code reader must do, whatever it is made of: the same stories, told to each of them.

Twins run here; `make lab` tells the same stories to the same drivers on the kernel's own devices. Hand scanners have
more in common: `test_scanners.py`.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import segno
from tests.counter import Counter
from tests.device.camera import Camera
from tests.device.gadgets import KeyboardGadget, SerialGadget
from tests.patience import eventually

from tillbox.contracts.codes.reads import CodeRead
from tillbox.hardware.drivers.camera import CameraReader
from tillbox.hardware.drivers.frames import FolderFrames
from tillbox.hardware.drivers.frames_opencv import V4L2Frames
from tillbox.hardware.drivers.scanner_keys import KeysScanner
from tillbox.hardware.drivers.scanner_serial import SerialScanner
from tillbox.hardware.ports import CodeReader, DeviceBack, DeviceTrouble, TroubleKind
from tillbox.hardware.simulated.camera import SimulatedCamera
from tillbox.hardware.simulated.keyboard import SimulatedKeyboard
from tillbox.hardware.simulated.scanner import SimulatedScanner

CODES = ["TB1:COUPON", "6901234567892", "https://shop.example/menu?table=7"]


def qr(text: str) -> bytes:
    out = io.BytesIO()
    segno.make(text, micro=False).save(out, kind="png", scale=4)
    return out.getvalue()


@dataclass
class Bench(Counter):
    """A reader on the bench, with hands for what a person does to it, and ears for what it says."""

    reader: CodeReader
    show: Callable[[str], object]
    unplug: Callable[[], object]
    plug: Callable[[], object]
    put_away: Callable[[], object] = lambda: None

    def start(self) -> None:
        self.reader.start(self.deliver, self.news.append)


def serial_bench(_: Path) -> Bench:
    twin = SimulatedScanner()
    reader = SerialScanner("reader", twin.path)
    return Bench(reader, lambda text: twin.show(text.encode()), twin.unplug, twin.plug, twin.close)


def keys_bench(_: Path) -> Bench:
    twin = SimulatedKeyboard()
    reader = KeysScanner("reader", twin.path, seize=twin.seize)
    return Bench(reader, lambda text: twin.show(text.encode()), twin.unplug, twin.plug, twin.close)


def camera_bench(_: Path) -> Bench:
    twin = SimulatedCamera()
    return Bench(CameraReader("reader", twin), lambda text: twin.show(qr(text)), twin.unplug, twin.plug)


def folder_bench(tmp_path: Path) -> Bench:
    folder, aside = tmp_path / "pictures", tmp_path / "aside"
    folder.mkdir()
    numbers = iter(range(100))

    def show(text: str) -> None:
        # A person who shows a code to an unplugged camera shows it to nobody.
        if folder.exists():
            (folder / f"{next(numbers):03}.png").write_bytes(qr(text))

    return Bench(
        CameraReader("reader", FolderFrames(folder)),
        show,
        unplug=lambda: folder.rename(aside),
        plug=lambda: aside.rename(folder),
    )


def keys_device_bench(_: Path) -> Bench:
    gadget = KeyboardGadget()
    reader = KeysScanner("reader", gadget.path)
    return Bench(reader, lambda text: gadget.show(text.encode()), gadget.unplug, gadget.plug, gadget.close)


def serial_device_bench(_: Path) -> Bench:
    gadget = SerialGadget()
    reader = SerialScanner("reader", gadget.path)
    return Bench(reader, lambda text: gadget.show(text.encode()), gadget.unplug, gadget.plug, gadget.close)


def camera_device_bench(_: Path) -> Bench:
    camera = Camera()
    reader = CameraReader("reader", V4L2Frames(0))
    return Bench(reader, lambda text: camera.show(qr(text)), camera.unplug, camera.plug, camera.close)


TWINS = {"serial": serial_bench, "keys": keys_bench, "camera": camera_bench, "folder": folder_bench}
DEVICES = {
    "keys-device": keys_device_bench,
    "serial-device": serial_device_bench,
    "camera-device": camera_device_bench,
}


@pytest.fixture(
    params=[
        *(pytest.param(made, id=name) for name, made in TWINS.items()),
        *(pytest.param(made, id=name, marks=pytest.mark.device) for name, made in DEVICES.items()),
    ]
)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    made = request.param(tmp_path)
    yield made
    made.reader.stop()
    made.put_away()


def test_it_is_a_code_reader_with_a_name(bench: Bench) -> None:
    assert isinstance(bench.reader, CodeReader)
    assert bench.reader.name == "reader"


def test_what_is_shown_arrives_once_in_order_and_signed_with_its_name(bench: Bench) -> None:
    bench.start()
    for count, code in enumerate(CODES, 1):
        bench.show(code)
        assert eventually(lambda count=count: len(bench.reads) == count)
    assert [code.decode() for code in bench.codes] == CODES
    assert {read.source for read in bench.reads} == {"reader"}
    assert all(bench.deliveries)
    assert bench.news == []


def test_it_delivers_on_a_thread_of_its_own(bench: Bench) -> None:
    bench.start()
    bench.show(CODES[0])
    assert eventually(lambda: len(bench.reads) == 1)
    assert bench.threads == {"reader"}


def test_trouble_is_told_once_with_a_hint_and_its_end_once(bench: Bench) -> None:
    bench.start()
    for times, code in enumerate(CODES[:2], 1):
        bench.unplug()
        assert eventually(lambda: bench.told()[-1:] == ["lost"])
        time.sleep(0.5)  # it tries again meanwhile, and has nothing new to say
        bench.plug()
        assert eventually(lambda times=times: bench.told() == ["lost", "back"] * times)
        bench.show(code)
        assert eventually(lambda times=times: [code.decode() for code in bench.codes] == CODES[:times])
    trouble = bench.news[0]
    assert isinstance(trouble, DeviceTrouble)
    assert (trouble.device, trouble.kind) == ("reader", TroubleKind.LOST)
    assert "?" in trouble.hint
    assert bench.news == [trouble, DeviceBack("reader")] * 2


def test_one_that_is_not_there_at_first_is_trouble_and_no_exception(bench: Bench) -> None:
    bench.unplug()
    bench.start()
    assert eventually(lambda: bench.told() == ["lost"])
    bench.plug()
    assert eventually(lambda: bench.told() == ["lost", "back"])
    bench.show(CODES[0])
    assert eventually(lambda: [code.decode() for code in bench.codes] == CODES[:1])


def test_it_may_be_stopped_from_its_own_delivery(bench: Bench) -> None:
    before = threading.active_count()

    def deliver_and_stop(reads: tuple[CodeRead, ...]) -> None:
        bench.deliver(reads)
        bench.reader.stop()

    bench.reader.start(deliver_and_stop, bench.news.append)
    bench.show(CODES[0])
    assert eventually(lambda: threading.active_count() == before)
    assert [code.decode() for code in bench.codes] == CODES[:1]


@pytest.mark.parametrize("plugged", [True, False])
def test_it_stops_for_good_plugged_or_not_and_its_thread_ends(bench: Bench, plugged: bool) -> None:
    before = threading.active_count()
    if not plugged:
        bench.unplug()
    bench.start()
    assert threading.active_count() == before + 1
    bench.reader.stop()
    bench.reader.stop()
    assert threading.active_count() == before
    said = list(bench.news)
    bench.show(CODES[0])
    if plugged:
        bench.unplug()
    time.sleep(0.2)  # one that had not stopped would have read it by now
    assert (bench.reads, bench.news) == ([], said)
