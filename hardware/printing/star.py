"""A document as StarPRNT bytes. Pure. Its commands look like ESC/POS and mean other things: `ESC d` cuts here.

Source: Star Line Mode and StarPRNT command specifications. Text goes out as UTF-8, which these printers are told
first; older ones have a code page in their profile.
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
from .profiles import Profile

ESC, GS, RS = b"\x1b", b"\x1d", b"\x1e"
KICK = b"\x07"
BAND_ROWS = 96
_ALIGN: dict[Align, bytes] = {"left": b"\x00", "center": b"\x01", "right": b"\x02"}


def encode(document: Document, profile: Profile, letters: Letters | None = None) -> bytes:
    """The bytes that print a document, and nothing that its texts may have wanted besides."""
    out = [ESC + b"@", _alphabet(profile)]
    for part in document.parts:
        match part:
            case Line():
                width = profile.columns // 2 if part.double else profile.columns
                out.append(_styled(wrap(clean(part.text), width), part, profile, letters))
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
                out.append(b"\n" * min(255, max(0, part.lines)))
            case Cut():
                out.append(ESC + b"d\x03")  # feed to the knife and leave a corner
            case Kick():
                out.append(KICK)
    return b"".join(out)


def _alphabet(profile: Profile) -> bytes:
    if profile.code_page is not None:
        return ESC + GS + b"t" + bytes([profile.code_page])
    return ESC + GS + b")U\x02\x00\x30\x01"


def _centred(data: bytes) -> bytes:
    return ESC + GS + b"a\x01" + data + ESC + GS + b"a\x00"


def _styled(lines: list[str], style: Line, profile: Profile, letters: Letters | None) -> bytes:
    size = b"\x01\x01" if style.double else b"\x00\x00"
    before = ESC + GS + b"a" + _ALIGN[style.align] + ESC + (b"E" if style.bold else b"F") + ESC + b"i" + size
    text = b"".join(_text(line, 2 if style.double else 1, profile, letters) for line in lines)
    return before + text + (ESC + b"F" + ESC + b"i\x00\x00" if style.bold or style.double else b"")


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
    command = ESC + GS + b"y"
    return (
        command + b"S0\x02"  # model 2
        + command + b"S1\x01"  # error correction M
        + command + b"S2" + bytes([min(8, qr.module_dots)])
        + command + b"D1\x00" + len(data).to_bytes(2, "little") + data
        + command + b"P"
    )  # fmt: skip


def _bars(bars: BarCode) -> bytes:
    """`ESC b`: the kind, with text under it and a line feed, thinnest bar two dots, height, data, RS."""
    kind = b"3" if bars.kind == "ean_13" else b"6"
    height = bytes([min(255, max(1, bars.height_dots))])
    return ESC + b"b" + kind + b"2" + b"1" + height + bars.text.encode("ascii") + RS


def _raster(picture: Picture) -> bytes:
    row_bytes = (picture.width + 7) // 8
    return b"".join(
        ESC + GS + b"S\x01" + row_bytes.to_bytes(2, "little") + len(band.rows).to_bytes(2, "little") + b"\x00"
        + b"".join(band.rows)
        for band in bands(picture, BAND_ROWS)
    )  # fmt: skip
