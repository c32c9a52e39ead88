"""The line comes and goes, and a journal fails and is mended."""

from __future__ import annotations

from dataclasses import replace

from tillbox.agent.words import Word
from tillbox.contracts.messages import PaymentEnded, PayStatusAsk
from tillbox.contracts.verdicts import Reason, Refused

from .effects import Ask, Effect, Greet, Show, Step
from .events import JournalFailed, JournalMended, LineChanged, OpeningSettled, PutOut
from .halting import halted
from .payments import ask_status
from .rights import give_back
from .state import InDoubt, Moment, Paying, Stopped, Till, basket_of, phase_of
from .steps import record, say


def line_changed(till: Till, event: LineChanged, _: Moment) -> Step:
    """A line that comes up is greeted: who am I, what time is it, and what became of the open payment. Nothing
    is recorded here: a journal that fails must not hide from the till that the line is up."""
    if not event.up:
        return replace(till, line_up=False), (Show(Word.LINE_DOWN),)
    effects: tuple[Effect, ...] = (Greet(), Show(Word.LINE_UP))
    if isinstance(till.phase, Paying):
        effects += (Ask("pay_status", PayStatusAsk(attempt=till.phase.asked.attempt)),)
    elif isinstance(till.phase, InDoubt):
        effects += ask_status(till.phase.asked)
    return replace(till, line_up=True), effects


def greet(till: Till, _: OpeningSettled, __: Moment) -> Step:
    """Greet again once the core has this boot's first record: now it can vouch for the journal."""
    return till, (Greet(),) if till.line_up and not till.vouched else ()


def journal_failed(till: Till, event: JournalFailed, _: Moment) -> Step:
    """Nothing of the step happened. An open payment stays open; everything else stops."""
    phase = till.phase
    kept = phase if isinstance(phase, (Paying, InDoubt)) and event.reason is Reason.DISK_FULL else None
    till = till if kept else replace(till, phase=Stopped(event.reason, basket_of(till)))
    return say(till, event.reason)


def put_out(till: Till, event: PutOut, moment: Moment) -> Step:
    """Nothing is sold from here on, and what the box may redeem goes back, if it knows that for sure. An open payment is
    given up: its news finds nobody here any more, and the core sends back what was paid."""
    open_ = till.past.payment
    till = replace(till, phase=Stopped(event.reason, basket_of(till)))
    ended: tuple[Effect, ...] = ()
    if open_ is not None:
        said = PaymentEnded(attempt=open_.attempt, outcome="abandoned")
        till, ended = record(till, moment, (moment.fresh[0], "payment_ended", said))
    till, effects = give_back(till, moment.after(1))
    return till, (*ended, *effects, Show(Refused(event.reason)))


def journal_mended(till: Till, _: JournalMended, __: Moment) -> Step:
    """The journal records again: go on where the past says, and greet once more, for an answer may have come
    while nothing could be recorded."""
    greet = (Greet(),) if till.line_up else ()
    if till.past.payment is not None:
        return replace(till, phase=InDoubt(basket_of(till), till.past.payment)), (*greet, Show(Word.READY))
    if (stop := halted(till.past)) is not None:
        return replace(till, phase=Stopped(stop.reason, basket_of(till))), (*greet, Show(stop))
    return replace(till, phase=phase_of(basket_of(till))), (*greet, Show(Word.READY))
