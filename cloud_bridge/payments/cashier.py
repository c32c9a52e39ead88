"""Keeps the payment machines in the store, and says what is to be called.

Everything here runs inside a transaction and touches no channel: it steps the pure machine, stores the
new state with its postings, and returns the calls that are now due. Who makes the calls (a thread pool in
the core, the event loop of the simulator) brings each answer back as another step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Literal

from sqlalchemy import Connection, bindparam, func, insert, select, update

from tillbox.cloud_bridge.alarms import Alarm
from tillbox.cloud_bridge.book import accounts
from tillbox.cloud_bridge.book import payments as book
from tillbox.cloud_bridge.store import notes
from tillbox.cloud_bridge.store.database import upsert
from tillbox.cloud_bridge.store.ledger import Ledger
from tillbox.cloud_bridge.store.tables import channel_refund, payment, payment_event
from tillbox.contracts.messages import PayAnswer, PayAsk
from tillbox.contracts.money import CNY
from tillbox.contracts.verdicts import Reason

from .channels.port import Outcome
from .machine import (
    FINAL,
    BookBack,
    BookPaid,
    CallPay,
    CallQuery,
    CallReverse,
    Due,
    Effect,
    Event,
    GivenUp,
    Payment,
    Schedule,
    Shout,
    State,
    Submitted,
    Tell,
    step,
)

CHANNEL = "sandbox"
OPEN_PER_BOX = 4
"""Attempts of one box that have not ended: a till has one, and a few that were given up while the wallet is
silent. Each may hold a caller for ten seconds, and they serve every box."""

REFUND_AGAIN_MS = 5_000
REFUND_AGAIN_MAX_MS = 600_000


_OPEN = (
    select(payment.c.attempt, payment.c.due_ms)
    .where(payment.c.state.not_in(sorted(FINAL)))
    .order_by(payment.c.due_ms)
)
_OPEN_REFUNDS = (
    select(channel_refund).where(channel_refund.c.state == "open").order_by(channel_refund.c.due_ms)
)
_ONE = select(payment).where(payment.c.attempt == bindparam("attempt"))


@dataclass(frozen=True, slots=True)
class Call:
    """One thing to ask of the channel, outside any transaction."""

    verb: Literal["pay", "query", "reverse", "refund"]
    attempt: str
    amount: int
    refund_no: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """Where a payment now stands, for the box that asked."""

    device: str
    answer: PayAnswer


@dataclass(frozen=True, slots=True)
class Todo:
    """What is to be done after the commit."""

    calls: tuple[Call, ...] = ()
    news: tuple[News, ...] = ()

    def __add__(self, other: Todo) -> Todo:
        return Todo(self.calls + other.calls, self.news + other.news)


def ask(
    connection: Connection, ledger: Ledger, body: PayAsk, *, device: str, now_ms: int, schedule: Schedule
) -> Todo:
    """A box asks for money. The same attempt asked again gets its state, and is not charged again."""
    _note_asker(connection, body.attempt, device, body.inc)
    row = _row(connection, body.attempt)
    if row is not None:
        return _told_again(row, body, device)
    if _open_of(connection, device) >= OPEN_PER_BOX:
        # Written down as declined, so that the same question cannot come late and be charged after all.
        _create(
            connection, body.attempt, body.sale, device, body.amount, now_ms, State.DECLINED, "too_many_open"
        )
        return status(connection, body.attempt, device=device, now_ms=now_ms, inc=body.inc)
    _create(connection, body.attempt, body.sale, device, body.amount, now_ms)
    _note_asker(connection, body.attempt, device, body.inc)
    return _advance(connection, ledger, body.attempt, Submitted(), now_ms, schedule)


def status(connection: Connection, attempt: str, *, device: str, now_ms: int, inc: str | None = None) -> Todo:
    """A box asks what became of an attempt. One that never came is closed here, so that it cannot come late."""
    row = _row(connection, attempt)
    if row is None:
        _create(connection, attempt, "", device, 0, now_ms, State.DECLINED, "never_arrived")
        row = _row(connection, attempt)
    assert row is not None
    _note_asker(connection, attempt, device, inc)
    return Todo(news=(_news({**row, "inc": inc or ""}),)) if row["device"] == device else Todo()


def _note_asker(connection: Connection, attempt: str, device: str, inc: str | None) -> None:
    """From here on the news of an attempt are for this boot of its box."""
    mine = (payment.c.attempt == attempt) & (payment.c.device == device)
    connection.execute(update(payment).where(mine).values(inc=inc or ""))


def give_up(
    connection: Connection, ledger: Ledger, attempt: str, *, device: str, now_ms: int, schedule: Schedule
) -> None:
    """The box's record says that it gave the payment up. The reversal is made by the next look at what is due."""
    row = _row(connection, attempt)
    if row is None:
        _create(connection, attempt, "", device, 0, now_ms, State.DECLINED, "never_arrived")
    elif row["device"] != device or (row["state"] == State.PAID and not _unsold(ledger, row)):
        notes.shout(connection, Alarm.GIVEN_UP_BUT_SOLD, device=device, ref=attempt, detail="", now_ms=now_ms)
    elif row["state"] not in (State.DECLINED, State.REVERSED, State.REVERSING):
        payment_ = _payment(row)
        after, _ = step(payment_, GivenUp(), now_ms, schedule)
        due_ms = max(now_ms, min(payment_.created_ms, now_ms) + schedule.reverse_floor_ms)
        _store(connection, row, replace(after, due_ms=due_ms), "given_up", now_ms)


def amount_of(connection: Connection, attempt: str) -> int | None:
    """What was asked for under an attempt, or None where there is none."""
    return connection.execute(select(payment.c.amount).where(payment.c.attempt == attempt)).scalar()


def told(
    connection: Connection, ledger: Ledger, attempt: str, event: Event, *, now_ms: int, schedule: Schedule
) -> Todo:
    """The channel answered."""
    return _advance(connection, ledger, attempt, event, now_ms, schedule)


def refund_told(
    connection: Connection, ledger: Ledger, refund_no: str, outcome: Outcome, *, now_ms: int
) -> None:
    """The channel answered a refund: post it once, or leave it for the next try."""
    row = connection.execute(
        select(channel_refund).where(channel_refund.c.refund_no == refund_no)
    ).one_or_none()
    if row is None or row.state != "open":
        return
    if outcome in (Outcome.REFUSED, Outcome.NOT_FOUND):
        _end_refund(connection, refund_no, "refused")
        notes.shout(
            connection, Alarm.REFUND_REFUSED, device="", ref=row.attempt, detail=outcome, now_ms=now_ms
        )
    elif outcome in (Outcome.REFUNDED, Outcome.REVERSED):
        _end_refund(connection, refund_no, "done")
        payment_row = _row(connection, row.attempt)
        if outcome is Outcome.REVERSED and payment_row is not None and payment_row["state"] == State.REVERSED:
            return  # all went back with our own reversal, and that is booked
        entry = book.paid_back(CHANNEL, row.attempt, row.amount)
        decision = ledger.post(entry, tid=f"back:{refund_no}", kind="channel_refund", device="")
        if decision.variances:
            notes.shout(
                connection,
                Alarm.REFUND_NOT_OWED,
                device="",
                ref=row.attempt,
                detail=str(row.amount),
                now_ms=now_ms,
            )


def _end_refund(connection: Connection, refund_no: str, state: str) -> None:
    where = channel_refund.c.refund_no == refund_no
    connection.execute(update(channel_refund).where(where).values(state=state))


def owe_refund(
    connection: Connection, *, refund_no: str, attempt: str, device: str, amount: int, now_ms: int
) -> None:
    """Money must go back to a wallet, under this number, until the channel says that it has. Never more than
    was asked for: what a box says beyond that is shouted about, and not paid."""
    row_ = _row(connection, attempt)
    paid = 0 if row_ is None or row_["state"] == State.REVERSED else int(str(row_["amount"]))
    refunds = channel_refund.c
    earlier = connection.execute(
        select(func.coalesce(func.sum(refunds.amount), 0)).where(
            refunds.attempt == attempt, refunds.state != "refused"
        )
    ).scalar_one()
    if earlier + amount > paid:
        detail = f"{earlier} + {amount} of {paid}"
        notes.shout(
            connection, Alarm.REFUND_TOO_LARGE, device=device, ref=attempt, detail=detail, now_ms=now_ms
        )
        return
    row = {
        "refund_no": refund_no,
        "attempt": attempt,
        "amount": amount,
        "state": "open",
        "tries": 0,
        "due_ms": now_ms,
    }
    connection.execute(insert(channel_refund), row)


def due(connection: Connection, ledger: Ledger, *, now_ms: int, schedule: Schedule, most: int = 50) -> Todo:
    """Everything whose time has come. Called every second, and first of all after a start."""
    waiting = connection.execute(_OPEN).all()
    attempts = [attempt for attempt, due_ms in waiting if schedule.is_due(due_ms, now_ms)][:most]
    todo = Todo()
    for attempt in attempts:
        todo += _advance(connection, ledger, attempt, Due(), now_ms, schedule)
    return todo + _refunds_due(connection, now_ms, schedule, most)


def _refunds_due(connection: Connection, now_ms: int, schedule: Schedule, most: int) -> Todo:
    rows = [row for row in connection.execute(_OPEN_REFUNDS) if schedule.is_due(row.due_ms, now_ms)][:most]
    for row in rows:
        wait_ms = min(REFUND_AGAIN_MAX_MS, REFUND_AGAIN_MS << min(row.tries, 20))
        values = {"tries": row.tries + 1, "due_ms": now_ms + wait_ms}
        connection.execute(
            update(channel_refund).where(channel_refund.c.refund_no == row.refund_no).values(values)
        )
    return Todo(tuple(Call("refund", row.attempt, row.amount, row.refund_no) for row in rows))


def _advance(
    connection: Connection, ledger: Ledger, attempt: str, event: Event, now_ms: int, schedule: Schedule
) -> Todo:
    row = _row(connection, attempt)
    if row is None:
        return Todo()
    before = _payment(row)
    after, effects = step(before, event, now_ms, schedule)
    if after != before:
        _store(connection, row, after, _name(event), now_ms)
    row = {**row, "state": after.state}
    return _do(connection, ledger, row, effects, now_ms)


def _do(
    connection: Connection, ledger: Ledger, row: dict[str, object], effects: Iterable[Effect], now_ms: int
) -> Todo:
    attempt, amount, device = str(row["attempt"]), int(str(row["amount"])), str(row["device"])
    calls: list[Call] = []
    news: list[News] = []
    for effect in effects:
        match effect:
            case CallPay():
                calls.append(Call("pay", attempt, amount))
            case CallQuery():
                calls.append(Call("query", attempt, amount))
            case CallReverse():
                calls.append(Call("reverse", attempt, amount))
            case BookPaid():
                n = _times(connection, attempt)
                entry = book.paid(CHANNEL, attempt, amount)
                ledger.post(entry, tid=f"paid:{attempt}:{n}", kind="channel_paid", device=device)
            case BookBack():
                n = _times(connection, attempt)
                entry = book.paid_back(CHANNEL, attempt, amount)
                decision = ledger.post(
                    entry, tid=f"reversed:{attempt}:{n}", kind="channel_reversed", device=device
                )
                if decision.variances:
                    notes.shout(
                        connection,
                        Alarm.REVERSED_BUT_SOLD,
                        device=device,
                        ref=attempt,
                        detail=str(amount),
                        now_ms=now_ms,
                    )
            case Shout(what):
                notes.shout(connection, what, device=device, ref=attempt, detail=f"{amount}", now_ms=now_ms)
            case Tell():
                news.append(_news(row))
    return Todo(tuple(calls), tuple(news))


def _told_again(row: dict[str, object], body: PayAsk, device: str) -> Todo:
    same = (row["device"], row["amount"], row["sale"]) == (device, body.amount, body.sale)
    if same or row["sale"] == "":
        return Todo(news=(_news(row),))
    answer = PayAnswer(attempt=body.attempt, state="declined", detail=Reason.ID_REUSED)
    return Todo(news=(News(device, answer),))


def _news(row: dict[str, object]) -> News:
    state = "submitted" if row["state"] == State.CREATED else str(row["state"])
    answer = {"attempt": row["attempt"], "state": state, "inc": row["inc"] or None}
    return News(str(row["device"]), PayAnswer.model_validate(answer))


def _create(
    connection: Connection,
    attempt: str,
    sale: str,
    device: str,
    amount: int,
    now_ms: int,
    state: State = State.CREATED,
    why: str = "created",
) -> None:
    row = {
        **asdict(Payment(attempt, amount, state, now_ms, now_ms)),
        "sale": sale,
        "device": device,
        "channel": CHANNEL,
        "owed": 0,
        "inc": "",
    }
    connection.execute(insert(payment), row)
    _note(connection, attempt, why, state, now_ms)


def _store(connection: Connection, row: dict[str, object], after: Payment, event: str, now_ms: int) -> None:
    values = {**row, **asdict(after), "owed": int(after.owed)}
    upsert(connection, payment, [values], "attempt")
    if after.state != row["state"]:
        _note(connection, after.attempt, event, after.state, now_ms)


def _note(connection: Connection, attempt: str, event: str, state: str, now_ms: int) -> None:
    row = {"attempt": attempt, "event": event, "state": state, "at_ms": now_ms}
    connection.execute(insert(payment_event), row)


def _times(connection: Connection, attempt: str) -> int:
    """How many changes of state an attempt has seen: makes the ids of its postings unique and repeatable."""
    rows = connection.execute(select(payment_event.c.id).where(payment_event.c.attempt == attempt)).all()
    return len(rows)


def _unsold(ledger: Ledger, row: dict[str, object]) -> bool:
    """Whether a paid payment is still owed to the customer: no sale has taken it up."""
    return ledger.balance_of(accounts.payment(str(row["attempt"])), CNY) == -int(str(row["amount"]))


def _open_of(connection: Connection, device: str) -> int:
    still = [state for state in State if state not in FINAL]
    mine = (payment.c.device == device) & payment.c.state.in_(still)
    return connection.execute(select(func.count()).where(mine)).scalar_one()


def _row(connection: Connection, attempt: str) -> dict[str, object] | None:
    found = connection.execute(_ONE, {"attempt": attempt}).one_or_none()
    return None if found is None else dict(found._asdict())


def _payment(row: dict[str, object]) -> Payment:
    return Payment(
        attempt=str(row["attempt"]),
        amount=int(str(row["amount"])),
        state=State(str(row["state"])),
        created_ms=int(str(row["created_ms"])),
        due_ms=int(str(row["due_ms"])),
        tries=int(str(row["tries"])),
        owed=bool(row["owed"]),
    )


def _name(event: Event) -> str:
    outcome = getattr(event, "outcome", None)
    return type(event).__name__.lower() + (f":{outcome}" if outcome else "")
