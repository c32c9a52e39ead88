"""What became of the slips that were just read, one by one, and what is missing now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from tillbox.cloud_bridge.fleet.acts import SlipsTaken
from tillbox.cloud_bridge.fleet.missing import Gap


@dataclass(frozen=True, slots=True)
class SlipsPage:
    """In the order given."""

    outcomes: tuple[str, ...]
    missing: tuple[tuple[str, tuple[Gap, ...]], ...]
    back: str


def show(taken: BaseModel, back: str, _: Mapping[str, str]) -> SlipsPage:
    """What `take-slips` gave."""
    assert isinstance(taken, SlipsTaken), taken
    missing = tuple((device, tuple(gaps)) for device, gaps in taken.missing.items())
    return SlipsPage(tuple(taken.outcomes), missing, back)
