"""A document as ESC/POS bytes for one kind of printer. Pure.

Chinese goes out as GB18030 in the printer's Chinese mode (`FS &`), other alphabets by their code page. QR codes are
the printer's own command where it has one, a picture where it has not; a line with a letter that its font lacks is
drawn whole, so that its columns stay in place.
"""

from __future__ import annotations

from .document import (
    QR,
    Align,
    BarCode,
    Columns,
    Cut,
    Document,
    Feed,
    Kick,
    Line,
    Picture,
    Rule,
    clean,
    set_columns,
    stand_in,
    wrap,
)
from .drawing import Letters, bands, draw_qr
from .profiles import NARROW, WIDE, Profile

__all__ = ["NARROW", "WIDE", "Profile", "encode", "kick_drawer"]

ESC, GS, FS = b"\x1b", b"\x1d", b"\x1c"
BAND_ROWS = 96  # printers lose their place in raster pictures of more than 255 rows; some of more than 100
_ALIGN: dict[Align, bytes] = {"left": b"\x00", "center": b"\x01", "right": b"\x02"}


def encode(document: Document, profile: Profile = WIDE, letters: Letters | None = None) -> bytes:
    """The bytes that print a document, and nothing that its texts may have wanted besides."""
    out = [ESC + b"@", _alphabet(profile)]
    for part in document.parts:
        match part:
            case Line():
                width = profile.columns // 2 if part.double else profile.columns
                lines = wrap(clean(part.text), width)
                out.append(_styled(lines, part, profile, letters))
            case Columns():
                lines = set_columns(clean(part.left), clean(part.right), profile.columns)
                out.append(_styled(lines, Line("", bold=part.bold), profile, letters))
            case Rule():
                out.append(b"-" * profile.columns + b"\n")
            case QR():
                out.append(_centred(_qr(part, profile)))
            case BarCode():
                out.append(_centred(_bars(part)))
            case Picture():
                out.append(_centred(_raster(part)))
            case Feed():
                out.append(ESC + b"d" + bytes([min(255, max(0, part.lines))]))
            case Cut():
                out.append(GS + b"VB\x00" if profile.cutter else ESC + b"d\x04")
            case Kick():
                out.append(kick_drawer())
    return b"".join(out)


def kick_drawer() -> bytes:
    """Open the drawer on the printer's first connector: 100 ms on, 100 ms off."""
    return ESC + b"p\x00\x32\x32"


def _alphabet(profile: Profile) -> bytes:
    return FS + b"&" if profile.code_page is None else FS + b"." + ESC + b"t" + bytes([profile.code_page])


def _centred(data: bytes) -> bytes:
    return ESC + b"a\x01" + data + ESC + b"a\x00"


def _styled(lines: list[str], style: Line, profile: Profile, letters: Letters | None) -> bytes:
    size = b"\x11" if style.double else b"\x00"
    before = ESC + b"a" + _ALIGN[style.align] + ESC + b"E" + bytes([style.bold]) + GS + b"!" + size
    text = b"".join(_text(line, 2 if style.double else 1, profile, letters) for line in lines)
    return before + text + (GS + b"!\x00" + ESC + b"E\x00" if style.bold or style.double else b"")


def _text(line: str, scale: int, profile: Profile, letters: Letters | None) -> bytes:
    known = profile.bytes_of(line)
    if known is not None:
        return known + b"\n"
    if letters:
        return _raster(letters(line, scale))
    return stand_in(line, profile.knows).encode(profile.alphabet) + b"\n"


def _qr(qr: QR, profile: Profile) -> bytes:
    data = qr.text.encode("utf-8")
    if not profile.native_qr:
        return _raster(draw_qr(data, qr.module_dots, profile.dots)) + b"\n"
    return (
        _qr_function(0x41, b"\x32\x00")  # model 2
        + _qr_function(0x43, bytes([qr.module_dots]))
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
    return (
        GS
        + b"H\x02"
        + GS
        + b"w\x02"
        + GS
        + b"h"
        + height
        + GS
        + b"k"
        + kind
        + bytes([len(data)])
        + data
        + b"\n"
    )


def _raster(picture: Picture) -> bytes:
    """`GS v 0`, strip by strip."""
    row_bytes = (picture.width + 7) // 8
    return b"".join(
        GS
        + b"v0\x00"
        + row_bytes.to_bytes(2, "little")
        + len(band.rows).to_bytes(2, "little")
        + b"".join(band.rows)
        for band in bands(picture, BAND_ROWS)
    )
