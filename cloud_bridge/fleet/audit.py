"""The audit log: who did what to which part of the fleet. Rows are only ever added, each commits to the one before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select

from tillbox.cloud_bridge.store.notes import shown
from tillbox.cloud_bridge.store.tables import audit
from tillbox.contracts.messages import canonical, digest

PUTS_OUT = ("revoke-box", "retire-box")
FIRST = "0" * 64
_NEWEST = select(audit.c.hash).order_by(audit.c.id.desc()).limit(1)


def note(connection: Connection, *, who: str, act: str, subject: str, detail: str, at_ms: int) -> None:
    """Add a row, in the transaction of what it tells."""
    row = {
        "who": shown(who)[:48],
        "act": act,
        "subject": shown(subject)[:80],
        "detail": shown(detail),
        "at_ms": at_ms,
    }
    prev = connection.execute(_NEWEST).scalar() or FIRST
    connection.execute(insert(audit), {**row, "prev": prev, "hash": _hash(prev, row)})


def put_out_by(connection: Connection, who: str, since_ms: int) -> set[str]:
    """The boxes that a person put out since then, also by keys of theirs."""
    mine = (audit.c.who == shown(who)[:48]) | audit.c.who.endswith(f" of {who}", autoescape=True)
    done = audit.c.act.in_(PUTS_OUT) & audit.c.detail.not_like("refused:%")
    query = select(audit.c.subject).distinct().where(mine, done, audit.c.at_ms > since_ms)
    return set(connection.execute(query).scalars())


def broken(connection: Connection) -> Iterator[int]:
    """The ids of rows that do not follow from the one before: something was taken out or changed beneath the database."""
    prev = FIRST
    for row in connection.execute(select(audit).order_by(audit.c.id)):
        told = {name: getattr(row, name) for name in ("who", "act", "subject", "detail", "at_ms")}
        if row.prev != prev or row.hash != _hash(prev, told):
            yield row.id
        prev = row.hash


@dataclass(frozen=True, slots=True)
class Judged:
    """What the chain says of the log. `newest` is the hash of its last row."""

    rows: int
    newest: str
    broken: tuple[int, ...]
    holds_newest: bool
    """Whether the row that somebody has kept the hash of is still there."""

    @property
    def whole(self) -> bool:
        """Whether nothing is missing, as far as it can be told."""
        return not self.broken and self.holds_newest


def judge(connection: Connection, *, newest: str = "") -> Judged:
    """Walk the whole log. `newest` is a hash that was kept elsewhere: rows taken off the end break no chain."""
    kept = select(audit.c.id).where(audit.c.hash == newest).limit(1)
    return Judged(
        rows=connection.execute(select(func.count()).select_from(audit)).scalar_one(),
        newest=connection.execute(_NEWEST).scalar() or FIRST,
        broken=tuple(broken(connection)),
        holds_newest=newest in ("", FIRST) or connection.execute(kept).first() is not None,
    )


def _hash(prev: str, row: dict[str, Any]) -> str:
    return digest(prev.encode() + canonical(row))
