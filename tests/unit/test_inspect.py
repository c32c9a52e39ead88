"""`tillbox journal` reads a journal beside a running box, and says what is wrong with anything else."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tillbox.agent.inspect import NoJournal, rows
from tillbox.broker.journal import Draft, open_journal
from tillbox.broker.medium import FileMedium
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import Ack, Line, Sale, Tender

AT = TimeInterval(1, 2)
SALE = Sale(lines=(Line(name="茶", price=900),), total=900, tender=Tender(type="cash", amount=900))


def test_an_open_journal_is_read_and_what_is_settled_is_marked(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal, _ = open_journal(
        FileMedium(path), device="box-1", incarnation="0" * 16, tid=uuid7(1, bytes(10)), at=AT
    )
    (first,) = journal.record([Draft(uuid7(2, bytes(10)), "sale", SALE, AT)])
    journal.record([Draft(uuid7(3, bytes(10)), "sale", SALE, AT)])
    assert journal.settle(Ack(inc="0" * 16, wm=2, head=first.hash, credit=9)) == 2
    found = list(rows(path))
    assert [(row.position, row.kind, row.settled) for row in found] == [
        (1, "opened", True),
        (2, "sale", True),
        (3, "sale", False),
    ]
    assert found[1].body["total"] == 900
    assert [row.position for row in rows(path, after=1, most=1)] == [2]
    journal.close()


def test_what_is_no_journal_is_said_to_be_none(tmp_path: Path) -> None:
    text, other = tmp_path / "text.db", tmp_path / "other.db"
    text.write_text("this is a letter, and a long one, so that it cannot be taken for an empty database " * 9)
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE t(a)")
    connection.close()
    for path in (tmp_path / "missing.db", text, other):
        with pytest.raises(NoJournal):
            list(rows(path))
