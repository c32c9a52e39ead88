"""A label as ZPL II bytes. Pure.

Source: Zebra's ZPL II programming guide. Whatever a code carries is written as hexadecimal (`^FH`) unless it is a
letter, a digit or plainly harmless, so `^` and `~` never reach the printer as themselves. Two quirks are met: a QR
code sinks by the height that `^BY` was last given, so it is given 1; and `>` is a command inside Code 128, so a code
with one is drawn.
"""

from __future__ import annotations

from .label import Bars, Block, Box, Code, Frame, Label, QrCode, Text
from .label_picture import drawn_code, drawn_texts
from .typeface import Drawn, Typeface

COPIES_MAX = 999
_HARMLESS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 $%*+-./:?=&@")
_SINKS = 1  # by what ^BY says, and its least is one dot


def encode(label: Label, typeface: Typeface, copies: int = 1) -> bytes:
    """The bytes that print a label so many times."""
    assert 1 <= copies <= COPIES_MAX, copies
    out = [f"^XA^PW{label.box.width}^LL{label.box.height}^LH0,0"]
    for element in label.elements:
        match element:
            case QrCode() | Bars():
                out.append(_code(element) if _is_plain(element) else _graphic(drawn_code(element)))
            case Block(box):
                out.append(_filled(box))
            case Frame(box, thick):
                out.append(f"^FO{box.left},{box.top}^GB{box.width},{box.height},{thick}^FS")
            case Text():
                pass  # drawn below
    out += [_graphic(drawn) for drawn in drawn_texts(label, typeface)]
    out.append(f"^PQ{copies}^XZ")
    return "\n".join(out).encode("ascii") + b"\n"


def _code(code: Code) -> str:
    data = "".join(chr(byte) if byte in _HARMLESS else f"_{byte:02X}" for byte in code.text.encode("utf-8"))
    if isinstance(code, QrCode):
        at = f"^FO{code.left},{code.top - _SINKS}^BY2,2,{_SINKS}"
        return f"{at}^BQN,2,{code.module_dots}^FH_^FDMA,{data}^FS"
    height = code.height
    command = {
        "ean_13": f"^BEN,{height},N,N",
        "ean_8": f"^B8N,{height},N,N",
        "code_128": f"^BCN,{height},N,N,N,A",
    }[code.kind]
    # A printer reckons the check digit of an EAN itself.
    data = data if code.kind == "code_128" else data[:-1]
    return f"^FO{code.left},{code.top}^BY{code.module_dots},2,{height}{command}^FH_^FD{data}^FS"


def _is_plain(code: Code) -> bool:
    """Whether every printer takes it for the same: ASCII that a keyboard has; squares of at most ten dots."""
    if isinstance(code, QrCode) and not (code.module_dots <= 10 and code.top >= _SINKS):
        return False
    return (
        code.text.isascii() and code.text.isprintable() and not (isinstance(code, Bars) and ">" in code.text)
    )


def _filled(box: Box) -> str:
    """`^GB` fills a box whose line is as thick as its shorter side."""
    return f"^FO{box.left},{box.top}^GB{box.width},{box.height},{min(box.width, box.height)}^FS"


def _graphic(drawn: Drawn) -> str:
    row_bytes = (drawn.picture.width + 7) // 8
    data = b"".join(drawn.picture.rows)
    return f"^FO{drawn.left},{drawn.top}^GFA,{len(data)},{len(data)},{row_bytes},{data.hex().upper()}^FS"
