"""What the sandbox wallet needs to know to open its doors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from .sandbox_wire import OFFICE


class Merchant(BaseModel):
    """Somebody who may charge. `notify_url` is told of every payment; None for nobody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$")]
    secret_path: Path
    notify_url: Annotated[str, StringConstraints(pattern=r"^https?://")] | None = None


class SandboxConfig(BaseModel):
    """What the wallet company needs to know. Secrets are named by their files (mode 0600), never given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state_path: Path
    merchants: Annotated[tuple[Merchant, ...], Field(min_length=1, max_length=1_000)]
    office_secret_path: Path
    opening_minor: Annotated[int, Field(ge=1, le=10**12)] = 10_000_000
    free_minor: Annotated[int, Field(ge=0, le=10**12)] = 100_000
    password_ms: Annotated[int, Field(ge=0, le=600_000)] = 3_000

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Self:
        names = [merchant.name for merchant in self.merchants]
        if OFFICE in names or len(set(names)) < len(names):
            raise ValueError(f"merchants need names of their own, and none is called {OFFICE!r}")
        return self
