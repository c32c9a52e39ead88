"""A scanner that types, on devices that the kernel believes in: what its twin cannot show.

The stories that every reader shares run on the same gadget in `tests/conformance/test_code_readers.py`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest
from tests.conformance.test_code_readers import Bench
from tests.device.gadgets import USAGES, KeyboardGadget
from tests.device.typist import MOUSE_BUTTONS, Typist
from tests.patience import eventually

from tillbox.contracts.codes.reads import CodeRead
from tillbox.hardware.drivers.keys import ENTER
from tillbox.hardware.drivers.scanner_keys import PATIENCE_MS, STALE_MS, KeysScanner
from tillbox.hardware.simulated.keyboard import press, typed

pytestmark = pytest.mark.device

GOODS = "6901234567892"
PAYMENT = b"287634438256643940"
KEYS_THAT_OVERFLOW = 400  # the kernel keeps 64 events or so for a reader that does not come
CALM_MS = 2  # after each event; a scanner's key has four or more


def bench_of(device: KeyboardGadget | Typist) -> Bench:
    reader = KeysScanner("reader", device.path)
    return Bench(reader, lambda _: None, lambda: None, lambda: None, device.close)


@pytest.fixture
def gadget() -> Iterator[KeyboardGadget]:
    made = KeyboardGadget()
    yield made
    made.close()


@pytest.fixture
def counter(gadget: KeyboardGadget) -> Iterator[Bench]:
    bench = bench_of(gadget)
    bench.start()
    yield bench
    bench.reader.stop()


@pytest.fixture
def typist() -> Iterator[Typist]:
    made = Typist()
    yield made
    made.close()


class BusyBox(Bench):
    """A box that does not come to its readers while it is busy."""

    def __init__(self, typist: Typist) -> None:
        super().__init__(KeysScanner("reader", typist.path), *[lambda *_: None] * 3)
        self.idle = threading.Event()
        self.busy = threading.Event()

    def deliver(self, reads: tuple[CodeRead, ...]) -> None:
        super().deliver(reads)
        self.busy.set()
        self.idle.wait(30)


@pytest.fixture
def busy(typist: Typist) -> Iterator[BusyBox]:
    """A box that was shown one code and has been at it since."""
    box = BusyBox(typist)
    box.start()
    typist.type([*typed(GOODS.encode()), *press(ENTER)], CALM_MS)
    assert box.busy.wait(10)
    yield box
    box.idle.set()
    box.reader.stop()


def texts(bench: Bench) -> list[str]:
    return [read.raw.decode() for read in bench.reads]


def test_every_sign_of_the_keyboard_passes_the_kernel_unchanged(gadget, counter) -> None:
    signs = "".join(USAGES)
    assert len(signs) == 95
    gadget.show(signs.encode())
    assert eventually(lambda: texts(counter) == [signs])
    assert counter.news == []


def test_while_the_box_has_the_keyboard_nobody_else_reads_a_code(gadget, counter) -> None:
    desktop = os.open(gadget.path, os.O_RDONLY | os.O_NONBLOCK)
    gadget.show(GOODS.encode())
    assert eventually(lambda: texts(counter) == [GOODS])
    with pytest.raises(BlockingIOError):
        os.read(desktop, 24)
    os.close(desktop)


def test_a_second_box_on_the_same_keyboard_is_told_why_it_reads_nothing(gadget, counter) -> None:
    second = bench_of(gadget)
    second.start()
    assert eventually(lambda: second.told() == ["lost"])
    second.reader.stop()
    assert "Another program" in second.news[0].hint


def test_a_device_that_cannot_type_is_not_taken_for_the_scanner() -> None:
    mouse = Typist(MOUSE_BUTTONS)
    counter = bench_of(mouse)
    counter.start()
    assert eventually(lambda: counter.told() == ["lost"])
    counter.reader.stop()
    mouse.close()
    assert "no keyboard" in counter.news[0].hint


def test_the_keyboard_is_free_again_once_the_box_has_stopped(gadget, counter) -> None:
    counter.reader.stop()
    second = bench_of(gadget)
    second.start()
    gadget.show(GOODS.encode())
    assert eventually(lambda: texts(second) == [GOODS])
    second.reader.stop()


def test_a_cable_pulled_in_the_middle_of_a_code_leaves_no_half_code(gadget, counter) -> None:
    gadget.type(PAYMENT[:9])
    gadget.unplug()
    assert eventually(lambda: counter.told() == ["lost"])
    gadget.plug()
    assert eventually(lambda: counter.told() == ["lost", "back"])
    gadget.show(GOODS.encode())
    assert eventually(lambda: texts(counter) == [GOODS])


def test_a_keyboard_that_types_faster_than_the_box_reads_gives_no_tail_of_a_code(typist, busy) -> None:
    typist.type([*typed(b"0123456789" * (KEYS_THAT_OVERFLOW // 10)), *typed(PAYMENT), *press(ENTER)])
    busy.idle.set()
    assert eventually(lambda: busy.told() == ["overrun"])
    time.sleep(2 * PATIENCE_MS / 1000)  # the cashier reads the screen; Enter may be among what was lost
    typist.type([*typed(b"TB1:COUPON"), *press(ENTER)], CALM_MS)
    assert eventually(lambda: texts(busy) == [GOODS, "TB1:COUPON"])
    assert busy.told() == ["overrun"]


def test_a_code_that_waited_too_long_in_the_kernel_is_not_charged(typist, busy) -> None:
    typist.type([*typed(b"17"), *press(ENTER)], CALM_MS)
    time.sleep(STALE_MS / 1000 + 1)
    busy.idle.set()
    assert eventually(lambda: busy.told() == ["overrun"])
    assert "late" in busy.news[0].hint
    typist.type([*typed(b"TB1:COUPON"), *press(ENTER)], CALM_MS)
    assert eventually(lambda: texts(busy) == [GOODS, "TB1:COUPON"])
