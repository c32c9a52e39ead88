"""What a shop decides about its boxes, whoever keeps it: a file, or the fleet's twin. One model, so that the check, the
form and the documentation cannot differ."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .codes import normal_gtin
from .messages import LEASE_MAX, Minor, Name, Template
from .settings import Strict


def _gtin(text: str) -> str:
    """The one form in which scanned codes are looked up."""
    found = normal_gtin(text)
    if found is None:
        raise ValueError(
            "a product's number has 8, 12, 13 or 14 digits, and the last of them checks the others"
        )
    return found


class Goods(Strict):
    """One product of the shop's list."""

    gtin: Annotated[str, AfterValidator(_gtin)] = Field(description="The number under its bars.")
    name: Name = Field(description="Its name on the button and on the paper.")
    price: Minor = Field(description="In fen.")


def _is_key(text: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise ValueError("a public key is 64 hexadecimal digits")
    return text


PublicKey = Annotated[str, AfterValidator(_is_key)]


class ShopSettings(Strict):
    """The shop's part of a box's settings."""

    tenant: Name = Field(description="Whose coupons it takes.")
    shop: Name = Field(description="The name on the receipts.")
    claim_url: str = Field(default="", description="Where the code on a receipt leads.")
    language: Literal["zh", "en"] = Field(
        default="zh", description="The screen's language until somebody chooses."
    )
    issuers: tuple[PublicKey, ...] = Field(
        default=(), description="Public keys of coupon issuers, hexadecimal."
    )
    goods: tuple[Goods, ...] = Field(
        default=(), description="The products on the screen's buttons and their codes."
    )
    stocks: dict[Template, Annotated[int, Field(ge=1, le=LEASE_MAX)]] = Field(default_factory=dict, description="Coupon templates to hold rights of, and how many.")  # fmt: skip


class BoxSettings(ShopSettings):
    """All that a fleet decides about a box: its shop's part, and where it finds the core."""

    broker_host: str = Field(default="", max_length=64, description="Where the broker is from now on; as the claim said, if it is empty.")  # fmt: skip
    broker_port: int = Field(
        default=0, ge=0, le=65_535, description="Its TLS port; as the claim said, if it is 0."
    )
