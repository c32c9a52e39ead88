"""What one box is told: a JSON file, checked whole before anything starts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from tillbox.contracts.codes import kid_of, normal_gtin
from tillbox.contracts.messages import LEASE_MAX, Device, Line, Minor, Name, Template
from tillbox.contracts.settings import Strict

from .till import Setup


class Broker(Strict):
    """Where the core is heard."""

    host: str = Field(description="The broker's name or address.")
    port: int = Field(ge=1, le=65_535, description="Its TLS port.")
    authority: Path = Field(description="The fleet authority's certificate.")
    certificate: Path = Field(description="This box's certificate; its name is the device.")
    key: Path = Field(description="This box's key, made here and readable by the box alone.")


class Reader(Strict):
    """Something that reads codes."""

    kind: Literal["serial", "keys", "camera", "folder", "film"] = Field(description="What it is.")
    name: Name = Field(description="What the shop calls it.")
    address: str = Field(description="A device path, a camera's number, a folder or a film.")


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


def _is_address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if text and not (host and colon and port.isascii() and port.isdecimal() and 0 < int(port) < 65_536):
        raise ValueError("write host:port, for example 192.168.1.50:9100")
    return text


def _is_key(text: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise ValueError("a public key is 64 hexadecimal digits")
    return text


class BoxConfig(Strict):
    """Everything a box needs to know."""

    device: Device = Field(description="The box's name, as in its certificate.")
    tenant: Name = Field(description="Whose coupons it takes.")
    shop: Name = Field(description="The name on the receipts.")
    state: Path = Field(description="The folder of the journal.")
    witness: Path | None = Field(default=None, description="A file on another medium; without one, rights wait for the core after a boot.")  # fmt: skip
    broker: Broker = Field(description="Where the core is heard, and who this box is to it.")
    readers: tuple[Reader, ...] = Field(default=(), description="Scanners and cameras, as many as there are.")
    printer: Annotated[str, AfterValidator(_is_address)] = Field(
        default="", description="host:port of a network printer; empty for none."
    )
    screen_port: int = Field(default=0, ge=0, le=65_535, description="The till screen's loopback port; 0: no screen.")  # fmt: skip
    claim_url: str = Field(default="", description="Where the code on a receipt leads.")
    language: Literal["zh", "en"] = Field(
        default="zh", description="The screen's language until somebody chooses."
    )
    issuers: tuple[Annotated[str, AfterValidator(_is_key)], ...] = Field(
        default=(), description="Public keys of coupon issuers, hexadecimal."
    )
    goods: tuple[Goods, ...] = Field(
        default=(), description="The products on the screen's buttons and their codes."
    )
    stocks: dict[Template, Annotated[int, Field(ge=1, le=LEASE_MAX)]] = Field(default_factory=dict, description="Coupon templates to hold rights of, and how many.")  # fmt: skip

    @model_validator(mode="after")
    def _cameras_have_numbers(self) -> BoxConfig:
        for one in self.readers:
            if one.kind == "camera" and not one.address.removeprefix("/dev/video").isdecimal():
                raise ValueError(
                    f"{one.address!r} is no camera: give its number, or /dev/video and its number"
                )
        return self

    def setup(self) -> Setup:
        """The part of it that the till decides by."""
        goods = {one.gtin: Line(name=one.name, price=one.price, goods=one.gtin) for one in self.goods}
        keys: dict[bytes, tuple[bytes, ...]] = {}
        for key in map(bytes.fromhex, self.issuers):
            # Two keys may share the short name that a coupon carries: then both are tried.
            keys[kid_of(key)] = (*keys.get(kid_of(key), ()), key)
        return Setup(self.device, self.tenant, keys, goods, self.stocks)
