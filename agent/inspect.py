"""Reads a journal for a person, without touching it: read-only, no checkpoint, safe beside a running box."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One record as it stands."""

    position: int
    inc: str
    seq: int
    kind: str
    tid: str
    hash: str
    settled: bool
    body: dict[str, Any]


class NoJournal(Exception):
    """The file is missing, or is no journal."""


def rows(path: Path, *, after: int = 0, most: int = 100) -> Iterator[JournalRow]:
    """The records after a position, oldest first. NoJournal says what is wrong with the file."""
    if not path.is_file():
        raise NoJournal(f"there is no file {path}")
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    connection.execute("PRAGMA wal_autocheckpoint=0")
    database = Database(connection)
    try:
        if not {"journal", "incarnation"} <= set(database.table_names()):
            raise NoJournal(f"{path} is a database and no journal")
        marks = {row["inc"]: row["watermark"] for row in database["incarnation"].rows}
        where = database.query(
            "SELECT position, hash, bytes FROM journal WHERE position > :after ORDER BY position LIMIT :most",
            {"after": after, "most": most},
        )
        for row in where:
            record = json.loads(row["bytes"])
            settled = record["seq"] <= marks.get(record["inc"], 0)
            yield JournalRow(
                row["position"],
                record["inc"],
                record["seq"],
                record["kind"],
                record["tid"],
                row["hash"],
                settled,
                record["body"],
            )
    except sqlite3.DatabaseError as fault:
        raise NoJournal(f"{path} cannot be read: {fault}") from fault
    finally:
        connection.close()


def newest(path: Path) -> int:
    """The position of the newest record; 0 where there is none yet."""
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            return int(connection.execute("SELECT coalesce(max(position), 0) FROM journal").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.DatabaseError as fault:
        raise NoJournal(f"{path} cannot be read: {fault}") from fault


def count(path: Path) -> int:
    """How many records a journal has, after every page of it was looked at. NoJournal says what is wrong."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if sound != "ok":
            raise NoJournal(f"{path} is damaged: {sound}")
        return int(connection.execute("SELECT count(*) FROM journal").fetchone()[0])
    except sqlite3.DatabaseError as fault:
        raise NoJournal(f"{path} cannot be read: {fault}") from fault
    finally:
        connection.close()
