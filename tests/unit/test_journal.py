"""The journal on a real file: what it keeps, what it refuses, and what it notices."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tillbox.agent.till import LINES_MAX
from tillbox.broker import journal as journals
from tillbox.broker.journal import (
    LOW_WATER_BYTES,
    Connection,
    Draft,
    Journal,
    JournalBroken,
    JournalDamaged,
    JournalFull,
    Opening,
    open_journal,
)
from tillbox.broker.medium import RESERVE_BYTES, FileMedium
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import (
    BATCH_BYTES_MAX,
    RECORD_BYTES_MAX,
    Ack,
    Line,
    Record,
    Sale,
    Tender,
    digest,
    genesis,
)
from tillbox.contracts.money import MINOR_MAX

AT = TimeInterval(1_000, 2_000)


class Card:
    """A box's card: it can be opened again and again, each time under a new incarnation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "journal.db"
        self.medium: FileMedium = FileMedium(self.path)
        self.openings = 0

    def open(self) -> tuple[Journal, Opening]:
        self.openings += 1
        return open_journal(
            self.medium,
            device="box-1",
            incarnation=f"{self.openings:016x}",
            tid=uuid7(self.openings, os.urandom(10)),
            at=AT,
            software="test",
        )

    def rows(self) -> list[Any]:
        """What stands in the file."""
        connection = sqlite3.connect(self.path)
        found = connection.execute("SELECT * FROM journal").fetchall()
        connection.close()
        return found

    def spoil(self, sql: str, *parameters: object) -> None:
        """Change the file behind the journal's back."""
        connection = sqlite3.connect(self.path)
        connection.execute("DROP TRIGGER journal_keeps")
        connection.execute("DROP TRIGGER journal_stays")
        connection.execute(sql, parameters)
        for statement in journals.SCHEMA:
            connection.execute(statement)
        connection.commit()
        connection.close()


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path)


def sale(number: int) -> Draft:
    body = Sale(lines=(Line(name="tea", price=800),), total=800, tender=Tender(type="cash", amount=800))
    return Draft(uuid7(1_000 + number, os.urandom(10)), "sale", body, AT)


def sold(journal: Journal, count: int) -> list[str]:
    drafts = [sale(n) for n in range(count)]
    for draft in drafts:
        journal.record([draft])
    return [draft.tid for draft in drafts]


def ack(journal: Journal, seq: int, *, head: str | None = None) -> Ack:
    entries = {entry.seq: entry for entry in journal.entries() if entry.inc == journal.incarnation}
    return Ack(inc=journal.incarnation, wm=seq, head=head or entries[seq].hash, credit=200)


# what it keeps


def test_records_are_numbered_named_and_chained_and_their_bytes_are_the_message(card: Card) -> None:
    journal, _ = card.open()
    tids = sold(journal, 3)
    opened, *sales = journal.entries()
    assert [one.seq for one in (opened, *sales)] == [1, 2, 3, 4]
    assert [one.tid for one in sales] == tids
    before = genesis("box-1", journal.incarnation, None)
    for one in (opened, *sales):
        record = Record.model_validate_json(one.bytes)
        assert (record.dev, record.inc, record.seq, record.tid) == ("box-1", one.inc, one.seq, one.tid)
        assert record.prev == before
        before = one.hash
        assert digest(one.bytes) == one.hash
    journal.close()


def test_the_next_start_is_a_new_incarnation_that_commits_to_the_one_before(card: Card) -> None:
    first, opening = card.open()
    assert opening == Opening(first.incarnation, None, 0, None)
    sold(first, 2)
    head = first.head
    first.close()
    second, opening = card.open()
    assert opening == Opening(second.incarnation, first.incarnation, 3, head)
    assert (second.seq, second.position) == (1, 4)
    newest = list(second.entries())[-1]
    assert Record.model_validate_json(newest.bytes).prev == genesis("box-1", second.incarnation, head)
    second.close()


def test_several_records_of_one_step_are_all_there_or_none(card: Card) -> None:
    journal, _ = card.open()
    twin = sale(1)
    with pytest.raises(JournalBroken):
        journal.record([sale(0), twin, twin])
    assert [one.seq for one in journal.entries()] == [1]
    journal.close()


def test_nothing_is_ever_deleted_or_changed(card: Card) -> None:
    journal, _ = card.open()
    sold(journal, 1)
    journal.close()
    connection = sqlite3.connect(card.path)
    for statement in ("DELETE FROM journal", "UPDATE journal SET bytes=x'00'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


def test_the_file_is_flushed_at_every_commit(card: Card) -> None:
    journal, _ = card.open()
    pragma = journal._connection.execute
    assert pragma("PRAGMA synchronous").fetchone()[0] == 3, "EXTRA"
    assert pragma("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert pragma("PRAGMA mmap_size").fetchone() in (None, (0,))
    assert pragma("PRAGMA trusted_schema").fetchone()[0] == 0
    journal.close()


def test_thousands_of_records_are_read_in_order(card: Card) -> None:
    journal, _ = card.open()
    for _ in range(12):
        journal.record([sale(n) for n in range(100)])
    assert [one.position for one in journal.entries()] == list(range(1, 1_202))
    journal.close()


# what it notices


@pytest.mark.parametrize(
    "spoilt",
    [
        "UPDATE journal SET bytes=CAST(replace(CAST(bytes AS TEXT), '\"price\":800', '\"price\":100') AS BLOB) WHERE position=2",
        "UPDATE journal SET hash='00' WHERE position=2",
        "DELETE FROM journal WHERE position=2",
        "DELETE FROM journal WHERE position=1",
        "UPDATE incarnation SET inc='ffffffffffffffff'",
        "DELETE FROM incarnation",
    ],
)
def test_a_record_that_was_changed_or_taken_out_is_noticed_and_nothing_is_added(
    card: Card, spoilt: str
) -> None:
    journal, _ = card.open()
    sold(journal, 3)
    journal.close()
    card.spoil(spoilt)
    before = card.rows()
    with pytest.raises(JournalDamaged):
        card.open()
    assert card.rows() == before


def test_a_file_that_is_no_database_is_set_aside_whole_and_a_new_one_begun(card: Card) -> None:
    card.path.write_bytes(b"this was a journal once" * 500)
    with pytest.raises(JournalDamaged):
        card.open()
    aside = card.medium.quarantine("20261123T120000")
    assert aside.read_bytes() == b"this was a journal once" * 500
    journal, opening = card.open()
    assert opening.prior is None
    journal.close()


def test_a_file_that_cannot_be_reached_is_not_taken_for_damaged(card: Card) -> None:
    card.path.mkdir()
    with pytest.raises(JournalBroken) as fault:
        card.open()
    assert not isinstance(fault.value, JournalDamaged)


# what the core holds


def test_only_the_cores_word_on_our_own_bytes_settles_them(card: Card) -> None:
    journal, _ = card.open()
    sold(journal, 4)
    assert journal.settled_through == 0
    assert journal.settle(ack(journal, 3)) == 3
    assert journal.settle(ack(journal, 5, head="0" * 64)) == 3, "another's bytes at that number"
    assert journal.settle(ack(journal, 2)) == 3, "an old word"
    assert journal.settle(Ack(inc=journal.incarnation, wm=99, head="0" * 64, credit=1)) == 3
    assert journal.settle(Ack(inc="f" * 16, wm=2, head="0" * 64, credit=1)) == 3, "an incarnation of nobody"
    assert [one.seq for one in journal.pending(3, 10)] == [4, 5]
    journal.close()


def test_what_is_settled_stays_settled_after_a_restart_and_messages_hold_one_incarnation(card: Card) -> None:
    first, _ = card.open()
    sold(first, 2)
    first.settle(ack(first, 2))
    first.close()
    second, _ = card.open()
    sold(second, 1)
    assert second.settled_through == 2
    assert [one.inc for one in second.pending(2, 50)] == [first.incarnation]
    assert [one.inc for one in second.pending(3, 50)] == [second.incarnation] * 2
    assert second.settle(ack(second, 2)) == 2, "the third record of the first incarnation is still owed"
    second.close()


def test_a_box_that_runs_on_an_old_copy_settles_by_the_echo(card: Card, tmp_path: Path) -> None:
    """The core holds more of this incarnation than the copy does: its watermark is beyond our records, and
    the record that it names from our own message speaks for all before it."""
    journal, _ = card.open()
    sold(journal, 2)
    echoed = list(journal.entries())[-1]
    beyond = Ack(
        inc=journal.incarnation, wm=90, head="1" * 64, echo_seq=echoed.seq, echo_hash=echoed.hash, credit=10
    )
    assert journal.settle(beyond) == 3
    journal.close()


def test_the_age_of_what_is_owed_is_that_of_the_oldest(card: Card) -> None:
    journal, _ = card.open()
    sold(journal, 1)
    assert journal.oldest_pending_ms() == AT.lo_ms
    journal.settle(ack(journal, 2))
    assert journal.oldest_pending_ms() is None
    journal.close()


# a disk that is full


class Cramped(FileMedium):
    """A file whose disk fails one kind of statement, in SQLite's own words."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.fails = ""

    def connect(self) -> Connection:
        medium = self
        connection = super().connect()

        class Failing:
            def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Any:
                if medium.fails and sql.startswith(medium.fails):
                    fault = sqlite3.OperationalError("database or disk is full")
                    fault.sqlite_errorcode = sqlite3.SQLITE_FULL
                    raise fault
                return connection.execute(sql, parameters)

            def close(self) -> None:
                connection.close()

        return Failing()


@pytest.mark.parametrize(("statement", "says"), [("INSERT", JournalFull), ("COMMIT", JournalBroken)])
def test_after_a_commit_that_failed_nobody_numbers_on(
    card: Card, statement: str, says: type[Exception]
) -> None:
    """A commit that reports a full disk may be on it all the same: only a new incarnation is safe then."""
    card.medium = medium = Cramped(card.path)
    journal, _ = card.open()
    promised = sold(journal, 2)
    medium.fails = statement
    with pytest.raises(says):
        journal.record([sale(9)])
    medium.fails = ""
    journal.close()
    again, _ = card.open()
    assert [one.tid for one in again.entries()][1:3] == promised
    again.close()


def test_below_the_low_water_nothing_is_recorded_and_above_it_all_goes_on(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, _ = card.open()
    with monkeypatch.context() as low:
        low.setattr(card.medium, "free_bytes", lambda: LOW_WATER_BYTES - 1)
        with pytest.raises(JournalFull, match="64 MB"):
            journal.record([sale(1)])
        assert journal.settle(ack(journal, 1)) == 1, "settling goes on: it is what makes room for trust"
    journal.record([sale(1)])
    assert journal.position == 2
    journal.close()


def test_a_reserve_is_kept_and_given_up_when_the_disk_is_full(card: Card) -> None:
    journal, _ = card.open()
    reserve = card.path.with_suffix(".reserve")
    assert reserve.stat().st_size == RESERVE_BYTES
    fault = sqlite3.OperationalError("database or disk is full")
    fault.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert card.medium.is_full(fault)
    assert not reserve.exists()
    assert not card.medium.is_full(sqlite3.OperationalError("no code at all"))
    journal.close()


@pytest.mark.parametrize("name", ["茶" * 80, "🍵" * 80, "\x01" * 80])
def test_the_largest_basket_that_can_be_rung_up_fits(card: Card, name: str) -> None:
    journal, _ = card.open()
    lines = tuple(Line(name=name, price=MINOR_MAX // 100, goods="6901234567892") for _ in range(LINES_MAX))
    body = Sale(lines=lines, total=MINOR_MAX, tender=Tender(type="cash", amount=MINOR_MAX))
    (entry,) = journal.record([Draft(uuid7(1, b"z" * 10), "sale", body, AT)])
    assert 20_000 < len(entry.bytes) <= RECORD_BYTES_MAX <= BATCH_BYTES_MAX
    journal.close()
