"""A label as TSPL bytes. Pure.

Source: TSC's TSPL/TSPL2 programming manual; Xprinter, Gprinter and HPRT speak the same. A set bit of a BITMAP is
white. What stands between quotes has no sure escape but for the quote itself, so a code that carries anything else
that is special is drawn. `ESC !` is obeyed at once, in the middle of a picture too: no picture that goes out has it.
"""

from __future__ import annotations

from .label import Bars, Block, Box, Code, Frame, Label, QrCode, Text
from .label_picture import drawn_code, drawn_texts
from .typeface import Drawn, Typeface

COPIES_MAX = 999
_KINDS = {"ean_13": "EAN13", "ean_8": "EAN8", "code_128": "128"}


def encode(label: Label, typeface: Typeface, copies: int = 1) -> bytes:
    """The bytes that print a label so many times. The gap between two labels is the printer's own setting, which its
    calibration knows better."""
    assert 1 <= copies <= COPIES_MAX, copies
    out = [
        _line(f"SIZE {label.width_mm} mm,{label.height_mm} mm"),
        _line("DIRECTION 1"),
        _line("REFERENCE 0,0"),
    ]
    out.append(_line("CLS"))
    for element in label.elements:
        match element:
            case QrCode() | Bars():
                out.append(_code(element) if _is_plain(element.text) else _bitmap(drawn_code(element)))
            case Block(box):
                out.append(_line(f"BAR {box.left},{box.top},{box.width},{box.height}"))
            case Frame(box, thick):
                out.append(_line(f"BOX {box.left},{box.top},{_end(box)},{thick}"))
            case Text():
                pass  # drawn below
    out += [_bitmap(drawn) for drawn in drawn_texts(label, typeface)]
    out.append(_line(f"PRINT 1,{copies}"))
    return b"".join(out)


def _code(code: Code) -> bytes:
    text = code.text.replace('"', '\\["]')
    if isinstance(code, QrCode):
        # Model 2, since a printer's default may be model 1, which phones do not read.
        return _line(f'QRCODE {code.left},{code.top},M,{code.module_dots},A,0,M2,S7,"{text}"')
    narrow = code.module_dots
    return _line(
        f'BARCODE {code.left},{code.top},"{_KINDS[code.kind]}",{code.height},0,0,{narrow},{narrow},"{text}"'
    )


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and "\\[" not in text


def _bitmap(drawn: Drawn) -> bytes:
    row_bytes = (drawn.picture.width + 7) // 8
    white = bytes(byte ^ 0xFF for byte in b"".join(drawn.picture.rows))
    head = f"BITMAP {drawn.left},{drawn.top},{row_bytes},{len(drawn.picture.rows)},0,"
    # One dot of an eighth of a millimetre turns black, which no eye and no reader minds.
    return head.encode("ascii") + white.replace(b"\x1b!", b"\x1b\x20") + b"\r\n"


def _end(box: Box) -> str:
    return f"{box.left + box.width},{box.top + box.height}"


def _line(text: str) -> bytes:
    return text.encode("ascii") + b"\r\n"
