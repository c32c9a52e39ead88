"""The audit log: who did what to which part of the fleet. Rows are only ever added, each commits to the one before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, insert, select

from tillbox.cloud_bridge.store.notes import shown
from tillbox.cloud_bridge.store.tables import audit
from tillbox.contracts.messages import canonical, digest

FIRST = "0" * 64


def note(connection: Connection, *, who: str, act: str, subject: str, detail: str, at_ms: int) -> None:
    """Add a row, in the transaction of what it tells."""
    newest = select(audit.c.hash).order_by(audit.c.id.desc()).limit(1)
    row = {
        "who": shown(who)[:48],
        "act": act,
        "subject": shown(subject)[:80],
        "detail": shown(detail),
        "at_ms": at_ms,
    }
    prev = connection.execute(newest).scalar() or FIRST
    connection.execute(insert(audit), {**row, "prev": prev, "hash": _hash(prev, row)})


def broken(connection: Connection) -> Iterator[int]:
    """The ids of rows that do not follow from the one before: something was taken out or changed beneath the database."""
    prev = FIRST
    for row in connection.execute(select(audit).order_by(audit.c.id)):
        told = {name: getattr(row, name) for name in ("who", "act", "subject", "detail", "at_ms")}
        if row.prev != prev or row.hash != _hash(prev, told):
            yield row.id
        prev = row.hash


def _hash(prev: str, row: dict[str, Any]) -> str:
    return digest(prev.encode() + canonical(row))
