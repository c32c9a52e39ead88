"""What one box is told: a JSON file, checked whole before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

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

    kind: Literal["serial", "camera", "folder", "film"]
    name: Name
    address: str = Field(description="A device path, a camera's number, a folder or a film.")


class Goods(Strict):
    """One product of the shop's list."""

    gtin: Annotated[str, Field(pattern=r"^[0-9]{13,14}$")]
    name: Name
    price: Minor


class BoxConfig(Strict):
    """Everything a box needs to know."""

    device: Device
    tenant: Name
    shop: Name = Field(description="The name on the receipts.")
    state: Path = Field(description="The folder of the journal.")
    witness: Path | None = Field(default=None, description="A file on another medium; without one, rights wait for the core after a boot.")  # fmt: skip
    broker: Broker
    readers: tuple[Reader, ...] = ()
    printer: str = Field(default="", description="host:port of a network printer; empty for none.")
    screen_port: int = Field(default=0, ge=0, le=65_535, description="The till screen's loopback port; 0 takes a free one.")  # fmt: skip
    claim_url: str = Field(default="", description="Where the code on a receipt leads.")
    language: Literal["zh", "en"] = "zh"
    issuers: tuple[str, ...] = Field(default=(), description="Public keys of coupon issuers, hexadecimal.")
    goods: tuple[Goods, ...] = ()
    stocks: dict[Template, Annotated[int, Field(ge=1, le=LEASE_MAX)]] = Field(default_factory=dict, description="Coupon templates to hold rights of, and how many.")  # fmt: skip

    def setup(self, kids: dict[bytes, tuple[bytes, ...]]) -> Setup:
        """The part of it that the till decides by."""
        goods = {one.gtin: Line(name=one.name, price=one.price, goods=one.gtin) for one in self.goods}
        return Setup(self.device, self.tenant, kids, goods, self.stocks)
