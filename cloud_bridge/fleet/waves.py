"""Bulk commands in waves: who comes when, and when the next wave may go. Pure.

The order is drawn for each bulk as for each release (rollouts.py): no shop is always the first. Unlike a release a
command has an end, so a wave is over once its boxes are; those that are switched off are waited for a while only.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tillbox.cloud_bridge.rollouts import share


class Turn(StrEnum):
    """What to do about a bulk now."""

    WAIT = "wait"
    NEXT = "next"
    STOP = "stop"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a bulk stands: of the waves that were let go, how many boxes have not ended, and how many failed."""

    wave: int
    last: int
    since_ms: int
    """When the newest wave was let go."""
    open: int
    failed: int
    stop_if_failed: int
    patience_ms: int


def waves_of(bulk: str, devices: Sequence[str], percents: Sequence[int]) -> dict[str, int]:
    """Each box's wave, counted from 0. The first wave has one box at least."""
    bounds = [math.ceil(len(devices) * percent / 100) for percent in percents]
    ordered = sorted(devices, key=lambda device: share(bulk, device))
    return {
        device: next(wave for wave, bound in enumerate(bounds) if place < bound)
        for place, device in enumerate(ordered)
    }


def sizes_of(waves: dict[str, int], count: int) -> list[int]:
    """How many boxes each wave has."""
    found = Counter(waves.values())
    return [found[wave] for wave in range(count)]


def turn(standing: Standing, now_ms: int) -> Turn:
    """Whether the next wave goes. Silence is no failure; more failures than were granted end it all."""
    if standing.failed > standing.stop_if_failed:
        return Turn.STOP
    if standing.wave >= standing.last:
        return Turn.WAIT if standing.open else Turn.DONE
    patient = standing.open and now_ms - standing.since_ms < standing.patience_ms
    return Turn.WAIT if patient else Turn.NEXT
