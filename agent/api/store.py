"""What the local door remembers: requests with what they asked, events in order, and whom it has been paired with.

A request is on the disk before the till hears of it, so that a program which asks again after any fault gets the same
answer and never a second payment. Tokens are kept as hashes.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from tillbox.broker.journal import PRAGMAS

from .orders import FINAL, Order, OrderState

EVENTS_KEPT = 10_000  # a busy week; who comes back later begins anew from the orders themselves
ORDERS_KEPT = 10_000


class Store:
    """One file. Raises `sqlite3.Error` where the disk does."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = Database(sqlite3.connect(path, isolation_level=None, check_same_thread=False))
        self._lock = threading.Lock()
        for pragma in PRAGMAS:
            self._db.execute(pragma)
        for table in _TABLES:
            self._db.execute(table)

    def begin(self, order: Order, body: str) -> Order | None:
        """Write a new order down, with a hash of what was asked: a payment code does not lie about on a disk. The one that is there already for the same id and body; None for another body."""
        body = _hash(body)
        with self._lock, self._db.atomic():
            row = self._db.execute(
                "SELECT body, said FROM request WHERE id = ?", [order.request_id]
            ).fetchone()
            if row is not None:
                return Order(**_order(row[1])) if row[0] == body else None
            self._db.execute(
                "INSERT INTO request (id, body, said, open) VALUES (?, ?, ?, 1)",
                [order.request_id, body, json.dumps(asdict(order))],
            )
            self._db.execute(
                "DELETE FROM request WHERE open = 0 AND position <= (SELECT max(position) FROM request) - ?",
                [ORDERS_KEPT],
            )
        return order

    def find(self, request_id: str) -> Order | None:
        """One order."""
        with self._lock:
            row = self._db.execute("SELECT said FROM request WHERE id = ?", [request_id]).fetchone()
        return Order(**_order(row[0])) if row else None

    def open_orders(self) -> tuple[Order, ...]:
        """The orders whose end is not known."""
        with self._lock:
            rows = self._db.execute("SELECT said FROM request WHERE open = 1 ORDER BY position").fetchall()
        return tuple(Order(**_order(row[0])) for row in rows)

    def change(self, order: Order, at_ms: int) -> None:
        """Keep what has become of an order, and say so to whoever follows the events: both or neither."""
        with self._lock, self._db.atomic():
            self._db.execute(
                "UPDATE request SET said = ?, open = ? WHERE id = ?",
                [json.dumps(asdict(order)), order.state not in FINAL, order.request_id],
            )
            self._add("payment.changed", asdict(order), at_ms)

    def say(self, event: str, body: dict[str, Any], at_ms: int) -> None:
        """One event of something else."""
        with self._lock, self._db.atomic():
            self._add(event, body, at_ms)

    def events(self, after: int, most: int = 100) -> list[dict[str, Any]]:
        """The events after a number, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT seq, at_ms, kind, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?", [after, most]
            ).fetchall()
        return [
            {"seq": seq, "at_ms": at_ms, "kind": kind, "body": json.loads(body)}
            for seq, at_ms, kind, body in rows
        ]

    def pair(self, name: str) -> str:
        """A token for one program, shown once; a new one for the same name ends the old one."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO pairing (name, hash) VALUES (?, ?)", [name, _hash(token)]
            )
        return token

    def paired(self, token: str) -> str | None:
        """Whose token it is."""
        with self._lock:
            row = self._db.execute("SELECT name FROM pairing WHERE hash = ?", [_hash(token)]).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _add(self, kind: str, body: dict[str, Any], at_ms: int) -> None:
        self._db.execute(
            "INSERT INTO event (at_ms, kind, body) VALUES (?, ?, ?)", [at_ms, kind, json.dumps(body)]
        )
        self._db.execute("DELETE FROM event WHERE seq <= (SELECT max(seq) FROM event) - ?", [EVENTS_KEPT])


_TABLES = (
    """CREATE TABLE IF NOT EXISTS request (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
         body TEXT NOT NULL, said TEXT NOT NULL, open INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL,
         kind TEXT NOT NULL, body TEXT NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS pairing (name TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE)",
)


def _order(said: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said)
    return found | {"state": OrderState(found["state"])}


def _hash(token: str) -> str:
    # A token is 256 random bits: nothing slower than a hash is needed to keep it from whoever reads the file.
    return hashlib.sha256(token.encode()).hexdigest()
