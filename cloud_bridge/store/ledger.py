"""Posting what the book decides, inside somebody else's transaction.

A ledger lives as long as one transaction. It reads each balance once, lets the pure book decide against
what it has read and posted so far, and writes everything at `flush`: a batch of a thousand records costs
a handful of statements.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, select

from tillbox.cloud_bridge.book.engine import Decision, Entry, Key, Leg, decide
from tillbox.contracts.money import Amount, Unit

from .database import add, upsert
from .tables import balance, posting, txn

CHUNK = 400
"""Names per SELECT: SQLite of Debian 12 takes 32,766 parameters, older ones 999."""

# By account alone, which has a unit or a few: SQLite reads the whole table where pairs are looked for.
_BALANCES = select(balance).where(balance.c.account.in_(bindparam("accounts", expanding=True)))
_KNOWN = select(txn.c.tid, txn.c.content).where(txn.c.tid.in_(bindparam("tids", expanding=True)))
_LEGS = (
    select(posting.c.account, posting.c.unit, posting.c.minor)
    .where(posting.c.tid == bindparam("tid"))
    .order_by(posting.c.leg)
)


class Ledger:
    """The book inside one transaction."""

    def __init__(self, connection: Connection, now_ms: int) -> None:
        self._connection = connection
        self._now_ms = now_ms
        self._balances: dict[Key, int] = {}
        self._moved: set[Key] = set()
        self._txns: dict[str, dict[str, Any]] = {}
        self._legs: dict[str, tuple[Leg, ...]] = {}

    def load(self, keys: Iterable[Key]) -> None:
        """Read balances that will be needed, many at a time and in a fixed order."""
        missing = sorted({key for key in keys if key not in self._balances})
        self._balances.update(dict.fromkeys(missing, 0))
        wanted, accounts = set(missing), sorted({account for account, _ in missing})
        for start in range(0, len(accounts), CHUNK):
            some = accounts[start : start + CHUNK]
            for account, unit, minor in self._connection.execute(_BALANCES, {"accounts": some}):
                if (account, unit) in wanted:
                    self._balances[account, unit] = minor

    def known(self, tids: Iterable[str]) -> dict[str, str]:
        """The content hash of each transaction that is already in the book."""
        wanted = list(tids)
        result = {tid: self._txns[tid]["content"] for tid in wanted if tid in self._txns}
        for start in range(0, len(wanted), CHUNK):
            found = self._connection.execute(_KNOWN, {"tids": wanted[start : start + CHUNK]})
            result.update((tid, content) for tid, content in found)
        return result

    def post(self, entry: Entry, *, tid: str, kind: str, device: str, content: str = "") -> Decision:
        """Decide and post. The caller has made sure that `tid` is new. A refused entry posts nothing."""
        keys = entry.keys()
        self.load(keys)
        decision = decide(entry, self._balances)
        if decision.refused is not None:
            return decision
        for leg in decision.legs:
            self._balances[leg.key] += leg.amount.minor
            self._moved.add(leg.key)
        self._legs[tid] = decision.legs
        self._txns[tid] = {
            "tid": tid,
            "kind": kind,
            "device": device,
            "content": content,
            "variances": " ".join(decision.variances),
            "posted_ms": self._now_ms,
        }
        return decision

    def has_posted(self, tid: str) -> bool:
        """Whether this transaction posted under that id."""
        return tid in self._txns

    def balance_of(self, account: str, unit: Unit) -> int:
        """What an account holds now, this transaction's postings included."""
        self.load([(account, str(unit))])
        return self._balances[account, str(unit)]

    def legs_of(self, tid: str) -> tuple[Leg, ...] | None:
        """What a transaction posted, or None where there is no such transaction."""
        if tid in self._legs:
            return self._legs[tid]
        rows = self._connection.execute(_LEGS, {"tid": tid}).all()
        if not rows and self._connection.execute(_KNOWN, {"tids": [tid]}).first() is None:
            return None
        return tuple(Leg(account, Amount(minor, Unit.parse(unit))) for account, unit, minor in rows)

    def flush(self) -> None:
        """Write what was posted. Called once, before the commit."""
        legs = [
            {
                "tid": tid,
                "leg": n,
                "account": leg.account,
                "unit": str(leg.amount.unit),
                "minor": leg.amount.minor,
            }
            for tid, legs in self._legs.items()
            for n, leg in enumerate(legs)
        ]
        add(self._connection, txn, list(self._txns.values()))
        add(self._connection, posting, legs)
        rows = [{"account": a, "unit": u, "minor": self._balances[a, u]} for a, u in sorted(self._moved)]
        upsert(self._connection, balance, rows, "account", "unit")
