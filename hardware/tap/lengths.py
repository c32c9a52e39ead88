"""How many parameter bytes each ESC/POS command has. Pure. Source: Epson's command reference, and what four generators
really send."""

from __future__ import annotations

from collections.abc import Callable

ESC, FS, GS, DLE = 0x1B, 0x1C, 0x1D, 0x10

Length = Callable[[bytes, int], int | None]
"""How many parameter bytes follow at this place; None while the stream does not say yet."""


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


LONGER_NAMES = (b"\x1d(", b"\x1d8", b"\x1b(", b"\x1c(", b"\x1dv", b"\x1dg", b"\x1dC")

LENGTHS: dict[bytes, int | Length] = {
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
