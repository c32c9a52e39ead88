"""What each kind of record does: to the book, to payments, to rights, and to the lists that people read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, bindparam, select

from tillbox.contracts.messages import (
    CommandState,
    LeaseClosed,
    PaymentEnded,
    Record,
    Refund,
    RightsLost,
    Sale,
    Void,
)
from tillbox.contracts.verdicts import Reason

from .alarms import Alarm
from .book import sales
from .book.engine import Entry
from .chains import Chains
from .claims import Claims
from .complaints import Complaints
from .payments import cashier
from .payments.machine import Schedule
from .store import commands, coupons, tables
from .store.database import add
from .store.ledger import Ledger


class Postings:
    """The doings of one batch. `bodies` are all that it will apply, so that everything is looked up at once."""

    def __init__(
        self,
        connection: Connection,
        ledger: Ledger,
        chains: Chains,
        complaints: Complaints,
        *,
        now_ms: int,
        schedule: Schedule,
        bodies: Sequence[tuple[str, BaseModel | None]],
    ) -> None:
        self._connection, self._ledger, self._chains = connection, ledger, chains
        self._complaints, self._now_ms, self._schedule = complaints, now_ms, schedule
        self._claims = Claims(connection, [body for _, body in bodies])
        self._sales: list[dict[str, Any]] = []
        self._reversals: list[dict[str, Any]] = []
        self._voided: set[tuple[str, str]] = set()
        self._bodies = bodies  # held, for their identity names the entries below
        self._entries = {
            id(body): sales.sale(device, body) for device, body in bodies if isinstance(body, Sale)
        }
        """By the very body: one that a claim was dropped from is another, and posts something else."""
        ledger.load(chain.from_iterable(entry.keys() for entry in self._entries.values()))

    def apply(self, record: Record, body: BaseModel, content: str) -> str:
        """Do what a record says; what became of it, for the inbox. `content` is the hash of what it says."""
        return _KINDS[record.kind](self, record, body, content) or "applied"

    def write(self) -> None:
        """Write the lists."""
        add(self._connection, tables.sale, self._sales)
        add(self._connection, tables.reversal, self._reversals)

    def _sale(self, record: Record, body: Sale, content: str) -> str:
        body, dropped = self._claims.own_sale(record.dev, body)
        self._complaints.not_its_own(record.dev, record.tid, record.kind, dropped)
        self._claims.sold(record.tid, record.dev)
        entry = self._entries.get(id(body)) or sales.sale(record.dev, body)
        decision = self._ledger.post(entry, tid=record.tid, kind="sale", device=record.dev, content=content)
        assert decision.refused is None, decision
        for reason in decision.variances:
            self._complaints.shout(Alarm(f"variance_{reason}"), record.dev, record.tid, f"sale {body.number}")
        self._sales.append(
            {
                "tid": record.tid,
                "device": record.dev,
                "number": body.number,
                "total": body.total,
                "discount": body.discount,
                "amount": body.tender.amount,
                "tender": body.tender.type,
                "attempt": body.tender.attempt,
                "template": body.coupon.template if body.coupon else None,
                "serial": body.coupon.serial if body.coupon else None,
                "online": int(body.online),
                "sold_from_ms": record.at[0],
                "sold_to_ms": record.at[1],
                "received_ms": self._now_ms,
            }
        )
        return " ".join(decision.variances)[:32]

    def _void(self, record: Record, body: Void, content: str) -> str:
        body, dropped = self._claims.own_reversal(record.dev, body)
        if "sale" in dropped:
            return self._of_another(record, content, sales.void(record.dev, body, None), dropped)
        again = self._is_voided(record.dev, body.of)
        original = None if again else self._ledger.legs_of(body.of)
        closed = coupons.any_closed(self._connection, original or ())
        self._complaints.not_its_own(record.dev, record.tid, record.kind, dropped)
        if original is None:
            self._complaints.shout(
                Alarm.VOID_OF_NOTHING, record.dev, record.tid, "voided before" if again else "no such sale"
            )
        if again and body.tender_type == "merchant_scan":
            # The money went back to the wallet with the first void; a second is a slip of paper and no more.
            return self._taken_back(record, body.model_copy(update={"attempt": None}), content, Entry(()))
        entry = sales.void(record.dev, body, original, lease_closed=closed)
        return self._taken_back(record, body, content, entry, frees=closed)

    def _is_voided(self, device: str, sale: str) -> bool:
        return (device, sale) in self._voided or self._connection.execute(
            _VOIDS, {"sale": sale, "device": device}
        ).first() is not None

    def _refund(self, record: Record, body: Refund, content: str) -> str:
        body, dropped = self._claims.own_reversal(record.dev, body)
        entry = sales.refund(record.dev, body)
        if "sale" in dropped:
            return self._of_another(record, content, entry, dropped)
        self._complaints.not_its_own(record.dev, record.tid, record.kind, dropped)
        return self._taken_back(record, body, content, entry)

    def _of_another(self, record: Record, content: str, entry: Entry, dropped: list[str]) -> str:
        """Whoever takes another box's sale back has paid that out of its own drawer, and the sale stands."""
        self._complaints.not_its_own(record.dev, record.tid, record.kind, dropped)
        self._ledger.post(entry, tid=record.tid, kind=record.kind, device=record.dev, content=content)
        return Reason.FOREIGN_DEVICE

    def _taken_back(
        self, record: Record, body: Void | Refund, content: str, entry: Entry, *, frees: bool = False
    ) -> str:
        decision = self._ledger.post(
            entry, tid=record.tid, kind=record.kind, device=record.dev, content=content
        )
        assert decision.refused is None, decision
        for reason in decision.variances:
            self._complaints.shout(Alarm(f"variance_{reason}"), record.dev, record.tid, record.kind)
        if frees:
            coupons.returned(self._connection, decision.legs)
        row = {"tid": record.tid, "of": body.of, "kind": record.kind, "amount": body.amount}
        self._reversals.append({**row, "received_ms": self._now_ms})
        if record.kind == "void":
            self._voided.add((record.dev, body.of))
        if body.tender_type == "merchant_scan" and body.attempt and body.amount:
            cashier.owe_refund(
                self._connection,
                refund_no=record.tid,
                attempt=body.attempt,
                device=record.dev,
                amount=body.amount,
                now_ms=self._now_ms,
            )
        return ""

    def _payment_ended(self, record: Record, body: PaymentEnded, _: str) -> str:
        if body.outcome == "abandoned":
            cashier.give_up(
                self._connection,
                self._ledger,
                body.attempt,
                device=record.dev,
                now_ms=self._now_ms,
                schedule=self._schedule,
            )
        return ""

    def _lease_closed(self, record: Record, body: LeaseClosed, _: str) -> str:
        refused = coupons.close(
            self._connection, self._ledger, device=record.dev, lease_id=body.lease, tid=record.tid
        )
        return refused or ""

    def _rights_lost(self, record: Record, _: RightsLost, __: str) -> str:
        """The box found its own medium old by its witness: the same as finding it here."""
        if not self._chains.is_rolled_back(record):
            lost = coupons.lose(self._connection, record.dev)
            if lost:
                self._complaints.shout(Alarm.RIGHTS_LOST, record.dev, record.inc, f"leases lost: {len(lost)}")
        return ""

    def _command_state(self, record: Record, body: CommandState, _: str) -> str:
        return commands.heard(self._connection, record.dev, body, self._now_ms) or ""

    def _noted(self, _: Record, __: BaseModel, ___: str) -> str:
        return ""


_KINDS: dict[str, Callable[[Postings, Record, Any, str], str]] = {
    "opened": Postings._noted,
    "sale": Postings._sale,
    "payment_asked": Postings._noted,
    "payment_ended": Postings._payment_ended,
    "void": Postings._void,
    "refund": Postings._refund,
    "lease_asked": Postings._noted,
    "lease_held": Postings._noted,
    "lease_refused": Postings._noted,
    "lease_closed": Postings._lease_closed,
    "rights_lost": Postings._rights_lost,
    "drawer_opened": Postings._noted,
    "tapped": Postings._noted,
    "canary": Postings._noted,
    "command_state": Postings._command_state,
}


_VOIDS = (
    select(tables.reversal.c.tid)
    .join(tables.txn, tables.txn.c.tid == tables.reversal.c.tid)
    .where(
        tables.reversal.c.of == bindparam("sale"),
        tables.reversal.c.kind == "void",
        tables.txn.c.device == bindparam("device"),
    )
)
