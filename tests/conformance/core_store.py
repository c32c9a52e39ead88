"""What the stories about the core's store share: a database of either kind, and a journal for whoever wants
to send what a box would not."""

from __future__ import annotations

import itertools

from sqlalchemy import select

from tillbox.broker.journal import Draft, serialise
from tillbox.cloud_bridge.desk import Desk
from tillbox.cloud_bridge.ingest import Arrived, Ingest
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.store import coupons, reading, tables
from tillbox.cloud_bridge.store.database import Database
from tillbox.cloud_bridge.store.ledger import Ledger
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import Ack, LeaseAnswer, LeaseAsk, Line, Opened, Sale, Tender, digest, genesis

AT = TimeInterval(1_000, 2_000)
NOW = 1_790_000_000_000
_numbers = itertools.count(1)


def fresh() -> str:
    return uuid7(next(_numbers), bytes(10))


class Journal:
    """A box's journal, for whoever wants to send what a box would not."""

    def __init__(self, device: str = "box-1", inc: str = "0" * 16, prior: Opened | None = None) -> None:
        self.device, self.inc, self.lines = device, inc, [b""][:0]
        self.head = genesis(device, inc, prior.prior_head if prior else None)
        self.add("opened", prior or Opened())

    def add(self, kind: str, body: object, tid: str | None = None) -> str:
        tid = tid or fresh()
        line = serialise(self.device, self.inc, len(self.lines) + 1, self.head, Draft(tid, kind, body, AT))  # type: ignore[arg-type]
        self.lines.append(line)
        self.head = digest(line)
        return tid

    def sale(self, amount: int = 1200, tid: str | None = None) -> str:
        body = Sale(
            lines=(Line(name="茶", price=amount),), total=amount, tender=Tender(type="cash", amount=amount)
        )
        return self.add("sale", body, tid)


def take(database: Database, journal: Journal, *lines: bytes) -> Ack | None:
    payload = b"\n".join(lines or journal.lines)
    answers = Ingest(database, Schedule()).take([Arrived(journal.device, payload)], NOW)
    return answers[0][1] if answers else None


def balances(database: Database) -> dict[str, int]:
    with database.reading() as connection:
        return {row.account: row.minor for row in connection.execute(select(tables.balance))}


def refused(database: Database) -> dict[str, int]:
    with database.reading() as connection:
        return {row.reason: row.count for row in reading.refused(connection)}


def issue(database: Database, quantity: int = 50) -> Desk:
    with database.writing() as connection:
        ledger = Ledger(connection, NOW)
        coupons.issue(
            connection, ledger, name="tea", title="Tea", quantity=quantity, lease_ms=60_000, tid="issue:tea"
        )
        ledger.flush()
    return Desk(database, Schedule())


def ask(
    desk: Desk, device: str, serial: int | None = None, request: str | None = None, quantity: int = 20
) -> LeaseAnswer:
    body = LeaseAsk(
        request=request or fresh(), template="tea", quantity=1 if serial else quantity, serial=serial
    )
    answered = desk.answer(device, "lease", body.model_dump_json().encode(), now_ms=NOW, fresh_id=fresh())
    assert isinstance(answered.answer, LeaseAnswer)
    return answered.answer
