"""What a core is told: a JSON file, checked whole before anything starts."""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tillbox.contracts.messages import Name, Template
from tillbox.contracts.settings import Strict

from .payments.machine import Schedule


class Broker(Strict):
    """Where the boxes are heard."""

    host: str = Field(description="The broker's name or address.")
    port: int = Field(ge=1, le=65_535, description="Its TLS port.")
    authority: Path = Field(description="The fleet authority's certificate.")
    certificate: Path = Field(description="The core's own certificate; its name is `core`.")
    key: Path = Field(description="The core's own key, readable by the core alone.")


class Fleet(Strict):
    """The fleet's own keys, and where its boxes find their way in. `tillbox fleet init` makes them."""

    home: Path = Field(description="The folder of the fleet's keys, readable by the core alone.")
    host: str = Field(description="The broker's name or address as boxes see it.")
    port: int = Field(ge=1, le=65_535, description="Its TLS port as boxes see it.")
    claim_port: int = Field(ge=1, le=65_535, description="Its port for boxes that ask for a certificate.")
    service_port: int = Field(
        ge=1, le=65_535, description="Its port where the core ends revoked connections."
    )
    service_host: str | None = Field(
        default=None,
        description="The broker's name for that port, where it is elsewhere: the core speaks TLS to it then. This machine unless it is set.",
    )
    revocations: Path | None = Field(
        default=None,
        description="Where each revocation list is laid a second time, for a broker that may not see the folder of keys.",
    )
    tenant: Template = Field(description="Whose shops these are.")
    console_url: str = Field(pattern=r"^https?://", description="The console as an engineer's phone sees it.")
    second_person_above: int = Field(default=20, ge=0, description="What one person commands or puts out within an hour may be so many boxes; more needs a second person's word.")  # fmt: skip
    sale_max: int = Field(default=100_000, ge=0, description="What a box that has not reached the core yet may take in one sale, in fen.")  # fmt: skip
    total_max: int = Field(default=1_000_000, ge=0, description="What it may take in all, in fen.")


class Wallet(Strict):
    """The wallet company."""

    url: str = Field(pattern=r"^https?://", description="Where it takes orders.")
    merchant: str = Field(description="Our name there.")
    secret: Path = Field(description="The file of the secret shared with it, readable by the core alone.")


class Stock(Strict):
    """A coupon template that exists from the start."""

    name: Template = Field(description="Its name in codes and in the book.")
    title: Name = Field(description="Its name for people.")
    quantity: int = Field(ge=1, le=1_000_000, description="How many coupons there are, numbered from 1.")
    lease_ms: int = Field(ge=1_000, description="How long a box may redeem alone under one lease.")


class AlertHook(Strict):
    """A program of yours that hears every alert."""

    url: str = Field(pattern=r"^https://", description="Where it is told, and nowhere else: a redirect is not followed.")  # fmt: skip
    secret: Path = Field(description="The file of the secret that signs what is sent, readable by the core alone.")  # fmt: skip
    authority: Path | None = Field(
        default=None, description="Whom to believe instead of the machine's authorities."
    )


Address = Annotated[str, Field(pattern=r"^[^@\s<>,]+@[A-Za-z0-9.-]+$")]


class AlertMail(Strict):
    """Letters about alerts. The server must speak STARTTLS."""

    host: str = Field(description="The mail server.")
    port: int = Field(default=587, ge=1, le=65_535, description="Its port.")
    sender: Address = Field(description="From whom.")
    to: tuple[Address, ...] = Field(min_length=1, max_length=20, description="To whom.")
    user: str = Field(default="", description="Who signs in there; nobody unless it is set.")
    password: Path | None = Field(default=None, description="The file of the password, readable by the core alone.")  # fmt: skip
    authority: Path | None = Field(
        default=None, description="Whom to believe instead of the machine's authorities."
    )
    language: Literal["zh", "en"] = Field(default="zh", description="In which the letters are.")


class AlertsOut(Strict):
    """Whom the core tells of alerts besides its console."""

    webhook: AlertHook | None = Field(default=None, description="A program; none unless it is set.")
    mail: AlertMail | None = Field(default=None, description="People; nobody unless it is set.")


def _is_database(text: str) -> str:
    if not re.match(r"sqlite:///.|postgresql\+psycopg://.", text):
        raise ValueError("write sqlite:///path or postgresql+psycopg://user@host/name")
    return text


class CoreConfig(Strict):
    """Everything a core needs to know."""

    database: Annotated[str, AfterValidator(_is_database)] = Field(
        description="sqlite:///path or postgresql+psycopg://…"
    )
    broker: Broker = Field(description="Where the boxes are heard, and who the core is there.")
    wallet: Wallet = Field(description="Who moves the money of payment codes.")
    fleet: Fleet | None = Field(default=None, description="Boxes that enrol by themselves; none unless it is set.")  # fmt: skip
    alerts: AlertsOut = Field(default=AlertsOut(), description="Whom the core tells of alerts besides its console.")  # fmt: skip
    http_port: int = Field(ge=1, le=65_535, description="The console's port.")
    http_host: IPv4Address = Field(
        default=IPv4Address("127.0.0.1"),
        description="The address it listens on: loopback, unless what brings TLS is on another machine or in another container.",
    )
    stocks: tuple[Stock, ...] = Field(
        default=(), description="Coupon templates to make where they are missing."
    )
    query_ms: int = Field(default=5_000, ge=100, description="How often an open payment is asked for.")
    window_ms: int = Field(default=45_000, ge=1_000, description="How long a customer may take to pay.")
    reverse_floor_ms: int = Field(default=15_000, ge=0, description="No payment is reversed sooner after it was asked for.")  # fmt: skip

    def schedule(self) -> Schedule:
        """When payments are asked for and given up."""
        return Schedule(self.query_ms, self.window_ms, self.reverse_floor_ms)
