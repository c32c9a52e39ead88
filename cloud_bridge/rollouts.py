"""A rollout: one release, to more and more boxes, and it stops by itself. Pure: `step(rollout, event, now_ms)`.

Which boxes a wave has is arithmetic over their names, so that nobody keeps a list: a box whose *share* of this release lies
below the wave's percent may have it. The order differs from release to release; no shop is always the first.

A wave is over when enough of its boxes have kept the release, and some time has passed in which faults could show. What
stops a rollout is said in words, and only a person sets it going again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from tillbox.contracts.verdicts import Text

WAVES = (1, 10, 50, 100)


class Outcome(StrEnum):
    """What a box says of a release. The later words are the last ones; a box may say each of them again."""

    WAITING = "waiting"
    """It is ready there, and waits until nobody is disturbed: no fault, however long."""
    KEPT = "kept"
    ROLLED_BACK = "rolled_back"
    REFUSED = "refused"


FAULTS = (Outcome.ROLLED_BACK, Outcome.REFUSED)


class Phase(StrEnum):
    """Where a rollout stands."""

    PLANNED = "planned"
    ROLLING = "rolling"
    STOPPED = "stopped"
    DONE = "done"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Rules:
    """How careful a rollout is."""

    waves: tuple[int, ...] = WAVES
    """Percent of the fleet, ever more; the last is 100."""
    faults_max: int = 1
    """So many boxes may fail; one more stops it."""
    faults_percent_max: int = 5
    """Of the boxes that have come to an end with it. It counts from `judged_min` on: one of two is no statistics."""
    judged_min: int = 20
    kept_percent: int = 90
    """So many of a wave's boxes must have kept it before the next wave: some are switched off, and nobody waits for those."""
    rest_ms: int = 24 * 3_600_000
    """So long a wave rests after that: a day in a shop has everything in it."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """One release on its way."""

    release: str
    rules: Rules = field(default_factory=Rules)
    phase: Phase = Phase.PLANNED
    wave: int = 0
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    """By device."""
    full_since_ms: int | None = None
    """Since when enough of this wave's boxes have kept it."""
    forgiven: frozenset[str] = frozenset()
    """Boxes whose fault a person has looked at and did not count."""
    why: Text | None = None
    """Why it stopped."""

    @property
    def percent(self) -> int:
        """How much of the fleet may have it."""
        return self.rules.waves[self.wave] if self.phase in (Phase.ROLLING, Phase.STOPPED, Phase.DONE) else 0

    def may_have(self, device: str) -> bool:
        """Whether a box is to be told of it now. A box that has it already keeps it, whatever happens here."""
        return self.phase in (Phase.ROLLING, Phase.DONE) and share(self.release, device) < self.percent

    @property
    def faults(self) -> frozenset[str]:
        """The boxes that failed and count."""
        return frozenset(box for box, said in self.outcomes.items() if said in FAULTS) - self.forgiven


def share(release: str, device: str) -> float:
    """Where a box stands in the order of a release, in percent from 0 to below 100."""
    drawn = hashlib.sha256(f"{release}|{device}".encode()).digest()
    return int.from_bytes(drawn[:8], "big") * 100 / 2**64


# events


@dataclass(frozen=True, slots=True)
class Begun:
    """Somebody sets it going, or going again; the faults so far are then looked at and do not count."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A box says how it went."""

    device: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Looked:
    """Time passed; `devices` are all boxes of the fleet that can have this release."""

    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopPressed:
    """Somebody stops it."""

    by: str


@dataclass(frozen=True, slots=True)
class WithdrawPressed:
    """Nobody is to have it any more."""


Event = Begun | Reported | Looked | StopPressed | WithdrawPressed
Handler = Callable[[Rollout, Any, int], Rollout]


def step(rollout: Rollout, event: Event, now_ms: int) -> Rollout:
    """The rollout after an event."""
    return TRANSITIONS[type(event)][list(Phase).index(rollout.phase)](rollout, event, now_ms)


def _stay(rollout: Rollout, _: Event, __: int) -> Rollout:
    return rollout


def _begin(rollout: Rollout, _: Begun, __: int) -> Rollout:
    forgiven = rollout.forgiven | rollout.faults
    return replace(rollout, phase=Phase.ROLLING, forgiven=forgiven, full_since_ms=None, why=None)


def _note(rollout: Rollout, event: Reported, _: int) -> Rollout:
    return replace(rollout, outcomes={**rollout.outcomes, event.device: event.outcome})


def _hear(rollout: Rollout, event: Reported, now_ms: int) -> Rollout:
    rollout = _note(rollout, event, now_ms)
    if event.outcome not in FAULTS:
        return rollout
    why = _too_many(rollout)
    return replace(rollout, phase=Phase.STOPPED, why=why) if why else rollout


def _too_many(rollout: Rollout) -> Text | None:
    rules, faults = rollout.rules, len(rollout.faults)
    judged = sum(said is not Outcome.WAITING for said in rollout.outcomes.values())
    if faults > rules.faults_max:
        return Text(
            f"{faults} 台失败，已自动停止",
            f"{faults} boxes failed; {rules.faults_max} may. It stopped by itself.",
        )
    if judged >= rules.judged_min and faults * 100 > rules.faults_percent_max * judged:
        return Text(
            f"{judged} 台中 {faults} 台失败，已自动停止",
            f"{faults} of {judged} boxes failed, more than {rules.faults_percent_max} %. It stopped by itself.",
        )
    return None


def _look(rollout: Rollout, event: Looked, now_ms: int) -> Rollout:
    rules = rollout.rules
    asked = [one for one in event.devices if share(rollout.release, one) < rollout.percent]
    kept = sum(rollout.outcomes.get(one) is Outcome.KEPT for one in asked)
    # A wave in which no box lies, in a small fleet, is full at once, and its rest is nobody's.
    if kept * 100 < rules.kept_percent * len(asked):
        return replace(rollout, full_since_ms=None)
    since_ms = now_ms if rollout.full_since_ms is None else rollout.full_since_ms
    if asked and now_ms - since_ms < rules.rest_ms:
        return replace(rollout, full_since_ms=since_ms)
    if rollout.wave + 1 == len(rules.waves):
        return replace(rollout, phase=Phase.DONE)
    return replace(rollout, wave=rollout.wave + 1, full_since_ms=None)


def _stop(rollout: Rollout, event: StopPressed, _: int) -> Rollout:
    return replace(rollout, phase=Phase.STOPPED, why=Text(f"{event.by} 停止了它", f"{event.by} stopped it."))


def _withdraw(rollout: Rollout, _: WithdrawPressed, __: int) -> Rollout:
    return replace(rollout, phase=Phase.WITHDRAWN)


TRANSITIONS: dict[type, tuple[Handler, ...]] = {
    #                 Planned    Rolling    Stopped    Done       Withdrawn
    Begun:           (_begin,    _stay,     _begin,    _stay,     _stay),
    Reported:        (_note,     _hear,     _note,     _note,     _note),
    Looked:          (_stay,     _look,     _stay,     _stay,     _stay),
    StopPressed:     (_stay,     _stop,     _stay,     _stay,     _stay),
    WithdrawPressed: (_withdraw, _withdraw, _withdraw, _withdraw, _stay),
}  # fmt: skip
