"""Commands of head office, as far as the till has to do with them: each step is recorded, and some stop the selling.

It refuses to know how a command is carried out. What stops the till is in its past, so that no restart sells again.
"""

from __future__ import annotations

from dataclasses import replace

from tillbox.agent.past import HALTS, Past
from tillbox.agent.words import Word
from tillbox.contracts.messages import CommandState
from tillbox.contracts.verdicts import Reason, Refused

from .effects import Effect, Greet, Show, Step
from .events import CommandMoved
from .rights import give_back
from .state import Idle, Moment, Ringing, Stopped, Till, basket_of, phase_of
from .steps import record, say

_REASONS = {"quarantine": Reason.QUARANTINED, "drain": Reason.DRAINED}
"""The graver one first: the screen says one."""


def halted(past: Past) -> Refused | None:
    """Why head office lets this till sell nothing; None while it sells."""
    verb = next((verb for verb in _REASONS if verb in past.halts), None)
    return Refused(_REASONS[verb], past.halts[verb]) if verb else None


def commanded(till: Till, event: CommandMoved, moment: Moment) -> Step:
    """Record it, and stop or sell again where it says so."""
    if isinstance(till.phase, Ringing) and (event.said.verb, event.said.state) == ("drain", "executing"):
        # What it may redeem goes back, and a customer's coupon on the counter needs its right.
        return say(till, Reason.TILL_BUSY)
    till, effects = record(till, moment, (moment.fresh[0], "command_state", event.said))
    stop = halted(till.past)
    if stop is not None and isinstance(till.phase, (Idle, Ringing)):
        till = replace(till, phase=Stopped(stop.reason, basket_of(till)))
        effects = (*effects, Show(stop))
    elif stop is None and _is_halted(till):
        till = replace(till, phase=phase_of(basket_of(till)))
        greet: tuple[Effect, ...] = (Greet(),) if till.line_up else ()
        effects = (*effects, *greet, Show(Word.READY))
    elif stop is not None and _is_halted(till):
        till = replace(till, phase=Stopped(stop.reason, basket_of(till)))
    return _handed_back(till, event.said, effects, moment.after(1))


def commanded_midway(till: Till, event: CommandMoved, moment: Moment) -> Step:
    """The core is being asked, or money is on its way: nothing stops the selling now."""
    if event.said.verb in HALTS and event.said.state == "executing":
        return say(till, Reason.PAYMENT_UNDER_WAY)
    return record(till, moment, (moment.fresh[0], "command_state", event.said))


def commanded_stopped(till: Till, event: CommandMoved, moment: Moment) -> Step:
    """A till that head office stopped may be let go; one that cannot record, or was put out, may not."""
    assert isinstance(till.phase, Stopped)
    if till.phase.reason in (Reason.DISK_FULL, Reason.JOURNAL_BROKEN):
        return till, ()
    if _is_halted(till):
        return commanded(till, event, moment)
    return record(till, moment, (moment.fresh[0], "command_state", event.said))


def _is_halted(till: Till) -> bool:
    return isinstance(till.phase, Stopped) and till.phase.reason in _REASONS.values()


def _handed_back(till: Till, said: CommandState, effects: tuple[Effect, ...], moment: Moment) -> Step:
    """A drained till redeems nothing: others may have its rights, that of a coupon which waits here too."""
    if (said.verb, said.state) != ("drain", "executing"):
        return till, effects
    if isinstance(till.phase, Stopped):
        till = replace(till, phase=replace(till.phase, basket=replace(till.phase.basket, coupon=None)))
    till, more = give_back(till, moment)
    return till, (*effects, *more)
