"""Goods codes: EAN and UPC with their check digit, as one GTIN of 13 or 14 digits."""

from __future__ import annotations

from dataclasses import dataclass

from tillbox.contracts.verdicts import Reason, Refused

from .reads import Symbology

LENGTHS = {
    Symbology.EAN_13: 13,
    Symbology.EAN_8: 8,
    Symbology.UPC_A: 12,
    Symbology.UPC_E: 8,
    Symbology.ITF: 14,
}


@dataclass(frozen=True, slots=True)
class GoodsCode:
    """A trade item number: 13 digits (shorter ones padded with zeros on the left), or 14 for a case."""

    gtin: str


def check_digit(digits: str) -> int:
    """The GS1 check digit over all digits but the check digit itself (weights 3, 1 from the right)."""
    return (
        -sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))) % 10
    )


def is_checked(digits: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    return check_digit(digits[:-1]) == int(digits[-1])


def expand_upc_e(digits: str) -> str:
    """The UPC-A of an eight-digit UPC-E (GS1 General Specifications, 5.2.2.4)."""
    system, body, check = digits[0], digits[1:7], digits[7]
    last = body[5]
    if last in "012":
        middle = body[:2] + last + "0000" + body[2:5]
    elif last == "3":
        middle = body[:3] + "00000" + body[3:5]
    elif last == "4":
        middle = body[:4] + "00000" + body[4]
    else:
        middle = body[:5] + "0000" + last
    return system + middle + check


def goods_code(text: str, symbology: Symbology) -> GoodsCode | Refused | None:
    """Digits as goods: None where they cannot be, CODE_DAMAGED where only the check digit is wrong."""
    if text.startswith("(01)"):
        text = text[4:18]
    elif text.startswith("01") and len(text) >= 16 and symbology in _GS1:
        text = text[2:16]
    if not (text.isascii() and text.isdecimal()) or len(text) not in (8, 12, 13, 14):
        return None
    wanted = LENGTHS.get(symbology)
    if wanted is not None and len(text) not in (wanted, 13 if symbology is Symbology.UPC_A else wanted):
        return None
    if symbology is Symbology.UPC_E:
        text = expand_upc_e(text)
    if not is_checked(text):
        return Refused(Reason.CODE_DAMAGED)
    return GoodsCode(text if len(text) == 14 and text[0] != "0" else text.lstrip("0").rjust(13, "0")[-13:])


_GS1 = frozenset({Symbology.CODE_128, Symbology.DATA_MATRIX, Symbology.QR, Symbology.DATABAR})
