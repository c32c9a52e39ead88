"""A face as the bytes of a Chinese eight-digit display with four lamps (单价 合计 收款 找零). Pure.

`ESC Q A` digits CR shows a figure, `STX L` four of 0 and 1 sets the lamps, `0C` clears (from the LED8N manual);
some models take `ESC s` and the lamp's number instead (from bbs.bccn.net). It has no letters, so a text is not shown, and
an amount of anything but money is a row of dashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tillbox.contracts.money import CNY, Amount
from tillbox.hardware.ports import Face, FaceKind

CLEAR = b"\x0c"
DIGITS = 8
NO_FIGURE = "-" * DIGITS
"""What stands for an amount that cannot be shown. It is no number, and a cashier asks."""


@dataclass(frozen=True, slots=True)
class Led8:
    """What one model can do. It stays dark at every baud but its own."""

    lamps: Literal["stx", "esc"] = "stx"
    baud: int = 2400

    def encode(self, face: Face) -> bytes:
        """The bytes after which it shows this face and nothing else."""
        lamp = _LAMPS[face.kind]
        digits = CLEAR if face.amount is None else b"\x1bQA" + _figure(face.amount).encode() + b"\r"
        # Cleared before the lamps are set: on some models 0C puts them out as well.
        return digits + (_four_lamps(lamp) if self.lamps == "stx" else b"\x1bs%d" % lamp)


STX_LAMPS = Led8("stx")
ESC_LAMPS = Led8("esc")


def _figure(amount: Amount) -> str:
    """The dot shares its place with a digit; the minus takes one."""
    figure = amount.decimal()
    fits = len(figure.replace(".", "")) <= DIGITS
    return figure if fits and amount.unit == CNY else NO_FIGURE


def _four_lamps(lit: int) -> bytes:
    return b"\x02L" + bytes(ord("1") if lamp == lit else ord("0") for lamp in (1, 2, 3, 4))


_LAMPS = {
    FaceKind.IDLE: 0,  # none
    FaceKind.PRICE: 1,
    FaceKind.TOTAL: 2,
    FaceKind.RECEIVED: 3,
    FaceKind.CHANGE: 4,
    FaceKind.PAID: 3,  # there is no fifth lamp, and money was received
}
