"""Bulk commands in waves: who comes when, and when the next wave may go. Pure.

The order is drawn for each bulk: no shop is always the first. A wave is over once its boxes have ended; those that are
switched off are waited for a while only. A wave may rest before the next goes: what is wrong with a release shows in a day
of selling, and not in the minute of its trial.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

WAVES = (1, 10, 50, 100)
"""Percent of the boxes, ever more, where nobody says otherwise."""


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
    rest_ms: int = 0
    """So long at least between two waves."""


def share(bulk: str, device: str) -> float:
    """Where a box stands in the order of a bulk, in percent from 0 to below 100: arithmetic, so that nobody keeps a list."""
    drawn = hashlib.sha256(f"{bulk}|{device}".encode()).digest()
    return int.from_bytes(drawn[:8], "big") * 100 / 2**64


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
    gone_ms = now_ms - standing.since_ms
    patient = standing.open and gone_ms < standing.patience_ms
    return Turn.WAIT if patient or gone_ms < standing.rest_ms else Turn.NEXT
