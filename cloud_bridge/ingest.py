"""The one way in for records: read, chained, deduplicated, decided, posted, committed, and then answered.

A batch of messages is one transaction. For every record that continues its box's chain: the bytes go to
the inbox, the book decides what they become, and the watermark moves, all or nothing. Only after the
commit does the box hear of it. What cannot be trusted (another's record, a fork, a broken chain) is
counted, shouted about and not stored; what can be trusted and not understood is stored and set aside.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, and_, bindparam, insert, or_, select

from tillbox.contracts.messages import (
    BATCH_BYTES_MAX,
    BODIES,
    RECORD_BYTES_MAX,
    VERSION,
    Ack,
    LeaseClosed,
    Opened,
    PaymentEnded,
    Record,
    Refund,
    RightsLost,
    Sale,
    Void,
    canonical,
    digest,
    genesis,
)
from tillbox.contracts.verdicts import Reason

from .alarms import Alarm
from .book import sales
from .book.engine import Entry
from .claims import Claims
from .payments import cashier
from .payments.machine import Schedule
from .store import coupons, notes, tables
from .store.database import Database, upsert
from .store.ledger import Ledger

CREDIT = 200
"""Records a box may have under way; a core that falls behind answers with less."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message as it came from the line: the device is the topic's, which the broker vouches for."""

    device: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """One record that is well-formed and the device's own."""

    record: Record
    hash: str
    bytes: bytes


@dataclass(slots=True)
class Mark:
    """How far one incarnation of one box is held, while a batch is worked on."""

    watermark: int
    head: str
    standing: str
    number: int
    opened_ms: int
    changed: bool = False


@dataclass(slots=True)
class Counts:
    """What happened since this core started; exported as metrics and read by the proofs."""

    applied: int = 0
    replays: int = 0
    duplicates: int = 0
    gaps: int = 0
    refused: int = 0


class Ingest:
    """The worker's state: a database and counters. One thread uses it."""

    def __init__(self, database: Database, schedule: Schedule) -> None:
        self._database = database
        self._schedule = schedule
        self.counts = Counts()

    def take(self, messages: Sequence[Arrived], now_ms: int, credit: int = CREDIT) -> list[tuple[str, Ack]]:
        """Take messages in; answer with one ack per box and incarnation. When this returns it is durable."""
        with self._database.writing() as connection:
            batch = _Batch(connection, now_ms, self._schedule, self.counts)
            for message in messages:
                batch.read(message)
            batch.apply()
            return batch.acks(credit)


def parse(device: str, line: bytes) -> Read | Reason:
    """One line as a record of this device, or why it is none."""
    if len(line) > RECORD_BYTES_MAX:
        return Reason.TOO_LARGE
    try:
        record = Record.model_validate_json(line)
    except ValidationError:
        return Reason.FUTURE_VERSION if _is_newer(line) else Reason.NOT_UNDERSTOOD
    if record.dev != device:
        return Reason.FOREIGN_DEVICE
    return Read(record, digest(line), line)


def _is_newer(line: bytes) -> bool:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return False
    version = document.get("v") if isinstance(document, dict) else None
    return isinstance(version, int) and version > VERSION


class _Batch:
    """One transaction's work."""

    def __init__(self, connection: Connection, now_ms: int, schedule: Schedule, counts: Counts) -> None:
        self._connection, self._now_ms, self._schedule, self._counts = connection, now_ms, schedule, counts
        self._ledger = Ledger(connection, now_ms)
        self._reads: list[Read] = []
        self._marks: dict[tuple[str, str], Mark] = {}
        self._newest: dict[str, tuple[str, Mark]] = {}
        self._echo: dict[tuple[str, str], tuple[int, str]] = {}
        self._refused: dict[tuple[str, str], Reason] = {}
        self._inbox: list[dict[str, Any]] = []
        self._sales: list[dict[str, Any]] = []
        self._reversals: list[dict[str, Any]] = []
        self._voided: set[tuple[str, str]] = set()

    def read(self, message: Arrived) -> None:
        if len(message.payload) > BATCH_BYTES_MAX:
            self._refuse(message.device, Reason.TOO_LARGE, message.payload)
            return
        for line in message.payload.split(b"\n"):
            found = parse(message.device, line)
            if isinstance(found, Reason):
                self._refuse(message.device, found, line)
            else:
                self._reads.append(found)

    def apply(self) -> None:
        self._load_marks()
        held = self._held()
        fresh: list[tuple[Read, BaseModel | None]] = []
        for read in self._reads:
            if self._continues(read, held):
                fresh.append((read, _body_of(read)))
        self._prepare(fresh)
        self._claims = Claims(self._connection, [body for _, body in fresh])
        known = self._ledger.known(read.record.tid for read, _ in fresh)
        for read, body in fresh:
            self._apply_one(read, body, known)
        self._write()

    def acks(self, credit: int) -> list[tuple[str, Ack]]:
        answers = []
        for (device, inc), (seq, found) in self._echo.items():
            mark = self._marks[device, inc]
            refused = self._refused.get((device, inc))
            ack = Ack(
                inc=inc,
                wm=mark.watermark,
                head=mark.head,
                echo_seq=seq,
                echo_hash=found or None,
                credit=credit,
                refused=refused,
            )
            answers.append((device, ack))
        return answers

    def _load_marks(self) -> None:
        devices = sorted({read.record.dev for read in self._reads})
        for row in self._connection.execute(_MARKS, {"devices": devices}):
            mark = Mark(row.watermark, row.head, row.standing, row.number, row.opened_ms)
            self._marks[row.device, row.inc] = mark
            self._newest[row.device] = row.inc, mark

    def _held(self) -> dict[tuple[str, str, int], str]:
        """The hashes of those numbers in this batch that are already in the inbox."""
        spans: dict[tuple[str, str], list[int]] = {}
        for read in self._reads:
            spans.setdefault((read.record.dev, read.record.inc), []).append(read.record.seq)
        inbox = tables.inbox.c
        clauses = [
            and_(inbox.device == device, inbox.inc == inc, inbox.seq.between(min(seqs), max(seqs)))
            for (device, inc), seqs in spans.items()
            if (device, inc) in self._marks and min(seqs) <= self._marks[device, inc].watermark
        ]
        if not clauses:
            return {}
        rows = self._connection.execute(
            select(inbox.device, inbox.inc, inbox.seq, inbox.hash).where(or_(*clauses))
        )
        return {(device, inc, seq): found for device, inc, seq, found in rows}

    def _continues(self, read: Read, held: dict[tuple[str, str, int], str]) -> bool:
        """Whether a record is the next of its chain. Moves the mark where it is."""
        record = read.record
        key = record.dev, record.inc
        mark = self._marks.get(key) or self._open(read)
        if mark is None:
            return False
        if record.seq <= mark.watermark:
            found = held.get((*key, record.seq))
            if found not in (None, read.hash):
                self._refuse(record.dev, Reason.ID_REUSED, read.bytes, inc=record.inc)
                self._shout(Alarm.FORK, record.dev, record.inc, f"two records are number {record.seq}")
                return False
            self._counts.duplicates += 1
            self._echo[key] = max(self._echo.get(key, (0, "")), (record.seq, read.hash))
            return False
        self._echo.setdefault(key, (0, ""))
        if record.seq > mark.watermark + 1:
            self._counts.gaps += 1
            self._refused.setdefault(key, Reason.SEQUENCE_GAP)
            return False
        if record.prev != mark.head:
            self._refuse(record.dev, Reason.CHAIN_BROKEN, read.bytes, inc=record.inc)
            self._shout(Alarm.CHAIN_BROKEN, record.dev, record.inc, f"at number {record.seq}")
            return False
        mark.watermark, mark.head, mark.changed = record.seq, read.hash, True
        held[(*key, record.seq)] = read.hash
        self._echo[key] = record.seq, read.hash
        return True

    def _open(self, read: Read) -> Mark | None:
        """The first record of a new incarnation says what it continues; compare it with what we know."""
        record = read.record
        if record.seq != 1 or record.kind != "opened":
            self._counts.gaps += 1
            return None
        try:
            opened = Opened.model_validate(record.body)
        except ValidationError:
            self._refuse(record.dev, Reason.NOT_UNDERSTOOD, read.bytes)
            return None
        start = genesis(record.dev, record.inc, opened.prior_head)
        if record.prev != start:
            self._refuse(record.dev, Reason.CHAIN_BROKEN, read.bytes)
            return None
        newest = self._newest.get(record.dev)
        number = newest[1].number + 1 if newest else 1
        prior = self._marks.get((record.dev, opened.prior)) if opened.prior else None
        if opened.prior is not None and (prior is None or prior.watermark < opened.prior_seq):
            # The line turned messages round: the incarnation before this one is not all here yet.
            self._counts.gaps += 1
            return None
        standing = _standing(opened, newest)
        mark = Mark(0, start, standing, number, self._now_ms)
        self._marks[record.dev, record.inc] = mark
        self._newest[record.dev] = record.inc, mark
        if standing == "rolled_back":
            lost = coupons.lose(self._connection, record.dev)
            what = "an older medium" if opened.prior else "an empty medium"
            self._shout(Alarm.ROLLED_BACK, record.dev, record.inc, f"{what}; leases lost: {len(lost)}")
        return mark

    def _prepare(self, fresh: Iterable[tuple[Read, BaseModel | None]]) -> None:
        """Read every balance that the plain sales of this batch need, in one go."""
        entries = [sales.sale(read.record.dev, body) for read, body in fresh if isinstance(body, Sale)]
        self._ledger.load(chain.from_iterable(entry.keys() for entry in entries))

    def _apply_one(self, read: Read, body: BaseModel | None, known: dict[str, str]) -> None:
        record = read.record
        content = digest(record.kind.encode() + canonical(record.body))
        outcome: str
        if body is None:
            outcome = _not_understood(record)
            self._refuse(record.dev, outcome, read.bytes, inc=record.inc)
        elif record.tid in known:
            outcome = self._replay(record, known[record.tid] == content)
        else:
            outcome = _KINDS[record.kind](self, record, body, content) or "applied"
            self._counts.applied += 1
            if self._ledger.has_posted(record.tid):
                known[record.tid] = content
        self._inbox.append(
            {
                "device": record.dev,
                "inc": record.inc,
                "seq": record.seq,
                "tid": record.tid,
                "kind": record.kind,
                "hash": read.hash,
                "bytes": read.bytes,
                "outcome": outcome,
                "received_ms": self._now_ms,
            }
        )

    def _replay(self, record: Record, same: bool) -> str:
        """The id is in the book already: the first answer stands."""
        self._counts.replays += 1
        if same:
            return "replay"
        self._shout(Alarm.ID_REUSED, record.dev, record.tid, record.kind)
        return Reason.ID_REUSED

    def _write(self) -> None:
        self._ledger.flush()
        for table, rows in (
            (tables.inbox, self._inbox),
            (tables.sale, self._sales),
            (tables.reversal, self._reversals),
        ):
            if rows:
                self._connection.execute(insert(table), rows)
        marks = [
            {
                "device": device,
                "inc": inc,
                "number": mark.number,
                "watermark": mark.watermark,
                "head": mark.head,
                "standing": mark.standing,
                "opened_ms": mark.opened_ms,
            }
            for (device, inc), mark in self._marks.items()
            if mark.changed
        ]
        upsert(self._connection, tables.incarnation, marks, "device", "inc")
        fed = [
            {"kind": "sale", "ref": ref, "at_ms": self._now_ms}
            for ref in [row["tid"] for row in self._sales] + [row["of"] for row in self._reversals]
        ]
        if fed:
            self._connection.execute(insert(tables.feed), fed)

    # what each kind of record does

    def _sale(self, record: Record, body: Sale, content: str) -> str:
        body, dropped = self._claims.own_sale(record.dev, body)
        self._not_its_own(record, dropped)
        self._claims.sold(record.tid, record.dev)
        entry = sales.sale(record.dev, body)
        decision = self._ledger.post(entry, tid=record.tid, kind="sale", device=record.dev, content=content)
        assert decision.refused is None, decision
        for reason in decision.variances:
            self._shout(Alarm(f"variance_{reason}"), record.dev, record.tid, f"sale {body.number}")
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
        closed = body.coupon is not None and coupons.closed(self._connection, body.coupon.lease)
        again = self._is_voided(record.dev, body.of)
        original = None if again else self._ledger.legs_of(body.of)
        self._not_its_own(record, dropped)
        if original is None:
            self._shout(
                Alarm.VOID_OF_NOTHING, record.dev, record.tid, "voided before" if again else "no such sale"
            )
        if again and body.tender_type == "merchant_scan":
            # The money went back to the wallet with the first void; a second is a slip of paper and no more.
            return self._taken_back(record, body.model_copy(update={"attempt": None}), content, Entry(()))
        entry = sales.void(record.dev, body, original, lease_closed=closed)
        return self._taken_back(record, body, content, entry)

    def _is_voided(self, device: str, sale: str) -> bool:
        return (device, sale) in self._voided or self._connection.execute(
            _VOIDS, {"sale": sale, "device": device}
        ).first() is not None

    def _refund(self, record: Record, body: Refund, content: str) -> str:
        body, dropped = self._claims.own_reversal(record.dev, body)
        entry = sales.refund(record.dev, body)
        if "sale" in dropped:
            return self._of_another(record, content, entry, dropped)
        self._not_its_own(record, dropped)
        return self._taken_back(record, body, content, entry)

    def _of_another(self, record: Record, content: str, entry: Entry, dropped: list[str]) -> str:
        """Whoever takes another box's sale back has paid that out of its own drawer, and the sale stands."""
        self._not_its_own(record, dropped)
        self._ledger.post(entry, tid=record.tid, kind=record.kind, device=record.dev, content=content)
        return Reason.FOREIGN_DEVICE

    def _not_its_own(self, record: Record, dropped: list[str]) -> None:
        for what in dropped:
            self._counts.refused += 1
            self._shout(Alarm(f"{what}_of_another"), record.dev, record.tid, record.kind)

    def _taken_back(self, record: Record, body: Void | Refund, content: str, entry: Entry) -> str:
        decision = self._ledger.post(
            entry, tid=record.tid, kind=record.kind, device=record.dev, content=content
        )
        assert decision.refused is None, decision
        for reason in decision.variances:
            self._shout(Alarm(f"variance_{reason}"), record.dev, record.tid, record.kind)
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
        if self._marks[record.dev, record.inc].standing != "rolled_back":
            lost = coupons.lose(self._connection, record.dev)
            if lost:
                self._shout(Alarm.RIGHTS_LOST, record.dev, record.inc, f"leases lost: {len(lost)}")
        return ""

    def _noted(self, _: Record, __: BaseModel, ___: str) -> str:
        return ""

    def _refuse(self, device: str, reason: Reason, sample: bytes, *, inc: str = "") -> None:
        self._counts.refused += 1
        if inc:
            self._refused[device, inc] = reason
        shown = sample[:200].decode("utf-8", "backslashreplace")
        notes.count_refused(self._connection, device, reason, shown, self._now_ms)

    def _shout(self, kind: Alarm, device: str, ref: str, detail: str) -> None:
        notes.shout(self._connection, kind, device=device, ref=ref, detail=detail, now_ms=self._now_ms)


_KINDS: dict[str, Callable[[_Batch, Record, Any, str], str]] = {
    "opened": _Batch._noted,
    "sale": _Batch._sale,
    "payment_asked": _Batch._noted,
    "payment_ended": _Batch._payment_ended,
    "void": _Batch._void,
    "refund": _Batch._refund,
    "lease_asked": _Batch._noted,
    "lease_held": _Batch._noted,
    "lease_refused": _Batch._noted,
    "lease_closed": _Batch._lease_closed,
    "rights_lost": _Batch._rights_lost,
}


_MARKS = (
    select(tables.incarnation)
    .where(tables.incarnation.c.device.in_(bindparam("devices", expanding=True)))
    .order_by(tables.incarnation.c.number)
)


_VOIDS = (
    select(tables.reversal.c.tid)
    .join(tables.txn, tables.txn.c.tid == tables.reversal.c.tid)
    .where(
        tables.reversal.c.of == bindparam("sale"),
        tables.reversal.c.kind == "void",
        tables.txn.c.device == bindparam("device"),
    )
)


def _standing(opened: Opened, newest: tuple[str, Mark] | None) -> str:
    """A new incarnation must continue exactly what we hold of the one before it."""
    if newest is None:
        return "proven"
    inc, mark = newest
    same = (opened.prior, opened.prior_seq, opened.prior_head) == (inc, mark.watermark, mark.head)
    return "proven" if same else "rolled_back"


def _body_of(read: Read) -> BaseModel | None:
    model = BODIES.get(read.record.kind)
    if model is None or read.record.v > VERSION:
        return None
    try:
        return model.model_validate(read.record.body)
    except ValidationError:
        return None


def _not_understood(record: Record) -> Reason:
    newer = record.v > VERSION or record.kind not in BODIES
    return Reason.FUTURE_VERSION if newer else Reason.NOT_UNDERSTOOD
