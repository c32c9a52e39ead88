"""Figures on paper: money, quantities, and whether one is the product of two. Pure."""

from __future__ import annotations

import re

from .template import MONEY

MONEY_AT_END = re.compile(rf"(?:^| ){MONEY}$")


def money(text: str) -> int | None:
    """An amount in the smallest coin; a minus may stand before or behind."""
    bare = re.sub(r"[￥¥$£€\ufffd,\s]", "", text).replace("−", "-")
    minus = bare.startswith("-") != bare.endswith("-")
    digits = bare.strip("-").replace(".", "")
    if not digits.isascii() or not digits.isdecimal():
        return None
    return -int(digits) if minus else int(digits)


def milli(text: str) -> int | None:
    """A quantity in thousandths: `2` is 2,000, `0.385kg` is 385."""
    found = re.search(r"-?\d+(?:\.\d{1,3})?", text)
    if not found:
        return None
    whole, _, part = found.group().lstrip("-").partition(".")
    milli = int(whole) * 1_000 + int(part.ljust(3, "0") or 0)
    return -milli if found.group().startswith("-") else milli


def is_product(quantity_milli: int, price: int, amount: int) -> bool:
    """Whether the amount is the product; a weight's may be rounded either way."""
    exact, slack = quantity_milli * price, 1_000 if quantity_milli % 1_000 else 0
    return abs(exact - amount * 1_000) <= slack
