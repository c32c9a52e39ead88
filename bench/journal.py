"""Journal commits per second, beside plain sqlite3 with the same pragmas on the same disk, in turns."""

from __future__ import annotations

import os
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from _say import say

from tillbox.broker.journal import PRAGMAS, Draft, open_journal
from tillbox.broker.medium import FileMedium
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import Line, Sale, Tender

ROUNDS, COMMITS = 7, 300
AT = TimeInterval(1, 2)
BODY = Sale(lines=(Line(name="茶", price=1250),), total=1250, tender=Tender(type="cash", amount=1250))


def _tid() -> str:
    return uuid7(time.time_ns() // 1_000_000, os.urandom(10))


def _ours(folder: Path) -> float:
    medium = FileMedium(folder / f"{os.urandom(4).hex()}.db")
    journal, _ = open_journal(medium, device="box-1", incarnation=os.urandom(8).hex(), tid=_tid(), at=AT)
    began = time.perf_counter()
    for _ in range(COMMITS):
        journal.record([Draft(_tid(), "sale", BODY, AT)])
    seconds = time.perf_counter() - began
    journal.close()
    return COMMITS / seconds


def _plain(folder: Path) -> float:
    connection = sqlite3.connect(folder / f"{os.urandom(4).hex()}.db", isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(pragma)
    connection.execute("CREATE TABLE t(position INTEGER PRIMARY KEY, tid TEXT UNIQUE, hash TEXT, bytes BLOB)")
    data = os.urandom(480)
    began = time.perf_counter()
    for n in range(COMMITS):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t VALUES (?, ?, ?, ?)", (n, _tid(), "0" * 64, data))
        connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return COMMITS / seconds


def main() -> None:
    with tempfile.TemporaryDirectory(dir=".") as folder:
        pairs = [(_ours(Path(folder)), _plain(Path(folder))) for _ in range(ROUNDS)]
    ours, plain = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    figures = {
        "journal_commits_per_s": round(ours),
        "plain_sqlite3_commits_per_s": round(plain),
        "ratio": round(ratio, 2),
    }
    say("journal", figures)


main()
