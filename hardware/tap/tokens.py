"""ESC/POS bytes cut into commands and text by the commands' true lengths. Pure.

Taking the control bytes out of a receipt is not reading it: pictures contain every byte there is, and columns are
placed by commands. A command that this table does not know is a token of its own, and counted; nothing raises,
whatever the bytes. Source of the lengths: Epson's ESC/POS command reference, and what four generators really send.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from .lengths import DLE, ESC, FS, GS, LENGTHS, LONGER_NAMES

HELD_BYTES_MAX = 300_000  # the largest picture: 576 dots, 4,000 rows; more than this is no command


class Kind(Enum):
    """What a token is."""

    TEXT = auto()  # letters of the printer's alphabet
    CONTROL = auto()  # one control byte: LF, CR, HT, FF …
    COMMAND = auto()
    UNKNOWN = auto()  # a command's beginning that is none


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of the stream, from `start` up to `end`. `name` is the command without its parameters."""

    kind: Kind
    name: bytes
    body: bytes
    start: int
    end: int

    @property
    def first(self) -> int:
        """The first parameter as a number, 0 where there is none; a digit counts as what it shows."""
        value = self.body[0] if self.body else 0
        return value - 0x30 if 0x30 <= value <= 0x39 else value

    @property
    def cuts(self) -> bool:
        """Whether the paper is cut here."""
        return self.name in (b"\x1dV", b"\x1bi", b"\x1bm")


def tokens(data: bytes) -> Iterator[Token]:
    """All tokens of a whole stream; a command that is cut off at its end is unknown."""
    at = 0
    while at < len(data):
        token = _next(data, at, ended=True)
        assert token is not None, "an ended stream has no half tokens"
        yield token
        at = token.end


class Tokeniser:
    """The same for a stream that is still coming: what may be half a command is held back.

    tokeniser = Tokeniser()
    tokeniser.feed(b"Tea\\x1d")     -> [Token(TEXT, body=b"Tea")]
    tokeniser.feed(b"V\\x00")       -> [Token(COMMAND, name=b"\\x1dV", body=b"\\x00")]
    """

    def __init__(self, at: int = 0) -> None:
        self._held = b""
        self._passed = at

    @property
    def position(self) -> int:
        """Where in the stream the next byte will be."""
        return self._passed + len(self._held)

    @property
    def begun(self) -> bytes:
        """The command that has begun and is not whole yet."""
        return self._held

    def feed(self, data: bytes) -> list[Token]:
        """The tokens that are whole now; `start` and `end` count from the stream's beginning."""
        self._held += data
        found, at = [], 0
        while at < len(self._held):
            token = _next(self._held, at, ended=len(self._held) - at > HELD_BYTES_MAX)
            if token is None:
                break
            found.append(_moved(token, self._passed))
            at = token.end
        self._held, self._passed = self._held[at:], self._passed + at
        return found

    def end(self) -> list[Token]:
        """What is left when nothing more comes."""
        left = [_moved(token, self._passed) for token in tokens(self._held)]
        self._passed += len(self._held)
        self._held = b""
        return left


def _next(data: bytes, at: int, *, ended: bool) -> Token | None:
    lead = data[at]
    if lead in (ESC, FS, GS, DLE):
        return _command(data, at, ended=ended)
    if lead < 0x20 or lead == 0x7F:
        return Token(Kind.CONTROL, data[at : at + 1], b"", at, at + 1)
    end = at
    while end < len(data) and data[end] >= 0x20 and data[end] != 0x7F:
        end += 1
    # The last byte may be the first half of a Chinese letter; both halves are above 0x20, so the next part joins it.
    return Token(Kind.TEXT, b"", data[at:end], at, end)


def _command(data: bytes, at: int, *, ended: bool) -> Token | None:
    name = data[at : at + 2]
    if len(name) < 2:
        return _unknown(data, at, at + 1) if ended else None
    if name in LONGER_NAMES:
        name = data[at : at + 3]
        if len(name) < 3:
            return _unknown(data, at, at + 2) if ended else None
    length = LENGTHS.get(name)
    if length is None:
        return _unknown(data, at, at + len(name))
    begin = at + len(name)
    size = length if isinstance(length, int) else length(data, begin)
    if size is None or begin + size > len(data):
        return _unknown(data, at, len(data)) if ended else None
    return Token(Kind.COMMAND, name, data[begin : begin + size], at, begin + size)


def _unknown(data: bytes, at: int, end: int) -> Token:
    return Token(Kind.UNKNOWN, data[at : at + 2], data[at + 2 : end], at, end)


def _moved(token: Token, by: int) -> Token:
    return Token(token.kind, token.name, token.body, token.start + by, token.end + by) if by else token
