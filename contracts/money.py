"""Money, points and coupons: an integer with a unit. It refuses floats, and to add apples to pears."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNIT = re.compile(r"[A-Z]{2,8}(:[a-z0-9][a-z0-9_-]{0,31})?")
_DECIMAL = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?")

MINOR_MAX = 2**53 - 1
"""The largest amount: what every JSON reader can hold exactly (RFC 8259, section 6)."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What is counted: a currency, points, or one coupon template. `scale` is its decimal digits."""

    code: str
    scale: int

    def __post_init__(self) -> None:
        if not _UNIT.fullmatch(self.code) or not 0 <= self.scale <= 9:
            raise ValueError(f"{self.code!r}/{self.scale} is no unit, write CNY/2 or COUPON:tea/0")

    def __str__(self) -> str:
        return f"{self.code}/{self.scale}"

    @classmethod
    def parse(cls, text: str) -> Unit:
        """`CNY/2` as a unit. ValueError for anything else."""
        code, slash, scale = text.partition("/")
        if not slash or not scale.isdecimal():
            raise ValueError(f"{text!r} is no unit, write CNY/2 or COUPON:tea/0")
        return cls(code, int(scale))


CNY = Unit("CNY", 2)
POINT = Unit("POINT", 0)


def coupon_unit(template: str) -> Unit:
    """The unit in which the coupons of one template are counted."""
    return Unit(f"COUPON:{template}", 0)


def template_of(unit: Unit) -> str:
    """The template whose coupons a unit counts. ValueError for a unit that counts something else."""
    kind, _, template = unit.code.partition(":")
    if kind != "COUPON":
        raise ValueError(f"{unit} counts no coupons")
    return template


@dataclass(frozen=True, slots=True)
class Amount:
    """So many of the smallest part of a unit: `Amount(1250, CNY)` is 12.50 yuan. May be negative."""

    minor: int
    unit: Unit

    def __post_init__(self) -> None:
        if type(self.minor) is not int or abs(self.minor) > MINOR_MAX:
            raise ValueError(
                f"{self.minor!r} is no amount of {self.unit}: it must be a whole number up to 2^53"
            )

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.minor + self._same_unit(other), self.unit)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.minor - self._same_unit(other), self.unit)

    def __neg__(self) -> Amount:
        return Amount(-self.minor, self.unit)

    def __lt__(self, other: Amount) -> bool:
        return self.minor < self._same_unit(other)

    def __le__(self, other: Amount) -> bool:
        return self.minor <= self._same_unit(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.decimal()} {self.unit.code}"

    def decimal(self) -> str:
        """The digits a person reads, without the unit: `12.50`."""
        sign, whole = ("-" if self.minor < 0 else ""), abs(self.minor)
        if not self.unit.scale:
            return f"{sign}{whole}"
        major, rest = divmod(whole, 10**self.unit.scale)
        return f"{sign}{major}.{rest:0{self.unit.scale}d}"

    def _same_unit(self, other: Amount) -> int:
        if self.unit != other.unit:
            raise ValueError(f"cannot reckon {other.unit} with {self.unit}")
        return other.minor


def parse_amount(text: str, unit: Unit) -> Amount:
    """`12.5` typed by a person as an amount of `unit`. ValueError for signs, spaces, or too fine a part."""
    found = _DECIMAL.fullmatch(text)
    if not found or len(found[2] or "") > unit.scale:
        raise ValueError(
            f"{text[:20]!r} is no amount of {unit.code}: digits, and at most {unit.scale} after the dot"
        )
    return Amount(int(found[1]) * 10**unit.scale + int((found[2] or "").ljust(unit.scale, "0") or 0), unit)
