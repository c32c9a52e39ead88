"""What a till remembers: nothing but a fold over its own journal.

The same function digests a record when it is made and when the journal is read again after a power cut,
so that memory and disk cannot disagree. It refuses to remember anything that is not in a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from tillbox.contracts.messages import (
    BODIES,
    VERSION,
    CommandState,
    LeaseAsked,
    LeaseClosed,
    LeaseHeld,
    LeaseRefused,
    Opened,
    PaymentAsked,
    PaymentEnded,
    Record,
    Refund,
    RightsLost,
    Sale,
    Void,
)

from .offline import Lease

SALES_REMEMBERED = 1_000
"""A busy counter's three days; an older sale cannot be taken back here."""

COMMANDS_REMEMBERED = 500
"""Years of commands; one that is older has expired long since, and is refused for that."""
HALTS = {"drain": "resume", "quarantine": "release"}
"""What stops the selling, and what ends that. Both may hold: then both have to end."""


@dataclass(frozen=True, slots=True)
class Commanded:
    """A command of head office, as far as this box has come with it."""

    verb: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OwnSale:
    """A sale of this box and what was taken back of it."""

    id: str
    sale: Sale
    refunded: int = 0
    voided: bool = False

    @property
    def left(self) -> int:
        """What may still be refunded, in the smallest part of the sale's unit."""
        return 0 if self.voided else self.sale.tender.amount - self.refunded


@dataclass(frozen=True, slots=True)
class Past:
    """Everything durable that the till decides by."""

    sales: Mapping[str, OwnSale] = field(default_factory=dict)
    payment: PaymentAsked | None = None
    requests: Mapping[str, LeaseAsked] = field(default_factory=dict)
    leases: Mapping[str, Lease] = field(default_factory=dict)
    rights_count: int = 0
    number: int = 0
    taken: int = 0
    """The sum of all sales of this journal, whatever was paid back since."""
    commands: Mapping[str, Commanded] = field(default_factory=dict)
    halts: Mapping[str, str] = field(default_factory=dict)
    """Commands that stopped the selling, and why; empty while it sells."""

    @property
    def last_sale(self) -> OwnSale | None:
        """The newest sale, for the reprint after a power cut."""
        return next(reversed(list(self.sales.values())), None)


def remember(past: Past, tid: str, kind: str, body: BaseModel) -> Past:
    """The past with one more record. Kinds of a newer version change nothing here."""
    digest = _KINDS.get(kind)
    return digest(past, tid, body) if digest else past


def recall(lines: Iterable[bytes]) -> Past:
    """The past as a journal's records tell it. The records must already be verified."""
    past = Past()
    for line in lines:
        record = Record.model_validate_json(line)
        if record.kind in BODIES:
            try:
                body = BODIES[record.kind].model_validate(record.body)
            except ValidationError:
                if record.v <= VERSION:
                    raise
                continue  # newer software ran on this box before; the core sets such a record aside, too
            past = remember(past, record.tid, record.kind, body)
    return past


def _command_state(past: Past, _: str, said: CommandState) -> Past:
    commands = {**past.commands, said.command: Commanded(said.verb, said.state, said.reason)}
    if len(commands) > COMMANDS_REMEMBERED:
        del commands[next(iter(commands))]
    past = replace(past, commands=commands)
    if said.state != "executing":
        return past
    if said.verb in HALTS:
        return replace(past, halts={**past.halts, said.verb: said.reason})
    ended = {halt for halt, end in HALTS.items() if end == said.verb}
    return replace(past, halts={verb: why for verb, why in past.halts.items() if verb not in ended})


def _opened(past: Past, _: str, __: Opened) -> Past:
    return past


def _sale(past: Past, tid: str, sale: Sale) -> Past:
    sales = {**past.sales, tid: OwnSale(tid, sale)}
    if len(sales) > SALES_REMEMBERED:
        del sales[next(iter(sales))]
    paid = past.payment is not None and past.payment.attempt == sale.tender.attempt
    past = replace(
        past,
        sales=sales,
        number=sale.number,
        payment=None if paid else past.payment,
        taken=past.taken + sale.tender.amount,
    )
    return _spent(past, sale) if sale.coupon else past


def _spent(past: Past, sale: Sale) -> Past:
    use = sale.coupon
    assert use is not None
    lease = past.leases.get(use.lease)
    leases = {**past.leases, use.lease: lease.spend(use.serial)} if lease else past.leases
    return replace(past, leases=leases, rights_count=max(past.rights_count, use.rights_count))


def _payment_asked(past: Past, _: str, asked: PaymentAsked) -> Past:
    return replace(past, payment=asked)


def _payment_ended(past: Past, _: str, ended: PaymentEnded) -> Past:
    open_one = past.payment is not None and past.payment.attempt == ended.attempt
    return replace(past, payment=None) if open_one else past


def _void(past: Past, _: str, void: Void) -> Past:
    own = past.sales.get(void.of)
    if own is not None:
        past = replace(past, sales={**past.sales, void.of: replace(own, voided=True)})
    use = void.coupon
    if use is None:
        return past
    lease = past.leases.get(use.lease)
    leases = {**past.leases, use.lease: lease.unspend(use.serial)} if lease else past.leases
    return replace(past, leases=leases, rights_count=max(past.rights_count, use.rights_count))


def _refund(past: Past, _: str, refund: Refund) -> Past:
    own = past.sales.get(refund.of)
    if own is None:
        return past
    return replace(past, sales={**past.sales, refund.of: replace(own, refunded=own.refunded + refund.amount)})


def _lease_asked(past: Past, tid: str, asked: LeaseAsked) -> Past:
    return replace(past, requests={**past.requests, tid: asked})


def _lease_held(past: Past, _: str, held: LeaseHeld) -> Past:
    lease = Lease(
        held.lease, held.template, held.first, held.last, frozenset(held.spent), held.expires_ms, held.single
    )
    return replace(
        past,
        requests=_without(past.requests, held.request),
        leases={**past.leases, held.lease: lease},
        rights_count=max(past.rights_count, held.rights_count),
    )


def _lease_refused(past: Past, _: str, refused: LeaseRefused) -> Past:
    return replace(past, requests=_without(past.requests, refused.request))


def _lease_closed(past: Past, _: str, closed: LeaseClosed) -> Past:
    leases = _without(past.leases, closed.lease)
    return replace(past, leases=leases, rights_count=max(past.rights_count, closed.rights_count))


def _rights_lost(past: Past, _: str, lost: RightsLost) -> Past:
    # Requests go too: their grants may have been held, and spent, by the journal that was lost.
    return replace(past, leases={}, requests={}, rights_count=max(past.rights_count, lost.rights_count))


def _without(things: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {other: thing for other, thing in things.items() if other != key}


_KINDS: dict[str, Callable[[Past, str, Any], Past]] = {
    "command_state": _command_state,
    "opened": _opened,
    "sale": _sale,
    "payment_asked": _payment_asked,
    "payment_ended": _payment_ended,
    "void": _void,
    "refund": _refund,
    "lease_asked": _lease_asked,
    "lease_held": _lease_held,
    "lease_refused": _lease_refused,
    "lease_closed": _lease_closed,
    "rights_lost": _rights_lost,
}
