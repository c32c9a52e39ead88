"""One suite for whatever prints. Today that is a network printer, before its twin: a socket with a printer's manners
and faults on command. A new driver begins by failing here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tillbox.hardware.drivers import printer_tcp
from tillbox.hardware.drivers.printer_tcp import TcpPrinter
from tillbox.hardware.ports import PrintEnd, Printer, PrinterState
from tillbox.hardware.printing.document import Cut, Document, Line
from tillbox.hardware.printing.escpos import encode, kick_drawer
from tillbox.hardware.simulated.paper import paper_text
from tillbox.hardware.simulated.printer import SimulatedPrinter

JOB = encode(Document((Line("茶 Tea 12.00"), Cut())))
Fault = Callable[[SimulatedPrinter], None]


@pytest.fixture
def twin() -> Iterator[SimulatedPrinter]:
    running = SimulatedPrinter()
    yield running
    running.close()


@pytest.fixture
def printer(twin: SimulatedPrinter, monkeypatch: pytest.MonkeyPatch) -> Printer:
    monkeypatch.setattr(printer_tcp, "CONNECT_S", 0.5)
    monkeypatch.setattr(printer_tcp, "JOB_S", 1.5)
    return TcpPrinter("receipts", "127.0.0.1", twin.port)


def test_a_job_that_the_printer_answers_for_is_on_paper(printer: Printer, twin: SimulatedPrinter) -> None:
    assert printer.state() is PrinterState.READY
    outcome = printer.print("sale-1", JOB)
    assert (outcome.end, outcome.state) == (PrintEnd.CONFIRMED, PrinterState.READY)
    assert "茶 Tea 12.00" in paper_text(twin.papers[-1].data)


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (SimulatedPrinter.paper_out, PrinterState.PAPER_OUT),
        (SimulatedPrinter.cover_open, PrinterState.COVER_OPEN),
        (SimulatedPrinter.jam, PrinterState.CUTTER_JAM),
        (SimulatedPrinter.dead, PrinterState.SILENT),
        (SimulatedPrinter.garbage, PrinterState.SILENT),
        (SimulatedPrinter.close, PrinterState.LOST),
    ],
)
def test_what_surely_did_not_print_says_so_and_may_be_printed_again(
    printer: Printer, twin: SimulatedPrinter, fault: Fault, state: PrinterState
) -> None:
    fault(twin)
    assert printer.state() is state
    outcome = printer.print("sale-1", JOB)
    assert (outcome.end, outcome.state) == (PrintEnd.FAILED, state)
    assert outcome.hint
    assert not twin.papers
    if state is not PrinterState.LOST:
        twin.mend()
        assert printer.print("sale-1", JOB).end is PrintEnd.CONFIRMED
        assert len(twin.papers) == 1


@pytest.mark.parametrize("fault", [SimulatedPrinter.silent, SimulatedPrinter.hang_up])
def test_what_perhaps_printed_is_never_called_failed(
    printer: Printer, twin: SimulatedPrinter, fault: Fault
) -> None:
    fault(twin)
    outcome = printer.print("sale-1", JOB)
    assert (outcome.end, outcome.state) == (PrintEnd.UNKNOWN, PrinterState.SILENT)
    assert "look whether it printed" in outcome.hint


def test_a_roll_near_its_end_prints_and_says_so(printer: Printer, twin: SimulatedPrinter) -> None:
    twin.near_end()
    outcome = printer.print("sale-1", JOB)
    assert (outcome.end, outcome.state) == (PrintEnd.CONFIRMED, PrinterState.PAPER_NEAR_END)
    assert outcome.state.prints
    assert len(twin.papers) == 1


def test_a_slow_printer_is_waited_for(printer: Printer, twin: SimulatedPrinter) -> None:
    twin.slow()
    assert printer.print("sale-1", JOB).end is PrintEnd.CONFIRMED


def test_a_drawer_opens_and_costs_no_paper(printer: Printer, twin: SimulatedPrinter) -> None:
    assert printer.print("kick", kick_drawer()).end is PrintEnd.CONFIRMED
    assert (twin.kicks, len(twin.papers)) == (1, 0)
