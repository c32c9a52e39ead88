"""A scanner in virtual COM mode on the kernel's own `/dev/ttyACM0`: what a pseudo-terminal cannot show.

The stories that every reader shares run on the same gadget in `tests/conformance/test_code_readers.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.conformance.test_code_readers import Bench
from tests.device.gadgets import SerialGadget
from tests.patience import eventually

from tillbox.hardware.drivers.scanner_serial import SerialScanner

pytestmark = pytest.mark.device

GOODS = b"6901234567892"
PAYMENT = b"287634438256643940"
BUSY_MACHINE_MS = 2_000  # a gap that an emulated machine does not mistake for silence


@pytest.fixture
def gadget() -> Iterator[SerialGadget]:
    made = SerialGadget()
    yield made
    made.close()


@pytest.fixture
def counter(gadget: SerialGadget) -> Iterator[Bench]:
    reader = SerialScanner("reader", gadget.path, gap_ms=BUSY_MACHINE_MS, patience_ms=BUSY_MACHINE_MS)
    bench = Bench(reader, gadget.show, gadget.unplug, gadget.plug)
    bench.start()
    yield bench
    reader.stop()


def test_every_byte_of_a_code_passes_the_kernel_unchanged(gadget, counter) -> None:
    every_byte = bytes(byte for byte in range(256) if byte != 0x0D)
    gadget.show(every_byte)
    assert eventually(lambda: [read.raw for read in counter.reads] == [every_byte])


def test_a_cable_pulled_in_the_middle_of_a_code_leaves_no_half_code(gadget, counter) -> None:
    gadget.type(PAYMENT[:9])
    gadget.unplug()
    assert eventually(lambda: counter.told() == ["lost"])
    gadget.plug()
    assert eventually(lambda: counter.told() == ["lost", "back"])
    gadget.show(GOODS)
    assert eventually(lambda: [read.raw for read in counter.reads] == [GOODS])


def test_a_second_box_on_the_same_line_is_told_why_it_reads_nothing(gadget, counter) -> None:
    second = Bench(SerialScanner("second", gadget.path), *[lambda *_: None] * 3)
    second.start()
    assert eventually(lambda: second.told() == ["lost"])
    second.reader.stop()
    assert "Another program" in second.news[0].hint
