"""A document as ESC/POS bytes for one kind of printer. Pure.

Chinese goes out as GB18030 in the printer's Chinese mode (`FS &`), QR codes as the printer's own command
where it has one and as a picture where it has not.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import segno

from .document import QR, Align, Columns, Cut, Document, Feed, Line, Rule, cells, clean, set_columns, wrap

ESC, GS, FS = b"\x1b", b"\x1d", b"\x1c"
_ALIGN: dict[Align, bytes] = {"left": b"\x00", "center": b"\x01", "right": b"\x02"}


@dataclass(frozen=True, slots=True)
class Profile:
    """What a printer can do. `columns` are half-width characters on a line."""

    columns: int = 48
    dots: int = 576
    native_qr: bool = True


WIDE = Profile()
NARROW = Profile(columns=32, dots=384)


def encode(document: Document, profile: Profile = WIDE) -> bytes:
    """The bytes that print a document, and nothing that its texts may have wanted besides."""
    out = [ESC + b"@", FS + b"&"]
    for part in document.parts:
        match part:
            case Line():
                out.append(_line(part, profile))
            case Columns():
                lines = set_columns(clean(part.left), clean(part.right), profile.columns)
                out.append(_styled(lines, bold=part.bold, double=False, align="left"))
            case Rule():
                out.append(b"-" * profile.columns + b"\n")
            case QR():
                out.append(_qr(part, profile))
            case Feed():
                out.append(ESC + b"d" + bytes([min(255, max(0, part.lines))]))
            case Cut():
                out.append(GS + b"VB\x00")
    return b"".join(out)


def kick_drawer() -> bytes:
    """Open the drawer on the printer's first connector: 100 ms on, 100 ms off."""
    return ESC + b"p\x00\x32\x32"


def _line(line: Line, profile: Profile) -> bytes:
    width = profile.columns // 2 if line.double else profile.columns
    return _styled(wrap(clean(line.text), width), bold=line.bold, double=line.double, align=line.align)


def _styled(lines: list[str], *, bold: bool, double: bool, align: Align) -> bytes:
    before = (
        ESC + b"a" + _ALIGN[align] + ESC + b"E" + bytes([bold]) + GS + b"!" + (b"\x11" if double else b"\x00")
    )
    text = b"".join(_gb18030(line) + b"\n" for line in lines)
    return before + text + (GS + b"!\x00" + ESC + b"E\x00" if bold or double else b"")


def _gb18030(text: str) -> bytes:
    """As the printers' own fonts know it: what GB18030 writes in four bytes they print as four wrong letters,
    so an emoji or a rare character becomes a question mark of its width."""
    known = (c if len(c.encode("gb18030", "replace")) < 4 else "?？"[cells(c) - 1] for c in text)
    return "".join(known).encode("gb18030", "replace")


def _qr(qr: QR, profile: Profile) -> bytes:
    data = qr.text.encode("utf-8")
    body = (
        _native_qr(data, qr.module_dots)
        if profile.native_qr
        else _raster_qr(data, qr.module_dots, profile.dots)
    )
    return ESC + b"a\x01" + body + ESC + b"a\x00"


def _native_qr(data: bytes, module_dots: int) -> bytes:
    def function(number: int, parameters: bytes) -> bytes:
        size = len(parameters) + 2
        return GS + b"(k" + bytes([size & 0xFF, size >> 8, 0x31, number]) + parameters

    return (
        function(0x41, b"\x32\x00")  # model 2
        + function(0x43, bytes([module_dots]))
        + function(0x45, b"\x31")  # error correction M
        + function(0x50, b"0" + data)
        + function(0x51, b"0")
    )


def _raster_qr(data: bytes, module_dots: int, dots: int) -> bytes:
    """`GS v 0`, with the four quiet modules around it that readers need."""
    matrix = list(segno.make_qr(data, error="m").matrix_iter(scale=1, border=4))
    scale = max(1, min(module_dots, dots // len(matrix)))
    width = len(matrix) * scale
    row_bytes = (width + 7) // 8
    out = io.BytesIO()
    for row in matrix:
        bits = "".join(("1" if dark else "0") * scale for dark in row).ljust(row_bytes * 8, "0")
        out.write(int(bits, 2).to_bytes(row_bytes, "big") * scale)
    size = row_bytes.to_bytes(2, "little") + width.to_bytes(2, "little")
    return GS + b"v0\x00" + size + out.getvalue() + b"\n"
