"""A face as the bytes of a two-line customer display with Epson's commands. Pure; it knows no cable.

`ESC @` sets the display up (overwriting, so that the last cell scrolls nothing away) and `0C` clears it; then
come both lines, filled to their ends. The amount stands alone on the lower line, at its right end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tillbox.contracts.money import CNY, Amount
from tillbox.hardware.ports import Face, FaceKind
from tillbox.hardware.printing.document import clean

SET_UP, CLEAR = b"\x1b@", b"\x0c"
TO_DISPLAY, TO_PRINTER = b"\x1b=\x02", b"\x1b=\x01"

Encoding = Literal["ascii", "gb18030"]


@dataclass(frozen=True, slots=True)
class Vfd:
    """What one model can do. `columns` are half-width cells; `baud` is how it leaves the factory."""

    encoding: Encoding = "ascii"
    columns: int = 20
    baud: int = 9600
    behind_printer: bool = False

    def encode(self, face: Face) -> bytes:
        """The bytes after which it shows this face and nothing else."""
        data = SET_UP + CLEAR + b"".join(_line(line, self) for line in _lines(face, self))
        return passthrough(data) if self.behind_printer else data


LATIN = Vfd("ascii")
CHINESE = Vfd("gb18030")


def passthrough(data: bytes) -> bytes:
    """What a printer hands on to the display that is plugged into it, keeping none for its paper."""
    return TO_DISPLAY + data + TO_PRINTER


def _lines(face: Face, model: Vfd) -> tuple[str, str]:
    label = _LABELS[model.encoding][face.kind]
    above = " ".join(part for part in (label, _shown(face.text, model.encoding)) if part)
    figure = "" if face.amount is None else _figure(face.amount, model.columns)
    return above, figure.rjust(model.columns)


def _figure(amount: Amount, columns: int) -> str:
    """The digits; with the unit's name where a customer could take them for money. Dashes if it does not fit."""
    figure = amount.decimal() if amount.unit == CNY else str(amount)
    return figure if len(figure) <= columns else "-" * columns


def _shown(text: str, encoding: Encoding) -> str:
    """What of a text this model has glyphs for; GB18030's four-byte characters are in no display's font."""
    return "".join(c for c in clean(text) if 1 <= len(c.encode(encoding, "ignore")) <= 2).strip()


def _line(text: str, model: Vfd) -> bytes:
    """A text cut between two characters and filled up, to exactly one line."""
    # A character takes as many cells as bytes: × is one column by Unicode, and two in a Chinese font.
    while len(data := text.encode(model.encoding)) > model.columns:
        text = text[:-1]
    return data.ljust(model.columns)


_LABELS: dict[Encoding, dict[FaceKind, str]] = {
    "ascii": {
        FaceKind.IDLE: "",
        FaceKind.PRICE: "Price",
        FaceKind.TOTAL: "Total",
        FaceKind.RECEIVED: "Received",
        FaceKind.CHANGE: "Change",
        FaceKind.PAID: "Paid",
    },
    "gb18030": {
        FaceKind.IDLE: "",
        FaceKind.PRICE: "单价",
        FaceKind.TOTAL: "合计",
        FaceKind.RECEIVED: "收款",
        FaceKind.CHANGE: "找零",
        FaceKind.PAID: "已付",
    },
}
