"""The life of one payment attempt: a pure table, `step(payment, event, now_ms) -> (payment, effects)`.

It lives in the core and not in the box: if the box vanishes, the trade is closed all the same.

    CREATED ──> SUBMITTED ──> PAID | DECLINED | USER_PAYING | UNKNOWN
    USER_PAYING, UNKNOWN ──query──> PAID | DECLINED | (the window is over) REVERSING
    REVERSING ──reverse, again and again──> REVERSED
    paid and then given up by the box ──> REVERSING
    PAID told in DECLINED or REVERSED ──> shouted about, and REVERSING again: it is paid back

No answer is UNKNOWN and not a failure. The state is stored before the effects are done; after a crash
`Due` finds what is open. The code itself is never stored, so a lost submission is queried, not repeated.
Times follow the wallets' own rules: query from 5 s, reverse not before 15 s, window 45 s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from tillbox.cloud_bridge.alarms import Alarm

from .channels.port import Outcome


class State(StrEnum):
    """Where an attempt stands."""

    CREATED = "created"
    SUBMITTED = "submitted"
    USER_PAYING = "user_paying"
    UNKNOWN = "unknown"
    PAID = "paid"
    DECLINED = "declined"
    REVERSING = "reversing"
    REVERSED = "reversed"


FINAL = frozenset({State.PAID, State.DECLINED, State.REVERSED})


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to ask and when to give up, in milliseconds after the submission."""

    query_ms: int = 5_000
    window_ms: int = 45_000
    reverse_floor_ms: int = 15_000
    reverse_again_ms: int = 5_000
    reverse_again_max_ms: int = 600_000

    def is_due(self, due_ms: int, now_ms: int) -> bool:
        """Whether the time has come, or lies so far ahead that the clock must have been set back."""
        return not now_ms < due_ms <= now_ms + self.reverse_again_max_ms


@dataclass(frozen=True, slots=True)
class Payment:
    """One attempt. `owed` says that the book holds the customer's money for it."""

    attempt: str
    amount: int
    state: State = State.CREATED
    created_ms: int = 0
    due_ms: int = 0
    tries: int = 0
    owed: bool = False


# events


@dataclass(frozen=True, slots=True)
class Submitted:
    """The attempt is stored and about to be sent."""


@dataclass(frozen=True, slots=True)
class Told:
    """The channel said something of the payment: an answer to pay or query, or a notification."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ReverseAnswered:
    """The channel answered a reversal."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Due:
    """`due_ms` has come."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The box recorded that it gave the payment up."""


Event = Submitted | Told | ReverseAnswered | Due | GivenUp

# effects


@dataclass(frozen=True, slots=True)
class CallPay:
    """Charge the code, which only the asking thread holds."""


@dataclass(frozen=True, slots=True)
class CallQuery:
    """Ask the channel."""


@dataclass(frozen=True, slots=True)
class CallReverse:
    """Close it if unpaid, pay it back if paid."""


@dataclass(frozen=True, slots=True)
class BookPaid:
    """Post: the channel holds the customer's money for us."""


@dataclass(frozen=True, slots=True)
class BookBack:
    """Post: the channel gave it back."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell the box the new state."""


@dataclass(frozen=True, slots=True)
class Shout:
    """An operator must know."""

    what: Alarm


Effect = CallPay | CallQuery | CallReverse | BookPaid | BookBack | Tell | Shout
Step = tuple[Payment, tuple[Effect, ...]]
Row = Callable[[Payment, Event, int, Schedule], Step]


def step(payment: Payment, event: Event, now_ms: int, schedule: Schedule) -> Step:
    """What becomes of an attempt, and what is to be done. Book effects belong in the same commit."""
    return TABLE[payment.state, type(event)](payment, event, now_ms, schedule)


def _submit(payment: Payment, _: Event, now_ms: int, schedule: Schedule) -> Step:
    return replace(payment, state=State.SUBMITTED, due_ms=now_ms + schedule.query_ms), (CallPay(),)


def _told(payment: Payment, event: Event, now_ms: int, schedule: Schedule) -> Step:
    assert isinstance(event, Told)
    match event.outcome:
        case Outcome.PAID:
            return replace(payment, state=State.PAID, owed=True), (BookPaid(), Tell())
        case Outcome.DECLINED:
            return replace(payment, state=State.DECLINED), (Tell(),)
        case Outcome.REVERSED | Outcome.CLOSED | Outcome.REFUNDED:
            return replace(payment, state=State.REVERSED), (Tell(),)
        case Outcome.USER_PAYING:
            return _open(payment, State.USER_PAYING, now_ms, schedule)
        case _:
            return _open(payment, State.UNKNOWN, now_ms, schedule)


def _open(payment: Payment, state: State, now_ms: int, schedule: Schedule) -> Step:
    """Still open: ask again, until the window is over, by the clock or by the number of questions: the
    core's own clock may be set back, and a customer must not wait for it to come round again."""
    tell = (Tell(),) if state is not payment.state else ()
    over = now_ms - payment.created_ms >= schedule.window_ms
    if over or payment.tries * schedule.query_ms >= schedule.window_ms:
        return _reverse(payment, now_ms, schedule)
    return replace(payment, state=state, due_ms=now_ms + schedule.query_ms), tell


def _reverse(payment: Payment, now_ms: int, schedule: Schedule) -> Step:
    """The reversal follows the last query with no gap, but not sooner than the channel can know the trade."""
    floor_ms = min(payment.created_ms, now_ms) + schedule.reverse_floor_ms
    payment = replace(payment, state=State.REVERSING, tries=0, due_ms=max(now_ms, floor_ms))
    if floor_ms > now_ms:
        return payment, (Tell(),)
    payment, calls = _reverse_now(payment, Due(), now_ms, schedule)
    return payment, (Tell(), *calls)


def _reverse_now(payment: Payment, _: Event, now_ms: int, schedule: Schedule) -> Step:
    wait_ms = min(schedule.reverse_again_max_ms, schedule.reverse_again_ms << min(payment.tries, 20))
    return replace(payment, tries=payment.tries + 1, due_ms=now_ms + wait_ms), (CallReverse(),)


def _query(payment: Payment, _: Event, now_ms: int, schedule: Schedule) -> Step:
    return replace(payment, tries=payment.tries + 1, due_ms=now_ms + schedule.query_ms), (CallQuery(),)


def _reversed(payment: Payment, event: Event, _: int, __: Schedule) -> Step:
    assert isinstance(event, ReverseAnswered)
    ended = {Outcome.REVERSED, Outcome.REFUNDED}
    if not payment.owed:
        ended.add(Outcome.CLOSED)  # closed says that nothing was paid: no answer where we know better
    if event.outcome not in ended:
        return payment, ()  # no answer, or not yet: the next try is already due
    back = (BookBack(),) if payment.owed else ()
    return replace(payment, state=State.REVERSED, owed=False), (*back, Tell())


def _paid_while_reversing(payment: Payment, event: Event, _: int, __: Schedule) -> Step:
    """Late success before the reversal is answered: the reversal under way pays it back. Book it meanwhile."""
    assert isinstance(event, Told)
    if event.outcome is not Outcome.PAID or payment.owed:
        return payment, ()
    return replace(payment, owed=True), (BookPaid(), Shout(Alarm.LATE_SUCCESS))


def _late(payment: Payment, event: Event, now_ms: int, schedule: Schedule) -> Step:
    """Success after the end is never taken as paid: the money goes back, and somebody is told.

    It goes back by a reversal, which a channel answers alike whether it still has the money or not: the
    word may be an old one that was overtaken on its way."""
    assert isinstance(event, Told)
    if event.outcome is not Outcome.PAID:
        return payment, ()
    payment = replace(payment, state=State.REVERSING, owed=True, tries=0)
    payment, calls = _reverse_now(payment, Due(), now_ms, schedule)
    return payment, (BookPaid(), Shout(Alarm.LATE_SUCCESS), *calls)


def _give_up(payment: Payment, _: Event, now_ms: int, schedule: Schedule) -> Step:
    return _reverse(payment, now_ms, schedule)


def _ignore(payment: Payment, _: Event, __: int, ___: Schedule) -> Step:
    return payment, ()


_OPEN: dict[type, Row] = {
    Submitted: _ignore,
    Told: _told,
    ReverseAnswered: _ignore,
    Due: _query,
    GivenUp: _give_up,
}
_ROWS: dict[State, dict[type, Row]] = {
    State.CREATED: {**_OPEN, Submitted: _submit},
    State.SUBMITTED: _OPEN,
    State.USER_PAYING: _OPEN,
    State.UNKNOWN: _OPEN,
    State.PAID: {**_OPEN, Told: _ignore, Due: _ignore},
    State.DECLINED: {**_OPEN, Told: _late, Due: _ignore, GivenUp: _ignore},
    State.REVERSING: {**_OPEN, Told: _paid_while_reversing, ReverseAnswered: _reversed, Due: _reverse_now,
                      GivenUp: _ignore},
    State.REVERSED: {**_OPEN, Told: _late, Due: _ignore, GivenUp: _ignore},
}  # fmt: skip

TABLE: dict[tuple[State, type], Row] = {
    (state, event): row for state, rows in _ROWS.items() for event, row in rows.items()
}
