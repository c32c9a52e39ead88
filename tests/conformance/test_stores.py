"""One suite for the core's store on SQLite and on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Integer, LargeBinary, String, Text, func, select, text
from sqlalchemy.exc import DBAPIError
from tests.conformance.core_store import (
    AT,
    NOW,
    Journal,
    ask,
    balances,
    fresh,
    issue,
    refused,
    take,
)

from tillbox.broker.journal import Draft, open_journal
from tillbox.broker.journal import Journal as BoxJournal
from tillbox.broker.medium import FileMedium
from tillbox.cloud_bridge.ingest import Arrived, Ingest
from tillbox.cloud_bridge.payments import cashier
from tillbox.cloud_bridge.payments.channels.port import Outcome
from tillbox.cloud_bridge.payments.machine import Schedule, Told
from tillbox.cloud_bridge.store import reading, tables
from tillbox.cloud_bridge.store.database import Database, open_database
from tillbox.cloud_bridge.store.ledger import Ledger
from tillbox.contracts.messages import (
    Line,
    Opened,
    PayAsk,
    Refund,
    Sale,
    Tender,
    Void,
    digest,
)


def test_a_batch_is_posted_and_acknowledged(database: Database) -> None:
    journal = Journal()
    tid = journal.sale()
    ack = take(database, journal)
    assert ack is not None
    assert (ack.wm, ack.head) == (2, journal.head)
    assert balances(database) == {"cash:box-1": 1200, "sales:box-1": -1200}
    with database.reading() as connection:
        detail = reading.sale(connection, tid)
        assert detail is not None
        assert sum(leg.minor for leg in detail.postings) == 0


def test_every_sale_of_a_drained_queue_can_be_reached_page_by_page(database: Database) -> None:
    journal = Journal()
    tids = {journal.sale() for _ in range(23)}
    take(database, journal)
    seen: list[str] = []
    place: tuple[int, str] | None = None
    with database.reading() as connection:
        while rows := reading.sales(connection, before=place, most=5):
            seen += [row.tid for row in rows]
            place = rows[-1].received_ms, rows[-1].tid
    assert len(seen) == 23
    assert set(seen) == tids


def test_what_comes_twice_is_booked_once(database: Database) -> None:
    journal = Journal()
    journal.sale()
    take(database, journal)
    ack = take(database, journal)
    assert ack is not None
    assert (ack.wm, ack.head) == (2, digest(journal.lines[-1]))
    assert ack.echo_hash is None, "an echo that says what the head says is left out"
    assert balances(database)["cash:box-1"] == 1200


def test_a_gap_waits_and_is_filled(database: Database) -> None:
    journal = Journal()
    journal.sale()
    journal.sale(500)
    ack = take(database, journal, journal.lines[0], journal.lines[2])
    assert ack is not None
    assert (ack.wm, ack.refused) == (1, "sequence_gap")
    assert take(database, journal).wm == 3  # type: ignore[union-attr]
    assert balances(database)["cash:box-1"] == 1700


def test_an_incarnation_waits_for_the_one_before_it(database: Database) -> None:
    first = Journal()
    first.sale()
    later = Journal(inc="1" * 16, prior=Opened(prior=first.inc, prior_seq=2, prior_head=first.head))
    ack = take(database, later)
    assert ack is not None
    assert (ack.inc, ack.wm, ack.refused) == (first.inc, 0, "sequence_gap"), "it says what it waits for"
    take(database, first)
    assert take(database, later).wm == 1  # type: ignore[union-attr]
    with database.reading() as connection:
        standings = connection.execute(select(tables.incarnation.c.standing)).scalars().all()
    assert standings == ["proven", "proven"]


def test_an_old_card_and_an_empty_one_are_found_out(database: Database) -> None:
    first = Journal()
    first.sale()
    first.sale()
    take(database, first)
    old = Journal(inc="1" * 16, prior=Opened(prior=first.inc, prior_seq=1, prior_head=digest(first.lines[0])))
    take(database, old)
    take(database, Journal(inc="2" * 16))
    with database.reading() as connection:
        assert [row.kind for row in reading.alarms(connection)] == ["rolled_back", "rolled_back"]


def test_a_fork_is_refused_and_shouted_about(database: Database) -> None:
    journal, other = Journal(), Journal()
    journal.sale()
    other.lines[0], other.head = journal.lines[0], digest(journal.lines[0])
    other.sale(99)
    take(database, journal)
    take(database, other)
    assert refused(database) == {"id_reused": 1}
    assert balances(database)["cash:box-1"] == 1200


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", "not_understood"),
        (b"\x00\xff" * 50, "not_understood"),
        (b'{"v":9}', "future_version"),
        (b"x" * 3_000_000, "too_large"),
        (b"[" * 9_000, "not_understood"),
    ],
)
def test_nonsense_is_counted_and_loses_nothing(database: Database, line: bytes, reason: str) -> None:
    journal = Journal()
    journal.sale()
    take(database, journal, line)
    assert refused(database) == {reason: 1}
    assert take(database, journal).wm == 2  # type: ignore[union-attr]


def test_another_boxs_record_is_refused(database: Database) -> None:
    stranger = Journal("box-9")
    answers = Ingest(database, Schedule()).take([Arrived("box-1", stranger.lines[0])], NOW)
    assert answers == []
    assert refused(database) == {"foreign_device": 1}


def test_a_kind_of_a_newer_box_is_kept_and_set_aside(database: Database) -> None:
    journal = Journal()
    journal.add("stamp_given", Opened())
    journal.sale()
    assert take(database, journal).wm == 3  # type: ignore[union-attr]
    with database.reading() as connection:
        outcomes = (
            connection.execute(select(tables.inbox.c.outcome).order_by(tables.inbox.c.seq)).scalars().all()
        )
    assert outcomes == ["applied", "future_version", "applied"]


def test_the_same_id_with_other_content_is_refused_loudly(database: Database) -> None:
    journal = Journal()
    tid = journal.sale()
    journal.sale(999, tid=tid)
    journal.sale(1200, tid=tid)
    take(database, journal)
    assert balances(database)["cash:box-1"] == 1200
    with database.reading() as connection:
        assert [row.kind for row in reading.alarms(connection)] == ["id_reused"]


def test_a_second_void_moves_a_variance_and_never_the_sale_again(database: Database) -> None:
    journal = Journal()
    sale = journal.sale()
    for _ in range(2):
        journal.add("void", Void(of=sale, amount=1200, tender_type="cash"))
    take(database, journal)
    assert balances(database) == {"cash:box-1": -1200, "sales:box-1": 0, "variance:box-1": 1200}


def test_the_days_cash_is_what_lies_in_the_drawer(database: Database) -> None:
    journal = Journal()
    voided, refunded, _ = journal.sale(1000), journal.sale(2000), journal.sale(300)
    journal.add("void", Void(of=voided, amount=1000, tender_type="cash"))
    journal.add("refund", Refund(of=refunded, amount=500, tender_type="cash"))
    take(database, journal)
    with database.reading() as connection:
        today = reading.day(connection, since_ms=0)
    assert (today.count, today.amount, today.reversed, today.cash) == (3, 3300, 1500, 1800)
    assert balances(database)["cash:box-1"] == today.cash


def test_a_sale_of_nothing_is_a_sale_and_its_void_is_quiet(database: Database) -> None:
    journal = Journal()
    sale = journal.sale(0)
    take(database, journal)
    journal.add("void", Void(of=sale, amount=0, tender_type="cash"))
    take(database, journal)
    with database.reading() as connection:
        assert list(reading.alarms(connection)) == []


def test_leases_are_granted_once_per_request_and_never_overlap(database: Database) -> None:
    desk, request = issue(database), fresh()
    first = ask(desk, "box-1", request=request)
    assert ask(desk, "box-1", request=request) == first
    second = ask(desk, "box-2")
    assert (first.first, first.last, second.first, second.last) == (1, 20, 21, 40)
    assert ask(desk, "box-2", serial=7).refused == "coupon_held_elsewhere"
    assert ask(desk, "box-2", serial=51).refused == "coupon_unknown"
    assert ask(desk, "box-2", serial=45).first == 45
    assert (ask(desk, "box-3").first, ask(desk, "box-3").first) == (46, 41), "the longer range first"
    assert ask(desk, "box-3").refused == "no_right"


def test_a_payment_lives_through_the_store(database: Database) -> None:
    attempt = fresh()
    with database.writing() as connection:
        ledger = Ledger(connection, NOW)
        body = PayAsk(attempt=attempt, sale=fresh(), amount=700, code="130000000000000001")
        todo = cashier.ask(connection, ledger, body, device="box-1", now_ms=NOW, schedule=Schedule())
        assert [call.verb for call in todo.calls] == ["pay"]
        again = cashier.ask(connection, ledger, body, device="box-1", now_ms=NOW, schedule=Schedule())
        assert again.calls == ()
        told = cashier.told(connection, ledger, attempt, Told(Outcome.PAID), now_ms=NOW, schedule=Schedule())
        assert told.news[0].answer.state == "paid"
        ledger.flush()
    assert balances(database) == {"channel:sandbox": 700, f"payment:{attempt}": -700}


def test_an_attempt_that_never_came_is_closed_by_asking(database: Database) -> None:
    attempt = fresh()
    with database.writing() as connection:
        assert (
            cashier.status(connection, attempt, device="box-1", now_ms=NOW).news[0].answer.state == "declined"
        )
        body = PayAsk(attempt=attempt, sale=fresh(), amount=700, code="130000000000000001")
        late = cashier.ask(
            connection, Ledger(connection, NOW), body, device="box-1", now_ms=NOW, schedule=Schedule()
        )
        assert late.calls == ()


@pytest.mark.parametrize(
    "statement", ["UPDATE posting SET minor = 1", "DELETE FROM txn", "DELETE FROM inbox"]
)
def test_what_has_happened_cannot_be_changed(database: Database, statement: str) -> None:
    journal = Journal()
    journal.sale()
    take(database, journal)
    with pytest.raises(DBAPIError, match="append-only"), database.writing() as connection:
        connection.execute(text(statement))


def test_balances_are_the_sums_of_postings(database: Database) -> None:
    journal = Journal()
    for amount in (100, 250, 999):
        journal.sale(amount)
    take(database, journal)
    with database.reading() as connection:
        summed: dict[str, int] = {}
        for row in connection.execute(select(tables.posting)):
            summed[row.account] = summed.get(row.account, 0) + row.minor
    assert summed == balances(database)


def test_a_box_that_was_started_a_thousand_times_is_one_batch_like_any_other(database: Database) -> None:
    """Its first records all come again at once: the question which of them are held was too deep for SQLite."""
    firsts: list[bytes] = []
    prior: Opened | None = None
    for n in range(1_100):
        boot = Journal("often", f"{n:016x}", prior)
        firsts += boot.lines
        prior = Opened(prior=boot.inc, prior_seq=1, prior_head=boot.head)
    messages = [Arrived("often", b"\n".join(firsts[n : n + 300])) for n in range(0, 1_100, 300)]
    ingest = Ingest(database, Schedule())
    ingest.take(messages, NOW)
    honest = Journal("honest")
    honest.sale()
    acks = ingest.take([*messages, Arrived("honest", b"\n".join(honest.lines))], NOW)
    assert [ack.wm for device, ack in acks if device == "honest"] == [2]


def test_a_core_that_was_put_back_from_an_older_copy_gets_everything_again(
    database: Database, tmp_path: Path
) -> None:
    """The copy is of the first boot; two more boots, and all that they sold, were settled with the core that is lost."""
    first = open_database("sqlite://")
    shop = tmp_path / "shop"
    shop.mkdir()
    medium, sold = FileMedium(shop / "journal.db"), []
    for boot, inc in enumerate(("a", "b", "c")):
        journal, _ = open_journal(medium, device="box-1", incarnation=inc * 16, tid=fresh(), at=AT)
        for n in range(3):
            sold += journal.record([a_sale()])
            if (boot, n) == (0, 1):
                hand_in(journal, database)  # this is where the copy was made
                for entry in sold:
                    assert entry.position <= journal.settled_through
        hand_in(journal, first, everything=True)
        assert journal.settled_through == journal.position
        if inc != "c":
            journal.close()
    journal.record([a_sale()])
    for _ in range(8):
        hand_in(journal, database)
    assert journal.settled_through == journal.position
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(tables.sale)).scalar_one() == len(sold) + 1
        standings = connection.execute(select(tables.incarnation.c.standing)).scalars().all()
    assert standings == ["proven"] * 3
    journal.close()
    first.close()


def a_sale() -> Draft:
    body = Sale(lines=(Line(name="tea", price=5),), total=5, tender=Tender(type="cash", amount=5))
    return Draft(fresh(), "sale", body, AT)


def hand_in(box: BoxJournal, core: Database, *, everything: bool = False) -> None:
    """What a box sends, in one message an incarnation, and what it makes of the answers."""
    through = 0 if everything else box.settled_through
    while entries := box.pending(through, 50):
        payload = b"\n".join(entry.bytes for entry in entries)
        for _, ack in Ingest(core, Schedule()).take([Arrived("box-1", payload)], NOW):
            box.settle(ack)
        through = entries[-1].position


def test_what_is_written_to_a_column_goes_to_the_driver_as_it_is() -> None:
    for table in tables.metadata.tables.values():
        for column in table.columns:
            assert column.default is None, f"{column}: rows that are added in bulk would not have it"
            assert column.onupdate is None, column
            assert isinstance(column.type, (String, Text, Integer, LargeBinary)), f"{column}: {column.type!r}"
