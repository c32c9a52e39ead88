"""ESC/POS bytes cut into commands and text by the commands' true lengths. Pure.

Taking the control bytes out of a receipt is not reading it: pictures contain every byte there is, and columns are
placed by commands. A command that this table does not know is a token of its own, and counted; nothing raises,
whatever the bytes. Source of the lengths: Epson's ESC/POS command reference, and what four generators really send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

ESC, FS, GS, DLE = 0x1B, 0x1C, 0x1D, 0x10
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


Length = Callable[[bytes, int], int | None]
"""How many parameter bytes follow at this place; None while the stream does not say yet."""


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

    def __init__(self) -> None:
        self._held = b""
        self._passed = 0

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
    if name in _LONGER_NAMES:
        name = data[at : at + 3]
        if len(name) < 3:
            return _unknown(data, at, at + 2) if ended else None
    length = _LENGTHS.get(name)
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


def _at(data: bytes, place: int, size: int) -> int | None:
    """A little-endian number at a place, None where the stream ends before it."""
    return int.from_bytes(data[place : place + size], "little") if place + size <= len(data) else None


def _sized(bytes_of_size: int) -> Length:
    """A command that says its length first."""

    def length(data: bytes, at: int) -> int | None:
        size = _at(data, at, bytes_of_size)
        return None if size is None else bytes_of_size + size

    return length


def _until_nul(data: bytes, at: int) -> int | None:
    end = data.find(b"\x00", at)
    return None if end < 0 else end - at + 1


def _bit_image(data: bytes, at: int) -> int | None:
    """`ESC * m nL nH d…`: one byte a column at 8 dots, three at 24."""
    mode, columns = _at(data, at, 1), _at(data, at + 1, 2)
    if mode is None or columns is None:
        return None
    return 3 + columns * (3 if mode in (32, 33) else 1)


def _raster(data: bytes, at: int) -> int | None:
    """`GS v 0 m xL xH yL yH d…`: rows of whole bytes."""
    across, down = _at(data, at + 1, 2), _at(data, at + 3, 2)
    return None if across is None or down is None else 5 + across * down


def _bar_code(data: bytes, at: int) -> int | None:
    """`GS k`: kinds 0 to 6 end with NUL, kinds from 65 say their length."""
    kind = _at(data, at, 1)
    if kind is None:
        return None
    if kind <= 6:
        rest = _until_nul(data, at + 1)
        return None if rest is None else 1 + rest
    size = _at(data, at + 1, 1)
    return None if size is None else 2 + size


def _cut(data: bytes, at: int) -> int | None:
    """`GS V m`, with the feed before it where m is 65 and above."""
    mode = _at(data, at, 1)
    return None if mode is None else 2 if mode in (65, 66, 97, 98, 103, 104) else 1


def _real_time(data: bytes, at: int) -> int | None:
    """`DLE DC4 fn …`: a pulse has two parameters, clearing the buffer seven, and so on."""
    function = _at(data, at, 1)
    return None if function is None else {1: 3, 2: 3, 3: 6, 7: 2, 8: 8}.get(function, 1)


def _downloaded_letters(data: bytes, at: int) -> int | None:
    """`ESC & y c1 c2 [x d…]…`"""
    high, first, last = (_at(data, at + place, 1) for place in range(3))
    if high is None or first is None or last is None:
        return None
    size = 3
    for _ in range(max(0, last - first + 1)):
        wide = _at(data, at + size, 1)
        if wide is None:
            return None
        size += 1 + wide * high
    return size


def _downloaded_image(data: bytes, at: int) -> int | None:
    """`GS * x y d…`"""
    across, down = _at(data, at, 1), _at(data, at + 1, 1)
    return None if across is None or down is None else 2 + across * down * 8


def _stored_images(data: bytes, at: int) -> int | None:
    """`FS q n [xL xH yL yH d…]…`"""
    count, size = _at(data, at, 1), 1
    if count is None:
        return None
    for _ in range(count):
        across, down = _at(data, at + size, 2), _at(data, at + size + 2, 2)
        if across is None or down is None:
            return None
        size += 4 + across * down * 8
    return size


_LONGER_NAMES = (b"\x1d(", b"\x1d8", b"\x1b(", b"\x1c(", b"\x1dv", b"\x1dg", b"\x1dC")

_LENGTHS: dict[bytes, int | Length] = {
    **dict.fromkeys((b"\x1b@", b"\x1b2", b"\x1bL", b"\x1bS", b"\x1bi", b"\x1bm", b"\x1b<", b"\x1b\x0c"), 0),
    **dict.fromkeys((bytes([ESC, letter]) for letter in b" !%-3=?EGJKMRTUVadeftuvr{gHIo"), 1),
    **dict.fromkeys((b"\x1b$", b"\x1b\\", b"\x1bc"), 2),
    b"\x1bp": 3,
    b"\x1bW": 8,
    b"\x1bD": _until_nul,
    b"\x1b*": _bit_image,
    b"\x1b&": _downloaded_letters,
    **dict.fromkeys((b"\x1c&", b"\x1c."), 0),
    **dict.fromkeys((b"\x1c!", b"\x1c-", b"\x1cC", b"\x1cW"), 1),
    **dict.fromkeys((b"\x1cS", b"\x1cp", b"\x1c?"), 2),
    b"\x1c2": 34 + 40,  # one defined letter of 24 x 24 dots and its code
    b"\x1cq": _stored_images,
    **dict.fromkeys((b"\x1d:", b"\x1d\x0c"), 0),
    **dict.fromkeys((bytes([GS, letter]) for letter in b"!/BEFHITabcfhijrwz"), 1),
    **dict.fromkeys((bytes([GS, letter]) for letter in b"$LPWx\\"), 2),
    b"\x1d^": 3,
    b"\x1dk": _bar_code,
    b"\x1dV": _cut,
    b"\x1d*": _downloaded_image,
    b"\x1dC0": 2,
    b"\x1dg0": 3,
    b"\x1dg2": 3,
    b"\x1dv0": _raster,
    **dict.fromkeys((bytes([lead]) + b"(" + bytes([letter]) for lead in (ESC, FS, GS) for letter in range(0x41, 0x7B)), _sized(2)),
    b"\x1d8L": _sized(4),
    **dict.fromkeys((b"\x10\x04", b"\x10\x05"), 1),
    b"\x10\x14": _real_time,
}  # fmt: skip
