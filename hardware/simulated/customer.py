"""A customer's eye: the bytes that a display was sent, as what is seen on it. Written apart from the encoders on
purpose, from the manuals alone, so that it judges what they made.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

PENDING_MAX = 64  # the longest command is far shorter; what goes on longer is noise


@dataclass(frozen=True, slots=True)
class Seen:
    """What a customer sees. Two lines, or the digits as one; `lamps` are the words that are lit."""

    lines: tuple[str, ...] = ()
    lamps: tuple[str, ...] = ()


class Eye(Protocol):
    """Watches one display."""

    unknown: Counter[str]

    def take(self, data: bytes) -> None:
        """Some bytes arrived, perhaps a part of a command."""

    def sees(self) -> Seen:
        """What is seen now."""


class VfdEye:
    """Two lines of twenty cells with Epson's display commands."""

    COLUMNS, ROWS = 20, 2

    def __init__(self, *, behind_printer: bool = False, chinese: bool = False) -> None:
        self.unknown: Counter[str] = Counter()
        self.on_paper = bytearray()
        self._chinese = chinese
        self._selected = not behind_printer
        self._pending = b""
        self._at = 0
        self._wipe()

    def take(self, data: bytes) -> None:
        self._pending += data
        while self._pending and (used := self._step(self._pending)):
            self._pending = self._pending[used:]

    def sees(self) -> Seen:
        coding = "gb18030" if self._chinese else "ascii"
        rows = (self._cells[row * self.COLUMNS : (row + 1) * self.COLUMNS] for row in range(self.ROWS))
        return Seen(tuple(bytes(row).decode(coding, "replace") for row in rows))

    def _step(self, data: bytes) -> int:
        """Obey one command or show one cell; how many bytes that took, 0 if some are still to come."""
        if data[0] == 0x1B:
            return self._escape(data)
        if not self._selected:
            self.on_paper.append(data[0])
        elif data[0] == 0x0C:
            self._wipe()
        elif data[0] == 0x0D:
            self._at -= self._at % self.COLUMNS
        elif data[0] == 0x0A:
            self._at = (self._at + self.COLUMNS) % len(self._cells)
        elif data[0] < 0x20:
            self.unknown[f"{data[0]:02x}"] += 1
        else:
            self._cells[self._at] = data[0]
            self._at = (self._at + 1) % len(self._cells)
        return 1

    def _escape(self, data: bytes) -> int:
        if data[1:2] == b"=":
            if len(data) > 2:
                self._selected = bool(data[2] & 2)
            return 3 if len(data) > 2 else 0
        if data[1:2] == b"@" and self._selected:
            self._wipe()
        elif len(data) > 1:
            self.unknown[data[:2].hex()] += 1
        return 2 if len(data) > 1 else 0

    def _wipe(self) -> None:
        self._cells = bytearray(b" " * self.COLUMNS * self.ROWS)
        self._at = 0


class LedEye:
    """Eight digits and four lamps. `ESC Q A` shows digits, `STX L` and `ESC s` light lamps, `0C` clears."""

    PLACES = 8
    LAMPS = ("单价", "合计", "收款", "找零")

    def __init__(self, *, lamps: str = "stx") -> None:
        self.unknown: Counter[str] = Counter()
        self._knows_stx = lamps == "stx"
        self._digits, self._lit = "", ""
        self._pending = b""

    def take(self, data: bytes) -> None:
        self._pending = (self._pending + data)[-PENDING_MAX:]
        while self._pending and (used := self._step(self._pending)):
            self._pending = self._pending[used:]

    def sees(self) -> Seen:
        lit = tuple(name for name, on in zip(self.LAMPS, self._lit, strict=False) if on == "1")
        return Seen((self._digits,), lit)

    def _step(self, data: bytes) -> int:
        if data[:1] == b"\x0c":
            self._digits = ""
            return 1
        if b"\x1bQA".startswith(data[:3]):
            end = data.find(b"\r")
            if end > 0:
                self._show(data[3:end].decode("ascii", "replace"))
            return end + 1
        if self._knows_stx and data[:1] == b"\x02":
            if len(data) >= 6:
                self._lit = data[2:6].decode("ascii", "replace")
            return 6 if len(data) >= 6 else 0
        if not self._knows_stx and data[:2] == b"\x1bs":
            if len(data) >= 3:
                self._lit = "".join("01"[data[2] == ord("1") + place] for place in range(4))
            return 3 if len(data) >= 3 else 0
        self.unknown[f"{data[0]:02x}"] += 1
        return 1

    def _show(self, figure: str) -> None:
        """A real one drops what has no place, and shows a wrong figure without blushing."""
        places: list[str] = []
        for character in figure:
            if character == "." and places:
                places[-1] += "."
            elif character in "0123456789-":
                places.append(character)
            else:
                self.unknown[character] += 1
        self._digits = "".join(places[-self.PLACES :])
