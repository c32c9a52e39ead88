"""The one way in for records: read, chained, deduplicated, decided, posted, committed, and then answered.

A batch of messages is one transaction. For every record that continues its box's chain: the bytes go to
the inbox, the book decides what they become, and the watermark moves, all or nothing. Only after the
commit does the box hear of it. What cannot be trusted (another's record, a fork, a broken chain) is
counted, shouted about and not stored; what can be trusted and not understood is stored and set aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection

from tillbox.contracts.codes.slip import CONTENT_BYTES
from tillbox.contracts.messages import BATCH_BYTES_MAX, BODIES, VERSION, Ack, Record, Sale
from tillbox.contracts.verdicts import Reason

from .alarms import Alarm
from .chains import Chains, Read, parse
from .complaints import Complaints, Counts
from .fleet import quota
from .fleet.fences import fences
from .payments.machine import Schedule
from .postings import Postings
from .store import coupons, tables
from .store.database import Database, add, upsert
from .store.ledger import Ledger

MESSAGE_RECORDS_MAX = 500  # a box sends fifty; a message of line feeds alone would keep everybody waiting
CREDIT = 200
"""Records a box may have under way; a core that falls behind answers with less."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message as it came from the line: the device is the topic's, which the broker vouches for."""

    device: str
    payload: bytes


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


class _Batch:
    """One transaction's work."""

    def __init__(self, connection: Connection, now_ms: int, schedule: Schedule, counts: Counts) -> None:
        self._connection, self._now_ms, self._schedule, self._counts = connection, now_ms, schedule, counts
        self._complaints = Complaints(connection, now_ms, counts)
        self._ledger = Ledger(connection, now_ms)
        self._from: set[str] = set()
        self._reads: list[Read] = []
        self._inbox: list[dict[str, Any]] = []
        self._handed: list[tuple[str, quota.Sort, int]] = []
        """What boxes that were put out hand in: whose, what, how many bytes."""

    def read(self, message: Arrived) -> None:
        self._from.add(message.device)
        too_many = message.payload.count(b"\n") >= MESSAGE_RECORDS_MAX
        if len(message.payload) > BATCH_BYTES_MAX or too_many:
            self._complaints.refuse(message.device, Reason.TOO_LARGE, message.payload)
            return
        for line in message.payload.split(b"\n"):
            found = parse(message.device, line)
            if isinstance(found, Reason):
                self._complaints.refuse(message.device, found, line)
            else:
                self._reads.append(found)

    def apply(self) -> None:
        self._fences = fences(self._connection, self._from)
        full = quota.full(self._connection, self._fences, self._now_ms) if self._fences else {}
        self._chains = Chains(
            self._connection, self._now_ms, self._counts, self._complaints, self._reads, full, self._sort_of
        )
        fresh = [(read, _body_of(read)) for read in self._reads if self._chains.continues(read)]
        self._postings = Postings(
            self._connection,
            self._ledger,
            self._chains,
            self._complaints,
            now_ms=self._now_ms,
            schedule=self._schedule,
            bodies=[(read.record.dev, body) for read, body in fresh],
        )
        known = self._ledger.known(read.record.tid for read, _ in fresh)
        self._unkept = self._complaints.counted()
        for read, body in fresh:
            self._apply_one(read, body, known)
        self._write()

    def _sort_of(self, read: Read) -> quota.Sort:
        fence = self._fences[read.record.dev]
        return quota.sort_of(read.record, fence, understood=_body_of(read) is not None)

    def acks(self, credit: int) -> list[tuple[str, Ack]]:
        return self._chains.acks(credit)

    def _apply_one(self, read: Read, body: BaseModel | None, known: dict[str, str]) -> None:
        record = read.record
        content = read.content
        outcome: str
        if body is None:
            outcome = _not_understood(record)
            self._complaints.refuse(record.dev, outcome, read.bytes, inc=record.inc)
        elif record.tid in known:
            outcome = self._replay(record, is_same(known[record.tid], content))
        elif (fence := self._fences.get(record.dev)) is not None and fence.stops(record):
            outcome = fence.reason
            self._complaints.refuse(record.dev, outcome, read.bytes, inc=record.inc)
            self._complaints.shout(Alarm.SOLD_AFTER_END, record.dev, record.inc, f"since number {record.seq}")
            if isinstance(body, Sale) and body.coupon is not None:
                # In no book, and redeemed all the same: what this box may still redeem is lent to nobody else any more.
                coupons.lose(self._connection, record.dev)
        else:
            outcome = self._postings.apply(record, body, content)
            self._counts.applied += 1
            if self._ledger.has_posted(record.tid):
                known[record.tid] = content
        if record.dev in self._fences:
            self._handed.append((record.dev, self._sort_of(read), len(read.bytes)))
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
        self._complaints.shout(Alarm.ID_REUSED, record.dev, record.tid, record.kind)
        return Reason.ID_REUSED

    def _write(self) -> None:
        self._complaints.write()
        self._ledger.flush()
        add(self._connection, tables.inbox, self._inbox)
        if self._fences:
            quota.count(self._connection, self._handed, self._unkept, self._fences, self._now_ms)
        self._postings.write()
        upsert(self._connection, tables.incarnation, self._chains.rows(), "device", "inc")


def is_same(known: str, content: str) -> bool:
    """Whether what is in the book says the same: of what came from paper only the beginning of the hash is known."""
    return known == content or (len(known) == 2 * CONTENT_BYTES and content.startswith(known))


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
