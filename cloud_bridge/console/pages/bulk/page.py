"""One command for many boxes on its way: what was asked for, how each wave stands, and what keeps boxes from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.fleet.waves import sizes_of, waves_of
from tillbox.cloud_bridge.store import command_lists
from tillbox.cloud_bridge.store.command_lists import BulkRow, BulkStory, WaveRow, WhyRow

SCOPE = 20


@dataclass(frozen=True, slots=True)
class BulkPage:
    """`waves` have their sizes also before anything is sent."""

    bulk: BulkRow
    waves: tuple[WaveRow, ...]
    reasons: tuple[WhyRow, ...]
    wave_ms: int | None

    @property
    def lives(self) -> dict[str, int]:
        """How many boxes stand how, in all."""
        found: dict[str, int] = {}
        for wave in self.waves:
            for life, count in wave.lives.items():
                found[life] = found.get(life, 0) + count
        return found

    @property
    def asked(self) -> dict[str, Any]:
        """What was asked for beside the verb and the scope, as far as it says something."""
        told = {name: value for name, value in self.bulk.asked.items() if value not in ("", None)}
        return {name: value for name, value in told.items() if name not in ("verb", "scope", "preview", "id")}

    @property
    def scope(self) -> tuple[str, ...]:
        """Whom it was asked for, the first of it."""
        return tuple(self.bulk.asked["scope"][:SCOPE])

    def is_gone(self, wave: WaveRow) -> bool:
        """Whether a wave was let go."""
        return self.bulk.state != "awaiting" and self.wave_ms is not None and wave.number <= self.bulk.wave


def show(connection: Connection, asked: Asked) -> BulkPage | None:
    """The bulk of that id."""
    found = command_lists.bulk_story(connection, asked.names["bulk"][:36])
    if found is None:
        return None
    return BulkPage(found.bulk, _waves(found), tuple(found.reasons), found.wave_ms)


def _waves(found: BulkStory) -> tuple[WaveRow, ...]:
    if any(wave.boxes for wave in found.waves):
        return tuple(found.waves)
    percents = [wave.percent for wave in found.waves]
    sizes = sizes_of(waves_of(found.bulk.id, found.names, percents), len(percents))
    return tuple(
        wave.model_copy(update={"boxes": size}) for wave, size in zip(found.waves, sizes, strict=True)
    )
