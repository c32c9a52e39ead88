"""The words of ESC/POS. Pure.

Chinese goes out as GB18030 in the printer's Chinese mode (`FS &`), other alphabets by their code page.
"""

from __future__ import annotations

from .document import BarCode, Picture
from .encoder import Tongue
from .profiles import Profile

ESC, GS, FS = b"\x1b", b"\x1d", b"\x1c"


def _alphabet(profile: Profile) -> bytes:
    return FS + b"&" if profile.code_page is None else FS + b"." + ESC + b"t" + bytes([profile.code_page])


def _qr(data: bytes, module_dots: int) -> bytes:
    return (
        _qr_function(0x41, b"\x32\x00")  # model 2
        + _qr_function(0x43, bytes([module_dots]))
        + _qr_function(0x45, b"\x31")  # error correction M
        + _qr_function(0x50, b"0" + data)
        + _qr_function(0x51, b"0")
    )


def _qr_function(number: int, parameters: bytes) -> bytes:
    return GS + b"(k" + (len(parameters) + 2).to_bytes(2, "little") + b"1" + bytes([number]) + parameters


def _bars(bars: BarCode) -> bytes:
    """`GS k` in the form that says its length; the text under the bars, two dots for the thinnest bar."""
    if bars.kind == "ean_13":
        kind, data = b"\x43", bars.text.encode("ascii")
    else:
        kind, data = b"\x49", b"{B" + bars.text.encode("ascii").replace(b"{", b"{{")
    height = bytes([min(255, max(1, bars.height_dots))])
    how = GS + b"H\x02" + GS + b"w\x02" + GS + b"h" + height
    return how + GS + b"k" + kind + bytes([len(data)]) + data + b"\n"


def _raster(picture: Picture) -> bytes:
    """`GS v 0`."""
    row_bytes, rows = (picture.width + 7) // 8, len(picture.rows)
    size = row_bytes.to_bytes(2, "little") + rows.to_bytes(2, "little")
    return GS + b"v0\x00" + size + b"".join(picture.rows)


TONGUE = Tongue(
    alphabet=_alphabet,
    align=ESC + b"a",
    bold=(ESC + b"E\x00", ESC + b"E\x01"),
    double=(GS + b"!\x00", GS + b"!\x11"),
    plain=GS + b"!\x00" + ESC + b"E\x00",
    qr=_qr,
    bars=_bars,
    raster=_raster,
    feed=lambda lines: ESC + b"d" + bytes([lines]),
    cut=(ESC + b"d\x04", GS + b"VB\x00"),
    kick=ESC + b"p\x00\x32\x32",  # the printer's first connector: 100 ms on, 100 ms off
)
