"""What the kernel's `/dev/usb/lp0` does, which a printer driver must count on: answers come back, a write that
does not wait stops where the printer stops, and a cable that is pulled ends it at once."""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Iterator

import pytest
from tests.device.gadgets import PrinterGadget

pytestmark = pytest.mark.device

ASK, READY = b"\x10\x04\x01", b"\x16"  # DLE EOT 1 and its answer
FLOOD = bytes(range(256)) * 2_048  # half a megabyte: more than all buffers on the way
PATIENCE_S = 10.0


@pytest.fixture
def printer() -> Iterator[PrinterGadget]:
    made = PrinterGadget()
    made.read(0.0)  # the gadget takes nothing before it was read once
    yield made
    made.close()


@pytest.fixture
def line(printer: PrinterGadget) -> Iterator[int]:
    opened = os.open(printer.path, os.O_RDWR | os.O_NONBLOCK)
    yield opened
    os.close(opened)


def write_on(line: int, data: bytes) -> int:
    """Write until the line takes no more for a moment; how much it took."""
    taken = 0
    while taken < len(data) and select.select([], [line], [], 0.5)[1]:
        try:
            taken += os.write(line, data[taken : taken + 8_192])
        except BlockingIOError:
            break
    return taken


def test_a_question_is_answered_on_the_same_line(printer, line) -> None:
    assert os.write(line, ASK) == len(ASK)
    assert printer.read() == ASK
    printer.answer(READY)
    assert select.select([line], [], [], PATIENCE_S)[0]
    assert os.read(line, 16) == READY


def test_a_printer_that_stops_reading_blocks_nobody_and_loses_nothing(printer, line) -> None:
    taken = write_on(line, FLOOD)
    assert 0 < taken < len(FLOOD)
    arrived = b""
    while len(arrived) < len(FLOOD):
        arrived += (more := printer.read())
        taken += write_on(line, FLOOD[taken:]) if taken < len(FLOOD) else 0
        if not more:
            break
    assert taken == len(FLOOD)
    assert arrived == FLOOD


def test_a_cable_pulled_in_the_middle_of_a_receipt_is_said_at_once(printer, line) -> None:
    write_on(line, FLOOD)
    printer.unplug()
    with pytest.raises(OSError, match="No such device") as told:
        os.write(line, b"the rest")
    assert told.value.errno == errno.ENODEV


def test_a_printer_that_comes_back_has_its_old_name(printer) -> None:
    printer.unplug()
    printer.plug()
    printer.read(0.0)
    line = os.open(printer.path, os.O_RDWR | os.O_NONBLOCK)
    assert os.write(line, ASK) == len(ASK)
    assert printer.read() == ASK
    os.close(line)
