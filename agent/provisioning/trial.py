"""A change of the line is kept only when the core was heard over it; else the box goes back by itself. Pure.

As routers do it: whoever sends a box to an address where nobody is has it back in five minutes, without a journey.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A change that is being tried since so many seconds of a clock that never jumps."""

    since: float


class Verdict(Enum):
    """What to do about a trial now."""

    WAIT = auto()
    KEEP = auto()
    GO_BACK = auto()


def judge(trial: Trial, *, heard: bool, now: float) -> Verdict:
    """`heard`: whether the core was heard since the change."""
    if heard:
        return Verdict.KEEP
    return Verdict.GO_BACK if now - trial.since >= PATIENCE_S else Verdict.WAIT
