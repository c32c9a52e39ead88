"""What the till needs from its devices, and nothing about how they are built.

A port is a Protocol: a driver and its simulated twin both satisfy it and neither inherits from it. Trouble
is a value, because the shop goes on without a scanner; `DeviceLost` is for the call that cannot keep its
promise. This file imports no driver and knows no cable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from tillbox.contracts.codes.reads import CodeRead
from tillbox.contracts.money import Amount

# trouble, and its end


class TroubleKind(StrEnum):
    """What is wrong with a device, as far as the box can tell."""

    LOST = "lost"  # unplugged, or not there yet
    OVERRUN = "overrun"  # it said more than one code can hold; all of it was thrown away
    UNREADABLE = "unreadable"  # what it handed over is damaged: a torn picture, a broken frame
    SILENT = "silent"  # it is there and should speak, and does not
    BLIND = "blind"  # it sees, and nothing can be read by that light


@dataclass(frozen=True, slots=True)
class DeviceTrouble:
    """A device is in trouble. `hint` says what a person can do now.

    LOST, SILENT and BLIND last until a `DeviceBack` of the same device; the other kinds are over when told.
    """

    device: str
    kind: TroubleKind
    hint: str


@dataclass(frozen=True, slots=True)
class DeviceBack:
    """A device that was lost, silent or blind works again."""

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


@runtime_checkable
class Triggered(Protocol):
    """A code reader whose light can be switched from here."""

    def pull_trigger(self, on: bool) -> None:
        """On or off. Harmless where the device is gone or does not know how."""
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

    outcome = printer.print(data)
    if outcome.end is PrintEnd.UNKNOWN: ...        # ask a person before printing it again

    One caller at a time. Every call ends: a printer whose cover is open holds its bytes for ever, and the
    shop cannot wait for it.
    """

    @property
    def name(self) -> str:
        """What the shop calls it."""
        ...

    def print(self, data: bytes) -> PrintOutcome:
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


# what faces the customer


class FaceKind(StrEnum):
    """What an amount on the customer's display is."""

    IDLE = "idle"  # between two customers
    PRICE = "price"  # 单价
    TOTAL = "total"  # 合计
    RECEIVED = "received"  # 收款
    CHANGE = "change"  # 找零
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class Face:
    """What the customer is to see now: all of it, in place of what was there. `text` is cut where the display
    ends, and left out where it shows digits only."""

    kind: FaceKind
    amount: Amount | None = None
    text: str = ""


@runtime_checkable
class CustomerDisplay(Protocol):
    """The small display that faces the customer.

    display.show(Face(FaceKind.TOTAL, Amount(1250, CNY)))

    It cannot be asked what it shows. One caller at a time, and every call ends within seconds.
    """

    @property
    def name(self) -> str:
        """What the shop calls it."""
        ...

    def show(self, face: Face) -> None:
        """Show this face. An amount that does not fit is a row of dashes, never a part of its digits.
        Raises `DeviceLost`; the next call tries the cable anew."""
        ...


# what speaks


class Saying(StrEnum):
    """What is said about an amount. PAID belongs to a payment that the core confirmed, and to no other."""

    TOTAL = "total"  # 合计
    RECEIVED = "received"  # 收款
    PAID = "paid"  # 到账
    CHANGE = "change"  # 找零
    REFUNDED = "refunded"  # 退款


Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Utterance:
    """An amount to be said aloud. `said_ms` is when the till said so, on this boot's monotonic clock."""

    kind: Saying
    amount: Amount
    language: Language
    said_ms: int


@runtime_checkable
class Speaker(Protocol):
    """Something that says amounts aloud, one after another.

    speaker.say(Utterance(Saying.PAID, Amount(1250, CNY), "zh", clock.monotonic_ms()))

    "Paid" that comes late belongs to another customer: what is ten seconds old when its turn comes is not
    said, and nothing is kept for after a restart.
    """

    @property
    def name(self) -> str:
        """What the shop calls it."""
        ...

    def start(self, trouble: Tell) -> None:
        """Begin, and return at once. Once per speaker; `trouble` is called on its own thread, and never after `stop`
        has returned."""
        ...

    def say(self, utterance: Utterance) -> bool:
        """Take it for saying and return at once. False: not taken, because it is too old, too many wait, it
        has stopped, or it knows no words for that unit."""
        ...

    def stop(self) -> None:
        """Fall silent promptly, in mid-word if need be. Harmless when repeated."""
        ...
