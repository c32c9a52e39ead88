"""The sandbox wallet's money, in one SQLite file: every trade, every movement, every word still to be told.

What it has committed survives a SIGKILL: WAL with synchronous=FULL, and an answer goes out only after the
commit. Money only moves between accounts, so all accounts together are always zero. It decides nothing;
sandbox_rules.py does.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .sandbox_rules import Trade

VERSION = 1
BANK = "bank"
"""Where customers' money comes from: the world outside."""

PRAGMAS = (
    # One process has the file; a second one is told so, and cannot sell the same money again.
    "PRAGMA locking_mode=EXCLUSIVE",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cache_size=-1024",
)

SCHEMA = (
    "CREATE TABLE account (name TEXT PRIMARY KEY, minor INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE movement (
         no INTEGER PRIMARY KEY, source TEXT NOT NULL REFERENCES account, target TEXT NOT NULL REFERENCES account,
         minor INTEGER NOT NULL CHECK (minor > 0), why TEXT NOT NULL, at_ms INTEGER NOT NULL)""",
    """CREATE TRIGGER movement_keeps BEFORE DELETE ON movement
         BEGIN SELECT RAISE(ABORT, 'money that moved has moved'); END""",
    """CREATE TRIGGER movement_stays BEFORE UPDATE ON movement
         BEGIN SELECT RAISE(ABORT, 'money that moved has moved'); END""",
    """CREATE TABLE trade (
         no INTEGER PRIMARY KEY, merchant TEXT NOT NULL, attempt_no TEXT NOT NULL, fingerprint TEXT NOT NULL,
         code_hash TEXT UNIQUE, payer TEXT NOT NULL, minor INTEGER NOT NULL,
         manner_name TEXT NOT NULL, pace_percent INTEGER NOT NULL, made_ms INTEGER NOT NULL,
         due_ms INTEGER, why TEXT, paid_ms INTEGER, UNIQUE (merchant, attempt_no))""",
    "CREATE INDEX trade_due ON trade (due_ms) WHERE due_ms IS NOT NULL",
    """CREATE TABLE closing (
         merchant TEXT NOT NULL, attempt_no TEXT NOT NULL, at_ms INTEGER NOT NULL,
         PRIMARY KEY (merchant, attempt_no)) WITHOUT ROWID""",
    """CREATE TABLE refund (
         merchant TEXT NOT NULL, refund_no TEXT NOT NULL, trade INTEGER NOT NULL REFERENCES trade,
         minor INTEGER NOT NULL CHECK (minor > 0), reversal INTEGER NOT NULL, at_ms INTEGER NOT NULL,
         PRIMARY KEY (merchant, refund_no)) WITHOUT ROWID""",
    "CREATE INDEX refund_trade ON refund (trade)",
    """CREATE TABLE heard (
         merchant TEXT NOT NULL, verb TEXT NOT NULL, number TEXT NOT NULL, times INTEGER NOT NULL,
         PRIMARY KEY (merchant, verb, number)) WITHOUT ROWID""",
    """CREATE TABLE notice (
         no INTEGER PRIMARY KEY, merchant TEXT NOT NULL, body BLOB NOT NULL, due_ms INTEGER, tries INTEGER NOT NULL)""",
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)

_TRADE = """
    SELECT t.no, t.merchant, t.attempt_no, t.fingerprint, t.payer, t.minor, t.manner_name,
           t.pace_percent, t.made_ms, t.due_ms, t.why, t.paid_ms,
           EXISTS (SELECT 1 FROM closing c WHERE c.merchant = t.merchant AND c.attempt_no = t.attempt_no),
           (SELECT coalesce(sum(minor), 0) FROM refund r WHERE r.trade = t.no),
           (SELECT count(*) FROM refund r WHERE r.trade = t.no),
           EXISTS (SELECT 1 FROM refund r WHERE r.trade = t.no AND r.reversal)
    FROM trade t """


class BookTrouble(Exception):
    """The wallet's file cannot be used; the message says which file and why."""


class Book:
    """One connection, one lock. Every method but `transaction` is called inside a transaction."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
            self._open()
        except (OSError, sqlite3.Error) as trouble:
            raise BookTrouble(
                f"{path} cannot be opened as the wallet's book: {trouble}. Is another wallet running on it?"
            ) from trouble

    def _open(self) -> None:
        for pragma in PRAGMAS:
            self._db.execute(pragma).fetchall()
        with self.transaction():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in (*SCHEMA, f"PRAGMA user_version={VERSION}"):
                    self._db.execute(statement)
            elif version != VERSION:
                raise sqlite3.DatabaseError(f"it has version {version}, and this wallet reads {VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, one at a time. Committed to the disk when it ends."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._db.close()

    # trades

    def trade(self, merchant: str, attempt_no: str) -> Trade | None:
        """The trade of one number, if there is one."""
        return self._one("WHERE t.merchant = ? AND t.attempt_no = ?", merchant, attempt_no)

    def trade_by_no(self, no: int) -> Trade | None:
        """The trade of a row."""
        return self._one("WHERE t.no = ?", no)

    def trades_after(self, no: int, limit: int) -> list[Trade]:
        """Trades in the order in which they came."""
        rows = self._db.execute(_TRADE + "WHERE t.no > ? ORDER BY t.no LIMIT ?", (no, limit))
        return [_trade(row) for row in rows]

    def trades_due(self, now_ms: int, limit: int) -> list[Trade]:
        """Trades whose customers' side decides now."""
        rows = self._db.execute(
            _TRADE + "WHERE t.due_ms <= ? ORDER BY t.due_ms, t.no LIMIT ?", (now_ms, limit)
        )
        return [_trade(row) for row in rows]

    def add_trade(self, **fields: Any) -> None:
        """A new trade."""
        self._db.execute(
            """INSERT INTO trade (merchant, attempt_no, fingerprint, code_hash, payer, minor,
                                  manner_name, pace_percent, made_ms, due_ms, why)
               VALUES (:merchant, :attempt_no, :fingerprint, :code_hash, :payer, :minor,
                       :manner_name, :pace_percent, :made_ms, :due_ms, :why)""",
            fields,
        )

    def decide_trade(self, no: int, *, paid_ms: int | None = None, why: str | None = None) -> None:
        """The customer's side decided: paid, declined for a reason, or neither."""
        self._db.execute(
            "UPDATE trade SET due_ms = NULL, paid_ms = ?, why = ? WHERE no = ?", (paid_ms, why, no)
        )

    def is_code_used(self, code_hash: str) -> bool:
        """Whether a payment code was shown before."""
        return (
            self._db.execute("SELECT 1 FROM trade WHERE code_hash = ?", (code_hash,)).fetchone() is not None
        )

    def is_closed(self, merchant: str, attempt_no: str) -> bool:
        """Whether a number is closed, with a trade or without."""
        where = (merchant, attempt_no)
        found = self._db.execute("SELECT 1 FROM closing WHERE merchant = ? AND attempt_no = ?", where)
        return found.fetchone() is not None

    def add_closing(self, merchant: str, attempt_no: str, at_ms: int) -> None:
        """Close a number for good."""
        self._db.execute("INSERT OR IGNORE INTO closing VALUES (?, ?, ?)", (merchant, attempt_no, at_ms))

    def refund(self, merchant: str, refund_no: str) -> tuple[Trade, int] | None:
        """The trade and the money of a refund that was done."""
        where = (merchant, refund_no)
        row = self._db.execute(
            "SELECT trade, minor FROM refund WHERE merchant = ? AND refund_no = ?", where
        ).fetchone()
        if row is None:
            return None
        trade = self.trade_by_no(row[0])
        assert trade is not None, row
        return trade, row[1]

    def add_refund(self, trade: Trade, refund_no: str, *, minor: int, reversal: bool, at_ms: int) -> None:
        """A part that went back."""
        row = (trade.merchant, refund_no, trade.no, minor, reversal, at_ms)
        self._db.execute("INSERT INTO refund VALUES (?, ?, ?, ?, ?, ?)", row)

    def hear(self, merchant: str, verb: str, number: str) -> int:
        """Count a call, and say how many there were before it."""
        row = self._db.execute(
            """INSERT INTO heard VALUES (?, ?, ?, 1)
               ON CONFLICT DO UPDATE SET times = times + 1 RETURNING times""",
            (merchant, verb, number),
        ).fetchone()
        return int(row[0]) - 1

    def _one(self, where: str, *parameters: object) -> Trade | None:
        row = self._db.execute(_TRADE + where, parameters).fetchone()
        return None if row is None else _trade(row)

    # money

    def balance(self, account: str) -> int | None:
        """What an account holds; None if nobody has it."""
        row = self._db.execute("SELECT minor FROM account WHERE name = ?", (account,)).fetchone()
        return None if row is None else int(row[0])

    def move(self, *, source: str, target: str, minor: int, why: str, at_ms: int) -> None:
        """Move money. Both sides change in the same transaction, or none does."""
        for name, change in ((source, -minor), (target, minor)):
            self._db.execute(
                "INSERT INTO account VALUES (?, ?) ON CONFLICT DO UPDATE SET minor = minor + excluded.minor",
                (name, change),
            )
        row = (source, target, minor, why, at_ms)
        self._db.execute(
            "INSERT INTO movement (source, target, minor, why, at_ms) VALUES (?, ?, ?, ?, ?)", row
        )

    def accounts(self) -> dict[str, int]:
        """Every account."""
        return dict(self._db.execute("SELECT name, minor FROM account ORDER BY name").fetchall())

    # words still to be told, and settings

    def add_notice(self, merchant: str, body: bytes, due_ms: int) -> None:
        """Something to tell a merchant."""
        row = (merchant, body, due_ms)
        self._db.execute("INSERT INTO notice (merchant, body, due_ms, tries) VALUES (?, ?, ?, 0)", row)

    def notices_due(self, now_ms: int, limit: int) -> list[tuple[int, str, bytes, int]]:
        """Notices to be sent now: number, merchant, body, tries so far."""
        sql = "SELECT no, merchant, body, tries FROM notice WHERE due_ms <= ? ORDER BY due_ms, no LIMIT ?"
        return self._db.execute(sql, (now_ms, limit)).fetchall()

    def drop_notice(self, no: int) -> None:
        """It was heard."""
        self._db.execute("DELETE FROM notice WHERE no = ?", (no,))

    def put_off_notice(self, no: int, due_ms: int | None) -> None:
        """It was not heard; try again at `due_ms`, or never."""
        self._db.execute("UPDATE notice SET tries = tries + 1, due_ms = ? WHERE no = ?", (due_ms, no))

    def notices_open(self) -> int:
        """How many notices nobody has heard."""
        return int(self._db.execute("SELECT count(*) FROM notice").fetchone()[0])

    def next_due_ms(self) -> int | None:
        """When something is to be done next."""
        sql = "SELECT min(at) FROM (SELECT min(due_ms) AS at FROM trade UNION ALL SELECT min(due_ms) FROM notice)"
        due: int | None = self._db.execute(sql).fetchone()[0]
        return due

    def setting(self, name: str) -> str | None:
        """A setting's text."""
        row = self._db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_setting(self, name: str, value: str) -> None:
        """Keep a setting."""
        self._db.execute(
            "INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (name, value),
        )


def _trade(row: tuple[Any, ...]) -> Trade:
    facts, (closed, refunded_minor, refunds, is_reversed) = row[:12], row[12:]
    fields = (*facts, bool(closed), refunded_minor, refunds, bool(is_reversed))
    return Trade(*fields)
