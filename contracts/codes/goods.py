"""Goods codes: the many drawings of one product number, brought to one form.

EAN-8, EAN-13, UPC-A, UPC-E, ITF-14 and the leading (01) of a GS1 symbol all carry a GTIN. A product has
one key in a price list, so it is kept as 13 digits, or as 14 where the first says which packing it is.
This file refuses to know a product, and to repair a number whose check digit is wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tillbox.contracts.verdicts import Reason, Refused

from .reads import Symbology

_DIGITS = re.compile(r"[0-9]+")
_GTIN = re.compile(r"[0-9]{13}|[1-9][0-9]{13}")
_GS1_GOODS = re.compile(r"(?:\x1d?01|\(01\))([0-9]{14})[\x1d\x20-\x7e]{0,1000}")
_CARTON = re.compile(r"(?:\x1d?00)?([0-9]{18})")

_BARE_LENGTHS: dict[Symbology, tuple[int, ...]] = {
    Symbology.EAN_13: (13,),
    Symbology.EAN_8: (8,),
    Symbology.UPC_A: (12, 13),
    Symbology.UPC_E: (8, 12, 13),
    Symbology.ITF: (14,),
    Symbology.UNKNOWN: (8, 12, 13, 14),
}
"""Bare digits that are surely a product number, so that a wrong check digit means a damaged one."""
_LENGTHS_ELSEWHERE = (13, 14)
"""A shop's own QR or Code 128 may carry a GTIN; shorter rows of digits there are something else."""

RETAIL = frozenset({Symbology.EAN_13, Symbology.EAN_8, Symbology.UPC_A, Symbology.UPC_E})
"""Drawings that carry nothing but product numbers."""


@dataclass(frozen=True, slots=True)
class GoodsCode:
    """A product number in its one form: 13 digits, or 14 that do not begin with 0. ValueError otherwise."""

    gtin: str

    def __post_init__(self) -> None:
        if not _GTIN.fullmatch(self.gtin) or not check_digit_fits(self.gtin):
            raise ValueError(f"{self.gtin[:20]!r} is no GTIN of 13 or 14 digits with its check digit")

    @property
    def text(self) -> str:
        """What the symbol carries."""
        return self.gtin


def check_digit_fits(digits: str) -> bool:
    """The GS1 check: weights 3 and 1 from the right, the sum a multiple of ten."""
    weighted = (int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits[:-1])))
    return (sum(weighted) + int(digits[-1])) % 10 == 0


def normal_gtin(digits: str) -> str | None:
    """The one form of a GTIN of 8, 12, 13 or 14 digits, for a price list; None if it is none."""
    if len(digits) not in (8, 12, 13, 14) or not _DIGITS.fullmatch(digits) or not check_digit_fits(digits):
        return None
    return digits.removeprefix("0") if len(digits) == 14 else digits.zfill(13)


def expand_upc_e(digits: str) -> str | None:
    """The 12 digits of UPC-A that eight of UPC-E stand for; None where they stand for none."""
    if len(digits) != 8 or not _DIGITS.fullmatch(digits) or digits[0] not in "01":
        return None
    system, body, last, check = digits[0], digits[1:6], digits[6], digits[7]
    if last in "012":
        return f"{system}{body[:2]}{last}0000{body[2:]}{check}"
    if last == "3":
        return f"{system}{body[:3]}00000{body[3:]}{check}"
    if last == "4":
        return f"{system}{body[:4]}00000{body[4]}{check}"
    return f"{system}{body}0000{last}{check}"


def is_gs1_goods(text: str) -> bool:
    """Whether the text begins with the product number of a GS1 symbol; only there GS is a separator."""
    return _GS1_GOODS.fullmatch(text) is not None


def goods_code(text: str, symbology: Symbology) -> GoodsCode | Refused | None:
    """A product number; a refusal if it is a damaged one; None if it is something else."""
    if symbology in RETAIL:
        return _bare(text, symbology) or Refused(Reason.CODE_DAMAGED, "EAN")
    found = _GS1_GOODS.fullmatch(text)
    if found:
        return _goods(normal_gtin(found[1])) or Refused(Reason.CODE_DAMAGED, "GS1")
    if not _DIGITS.fullmatch(text) or len(text) not in _lengths(symbology):
        return None
    goods = _bare(text, symbology)
    if goods is None and symbology in _BARE_LENGTHS:
        return Refused(Reason.CODE_DAMAGED, "EAN")
    return goods


def carton_code(text: str) -> Refused | None:
    """The number of a carton or a pallet (SSCC): no product, so it is refused, and told from a damaged one."""
    found = _CARTON.fullmatch(text)
    if not found:
        return None
    return Refused(Reason.NOT_FOR_THIS_TILL if check_digit_fits(found[1]) else Reason.CODE_DAMAGED, "SSCC")


def _lengths(symbology: Symbology) -> tuple[int, ...]:
    return _BARE_LENGTHS.get(symbology, _LENGTHS_ELSEWHERE)


def _bare(digits: str, symbology: Symbology) -> GoodsCode | None:
    """Eight digits are EAN-8 unless the drawing, or failing that the check digit, says UPC-E."""
    if len(digits) not in _lengths(symbology):
        return None
    may_be_upc_e = len(digits) == 8 and symbology in (Symbology.UPC_E, Symbology.UNKNOWN)
    is_upc_e = len(digits) == 8 and symbology is Symbology.UPC_E
    plain = None if is_upc_e else normal_gtin(digits)
    if plain is None and may_be_upc_e:
        plain = normal_gtin(expand_upc_e(digits) or "")
    return _goods(plain)


def _goods(gtin: str | None) -> GoodsCode | None:
    return GoodsCode(gtin) if gtin else None
