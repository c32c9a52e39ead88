"""The room for updates in a box's configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from tillbox.contracts.settings import Strict


class Updates(Strict):
    """Where releases come from, and how gently they are taken."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://")] = Field(description="The folder of releases on a web server, as `tillbox release` makes it.")  # fmt: skip
    trust: Path = Field(description="The root of trust that the first release came with, 1.root.json.")
    root: Path = Field(description="The folder of the launcher and the two slots; not inside a slot.")
    channel: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")] = Field(default="stable", description="Which releases this box follows.")  # fmt: skip
    by_command: bool = Field(
        default=False,
        description="Take a release only when head office commands it, as a rollout does; else whatever the channel points to.",
    )
    hardware: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,32}$")] = Field(default="any", description="This box's class of hardware; it takes releases for it, and those for any.")  # fmt: skip
    poll_s: float = Field(
        default=3_600.0, gt=0, description="How often it is asked whether there is a release."
    )
    quiet_s: float = Field(default=120.0, ge=0, description="How long nobody must have used the till before it restarts.")  # fmt: skip
    rate_bytes_s: int = Field(default=262_144, ge=1_024, description="No faster than this, for a payment shares the line.")  # fmt: skip
    archive_bytes_max: int = Field(default=200_000_000, ge=1, description="A larger archive is not downloaded; a broken one goes on where it broke.")  # fmt: skip
    up_s: float = Field(default=40.0, gt=0, description="How long a new release's till and line may take to come up.")  # fmt: skip
    canary_s: float = Field(default=25.0, gt=0, description="How long its canary sale may take to the core and back.")  # fmt: skip
    customer_s: float = Field(default=20.0, ge=0, description="How long a failed trial lets a customer at its till finish.")  # fmt: skip
