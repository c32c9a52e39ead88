"""One suite for whatever prints: every language on every wire that can answer, before its twin. A new driver begins by
failing here."""

from __future__ import annotations

import errno
import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tillbox.hardware.drivers import manners, printer, wires
from tillbox.hardware.drivers.manners import MANNERS
from tillbox.hardware.drivers.printer import WirePrinter
from tillbox.hardware.drivers.wires import FileWire, NetworkWire, SerialWire, SpoolerWire, UsbWire, Wire
from tillbox.hardware.ports import PrintEnd, Printer, PrinterState
from tillbox.hardware.printing import encode, kick, status
from tillbox.hardware.printing.document import Cut, Document, Line
from tillbox.hardware.printing.profiles import PROFILES, WIDE, Profile
from tillbox.hardware.simulated import printer as simulated
from tillbox.hardware.simulated.printer import SimulatedPrinter
from tillbox.hardware.simulated.tongues import Condition

pytestmark = pytest.mark.slow

SLIP = Document((Line("茶 Tea 12.00"), Cut()))
JOBS = {
    "escpos": encode(SLIP, WIDE),
    "star": encode(SLIP, PROFILES["star-80"]),
    "tspl": b'SIZE 40 mm,30 mm\r\nCLS\r\nTEXT 20,20,"3",0,1,1,"Tea 12.00"\r\nPRINT 1,1\r\n',
    "zpl": b"^XA^FO20,20^A0N,30^FDTea 12.00^FS^XZ",
}
TROUBLE = {
    Condition.PAPER_OUT: PrinterState.PAPER_OUT,
    Condition.COVER_OPEN: PrinterState.COVER_OPEN,
    Condition.DEAD: PrinterState.SILENT,
    Condition.GARBAGE: PrinterState.SILENT,
}
RECEIPTS = {Condition.JAM: PrinterState.CUTTER_JAM, Condition.BROKEN: PrinterState.BROKEN}
LABELS = {Condition.RIBBON_OUT: PrinterState.RIBBON_OUT, Condition.PAUSED: PrinterState.PAUSED}
TOLD = {
    "escpos": TROUBLE | RECEIPTS,
    "star": TROUBLE | RECEIPTS,
    "tspl": TROUBLE | RECEIPTS | LABELS,
    # Zebra's answer has no word for a jam: the printer pauses. Nor has it one for what is broken.
    "zpl": TROUBLE | LABELS | {Condition.JAM: PrinterState.PAUSED},
}
"""What the driver hears of what is wrong, in each language."""


@dataclass
class Bench:
    """A printer on the bench: the driver, the twin behind it, and a job in its language."""

    printer: Printer
    twin: SimulatedPrinter
    job: bytes


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for where, name, seconds in (
        (manners, "ANSWER_S", 0.25),
        (manners, "PAPER_S", 1.0),
        (printer, "JOB_S", 0.6),
        (wires, "CONNECT_S", 0.3),
    ):
        monkeypatch.setattr(where, name, seconds)


def network(language: str) -> tuple[SimulatedPrinter, Wire]:
    twin = SimulatedPrinter(language=language)
    return twin, NetworkWire("127.0.0.1", twin.port)


def serial_line(language: str) -> tuple[SimulatedPrinter, Wire]:
    twin = SimulatedPrinter(line="terminal", language=language)
    return twin, SerialWire(twin.path, 9600)


def usb(language: str) -> tuple[SimulatedPrinter, Wire]:
    """The kernel's printer device is a file that never blocks; so is a pseudo-terminal."""
    twin = SimulatedPrinter(line="terminal", language=language)
    return twin, UsbWire(twin.path)


def usb_device(language: str) -> tuple[SimulatedPrinter, Wire]:
    """The kernel's own, in the lab."""
    from tests.device.printer import GadgetLine

    line = GadgetLine()
    return SimulatedPrinter(line=line, language=language), UsbWire(line.path)


WIRES = {"network": network, "serial": serial_line, "usb": usb, "device": usb_device}


PAIRS = [
    *((language, "network") for language in MANNERS),
    *[("escpos", "serial"), ("escpos", "usb"), ("tspl", "usb")],
    *((language, "device") for language in MANNERS),
]


def on(pair: tuple[str, str], *told: Condition | PrinterState) -> object:
    """A case on one bench. The kernel's own device is in the lab only."""
    names = (*pair, *(one.name.lower() for one in told[:1]))
    return pytest.param(pair, *told, id="-".join(names), marks=pytest.mark.device if "device" in pair else ())


@pytest.fixture(params=map(on, PAIRS))
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    language, wire = request.param
    twin, way = WIRES[wire](language)
    yield Bench(WirePrinter("receipts", way, MANNERS[language]), twin, JOBS[language])
    twin.close()


def test_a_job_that_the_printer_answers_for_is_on_paper(bench: Bench) -> None:
    assert isinstance(bench.printer, Printer)
    assert bench.printer.state() is PrinterState.READY
    outcome = bench.printer.print(bench.job)
    assert (outcome.end, outcome.state) == (PrintEnd.CONFIRMED, PrinterState.READY)
    assert bench.twin.papers[-1].data == bench.job


def test_two_jobs_are_two_papers_in_order(bench: Bench) -> None:
    for _ in range(2):
        assert bench.printer.print(bench.job).end is PrintEnd.CONFIRMED
    assert [slip.data for slip in bench.twin.papers] == [bench.job, bench.job]


@pytest.mark.parametrize(
    ("bench", "fault", "state"),
    [on(pair, fault, state) for pair in PAIRS for fault, state in TOLD[pair[0]].items()],
    indirect=["bench"],
)
def test_what_surely_did_not_print_says_so_and_may_be_printed_again(
    bench: Bench, fault: Condition, state: PrinterState
) -> None:
    bench.twin.fault = fault
    assert bench.printer.state() is state
    outcome = bench.printer.print(bench.job)
    assert (outcome.end, outcome.state) == (PrintEnd.FAILED, state)
    assert outcome.hint
    assert not bench.twin.papers
    bench.twin.mend()
    assert bench.printer.print(bench.job).end is PrintEnd.CONFIRMED
    assert len(bench.twin.papers) == 1


def test_one_whose_cable_is_out_is_lost_and_prints_when_it_is_in_again(bench: Bench) -> None:
    bench.twin.unplug()
    assert bench.printer.state() is PrinterState.LOST
    outcome = bench.printer.print(bench.job)
    assert (outcome.end, outcome.state) == (PrintEnd.FAILED, PrinterState.LOST)
    assert outcome.hint
    bench.twin.plug()
    assert bench.printer.print(bench.job).end is PrintEnd.CONFIRMED
    assert [slip.data for slip in bench.twin.papers] == [bench.job]


@pytest.mark.parametrize("fault", [Condition.SILENT, Condition.HANG_UP])
def test_what_perhaps_printed_is_never_called_failed(bench: Bench, fault: Condition) -> None:
    bench.twin.fault = fault
    outcome = bench.printer.print(bench.job)
    assert outcome.end is PrintEnd.UNKNOWN
    assert not outcome.state.prints
    assert "look whether it printed" in outcome.hint


def test_one_that_stops_taking_bytes_in_the_middle_is_not_waited_for_for_ever(bench: Bench) -> None:
    bench.twin.fault = Condition.STUCK
    outcome = bench.printer.print(bench.job * 40_000)  # more than a line's buffers hold
    assert outcome.end is PrintEnd.UNKNOWN
    assert not bench.twin.papers


@pytest.mark.parametrize("way", [serial_line, usb])
def test_an_answer_that_comes_late_is_never_taken_for_the_next_jobs(
    way: Callable[[str], tuple[SimulatedPrinter, Wire]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated, "SLOW_S", 1.6)
    twin, wire = way("escpos")
    made = WirePrinter("receipts", wire, MANNERS["escpos"])
    twin.fault = Condition.SLOW
    assert made.print(JOBS["escpos"]).end is PrintEnd.UNKNOWN
    twin.fault = Condition.WELL
    assert made.print(JOBS["escpos"]).end is PrintEnd.CONFIRMED
    assert len(twin.papers) == 2, "it was confirmed by the answer to the job before"
    twin.close()


def test_flow_control_is_no_word_of_success() -> None:
    heard = status.escpos_answers(b"\x13\x11\x13")
    assert (heard.real_time, heard.in_order, heard.strange) == ((), (), b"")
    assert status.escpos_answers(b"\x12\x18").begun == b"\x18"
    assert status.escpos_answers(b"\x18\x00\x00\x00\x00").in_order == (0,)


def test_a_slow_printer_is_waited_for(bench: Bench) -> None:
    bench.twin.fault = Condition.SLOW
    assert bench.printer.print(bench.job).end is PrintEnd.CONFIRMED


@pytest.mark.parametrize("language", ["escpos", "star"])
def test_a_roll_near_its_end_prints_and_says_so(language: str) -> None:
    twin, wire = network(language)
    twin.fault = Condition.NEAR_END
    outcome = WirePrinter("receipts", wire, MANNERS[language]).print(JOBS[language])
    assert (outcome.end, outcome.state) == (PrintEnd.CONFIRMED, PrinterState.PAPER_NEAR_END)
    assert outcome.state.prints
    assert len(twin.papers) == 1
    twin.close()


def test_automatic_status_that_another_till_switched_on_is_passed_over() -> None:
    twin, wire = network("escpos")
    twin.fault = Condition.CHATTY
    outcome = WirePrinter("receipts", wire, MANNERS["escpos"]).print(JOBS["escpos"])
    assert (outcome.end, outcome.state) == (PrintEnd.CONFIRMED, PrinterState.READY)
    twin.close()


@pytest.mark.parametrize("profile", [WIDE, PROFILES["star-80"]], ids=["escpos", "star"])
def test_a_drawer_opens_and_costs_no_paper(profile: Profile) -> None:
    twin, wire = network(profile.language)
    made = WirePrinter("receipts", wire, MANNERS[profile.language])
    assert made.print(kick(profile)).end is PrintEnd.CONFIRMED
    assert (twin.kicks, len(twin.papers)) == (1, 0)
    twin.close()


def test_a_serial_cable_that_is_pulled_while_it_is_opened_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's refusal to set a line up is no `OSError`."""
    twin, wire = serial_line("escpos")

    def pulled(*_: object) -> None:
        raise termios.error(errno.EIO, "Input/output error")

    monkeypatch.setattr(termios, "tcsetattr", pulled)
    outcome = WirePrinter("receipts", wire, MANNERS["escpos"]).print(JOBS["escpos"])
    assert (outcome.end, outcome.state) == (PrintEnd.FAILED, PrinterState.LOST)
    assert "cable" in outcome.hint
    twin.close()


def test_a_file_takes_jobs_and_never_says_that_they_are_on_paper(tmp_path: Path) -> None:
    made = WirePrinter("receipts", FileWire(str(tmp_path / "paper")), MANNERS["escpos"])
    assert made.print(JOBS["escpos"]).end is PrintEnd.SENT
    assert made.print(JOBS["escpos"]).end is PrintEnd.SENT
    assert (tmp_path / "paper").read_bytes() == JOBS["escpos"] * 2
    gone = WirePrinter("receipts", FileWire(str(tmp_path / "no/such/paper")), MANNERS["escpos"])
    outcome = gone.print(JOBS["escpos"])
    assert (outcome.end, outcome.state) == (PrintEnd.FAILED, PrinterState.LOST)
    assert "cannot be written" in outcome.hint


def spooler(folder: Path, queue_known: bool, takes: bool) -> None:
    """Programs by the spooler's names, which do what the spooler's do."""
    (folder / "lpstat").write_text(f"#!/bin/sh\nexit {int(not queue_known)}\n")
    (folder / "lp").write_text(
        f'#!/bin/sh\ncat > {folder}/job\necho "$@" > {folder}/asked\nexit {int(not takes)}\n'
    )
    for name in ("lp", "lpstat"):
        (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("queue_known", "takes", "end", "state"),
    [
        (True, True, PrintEnd.SENT, PrinterState.READY),
        (True, False, PrintEnd.FAILED, PrinterState.SILENT),
        (False, True, PrintEnd.FAILED, PrinterState.LOST),
    ],
)
def test_a_spooler_has_the_job_or_has_not(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    queue_known: bool,
    takes: bool,
    end: PrintEnd,
    state: PrinterState,
) -> None:
    spooler(tmp_path, queue_known, takes)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    made = WirePrinter("receipts", SpoolerWire("till"), MANNERS["escpos"])
    outcome = made.print(JOBS["escpos"])
    assert (outcome.end, outcome.state) == (end, state)
    if takes and queue_known:
        assert (tmp_path / "job").read_bytes() == JOBS["escpos"]
        assert (tmp_path / "asked").read_text().split() == ["-s", "-d", "till", "-o", "raw", "-"]
