"""What a shop decides about its boxes, whoever keeps it: a file, or the fleet's twin. One model, so that the check, the
form and the documentation cannot differ."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from .codes import normal_gtin
from .messages import LEASE_MAX, Minor, Name, Template
from .settings import Strict

YUAN = {"unit": "CNY/2"}
"""The mark of an amount in fen: a form shows it in yuan and takes it so."""


def said(name: str, zh: str, help_zh: str = "", **more: str) -> dict[str, Any]:
    """What a form calls a field, for its schema; `description` is the help in English."""
    return {"title": name, "json_schema_extra": {"title_zh": zh, "description_zh": help_zh, **more}}


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

    gtin: Annotated[str, AfterValidator(_gtin)] = Field(
        description="The number under its bars.", **said("Number", "条码", "条码下面的数字。")
    )
    name: Name = Field(
        description="Its name on the button and on the paper.",
        **said("Name", "品名", "按钮和小票上的名字。"),
    )
    price: Minor = Field(description="In fen.", **said("Price", "价格", "单位是分。", **YUAN))


def _is_key(text: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise ValueError("a public key is 64 hexadecimal digits")
    return text


PublicKey = Annotated[str, AfterValidator(_is_key)]


class ShopSettings(Strict):
    """The shop's part of a box's settings."""

    tenant: Name = Field(description="Whose coupons it takes.", **said("Tenant", "商户", "认谁家的优惠券。"))
    shop: Name = Field(
        description="The name on the receipts.", **said("Shop's name", "店名", "小票上的店名。")
    )
    claim_url: str = Field(
        default="",
        description="Where the code on a receipt leads.",
        **said("Receipt's address", "小票网址", "小票上的码打开的网址。"),
    )
    language: Literal["zh", "en"] = Field(
        default="zh",
        description="The screen's language until somebody chooses.",
        **said("Language", "语言", "屏幕的语言，有人另选之前都用它。"),
    )
    issuers: tuple[PublicKey, ...] = Field(
        default=(),
        description="Public keys of coupon issuers, hexadecimal.",
        **said("Coupon issuers", "发券方公钥", "优惠券发行方的公钥，十六进制。"),
    )
    goods: tuple[Goods, ...] = Field(
        default=(),
        description="The products on the screen's buttons and their codes.",
        **said("Goods", "商品", "屏幕按钮上的商品和条码。"),
    )
    stocks: dict[Template, Annotated[int, Field(ge=1, le=LEASE_MAX)]] = Field(
        default_factory=dict,
        description="Coupon templates to hold rights of, and how many.",
        **said("Coupon rights", "核销权", "持有哪些优惠券的核销权，各多少张。"),
    )
    data_mb_month: int = Field(
        default=0,
        ge=0,
        le=10_000_000,
        description="The data plan of its line, in megabytes a month; 0 for one without a bound.",
        **said("Data plan", "月流量", "线路套餐每月的流量，单位 MB；0 表示不限。"),
    )


class BoxSettings(ShopSettings):
    """All that a fleet decides about a box: its shop's part, and where it finds the core."""

    broker_host: str = Field(
        default="",
        max_length=64,
        description="Where the broker is from now on; as the claim said, if it is empty.",
        **said("Broker", "服务器", "盒子以后连哪里；留空就按激活码所说。"),
    )
    broker_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        description="Its TLS port; as the claim said, if it is 0.",
        **said("Broker's port", "端口", "它的 TLS 端口；0 就按激活码所说。"),
    )
