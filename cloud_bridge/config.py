"""What a core is told: a JSON file, checked whole before anything starts."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from tillbox.contracts.settings import Strict

from .payments.machine import Schedule


class Broker(Strict):
    """Where the boxes are heard."""

    host: str
    port: int = Field(ge=1, le=65_535)
    authority: Path
    certificate: Path
    key: Path


class Wallet(Strict):
    """The wallet company."""

    url: str
    merchant: str
    secret: Path


class Stock(Strict):
    """A coupon template that exists from the start."""

    name: str
    title: str
    quantity: int = Field(ge=1, le=1_000_000)
    lease_ms: int = Field(ge=1_000)


class CoreConfig(Strict):
    """Everything a core needs to know."""

    database: str = Field(description="sqlite:///path or postgresql+psycopg://…")
    broker: Broker
    wallet: Wallet
    http_port: int = Field(ge=1, le=65_535, description="The console's loopback port.")
    stocks: tuple[Stock, ...] = ()
    query_ms: int = 5_000
    window_ms: int = 45_000
    reverse_floor_ms: int = 15_000

    def schedule(self) -> Schedule:
        """When payments are asked for and given up."""
        return Schedule(self.query_ms, self.window_ms, self.reverse_floor_ms)
