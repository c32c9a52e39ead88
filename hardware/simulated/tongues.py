"""What a printer's twin says and does in its language, from the command sets alone: bytes in; answers, paper and
kicks of the drawer out. It knows no wire, and nothing of the code that makes the bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol


class Condition(Enum):
    """How the printer is. What its language has no word for, it keeps to itself."""

    WELL = auto()
    PAPER_OUT = auto()
    COVER_OPEN = auto()
    JAM = auto()  # the cutter is stuck
    RIBBON_OUT = auto()  # label printers that print by ribbon
    PAUSED = auto()  # somebody pressed the pause key of a label printer
    BROKEN = auto()  # an error that nobody at the counter can mend
    NEAR_END = auto()  # of the roll; it still prints
    SILENT = auto()  # it takes bytes, prints, and answers nothing after a job
    DEAD = auto()  # it is there and answers nothing at all
    STUCK = auto()  # it answers, and stops taking a job after its first bytes
    GARBAGE = auto()  # something that is no printer answers
    HANG_UP = auto()  # it prints, and ends the connection instead of an answer
    SLOW = auto()  # it takes its time for a job, and answers nothing meanwhile
    CHATTY = auto()  # another till switched automatic status on: it is pushed before every answer (ESC/POS)

    @property
    def prints(self) -> bool:
        """Whether what it takes comes out."""
        return self not in _NO_PAPER


_NO_PAPER = {
    Condition.PAPER_OUT,
    Condition.COVER_OPEN,
    Condition.JAM,
    Condition.RIBBON_OUT,
    Condition.PAUSED,
    Condition.BROKEN,
    Condition.DEAD,
    Condition.GARBAGE,
    Condition.STUCK,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What it says."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Paper:
    """One job's bytes, printed."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Kick:
    """The drawer jumped."""


class Tongue(Protocol):
    """One printer's ears and mouth in one language."""

    def hear(self, data: bytes, condition: Condition) -> Iterator[Answer | Paper | Kick]: ...
    def rest(self) -> bytes: ...


class _EscPos:
    """Real-time questions are answered at once; `GS r` after everything before it."""

    def __init__(self, _: Tongue | None) -> None:
        self._held = bytearray()

    def hear(self, data: bytes, condition: Condition) -> Iterator[Answer | Paper | Kick]:
        self._held += data
        while (at := self._held.find(b"\x10\x04")) >= 0 and len(self._held) > at + 2:
            number = self._held[at + 2]
            del self._held[at : at + 3]
            yield Answer(bytes([0x12 | _ESCPOS_BITS.get((condition, number), 0)]))
        if self._held.endswith(b"\x1dr\x01"):
            del self._held[-3:]
            yield from self._end()
            yield Answer(b"\x03" if condition is Condition.NEAR_END else b"\x00")

    def rest(self) -> bytes:
        return b"".join(one.data for one in self._end() if isinstance(one, Paper))

    def _end(self) -> Iterator[Paper | Kick]:
        data = bytes(self._held)
        self._held.clear()
        yield from (Kick() for _ in range(data.count(b"\x1bp")))
        if data and not (len(data) <= 8 and data.startswith(b"\x1bp")):
            yield Paper(data)


_ESCPOS_BITS = {
    (Condition.PAPER_OUT, 4): 0x60,
    (Condition.NEAR_END, 4): 0x0C,
    (Condition.COVER_OPEN, 2): 0x04,
    (Condition.JAM, 3): 0x08,
    (Condition.BROKEN, 3): 0x20,
}


class _Star:
    """`ESC ACK SOH` is answered by a block of nine bytes; `ETB` counts."""

    def __init__(self, before: Tongue | None) -> None:
        self._held = bytearray()
        self._count: int = before._count if isinstance(before, _Star) else 0

    def hear(self, data: bytes, condition: Condition) -> Iterator[Answer | Paper | Kick]:
        self._held += data
        if self._held.endswith(b"\x17") or b"\x17\x1b\x06\x01" in self._held:
            job, _, rest = bytes(self._held).rpartition(b"\x17")
            self._held = bytearray(rest)
            yield from (Kick() for _ in range(job == b"\x07"))
            if job not in (b"", b"\x07"):
                yield Paper(job)
            self._count = (self._count + 1) % 32
        while (at := self._held.find(b"\x1b\x06\x01")) >= 0:
            del self._held[at : at + 3]
            yield Answer(self._block(condition))

    def rest(self) -> bytes:
        rest, self._held = bytes(self._held), bytearray()
        return rest

    def _block(self, condition: Condition) -> bytes:
        block = bytearray(b"\x23\x86\x00\x00\x00\x00\x00\x00\x00")
        if (at_bits := _STAR_BITS.get(condition)) is not None:
            block[at_bits[0]] |= at_bits[1]
        count = self._count
        block[7] = (count & 0x10) << 2 | (count & 0x08) << 2 | (count & 0x07) << 1
        return bytes(block)


_STAR_BITS = {
    Condition.PAPER_OUT: (5, 0x08),
    Condition.NEAR_END: (5, 0x04),
    Condition.COVER_OPEN: (2, 0x20),
    Condition.JAM: (3, 0x08),
    Condition.BROKEN: (3, 0x20),
}


class _Tspl:
    """`ESC ! ?` is answered by one byte; `PRINT` ends a job."""

    def __init__(self, _: Tongue | None) -> None:
        self._held = bytearray()

    def hear(self, data: bytes, condition: Condition) -> Iterator[Answer | Paper | Kick]:
        self._held += data
        while (at := self._held.find(b"\x1b!?")) >= 0:
            job = bytes(self._held[:at])
            del self._held[: at + 3]
            if job:
                yield Paper(job)
            yield Answer(bytes([_TSPL_BITS.get(condition, 0)]))

    def rest(self) -> bytes:
        rest, self._held = bytes(self._held), bytearray()
        return rest


_TSPL_BITS = {
    Condition.PAPER_OUT: 0x04,
    Condition.COVER_OPEN: 0x01,
    Condition.JAM: 0x02,
    Condition.RIBBON_OUT: 0x08,
    Condition.PAUSED: 0x10,
    Condition.BROKEN: 0x80,
}


class _Zpl:
    """`~HS` is answered by three lines; `^XZ` ends a label."""

    def __init__(self, _: Tongue | None) -> None:
        self._held = bytearray()

    def hear(self, data: bytes, condition: Condition) -> Iterator[Answer | Paper | Kick]:
        self._held += data
        for part in re.split(rb"(~HS)", bytes(self._held)):
            if part == b"~HS":
                job = bytes(self._held[: self._held.find(b"~HS")])
                del self._held[: len(job) + 3]
                if job:
                    yield Paper(job)
                yield Answer(_zpl_lines(condition))

    def rest(self) -> bytes:
        rest, self._held = bytes(self._held), bytearray()
        return rest


def _zpl_lines(condition: Condition) -> bytes:
    paper, head = condition is Condition.PAPER_OUT, condition is Condition.COVER_OPEN
    ribbon = condition is Condition.RIBBON_OUT
    pause = condition in (Condition.PAUSED, Condition.JAM)  # it has no word for a jam, and pauses
    lines = (
        f"030,{paper:d},{pause:d},0640,000,0,0,0,000,0,0,0",
        f"000,0,{head:d},{ribbon:d},0,2,4,0,00000000,1,000",
        "1234,0",
    )
    return b"".join(b"\x02" + line.encode() + b"\x03\r\n" for line in lines)


_TONGUES: dict[str, Callable[[Tongue | None], Tongue]] = {
    "escpos": _EscPos,
    "star": _Star,
    "tspl": _Tspl,
    "zpl": _Zpl,
}


def tongue(language: str, after: Tongue | None = None) -> Tongue:
    """A printer's tongue; `after` is the one of the connection before, for what outlasts it."""
    return _TONGUES[language](after)
