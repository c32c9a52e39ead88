"""What a core is told: a JSON file, checked whole before anything starts."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .payments.machine import Schedule


class Strict(BaseModel):
    """A misspelt setting is an error, not a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class ConfigWrong(Exception):
    """The configuration cannot be used; the message names each setting and why."""


def load(path: Path) -> CoreConfig:
    """Read and check a core's configuration. ConfigWrong says what to change."""
    try:
        return CoreConfig.model_validate_json(path.read_bytes())
    except OSError as fault:
        raise ConfigWrong(f"{path} cannot be read: {fault.strerror}") from fault
    except ValidationError as fault:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in fault.errors())
        raise ConfigWrong(f"{path} is not right: {wrong}") from fault
