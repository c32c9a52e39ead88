"""What the till needs from its devices, and nothing about how they are built.

A port is a Protocol: a driver and its simulated twin both satisfy it and neither inherits from it. Trouble
is a value, because the shop goes on without a scanner; `DeviceLost` is for the call that cannot keep its
promise. This file imports no driver and knows no cable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from tillbox.contracts.codes.reads import CodeRead

# trouble, and its end


class TroubleKind(StrEnum):
    """What is wrong with a device, as far as the box can tell."""

    LOST = "lost"  # unplugged, or not there yet
    OVERRUN = "overrun"  # it said more than one code can hold; all of it was thrown away
    UNREADABLE = "unreadable"  # what it handed over is damaged: a torn picture, a broken frame
    SILENT = "silent"  # it is there and should speak, and does not


@dataclass(frozen=True, slots=True)
class DeviceTrouble:
    """A device is in trouble. `hint` says what a person can do now.

    LOST and SILENT last until a `DeviceBack` of the same device; the other kinds are over when told.
    """

    device: str
    kind: TroubleKind
    hint: str


@dataclass(frozen=True, slots=True)
class DeviceBack:
    """A device that was lost or silent works again."""

    device: str


class DeviceLost(Exception):
    """A device is not there, and somebody needed it now. `hint` says what a person can do."""

    def __init__(self, device: str, hint: str) -> None:
        super().__init__(f"{device} is not there. {hint}")
        self.device = device
        self.hint = hint


# what reads codes

Deliver = Callable[[tuple[CodeRead, ...]], None]
Tell = Callable[[DeviceTrouble | DeviceBack], None]


@runtime_checkable
class CodeReader(Protocol):
    """Something that codes come from: a hand scanner, a camera, or a twin of either.

    reader = SerialScanner("counter", "/dev/ttyACM0")
    reader.start(deliver=inbox.offer, trouble=log.device)
    ...
    reader.stop()

    One delivery is everything that was read in one scan or one camera frame, at least one code and in no
    particular order: a customer may hold a payment code and a coupon before the camera at once. Both
    functions are called on the reader's own thread, must not block, and are never called after `stop`
    has returned. A device that is absent at `start` is trouble and not an exception; the reader goes on
    trying. Nothing that was read before trouble is delivered after it.
    """

    @property
    def name(self) -> str:
        """What the shop calls it; the `source` of every code it reads."""
        ...

    def start(self, deliver: Deliver, trouble: Tell) -> None:
        """Begin to read, and return at once. Once per reader."""
        ...

    def stop(self) -> None:
        """End promptly, also when the device is gone. Harmless when repeated."""
        ...


# what prints


class PrinterState(StrEnum):
    """What a printer last said about itself. Silence is a state of its own, never READY."""

    READY = "ready"
    PAPER_NEAR_END = "paper_near_end"  # it still prints
    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    CUTTER_JAM = "cutter_jam"
    RIBBON_OUT = "ribbon_out"  # label printers that print by ribbon
    PAUSED = "paused"  # somebody pressed its pause key
    BROKEN = "broken"  # an error that it does not name, or that a person at the counter cannot mend
    SILENT = "silent"  # it takes bytes, or seems to, and answers nothing
    LOST = "lost"  # there is no printer to ask

    @property
    def prints(self) -> bool:
        """Whether a job that is sent now will be on paper."""
        return self in (PrinterState.READY, PrinterState.PAPER_NEAR_END)


class PrintEnd(StrEnum):
    """How far one job is known to have come. Only CONFIRMED means paper."""

    SENT = "sent"  # every byte was taken; this printer cannot say more
    CONFIRMED = "confirmed"  # the printer answered after the last byte of the job
    UNKNOWN = "unknown"  # some bytes went out and no answer came: perhaps half a receipt
    FAILED = "failed"  # nothing of it is on paper; printing again cannot double it


@dataclass(frozen=True, slots=True)
class PrintOutcome:
    """What became of one job, and what the printer said about itself at its end."""

    end: PrintEnd
    state: PrinterState
    hint: str = ""


@runtime_checkable
class Printer(Protocol):
    """Something that puts bytes on paper; the bytes are made by `printing/`.

    outcome = printer.print("sale-0192…", data)
    if outcome.end is PrintEnd.UNKNOWN: ...        # ask a person before printing it again

    One caller at a time. Every call ends: a printer whose cover is open holds its bytes for ever, and the
    shop cannot wait for it.
    """

    @property
    def name(self) -> str:
        """What the shop calls it."""
        ...

    def print(self, job_id: str, data: bytes) -> PrintOutcome:
        """Send one whole job and say how far it came. Trouble is in the outcome, never raised."""
        ...

    def state(self) -> PrinterState:
        """Ask the printer how it is; SILENT or LOST when it does not say."""
        ...


@runtime_checkable
class LabelPrinter(Printer, Protocol):
    """A printer whose paper is labels; the bytes are TSPL or ZPL, one job one label or a batch of equal ones."""


# what opens


@runtime_checkable
class Drawer(Protocol):
    """The cash drawer. It cannot be asked whether it opened, so nothing may depend on that."""

    def kick(self, reason: str) -> None:
        """Send the pulse. `reason` is for the audit: whose money, which sale. Raises `DeviceLost`."""
        ...
