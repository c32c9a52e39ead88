"""The journal on a real file: what is recorded stays, what is damaged is found, what is settled was ours."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tillbox.agent.till import LINES_MAX
from tillbox.broker.journal import (
    LOW_WATER_BYTES,
    Connection,
    Cursor,
    Draft,
    Entry,
    Journal,
    JournalBroken,
    JournalDamaged,
    JournalFull,
    Opening,
    open_journal,
)
from tillbox.broker.medium import FileMedium
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import (
    BATCH_BYTES_MAX,
    RECORD_BYTES_MAX,
    SUM_MAX,
    Ack,
    Line,
    Record,
    Sale,
    Tender,
    digest,
    genesis,
)

FIRST, SECOND, THIRD = "1" * 16, "2" * 16, "3" * 16
NOBODYS = "f" * 16
WRONG = "0" * 64
_numbers = itertools.count(1)


def fresh() -> str:
    return uuid7(next(_numbers), bytes(10))


class Card(FileMedium):
    """The box's card. Its room is set by hand, and a statement may be told to fail."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.free = 1 << 40
        self.fails_at = ""
        self.statements: list[str] = []
        self.sqlite: sqlite3.Connection | None = None

    def connect(self) -> Connection:
        opened = super().connect()
        assert isinstance(opened, sqlite3.Connection)
        self.sqlite = opened
        return Wire(opened, self)

    def free_bytes(self) -> int:
        return self.free

    def asks(self, sql: str) -> list[tuple[Any, ...]]:
        """What the journal's own connection answers."""
        assert self.sqlite is not None
        return self.sqlite.execute(sql).fetchall()


class Wire:
    """The real connection, up to the statement that finds the disk full."""

    def __init__(self, connection: sqlite3.Connection, card: Card) -> None:
        self._connection, self._card = connection, card

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        self._card.statements.append(sql)
        if self._card.fails_at and sql.startswith(self._card.fails_at):
            fault = sqlite3.OperationalError("database or disk is full")
            fault.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise fault
        return self._connection.execute(sql, parameters)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    card = Card(tmp_path / "box" / "journal.db")
    yield card
    if card.sqlite is not None:
        card.sqlite.close()


def opened(card: Card, inc: str = FIRST, at_ms: int = 1_000) -> tuple[Journal, Opening]:
    return open_journal(
        card,
        device="box-1",
        incarnation=inc,
        tid=fresh(),
        at=TimeInterval(at_ms, at_ms + 500),
        software="box 1",
    )


def sale(price: int = 1200, at_ms: int = 2_000) -> Draft:
    body = Sale(lines=(Line(name="茶", price=price),), total=price, tender=Tender(type="cash", amount=price))
    return Draft(fresh(), "sale", body, TimeInterval(at_ms, at_ms + 500))


def sell(journal: Journal, count: int = 1) -> tuple[Entry, ...]:
    return tuple(journal.record([sale()])[0] for _ in range(count))


def ack(inc: str, wm: int, head: str, **echo: Any) -> Ack:
    return Ack(inc=inc, wm=wm, head=head, credit=200, **echo)


def told(entry: Entry) -> Ack:
    """The core's ack for everything up to this record."""
    return ack(entry.inc, entry.seq, entry.hash)


def damaged(card: Card, change: Callable[[bytearray], None]) -> bytes:
    """The closed file with something changed in it."""
    data = bytearray(card.path.read_bytes())
    change(data)
    card.path.write_bytes(data)
    return bytes(data)


def flip(data: bytearray, place: int, bit: int = 0) -> None:
    assert 0 <= place < len(data)
    data[place] ^= 1 << bit


# recording


def test_what_is_recorded_is_there_after_the_next_power_on(card: Card) -> None:
    journal, _ = opened(card)
    sold = sell(journal, 3)
    before = list(journal.entries())
    journal.close()
    again, _ = opened(card, SECOND)
    after = list(again.entries())
    assert after[:4] == before
    assert [entry.bytes for entry in after[1:4]] == [entry.bytes for entry in sold]
    assert [(entry.position, entry.inc, entry.seq) for entry in after] == [
        (1, FIRST, 1),
        (2, FIRST, 2),
        (3, FIRST, 3),
        (4, FIRST, 4),
        (5, SECOND, 1),
    ]


def test_a_record_is_safe_the_moment_it_is_returned(card: Card) -> None:
    """Nothing waits for `close`: another reader of the file sees it, as one after a power cut would."""
    journal, _ = opened(card)
    (entry,) = sell(journal)
    with closing(sqlite3.connect(card.path)) as reader:
        assert reader.execute("SELECT bytes FROM journal WHERE position=2").fetchone() == (entry.bytes,)


def test_the_records_of_one_step_are_numbered_in_a_row_in_one_commit(card: Card) -> None:
    journal, _ = opened(card)
    card.statements.clear()
    entries = journal.record([sale(100), sale(200), sale(300)])
    assert [(entry.position, entry.seq) for entry in entries] == [(2, 2), (3, 3), (4, 4)]
    assert card.statements.count("COMMIT") == 1
    assert (journal.position, journal.seq, journal.head) == (4, 4, entries[-1].hash)


def test_each_record_commits_to_the_one_before_and_the_first_to_its_box(card: Card) -> None:
    journal, _ = opened(card)
    sell(journal, 2)
    first, second, third = journal.entries()
    records = [Record.model_validate_json(entry.bytes) for entry in (first, second, third)]
    assert [record.prev for record in records] == [genesis("box-1", FIRST, None), first.hash, second.hash]
    assert [entry.hash for entry in (first, second, third)] == [
        digest(entry.bytes) for entry in (first, second, third)
    ]
    assert [(record.dev, record.inc, record.seq, record.kind) for record in records] == [
        ("box-1", FIRST, 1, "opened"),
        ("box-1", FIRST, 2, "sale"),
        ("box-1", FIRST, 3, "sale"),
    ]


def test_an_empty_card_knows_nothing_from_before(card: Card) -> None:
    journal, opening = opened(card)
    assert opening == Opening(FIRST, None, 0, None)
    assert (journal.incarnation, journal.position, journal.seq) == (FIRST, 1, 1)


def test_each_opening_commits_to_the_one_before(card: Card) -> None:
    journal, _ = opened(card)
    (last,) = sell(journal)
    journal.close()
    second, opening = opened(card, SECOND)
    assert opening == Opening(SECOND, FIRST, 2, last.hash)
    record = Record.model_validate_json(next(iter(second.pending(2, 1))).bytes)
    assert record.prev == genesis("box-1", SECOND, last.hash)
    assert record.body == {
        "prior": FIRST,
        "prior_seq": 2,
        "prior_head": last.hash,
        "software": "box 1",
    }
    head = second.head
    second.close()
    _, third = opened(card, THIRD)
    assert third == Opening(THIRD, SECOND, 1, head)


def test_an_opening_that_was_drawn_before_is_not_begun_again(card: Card) -> None:
    """64 random bits do not come twice; if chance is broken, two records must not get one number."""
    journal, _ = opened(card)
    journal.close()
    with pytest.raises(JournalBroken):
        opened(card, FIRST)


def test_one_transaction_id_is_recorded_once_and_the_number_stays_free(card: Card) -> None:
    journal, _ = opened(card)
    draft = sale()
    journal.record([draft])
    with pytest.raises(JournalBroken):
        journal.record([sale(), draft])
    assert len(list(journal.entries())) == 2
    assert (journal.position, journal.seq) == (2, 2)


# append-only, and what SQLite was really told


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM journal WHERE position=2",
        "DELETE FROM journal",
        "UPDATE journal SET bytes=x'00' WHERE position=2",
        "UPDATE journal SET hash=''",
        "UPDATE journal SET position=position+10",
    ],
)
def test_nobody_takes_a_record_back_or_changes_it(card: Card, statement: str) -> None:
    journal, _ = opened(card)
    sell(journal)
    before = list(journal.entries())
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        card.asks(statement)
    with (
        closing(sqlite3.connect(card.path, isolation_level=None)) as stranger,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        stranger.execute(statement)
    assert list(journal.entries()) == before


@pytest.mark.parametrize(
    ("pragma", "in_force"),
    [
        ("synchronous", 3),  # EXTRA
        ("journal_mode", "wal"),
        ("mmap_size", 0),
        ("trusted_schema", 0),
        ("wal_autocheckpoint", 1_000),
    ],
)
def test_the_settings_that_carry_the_promise_are_in_force(
    card: Card, pragma: str, in_force: str | int
) -> None:
    opened(card)
    assert card.asks(f"PRAGMA {pragma}") == [(in_force,)]


def test_a_card_that_was_written_without_a_log_is_given_one(card: Card) -> None:
    journal, _ = opened(card)
    journal.close()
    with closing(sqlite3.connect(card.path, isolation_level=None)) as tool:
        assert tool.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
    opened(card, SECOND)
    assert card.asks("PRAGMA journal_mode") == [("wal",)]


# damage


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, tuple[Entry, ...]]:
    """The file of a journal of two boots, the beginning of it settled, and its sales."""
    card = Card(tmp_path_factory.mktemp("written") / "journal.db")
    journal, _ = opened(card)
    first = sell(journal, 5)
    journal.settle(told(first[0]))
    journal.close()
    journal, _ = opened(card, SECOND)
    second = sell(journal, 5)
    journal.close()
    return card.path.read_bytes(), (*first, *second)


@pytest.fixture
def sold(card: Card, written: tuple[bytes, tuple[Entry, ...]]) -> tuple[Entry, ...]:
    """A fresh copy of that file in the box."""
    card.path.parent.mkdir()
    card.path.write_bytes(written[0])
    return written[1]


def still_opens(card: Card) -> None:
    journal, _ = opened(card, THIRD)
    journal.close()


@pytest.mark.parametrize("bit", range(8))
@pytest.mark.parametrize("which", [0, 4, 5, 9])
def test_one_bit_in_a_stored_record_is_found(
    card: Card, sold: tuple[Entry, ...], which: int, bit: int
) -> None:
    stored = sold[which].bytes
    damaged(card, lambda data: flip(data, data.find(stored) + len(stored) // 2, bit))
    with pytest.raises(JournalBroken):
        opened(card, THIRD)


@pytest.mark.parametrize("bit", range(7))
@pytest.mark.parametrize("which", [0, 9])
def test_one_bit_in_a_stored_hash_is_found(card: Card, sold: tuple[Entry, ...], which: int, bit: int) -> None:
    # A hash also stands in the next record as its `prev`; in its own row it stands right before the bytes.
    row = (sold[which].hash.encode()) + sold[which].bytes
    damaged(card, lambda data: flip(data, data.find(row) + 10, bit))
    with pytest.raises(JournalBroken):
        opened(card, THIRD)


# It was not always so: text that is no UTF-8 any more gives an OperationalError without sqlite_errorcode, and FileMedium.is_full
# dies of an AttributeError: the box ends with a traceback at every boot and never sets the file aside.
def test_a_hash_that_is_no_text_any_more_is_found(card: Card, sold: tuple[Entry, ...]) -> None:
    row = sold[3].hash.encode() + sold[3].bytes
    damaged(card, lambda data: flip(data, data.find(row) + 10, 7))
    with pytest.raises(JournalBroken):
        opened(card, THIRD)


# It was not always so: the two bytes before a row say what its BLOB is. One bit makes it a TEXT of the same length (TypeError
# in `bytes(data)`) or a huge number (MemoryError there).
@pytest.mark.parametrize(("place", "bit"), [(-1, 0), (-2, 7)])
def test_a_record_that_became_something_else_is_found(
    card: Card, sold: tuple[Entry, ...], place: int, bit: int
) -> None:
    row = sold[3].tid.encode() + sold[3].hash.encode() + sold[3].bytes
    damaged(card, lambda data: flip(data, data.find(row) + place, bit))
    with pytest.raises(JournalBroken):
        opened(card, THIRD)


# It was not always so: SQLite's complaint quotes the damaged schema, which is no UTF-8 any more: Python raises a
# UnicodeDecodeError, and no sqlite3.Error.
def test_a_schema_that_is_no_text_any_more_is_found(card: Card, sold: tuple[Entry, ...]) -> None:
    damaged(card, lambda data: flip(data, data.find(b"CREATE TRIGGER journal_keeps") + 4, 7))
    with pytest.raises(JournalBroken):
        opened(card, THIRD)


# It was not always so: an INTEGER QRIMARY KEY is no row number, so every position reads as NULL: the chain has no records, all is well, and
# `_prior` dies of a TypeError.
def test_a_schema_in_which_no_record_has_a_position_is_found(card: Card, sold: tuple[Entry, ...]) -> None:
    table = b"CREATE TABLE journal (\n         position INTEGER "
    damaged(card, lambda data: flip(data, data.find(table) + len(table)))
    with pytest.raises(JournalBroken):
        opened(card, THIRD)


# It was not always so: the four above are some of what this finds: AttributeError in 1 of 75 flipped bits.
def test_whatever_one_bit_does_the_box_opens_with_all_it_had_or_says_broken(
    card: Card, sold: tuple[Entry, ...]
) -> None:
    whole = card.path.read_bytes()
    random = Random(7)
    written = [place for place in range(len(whole)) if whole[place]]
    raised: Counter[str] = Counter()
    for _ in range(500):
        data = bytearray(whole)
        flip(data, random.choice(written), random.randrange(8))
        card.path.write_bytes(data)
        try:
            journal, _ = opened(card, THIRD)
            assert [entry.bytes for entry in journal.entries() if entry.inc != THIRD and entry.seq > 1] == [
                entry.bytes for entry in sold
            ]
        except JournalBroken:
            raised["broken"] += 1
        except Exception as fault:
            raised[type(fault).__name__] += 1
        assert card.sqlite is not None
        card.sqlite.close()
        Path(f"{card.path}-wal").unlink(missing_ok=True)
    assert set(raised) == {"broken"}


@pytest.mark.parametrize("bit", range(8))
@pytest.mark.parametrize("place", [0, 8, 15, 16])
def test_one_bit_in_the_list_of_openings_is_found(
    card: Card, sold: tuple[Entry, ...], place: int, bit: int
) -> None:
    """Its name, and (16) where it begins."""
    opening = SECOND.encode() + b"\x07"
    damaged(card, lambda data: flip(data, data.find(opening) + place, bit))
    with pytest.raises(JournalBroken):
        opened(card, THIRD)


# It was not always so: nothing commits to the watermark. Two records settled (2) become six by one bit, nothing is sent, and
# nobody is told. Five sales of the first boot never reach the core.
def test_a_watermark_that_no_ack_gave_is_not_believed(card: Card, sold: tuple[Entry, ...]) -> None:
    damaged(card, lambda data: flip(data, data.find(FIRST.encode() + b"\x02") + len(FIRST), 2))
    try:
        journal, _ = opened(card, THIRD)
    except JournalBroken:
        return
    assert journal.settled_through == 0, "all is sent again, and the core knows what it has"
    journal.close()


@pytest.mark.parametrize("page", range(7))
def test_a_page_of_rubbish_is_found(card: Card, sold: tuple[Entry, ...], page: int) -> None:
    size = 4096

    def change(data: bytearray) -> None:
        assert len(data) >= (page + 1) * size
        data[page * size : page * size + size] = bytes(range(256)) * (size // 256)

    damaged(card, change)
    with pytest.raises(JournalBroken):
        opened(card, THIRD)


@pytest.mark.parametrize("keeps", [0.3, 0.7, 0.95])
def test_a_file_that_was_cut_short_is_found(card: Card, sold: tuple[Entry, ...], keeps: float) -> None:
    damaged(card, lambda data: data.__delitem__(slice(int(len(data) * keeps), None)))
    with pytest.raises(JournalBroken):
        opened(card, THIRD)


def test_a_file_of_something_else_is_found(card: Card) -> None:
    card.path.parent.mkdir()
    card.path.write_bytes(b"the shopping list of last week, and more of it\n" * 200)
    with pytest.raises(JournalBroken):
        opened(card)


def test_another_boxs_card_is_found(card: Card, sold: tuple[Entry, ...]) -> None:
    with pytest.raises(JournalBroken, match="position 1"):
        open_journal(card, device="box-2", incarnation=THIRD, tid=fresh(), at=TimeInterval(1, 2))


def tampered(card: Card, *statements: tuple[str, Sequence[Any]]) -> None:
    """Changed by somebody with a database tool, who took the triggers off first."""
    with closing(sqlite3.connect(card.path, isolation_level=None)) as tool:
        for trigger in ("journal_keeps", "journal_stays"):
            tool.execute(f"DROP TRIGGER {trigger}")
        for sql, parameters in statements:
            tool.execute(sql, parameters)


def test_a_sale_made_smaller_with_its_hash_made_to_fit_is_found(card: Card, sold: tuple[Entry, ...]) -> None:
    cheaper = sold[2].bytes.replace(b"1200", b"0200")
    tampered(
        card,
        ("UPDATE journal SET bytes=?, hash=? WHERE position=?", (cheaper, digest(cheaper), sold[2].position)),
    )
    with pytest.raises(JournalBroken, match=f"position {sold[3].position}"):
        opened(card, THIRD)


def test_a_sale_taken_out_of_the_middle_is_found(card: Card, sold: tuple[Entry, ...]) -> None:
    tampered(card, ("DELETE FROM journal WHERE position=?", (sold[2].position,)))
    with pytest.raises(JournalBroken, match=f"position {sold[3].position}"):
        opened(card, THIRD)


def test_a_journal_without_its_openings_is_found(card: Card, sold: tuple[Entry, ...]) -> None:
    tampered(card, ("DELETE FROM incarnation", ()))
    with pytest.raises(JournalBroken, match="no incarnation"):
        opened(card, THIRD)


def test_an_undamaged_journal_is_not_called_broken(card: Card, sold: tuple[Entry, ...]) -> None:
    still_opens(card)


def test_a_damaged_journal_is_set_aside_whole_and_a_new_one_begun(
    card: Card, sold: tuple[Entry, ...]
) -> None:
    stored = sold[4].bytes
    found = damaged(card, lambda data: flip(data, data.find(stored) + 60))
    with pytest.raises(JournalBroken):
        opened(card, THIRD)
    assert card.sqlite is not None
    card.sqlite.close()
    aside = card.quarantine("20260801T120000")
    assert aside.read_bytes() == found
    assert not card.path.exists()
    journal, opening = opened(card, THIRD)
    assert (opening, journal.position) == (Opening(THIRD, None, 0, None), 1)
    sell(journal)
    assert aside.read_bytes() == found


def test_what_still_stood_in_the_log_goes_aside_with_its_file(card: Card) -> None:
    """The box is found damaged while its log was not yet written back: the log is half of the journal."""
    journal, _ = opened(card)
    sell(journal, 3)
    log = Path(f"{card.path}-wal").read_bytes()
    assert log
    aside = card.quarantine("20260801T120000")
    assert Path(f"{aside}-wal").read_bytes() == log
    assert not [path for path in card.path.parent.iterdir() if path.name.startswith("journal.db-")]
    assert card.sqlite is not None
    with closing(sqlite3.connect(aside)) as rescue:
        assert rescue.execute("SELECT count(*) FROM journal").fetchone() == (4,)


# It was not always so: the stamp is all that tells two quarantines apart, and a rename replaces: on a box whose clock starts
# at the same hour after every power cut, the second damaged journal deletes the first.
def test_a_second_damaged_journal_does_not_replace_the_first(card: Card) -> None:
    card.path.parent.mkdir()
    for content in (b"the first", b"the second"):
        card.path.write_bytes(content)
        card.quarantine("19700101T000000")
    kept = {path.read_bytes() for path in card.path.parent.iterdir() if "quarantine" in path.name}
    assert kept == {b"the first", b"the second"}


# room


def test_below_the_low_water_nothing_is_recorded_and_above_it_the_box_goes_on(card: Card) -> None:
    journal, _ = opened(card)
    sell(journal)
    before = list(journal.entries())
    card.free = LOW_WATER_BYTES - 1
    assert not journal.has_room()
    with pytest.raises(JournalFull):
        journal.record([sale()])
    assert list(journal.entries()) == before
    assert (journal.position, journal.seq, journal.head) == (2, 2, before[-1].hash)
    card.free = LOW_WATER_BYTES
    (entry,) = sell(journal)
    assert (entry.position, entry.seq) == (3, 3)
    journal.close()
    still_opens(card)


def test_below_the_low_water_the_box_still_settles(card: Card) -> None:
    journal, _ = opened(card)
    (entry,) = sell(journal)
    card.free = 0
    assert journal.settle(told(entry)) == 2
    assert journal.pending(2, 10) == []


def sell_until_full(journal: Journal, recorded: list[Entry]) -> None:
    for _ in range(100):
        recorded += sell(journal)


def test_a_disk_that_is_really_full_says_so_at_once_and_gives_up_its_reserve(card: Card) -> None:
    """SQLite's own SQLITE_FULL, from a file that may not grow."""
    journal, _ = opened(card)
    reserve = card.path.with_suffix(".reserve")
    assert reserve.stat().st_size == 1024 * 1024
    (pages,) = card.asks("PRAGMA page_count")[0]
    card.asks(f"PRAGMA max_page_count={pages}")
    recorded = list(journal.entries())
    with pytest.raises(JournalFull):
        sell_until_full(journal, recorded)
    assert not reserve.exists()
    assert list(journal.entries()) == recorded
    card.asks("PRAGMA max_page_count=1000000")
    recorded += sell(journal, 5)
    assert [entry.seq for entry in recorded] == list(range(1, len(recorded) + 1))
    journal.close()
    still_opens(card)


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT"])
def test_a_disk_that_is_full_before_the_commit_leaves_the_number_free(card: Card, statement: str) -> None:
    journal, _ = opened(card)
    card.fails_at = statement
    with pytest.raises(JournalFull):
        journal.record([sale()])
    card.fails_at = ""
    (entry,) = sell(journal)
    assert (entry.position, entry.seq) == (2, 2)
    journal.close()
    still_opens(card)


def test_a_disk_that_is_full_at_the_commit_breaks_the_journal(card: Card) -> None:
    """The frames may be on the disk all the same: nobody may number on in this opening."""
    journal, _ = opened(card)
    card.fails_at = "COMMIT"
    with pytest.raises(JournalBroken):
        journal.record([sale()])
    card.fails_at = ""
    journal.close()
    again, opening = opened(card, SECOND)
    assert opening.prior_seq == 1
    assert sell(again)[0].inc == SECOND


def test_a_full_disk_while_settling_is_said_and_the_mark_stays(card: Card) -> None:
    journal, _ = opened(card)
    (entry,) = sell(journal)
    card.fails_at = "UPDATE"
    with pytest.raises(JournalFull):
        journal.settle(told(entry))
    assert journal.settled_through == 0
    card.fails_at = ""
    assert journal.settle(told(entry)) == 2


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT", "COMMIT"])
def test_a_box_without_room_for_its_first_record_does_not_begin(card: Card, statement: str) -> None:
    card.fails_at = statement
    with pytest.raises(JournalFull):
        opened(card)
    card.fails_at = ""
    assert card.sqlite is not None
    card.sqlite.close()
    journal, _ = opened(card, SECOND)
    assert [entry.inc for entry in journal.entries()] == [SECOND]


# settling


def test_what_the_core_holds_is_settled_and_stays_settled(card: Card) -> None:
    journal, _ = opened(card)
    first, second, third = sell(journal, 3)
    assert journal.settled_through == 0
    assert journal.settle(told(second)) == second.position
    assert journal.pending(journal.settled_through, 10) == [third]
    assert journal.settle(told(first)) == second.position  # an older ack comes late
    journal.close()
    again, _ = opened(card, SECOND)
    assert again.settled_through == second.position


@pytest.mark.parametrize(
    "wrong",
    [
        lambda entry: ack(entry.inc, entry.seq, WRONG),
        lambda entry: ack(entry.inc, entry.seq - 1, entry.hash),
        lambda entry: ack(entry.inc, entry.seq + 1, entry.hash),
        lambda entry: ack(entry.inc, 2**31, entry.hash),
        lambda entry: ack(entry.inc, 0, entry.hash),
        lambda entry: ack(entry.inc, 0, entry.hash, echo_seq=entry.seq),
        lambda entry: ack(entry.inc, 0, WRONG, echo_seq=entry.seq, echo_hash=WRONG),
        lambda entry: ack(NOBODYS, entry.seq, entry.hash),
        lambda entry: ack(NOBODYS, 2**31, WRONG, echo_seq=1, echo_hash=entry.hash),
    ],
)
def test_an_ack_for_bytes_that_are_not_ours_settles_nothing(
    card: Card, wrong: Callable[[Entry], Ack]
) -> None:
    journal, _ = opened(card)
    (entry,) = sell(journal)
    assert journal.settle(wrong(entry)) == 0
    assert len(journal.pending(0, 10)) == 2
    assert journal.settle(told(entry)) == entry.position


def test_a_box_restored_from_an_older_copy_settles_what_it_still_has(card: Card, tmp_path: Path) -> None:
    journal, _ = opened(card)
    sell(journal, 2)
    copy = Card(tmp_path / "copy" / "journal.db")
    copy.path.parent.mkdir()
    assert card.sqlite is not None
    with closing(sqlite3.connect(copy.path)) as target:
        card.sqlite.backup(target)
    newest = sell(journal, 3)[-1]
    restored, opening = opened(copy, SECOND)
    assert opening.prior_seq == 3
    echoed = list(restored.entries())[2]
    without = told(newest)
    assert restored.settle(without) == 0
    assert restored.settle(without.model_copy(update={"echo_seq": 3, "echo_hash": WRONG})) == 0
    assert restored.settle(without.model_copy(update={"echo_seq": 5, "echo_hash": newest.hash})) == 0
    answer = without.model_copy(update={"echo_seq": 3, "echo_hash": echoed.hash})
    assert restored.settle(answer) == 3
    assert [entry.inc for entry in restored.pending(3, 10)] == [SECOND]
    assert copy.sqlite is not None
    copy.sqlite.close()


def test_the_number_of_another_opening_settles_nothing_in_this_one(card: Card) -> None:
    journal, _ = opened(card)
    sell(journal)
    journal.close()
    again, _ = opened(card, SECOND)
    (entry,) = sell(again)
    assert again.settle(ack(FIRST, entry.seq, entry.hash)) == 0
    # Position 3 has this hash, and counted from the first opening it would be number 3.
    own = list(again.entries())[2]
    assert again.settle(ack(FIRST, 3, own.hash)) == 0


def test_what_is_settled_of_a_later_opening_waits_for_the_earlier_one(card: Card) -> None:
    journal, _ = opened(card)
    (old,) = sell(journal)
    journal.close()
    again, _ = opened(card, SECOND)
    (new,) = sell(again)
    assert again.settle(told(new)) == 0
    assert again.settle(told(old)) == new.position


def test_what_is_pending_never_mixes_two_openings(card: Card) -> None:
    journal, _ = opened(card)
    sell(journal, 2)
    journal.close()
    again, _ = opened(card, SECOND)
    sell(again, 2)
    for after in range(6):
        pending = again.pending(after, 50)
        assert len({entry.inc for entry in pending}) == 1
        assert [entry.position for entry in pending] == list(range(after + 1, 4 if after < 3 else 7))
    assert again.pending(6, 50) == []
    assert [entry.position for entry in again.pending(0, 2)] == [1, 2]


def test_how_long_the_oldest_record_waits_is_told(card: Card) -> None:
    journal, _ = opened(card, at_ms=1_000)
    first, second = journal.record([sale(at_ms=7_000), sale(at_ms=9_000)])
    assert journal.oldest_pending_ms() == 1_000
    journal.settle(ack(FIRST, 1, next(journal.entries()).hash))
    assert journal.oldest_pending_ms() == 7_000
    journal.settle(told(first))
    assert journal.oldest_pending_ms() == 9_000
    journal.settle(told(second))
    assert journal.oldest_pending_ms() is None


def test_a_year_of_records_is_read_in_portions_and_none_is_missed(card: Card) -> None:
    journal, _ = opened(card)
    for _ in range(3):
        journal.record([sale() for _ in range(400)])
    card.statements.clear()
    entries = journal.entries()
    assert next(entries).position == 1
    assert len(card.statements) == 1
    rest = list(entries)
    assert [entry.position for entry in rest] == list(range(2, 1_202))
    assert len(card.statements) == 4  # 500, 500, 201, and none
    head = rest[0]
    for entry in rest[1:]:
        assert json.loads(entry.bytes)["prev"] == head.hash
        head = replace(entry)
    assert head.hash == journal.head


# It was not always so: only writes say JournalBroken; a page that goes bad while the box runs comes out of `pending` (and
# `settle`, `entries`) as a bare sqlite3.DatabaseError, through the runtime's hands, and ends the till.
def test_a_page_that_goes_bad_while_the_box_runs_is_said_as_broken(card: Card) -> None:
    journal, _ = opened(card)
    journal.record([sale() for _ in range(400)])
    card.asks("PRAGMA wal_checkpoint(TRUNCATE)")
    card.asks("PRAGMA cache_size=1")
    card.asks("PRAGMA shrink_memory")
    with card.path.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xff" * 40 * 4096)
    with pytest.raises(JournalBroken):
        journal.pending(0, 400)


def test_a_file_that_cannot_be_reached_is_not_taken_for_damaged(card: Card) -> None:
    card.path.mkdir(parents=True)
    with pytest.raises(JournalBroken) as fault:
        opened(card)
    assert not isinstance(fault.value, JournalDamaged)


@pytest.mark.parametrize("name", ["茶" * 80, "🍵" * 80, "\x01" * 80])
def test_the_largest_basket_that_can_be_rung_up_fits(card: Card, name: str) -> None:
    journal, _ = opened(card)
    lines = tuple(Line(name=name, price=SUM_MAX // 100, goods="6901234567892") for _ in range(LINES_MAX))
    body = Sale(lines=lines, total=SUM_MAX, tender=Tender(type="cash", amount=SUM_MAX))
    (entry,) = journal.record([Draft(fresh(), "sale", body, TimeInterval(1, 2))])
    assert 20_000 < len(entry.bytes) <= RECORD_BYTES_MAX <= BATCH_BYTES_MAX
    journal.close()
