"""The blocks a paper is made of, and how a shop prints: words, widths, signs. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from receipts import Line
from words import Words

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class House:
    """How this shop prints."""

    words: Words
    chinese: bool
    columns: int
    rule: str
    sign: str
    grouped: bool
    minus_behind: bool
    headings: bool
    hundredths: bool  # "2.00" for two pieces
    by: str  # between a quantity and a price
    big_total: bool

    def money(self, amount: int, sign: str = "") -> str:
        """`-1,234.50`, or `1,234.50-` where the till is built so."""
        digits = f"{abs(amount) // 100:{',' if self.grouped else ''}}.{abs(amount) % 100:02}"
        if amount >= 0:
            return f"{sign}{digits}"
        return f"{sign}{digits}-" if self.minus_behind else f"-{sign}{digits}"

    def quantity(self, line: Line) -> str:
        """`2`, `2.00` or `0.385`."""
        if line.quantity is None or self.hundredths:
            places = 3 if line.quantity is None else 2
            whole, rest = divmod(abs(line.quantity_milli), 1000)
            return f"{'-' * (line.quantity_milli < 0)}{whole}.{rest:03}"[: None if places == 3 else -1]
        return str(line.quantity)


def columns_of(text: str) -> int:
    """How wide a text is: a Hanzi takes two columns."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def text(
    words: str, align: str = "left", bold: bool = False, wide: bool = False, tall: bool = False
) -> Block:
    return {"block": "text", "text": words, "align": align, "bold": bold, "wide": wide, "tall": tall}


def pair(left: str, right: str, bold: bool = False, tall: bool = False) -> Block:
    return {"block": "pair", "left": left, "right": right, "bold": bold, "tall": tall}


def table(
    widths: tuple[int, ...], sides: str, heading: list[str] | None, rows: list[list[str]], frame: bool = False
) -> Block:
    columns = [
        {"width": width, "align": {"l": "left", "r": "right"}[side]}
        for width, side in zip(widths, sides, strict=True)
    ]
    return {"block": "table", "columns": columns, "heading": heading, "rows": rows, "frame": frame}


def rule(house: House) -> Block:
    return {"block": "rule", "mark": house.rule}
