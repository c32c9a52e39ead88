"""What every handler needs: to record facts, to refuse in words, to let a stray event go."""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel

from tillbox.agent.past import remember
from tillbox.broker.journal import Draft
from tillbox.contracts.verdicts import Reason, Refused

from .effects import Effect, Handler, Record, Show, Step
from .events import Event
from .state import Checking, Idle, Moment, Ringing, Stopped, Till


def say(till: Till, reason: Reason, detail: str = "") -> Step:
    """Refuse: nothing changes, and the cashier reads why."""
    return till, (Show(Refused(reason, detail)),)


def busy(till: Till) -> Reason | None:
    """Why nothing may be added to the basket now; None while it is open. What is being asked for or paid is
    the basket as it was: more goods in it would be goods that nobody pays."""
    if isinstance(till.phase, (Idle, Ringing)):
        return None
    return Reason.ASK_UNDER_WAY if isinstance(till.phase, Checking) else Reason.PAYMENT_UNDER_WAY


def no(reason: Reason) -> Handler:
    """A handler that refuses with one reason."""

    def handler(till: Till, _: Event, __: Moment) -> Step:
        return say(till, reason)

    handler.__name__ = f"no_{reason}"
    return handler


def stopped(till: Till, _: Event, __: Moment) -> Step:
    """Nothing is sold while the journal cannot record."""
    phase = till.phase
    assert isinstance(phase, Stopped)
    return say(till, phase.reason)


def ignore(till: Till, _: Event, __: Moment) -> Step:
    """A late or stray event that is nobody's business in this phase."""
    return till, ()


def record(till: Till, moment: Moment, *facts: tuple[str, str, BaseModel]) -> Step:
    """Remember facts and ask for their commit: the past folds the very records that are written."""
    past = till.past
    for tid, kind, body in facts:
        past = remember(past, tid, kind, body)
    drafts = tuple(Draft(tid, kind, body, moment.at) for tid, kind, body in facts)
    return replace(till, past=past), (Record(drafts),)


def ids_used(effects: tuple[Effect, ...]) -> int:
    """How many fresh ids effects may have taken, counted generously."""
    return sum(3 * len(effect.drafts) for effect in effects if isinstance(effect, Record))
