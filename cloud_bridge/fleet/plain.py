"""What a terminal showed, as plain text: its control sequences are followed as ECMA-48 says, and not one of them is left. Pure.

It is a line of text with a cursor and no screen: what was typed over is gone, as on the terminal; where a program jumps about
the screen, each jump begins a line. Whatever it is given, it gives text without control characters.
"""

from __future__ import annotations

from collections.abc import Iterable

LINE_MAX = 2_000  # a longer one is broken: nobody reads it, and it must not cost a square of its length
PARAMETERS_MAX = 32
TAB = 8
_STRINGS = "PX]^_\x90\x98\x9d\x9e\x9f"  # DCS, SOS, OSC, PM, APC, with seven bits after ESC and with eight


class Plain:
    """Takes text as it comes, gives whole lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._line: list[str] = []
        self._at = 0
        self._state, self._parameters = self._ground, ""

    def take(self, text: str) -> None:
        """More of it."""
        for letter in text:
            self._state(letter)

    def end(self) -> list[str]:
        """All lines, the last one too."""
        self._feed()
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        return self.lines

    def _ground(self, letter: str) -> None:
        if letter in _CONTROLS:
            _CONTROLS[letter](self)
        elif letter == "\x1b":
            self._state = self._escape
        elif letter == "\x9b":
            self._state, self._parameters = self._sequence, ""
        elif "\x80" <= letter <= "\x9f" and letter in _STRINGS:
            self._state = self._string
        elif letter.isprintable():
            self._put(letter)

    def _escape(self, letter: str) -> None:
        if letter == "[":
            self._state, self._parameters = self._sequence, ""
        elif letter in _STRINGS:
            self._state = self._string
        elif letter == "\x1b" or " " <= letter <= "/":
            pass  # an intermediate: one more letter follows
        elif letter < " ":
            self._state = self._ground
            self._ground(letter)
        else:
            self._state = self._ground

    def _sequence(self, letter: str) -> None:
        if letter == "\x1b":
            self._state = self._escape
        elif letter in "\x18\x1a":
            self._state = self._ground
        elif letter < " ":
            self._ground_in_sequence(letter)
        elif "@" <= letter <= "~":
            self._state = self._ground
            if letter in _MOVES:
                _MOVES[letter](self, self._number())
        elif letter > "~":
            self._state = self._ground
        elif len(self._parameters) < PARAMETERS_MAX:
            self._parameters += letter

    def _ground_in_sequence(self, letter: str) -> None:
        if letter in _CONTROLS:
            _CONTROLS[letter](self)

    def _string(self, letter: str) -> None:
        if letter == "\x1b":
            self._state = self._string_end
        elif letter in "\x07\x18\x1a\x9c":
            self._state = self._ground

    def _string_end(self, letter: str) -> None:
        self._state = self._ground
        if letter != "\\":
            self._escape_again(letter)

    def _escape_again(self, letter: str) -> None:
        self._state = self._escape
        self._escape(letter)

    def _number(self) -> int:
        first = self._parameters.split(";")[0]
        return min(int(first), LINE_MAX) if first.isascii() and first.isdecimal() and len(first) < 6 else 0

    # the line and its cursor

    def _put(self, letter: str) -> None:
        if self._at >= LINE_MAX:
            self._feed()
        self._line += [" "] * (self._at - len(self._line))
        self._line[self._at : self._at + 1] = [letter]
        self._at += 1

    def _feed(self) -> None:
        self.lines.append("".join(self._line).rstrip())
        self._line, self._at = [], 0

    def _back(self) -> None:
        self._at = max(0, self._at - 1)

    def _home(self) -> None:
        self._at = 0

    def _tab(self) -> None:
        self._at = min(LINE_MAX - 1, (self._at // TAB + 1) * TAB)

    def _jump(self, _: int) -> None:
        if self._line:
            self._feed()

    def _right(self, count: int) -> None:
        self._at = min(LINE_MAX - 1, self._at + max(1, count))

    def _left(self, count: int) -> None:
        self._at = max(0, self._at - max(1, count))

    def _column(self, count: int) -> None:
        self._at = min(LINE_MAX - 1, max(1, count) - 1)

    def _erase(self, how: int) -> None:
        if how == 0:
            del self._line[self._at :]
        elif how == 1:
            self._line[: self._at + 1] = [" "] * min(self._at + 1, len(self._line))
        else:
            self._line = []

    def _delete(self, count: int) -> None:
        del self._line[self._at : self._at + max(1, count)]

    def _insert(self, count: int) -> None:
        if self._at < len(self._line):
            self._line[self._at : self._at] = [" "] * max(1, count)
            del self._line[LINE_MAX:]


_CONTROLS = {
    "\n": Plain._feed,
    "\x0b": Plain._feed,
    "\x0c": Plain._feed,
    "\r": Plain._home,
    "\b": Plain._back,
    "\t": Plain._tab,
}
_MOVES = {
    "A": Plain._jump, "B": Plain._jump, "H": Plain._jump, "f": Plain._jump, "J": Plain._jump, "d": Plain._jump,
    "C": Plain._right, "D": Plain._left, "G": Plain._column, "K": Plain._erase, "P": Plain._delete, "@": Plain._insert,
}  # fmt: skip


def plain(texts: Iterable[str]) -> list[str]:
    """What was shown, line by line."""
    found = Plain()
    for text in texts:
        found.take(text)
    return found.end()
