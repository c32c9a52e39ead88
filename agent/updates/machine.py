"""The life of an update: `step(state, event) -> (state, effects)`, and nothing else.

    Steady ── Offered ──> Fetching ── Fetched ──> Examining ── Passed ──> Waiting ── Looked(nothing) ──> Leaving
                                                                                                            │ restart
    Steady <── Settled ── Confirming <── TillUp ── Trying <── Started(trial) ───────────────────────────────┘
    Steady <── Started(no trial) ── RollingBack <── Failed ── (Trying | Confirming)

The half up to Leaving runs in the good slot's box (room.py); the half from Trying on runs in the judge (judge.py), which is
the good slot's software too. What must outlive a power cut is in the launcher's state file, and `Started` says what it says:
so a cut is no state of its own. Every event has a row and every state a handler in it; a test proves it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tillbox.contracts.updates import Blocker

from .words import Refusal, Why

PASSING = (Why.UNREACHABLE, Why.INTERRUPTED, Why.CLOCK_UNKNOWN)


@dataclass(frozen=True, slots=True)
class Release:
    """One signed release. `archive` is its file's name in the repository; `sha256` that file's hash."""

    version: str
    archive: str
    sha256: str
    length: int
    lock: str
    """The hash of the libraries that it needs."""


# states


@dataclass(frozen=True, slots=True)
class Steady:
    """Nothing to do. `refusal` is why the last offer came to nothing."""

    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Fetching:
    """Its archive is being brought."""

    release: Release


@dataclass(frozen=True, slots=True)
class Examining:
    """It is unpacked in the idle slot, and this software asks it what it would charge."""

    release: Release


@dataclass(frozen=True, slots=True)
class Waiting:
    """It is ready, and disturbs nobody until nobody is disturbed."""

    release: Release
    blocked_by: tuple[Blocker, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaving:
    """The idle slot is on trial, on the disk; this box ends."""

    release: Release


@dataclass(frozen=True, slots=True)
class Trying:
    """The trial was started; its till is waited for."""

    release: Release


@dataclass(frozen=True, slots=True)
class Confirming:
    """Its till answers; a canary sale is on its way to the core and back."""

    release: Release


@dataclass(frozen=True, slots=True)
class RollingBack:
    """The trial has failed and ends; the good slot is started."""

    release: Release
    refusal: Refusal


State = Steady | Fetching | Examining | Waiting | Leaving | Trying | Confirming | RollingBack
STATES: tuple[type, ...] = (Steady, Fetching, Examining, Waiting, Leaving, Trying, Confirming, RollingBack)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a release stands here that head office commanded. `asked` is False until the update server was asked for it."""

    runs: str
    asked: bool
    state: State


# events


@dataclass(frozen=True, slots=True)
class Offered:
    """A release is signed, current, newer and for this box."""

    release: Release


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What is offered is what runs here, or nothing."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Its archive is here and is what was signed."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It is not taken. `lasting`: by this box never again; else it is tried again later."""

    refusal: Refusal
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Passed:
    """It answered every rehearsal as it must."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Somebody looked whether it may go on; `blocked_by` is why not."""

    blocked_by: tuple[Blocker, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """A start of the machine, of the launcher or of a judge: `trial` is what the state file has on trial."""

    trial: Release | None


@dataclass(frozen=True, slots=True)
class TillUp:
    """The trial's till answers, and its line is up."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The canary sale was right, and the core has it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The trial did not do what it must."""

    refusal: Refusal


Event = Offered | Withdrawn | Fetched | Refused | Passed | Looked | Started | TillUp | Settled | Failed


# effects


@dataclass(frozen=True, slots=True)
class Fetch:
    """Bring its archive."""

    release: Release


@dataclass(frozen=True, slots=True)
class Examine:
    """Unpack it and ask it."""

    release: Release


@dataclass(frozen=True, slots=True)
class Remember:
    """This box does not take this version again."""

    release: Release
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Leave:
    """Put it on trial, on the disk, and end this box."""

    release: Release


@dataclass(frozen=True, slots=True)
class WaitForTill:
    """Wait until the trial's till answers."""


@dataclass(frozen=True, slots=True)
class SellCanary:
    """Have the trial sell a canary, and follow it to the core and back."""


@dataclass(frozen=True, slots=True)
class Keep:
    """The trial is good from now on."""


@dataclass(frozen=True, slots=True)
class EndTrial:
    """The good slot goes on."""

    refusal: Refusal


Effect = Fetch | Examine | Remember | Leave | WaitForTill | SellCanary | Keep | EndTrial
Step = tuple[State, tuple[Effect, ...]]
Handler = Callable[[Any, Any], Step]


def step(state: State, event: Event) -> Step:
    """What an update does about an event."""
    return TRANSITIONS[type(event)][STATES.index(type(state))](state, event)


def _stay(state: State, _: Event) -> Step:
    """A late or stray event that is nobody's business in this state."""
    return state, ()


def _fetch(_: State, event: Offered) -> Step:
    return Fetching(event.release), (Fetch(event.release),)


def _fetch_other(state: Waiting, event: Offered) -> Step:
    """A newer release overtakes the one that waits."""
    return (state, ()) if event.release == state.release else _fetch(state, event)


def _steady(_: State, __: Event) -> Step:
    return Steady(), ()


def _examine(state: Fetching, _: Fetched) -> Step:
    return Examining(state.release), (Examine(state.release),)


def _told(_: State, event: Refused) -> Step:
    """What the repository said is refused while nothing is under way: it is said, and tried again later."""
    return Steady(event.refusal), ()


def _drop(state: Fetching | Examining | Waiting, event: Refused) -> Step:
    remember = (Remember(state.release, event.refusal),) if event.lasting else ()
    return Steady(event.refusal), remember


def _doubt(state: Waiting, event: Refused) -> Step:
    """Nobody could be asked: that says nothing against what is ready. What is said against it does."""
    return (state, ()) if event.refusal.why in PASSING else _drop(state, event)


def _wait(state: Examining, _: Passed) -> Step:
    return Waiting(state.release), ()


def _look(state: Waiting, event: Looked) -> Step:
    if event.blocked_by:
        return replace(state, blocked_by=event.blocked_by), ()
    return Leaving(state.release), (Leave(state.release),)


def _start(_: State, event: Started) -> Step:
    """After a start of anything, the state file alone says where an update stands. What was being fetched goes on from its
    part, and what was unpacked is found whole or is unpacked again, once it is offered anew."""
    return (Trying(event.trial), (WaitForTill(),)) if event.trial else _steady(_, event)


def _confirm(state: Trying, _: TillUp) -> Step:
    return Confirming(state.release), (SellCanary(),)


def _keep(_: Confirming, __: Settled) -> Step:
    return Steady(), (Keep(),)


def _roll_back(state: Trying | Confirming, event: Failed) -> Step:
    return RollingBack(state.release, event.refusal), (EndTrial(event.refusal),)


TRANSITIONS: dict[type, tuple[Handler, ...]] = {
    #           Steady   Fetching  Examining  Waiting       Leaving  Trying      Confirming  RollingBack
    Offered:   (_fetch,  _stay,    _stay,     _fetch_other, _stay,   _stay,      _stay,      _stay),
    Withdrawn: (_steady, _stay,    _stay,     _steady,      _stay,   _stay,      _stay,      _stay),
    Fetched:   (_stay,   _examine, _stay,     _stay,        _stay,   _stay,      _stay,      _stay),
    Refused:   (_told,   _drop,    _drop,     _doubt,       _stay,   _stay,      _stay,      _stay),
    Passed:    (_stay,   _stay,    _wait,     _stay,        _stay,   _stay,      _stay,      _stay),
    Looked:    (_stay,   _stay,    _stay,     _look,        _stay,   _stay,      _stay,      _stay),
    Started:   (_start,  _start,   _start,    _start,       _start,  _start,     _start,     _start),
    TillUp:    (_stay,   _stay,    _stay,     _stay,        _stay,   _confirm,   _stay,      _stay),
    Settled:   (_stay,   _stay,    _stay,     _stay,        _stay,   _stay,      _keep,      _stay),
    Failed:    (_stay,   _stay,    _stay,     _stay,        _stay,   _roll_back, _roll_back, _stay),
}  # fmt: skip
