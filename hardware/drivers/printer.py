"""A printer behind any wire: a deadline for everything, and no word of success without the printer's own.

Before a job it is asked how it is, since what it refuses then is surely not on paper; after the last byte it is asked
again, and only that answer counts as printed. A wire on which nothing comes back ends with SENT, never better.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import Field

from tillbox.hardware.addresses import endpoint
from tillbox.hardware.ports import DeviceLost, PrintEnd, PrinterState, PrintOutcome
from tillbox.hardware.registry import Driver, Options

from .manners import MANNERS, Manners
from .wires import FileWire, NetworkWire, SerialWire, SpoolerWire, UsbWire, Wire

JOB_S = 30.0  # a receipt with a drawn code at 9600 baud takes five seconds, one with a paper change a minute


class WirePrinter:
    """A `Printer` (or `LabelPrinter`): a wire and the manners of the printer at its end.

    WirePrinter("receipts", NetworkWire("192.168.1.50", 9100), EscPos)
    WirePrinter("labels", UsbWire("/dev/usb/lp0"), Tspl)
    """

    def __init__(self, name: str, wire: Wire, manners: Callable[[], Manners]) -> None:
        self._name, self._wire, self._manners = name, wire, manners
        self._owed = 0  # answers to jobs that this line may still bring

    @property
    def name(self) -> str:
        """What the shop calls it."""
        return self._name

    def print(self, data: bytes) -> PrintOutcome:
        """Send one job and wait for its end."""
        try:
            self._wire.open()
        except DeviceLost as lost:
            return PrintOutcome(PrintEnd.FAILED, PrinterState.LOST, lost.hint)
        try:
            return self._talk(data)
        finally:
            self._wire.close()

    def state(self) -> PrinterState:
        """Ask the printer how it is; a wire that cannot answer says READY when it is there."""
        try:
            self._wire.open()
        except DeviceLost:
            return PrinterState.LOST
        try:
            return self._manners().state(self._wire) if self._wire.answers else PrinterState.READY
        except OSError:
            return PrinterState.LOST
        finally:
            self._wire.close()

    def _talk(self, data: bytes) -> PrintOutcome:
        manners, state = self._manners(), PrinterState.READY
        if self._wire.answers:
            try:
                if self._owed and not manners.settle(self._wire, self._owed):
                    self._owed += 1
                    return PrintOutcome(PrintEnd.FAILED, PrinterState.SILENT, HINTS[PrinterState.SILENT])
                self._owed = 0
                state = manners.state(self._wire)
            except OSError:
                return PrintOutcome(PrintEnd.FAILED, PrinterState.SILENT, HINTS[PrinterState.SILENT])
            if not state.prints:
                return PrintOutcome(PrintEnd.FAILED, state, HINTS[state])
        job = manners.seal(data) if self._wire.answers else data
        try:
            taken = self._wire.send(job, JOB_S)
            if taken == 0:
                return PrintOutcome(PrintEnd.FAILED, PrinterState.SILENT, HINTS[PrinterState.SILENT])
            if taken < len(job):
                return self._perhaps(manners)
            if not self._wire.answers:
                return PrintOutcome(PrintEnd.SENT, state)
            return (
                PrintOutcome(PrintEnd.CONFIRMED, state)
                if manners.printed(self._wire)
                else self._perhaps(manners)
            )
        except (OSError, DeviceLost):
            return PrintOutcome(PrintEnd.UNKNOWN, PrinterState.LOST, PERHAPS)

    def _perhaps(self, manners: Manners) -> PrintOutcome:
        """It took bytes and did not end: why, if it says. On a line that stays, its answer may come into the next job."""
        self._owed += self._wire.stays
        try:
            state = manners.state(self._wire) if self._wire.answers else PrinterState.SILENT
        except OSError:
            state = PrinterState.LOST
        # One that answers for its state and not for the job is well and does not count jobs.
        return PrintOutcome(PrintEnd.UNKNOWN, PrinterState.SILENT if state.prints else state, PERHAPS)


PERHAPS = "the printer took the job and did not say that it is done: look whether it printed"
HINTS = {
    PrinterState.LOST: "no printer answers: is it switched on, is the cable in?",
    PrinterState.SILENT: "the printer does not answer: switch it off and on again",
    PrinterState.PAPER_OUT: "no paper: put in a new roll",
    PrinterState.COVER_OPEN: "the cover is open: close it",
    PrinterState.CUTTER_JAM: "the cutter is stuck: open the cover and free it",
    PrinterState.RIBBON_OUT: "the ribbon is at its end: put in a new one",
    PrinterState.PAUSED: "the printer is paused: press its pause or feed key",
    PrinterState.BROKEN: "the printer reports an error: switch it off, wait ten seconds, switch it on",
}
"""What a person can do now, for every state in which nothing or perhaps nothing was printed."""


# the drivers that a configuration may name


class PrinterOptions(Options):
    """The language that the printer speaks."""

    language: Literal["escpos", "star"] = Field(
        default="escpos", description="What it speaks; the profile of a receipt printer says it already."
    )


class LabelOptions(Options):
    """The language that the label printer speaks."""

    language: Literal["tspl", "zpl"] = Field(default="tspl", description="What it speaks.")


class SerialPrinterOptions(PrinterOptions):
    """Its baud as well, as its self test prints it."""

    baud: int = Field(default=9600, description="Its speed, as its self test prints it.")


class SerialLabelOptions(LabelOptions):
    """Its baud as well, as its self test prints it."""

    baud: int = Field(default=9600, description="Its speed, as its self test prints it.")


def _printer(wire: Callable[[str, Options], Wire]) -> Callable[[str, str, Options], WirePrinter]:
    def make(name: str, address: str, options: Options) -> WirePrinter:
        assert isinstance(options, PrinterOptions | LabelOptions)
        return WirePrinter(name, wire(address, options), MANNERS[options.language])

    return make


def _network(address: str, _: Options) -> Wire:
    match endpoint(address):
        case (str(host), int(port)):
            return NetworkWire(host, port)
    raise ValueError(f"{address!r} is a path; a network printer is at host:port.")


def _serial(address: str, options: Options) -> Wire:
    assert isinstance(options, SerialPrinterOptions | SerialLabelOptions)
    return SerialWire(address, options.baud)


NETWORK = Driver(_printer(_network), PrinterOptions)
USB = Driver(_printer(lambda path, _: UsbWire(path)), PrinterOptions)
SERIAL = Driver(_printer(_serial), SerialPrinterOptions)
SPOOLER = Driver(_printer(lambda queue, _: SpoolerWire(queue)), PrinterOptions)
FILE = Driver(_printer(lambda path, _: FileWire(path)), PrinterOptions)
LABELS_NETWORK = Driver(_printer(_network), LabelOptions)
LABELS_USB = Driver(_printer(lambda path, _: UsbWire(path)), LabelOptions)
LABELS_SERIAL = Driver(_printer(_serial), SerialLabelOptions)
LABELS_SPOOLER = Driver(_printer(lambda queue, _: SpoolerWire(queue)), LabelOptions)
LABELS_FILE = Driver(_printer(lambda path, _: FileWire(path)), LabelOptions)
