"""How one talks with a printer of each language: how is it, and is the job done. The bytes' meaning is in
`printing/status.py`; this is the conversation, with an end to every wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from tillbox.hardware.ports import PrinterState
from tillbox.hardware.printing import status

from .wires import Wire

ANSWER_S = 2.0  # a printer answers for its state within tens of milliseconds, at 9600 baud too
PAPER_S = 10.0  # from the last byte to the last line: a long slip takes three seconds
POLL_S = 0.1
IDLE_POLLS = 4  # a label printer begins within a quarter of a second
DRAIN_READS = 64
TAIL_BYTES = 4_096  # of what a printer said, so much is looked at


class Manners(Protocol):
    """The conversation in one language."""

    def state(self, wire: Wire) -> PrinterState:
        """Ask how it is. SILENT when it does not say. Raises `OSError` when the wire is cut."""

    def settle(self, wire: Wire, owed: int) -> bool:  # noqa: ARG002 - of a language that owes none
        """Before a job: get the answers out of the way that earlier jobs on this line still owe. False if the printer does
        not come so far. Where its answers say how it is now, none is ever owed."""
        return True

    def seal(self, data: bytes) -> bytes:
        """The job, with what is added to it so that its end can be known."""
        return data

    def printed(self, wire: Wire) -> bool:
        """Wait for the word that the sealed job is done; False when it does not come. A printer at work may be
        too busy to answer: that is not yet a no."""


class EscPos(Manners):
    """Asks by `DLE EOT`, which is answered at once, and ends a job with `GS r`, which is answered after it."""

    def __init__(self) -> None:
        self._begun = b""  # of an automatic status whose rest is still coming

    def settle(self, wire: Wire, owed: int) -> bool:
        """Ask once more in order, and wait for that answer behind all that are owed. Where fewer come, the printer was off
        meanwhile and has forgotten them: whoever answers at all owes nothing more after so long."""
        wire.send(b"\x1dr\x01", ANSWER_S)
        return bool(self._listen(wire, lambda said: len(said.in_order) > owed, PAPER_S).in_order)

    def state(self, wire: Wire) -> PrinterState:
        _drain(wire)
        answers = []
        for number in (2, 3, 4):
            wire.send(b"\x10\x04" + bytes([number]), ANSWER_S)
            heard = self._listen(
                wire, lambda said: bool(said.real_time or said.in_order or said.strange), ANSWER_S
            )
            if not heard.real_time or heard.in_order or heard.strange:
                return PrinterState.SILENT  # nobody, or something that is no printer
            answers.append(heard.real_time[0])
        return status.escpos_state(*answers)

    def seal(self, data: bytes) -> bytes:
        return data + b"\x1dr\x01"

    def printed(self, wire: Wire) -> bool:
        return bool(self._listen(wire, lambda said: bool(said.in_order), PAPER_S).in_order)

    def _listen(self, wire: Wire, enough: Callable[[status.Heard], bool], wait_s: float) -> status.Heard:
        begun = self._begun
        stream = _hear(wire, lambda came: enough(status.escpos_answers(begun + came)), wait_s)
        heard = status.escpos_answers(begun + stream)
        self._begun = heard.begun
        return heard


class Star(Manners):
    """Asks by `ESC ACK SOH`, and ends a job with `ETB`, which the printer counts when it has come so far."""

    def __init__(self) -> None:
        self._counted: int | None = None

    def state(self, wire: Wire) -> PrinterState:
        block = self._ask(wire)
        if block is None:
            return PrinterState.SILENT
        self._counted = status.star_counter(block)
        return status.star_state(block)

    def seal(self, data: bytes) -> bytes:
        return data + b"\x17"

    def printed(self, wire: Wire) -> bool:
        return _poll(lambda: self._done(wire))

    def _done(self, wire: Wire) -> bool | None:
        block = self._ask(wire)
        if block is None or self._counted is None:
            return None
        return True if status.star_counter(block) != self._counted else None

    def _ask(self, wire: Wire) -> bytes | None:
        wire.send(b"\x1b\x06\x01", ANSWER_S)
        return status.star_block(_hear(wire, lambda stream: status.star_block(stream) is not None, ANSWER_S))


class Tspl(Manners):
    """Asks by `ESC ! ?`; a job is done when the printer is no longer at work."""

    def __init__(self) -> None:
        self._idle, self._worked = 0, False

    def state(self, wire: Wire) -> PrinterState:
        answer = self._ask(wire)
        return PrinterState.SILENT if answer is None else status.tspl_state(answer)

    def printed(self, wire: Wire) -> bool:
        return _poll(lambda: self._done(wire))

    def _done(self, wire: Wire) -> bool | None:
        answer = self._ask(wire)
        if answer is None:
            return None
        if not status.tspl_state(answer).prints:
            return False
        # It may not have begun yet: idle counts when it has been at work, or is idle for a while.
        self._idle = 0 if answer & status.TSPL_BUSY else self._idle + 1
        self._worked = self._worked or bool(answer & status.TSPL_BUSY)
        return True if self._idle and (self._worked or self._idle >= IDLE_POLLS) else None

    def _ask(self, wire: Wire) -> int | None:
        wire.send(b"\x1b!?", ANSWER_S)
        heard = _hear(wire, bool, ANSWER_S)
        return heard[-1] if heard and not heard[-1] & status.TSPL_NEVER else None


class Zpl(Manners):
    """Asks by `~HS`; a job is done when no format and no label waits any more."""

    def state(self, wire: Wire) -> PrinterState:
        said = self._ask(wire)
        return PrinterState.SILENT if said is None else status.zpl_state(*said)

    def printed(self, wire: Wire) -> bool:
        return _poll(lambda: self._done(wire))

    def _done(self, wire: Wire) -> bool | None:
        said = self._ask(wire)
        if said is None:
            return None
        if not status.zpl_state(*said).prints:
            return False
        return True if status.zpl_idle(*said) else None

    def _ask(self, wire: Wire) -> tuple[list[bytes], list[bytes]] | None:
        wire.send(b"~HS", ANSWER_S)
        return status.zpl_fields(_hear(wire, lambda stream: status.zpl_fields(stream) is not None, ANSWER_S))


MANNERS: dict[str, Callable[[], Manners]] = {"escpos": EscPos, "star": Star, "tspl": Tspl, "zpl": Zpl}
"""By the language that the printer speaks."""


def _poll(done: Callable[[], bool | None]) -> bool:
    """Ask until it says yes or no, or its time is over; None is a printer at work, or too busy to answer."""
    until_s = time.monotonic() + PAPER_S
    while time.monotonic() < until_s:
        if (said := done()) is not None:
            return said
        time.sleep(POLL_S)
    return False


def _drain(wire: Wire) -> None:
    """Take what it still had to say, and throw it away."""
    for _ in range(DRAIN_READS):
        if not wire.receive(0.0):
            return


def _hear(wire: Wire, enough: Callable[[bytes], bool], wait_s: float) -> bytes:
    """What comes until it is enough or the wait is over."""
    heard, until_s = b"", time.monotonic() + wait_s
    while not enough(heard) and (left_s := until_s - time.monotonic()) > 0:
        heard = (heard + wire.receive(left_s))[-TAIL_BYTES:]
    return heard
