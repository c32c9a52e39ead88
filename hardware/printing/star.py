"""The words of StarPRNT. Pure. They look like those of ESC/POS and mean other things: `ESC d` cuts here.

Source: Star Line Mode and StarPRNT command specifications. Text goes out as UTF-8, which these printers are told
first; older ones have a code page in their profile.
"""

from __future__ import annotations

from .document import BarCode, Picture
from .encoder import Tongue
from .profiles import Profile

ESC, GS, RS = b"\x1b", b"\x1d", b"\x1e"
CUT = ESC + b"d\x03"  # feed to the knife and leave a corner; one without a knife feeds


def _alphabet(profile: Profile) -> bytes:
    if profile.code_page is not None:
        return ESC + GS + b"t" + bytes([profile.code_page])
    return ESC + GS + b")U\x02\x00\x30\x01"


def _qr(data: bytes, module_dots: int) -> bytes:
    command = ESC + GS + b"y"
    return (
        command + b"S0\x02"  # model 2
        + command + b"S1\x01"  # error correction M
        + command + b"S2" + bytes([min(8, module_dots)])
        + command + b"D1\x00" + len(data).to_bytes(2, "little") + data
        + command + b"P"
    )  # fmt: skip


def _bars(bars: BarCode) -> bytes:
    """`ESC b`: the kind, with text under it and a line feed, thinnest bar two dots, height, data, RS."""
    kind = b"3" if bars.kind == "ean_13" else b"6"
    height = bytes([min(255, max(1, bars.height_dots))])
    return ESC + b"b" + kind + b"2" + b"1" + height + bars.text.encode("ascii") + RS


def _raster(picture: Picture) -> bytes:
    """`ESC GS S`."""
    row_bytes, rows = (picture.width + 7) // 8, len(picture.rows)
    size = row_bytes.to_bytes(2, "little") + rows.to_bytes(2, "little")
    return ESC + GS + b"S\x01" + size + b"\x00" + b"".join(picture.rows)


TONGUE = Tongue(
    alphabet=_alphabet,
    align=ESC + GS + b"a",
    bold=(ESC + b"F", ESC + b"E"),
    double=(ESC + b"i\x00\x00", ESC + b"i\x01\x01"),
    plain=ESC + b"F" + ESC + b"i\x00\x00",
    qr=_qr,
    bars=_bars,
    raster=_raster,
    feed=lambda lines: b"\n" * lines,
    cut=(CUT, CUT),
    kick=b"\x07",
)
