"""One list of everything that the store knows to have happened to a box, newest first. Reads only.

A table of sources, each a statement over one table with an index on the box; so a page costs as many statements as there are
sources, whatever is in them. A place in the list is a time, the rank of the source, and the row's own key: pages neither
repeat nor lose rows that came in at one moment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, Select, String, cast, literal, or_, select

from .reading import bounded
from .tables import (
    PRESENT,
    alarm,
    alert_event,
    audit,
    binding,
    box,
    certificate,
    command,
    desired,
    incarnation,
    refused,
    reported,
)

KINDS = ("start", "line", "place", "settings", "command", "alert", "trouble", "done")
"""What a list can be narrowed to: its starts; there or away; places and certificates; settings; commands; alerts; what was
refused and what somebody must look at; what people did."""
STAYS_MOST = 20  # places of a box whose own audit rows are told with it


class TimelineRow(BaseModel):
    """One thing that happened. `what` is a closed word; `name` says which (a place, a verb, an alert), `detail` the rest; `who`
    is a person or a program where one did it. `at` is the place in the list, for `before`."""

    at_ms: int
    kind: str
    what: str
    name: str
    detail: str
    who: str
    at: str


@dataclass(frozen=True, slots=True)
class _Source:
    """One statement's worth. `key` orders rows of one moment, `mine` is the column that has the box; `told` are `what`, `name`,
    `detail` and `who` of a row."""

    kind: str
    at: ColumnElement[int]
    key: ColumnElement[Any]
    mine: ColumnElement[Any]
    told: tuple[ColumnElement[Any], ...]


def _of(kind: str, at: Any, key: Any, mine: Any, *told: Any) -> _Source:
    """A source; words that are the same in each of its rows are written as they are."""
    words = ("", "", "", "")
    columns = [literal(one) if isinstance(one, str) else one for one in (*told, *words)[: len(words)]]
    names = ("what", "name", "detail", "who")
    return _Source(kind, at, key, mine, tuple(c.label(name) for c, name in zip(columns, names, strict=True)))


def _text(column: Any) -> ColumnElement[str]:
    return cast(column, String)


_B, _C, _K, _V = binding.c, certificate.c, command.c, alert_event.c
SOURCES: tuple[_Source, ...] = (
    _of("start", incarnation.c.opened_ms, incarnation.c.number, incarnation.c.device, "started", incarnation.c.inc, incarnation.c.standing),
    _of("line", box.c.since_ms, box.c.device, box.c.device, box.c.state),
    _of("place", _B.since_ms, _B.position, _B.device, "bound", _B.position, _text(_B.epoch)),
    _of("place", _B.accepted_ms, _B.position, _B.device, "accepted", _B.position, _text(_B.epoch), _B.accepted_by),
    _of("place", _B.fenced_ms, _B.position, _B.device, "put_out", _B.position, _B.why_ended),
    _of("place", _B.closed_ms, _B.position, _B.device, "closed", _B.position, _text(_B.epoch)),
    _of("place", _C.issued_ms, _C.serial, _C.device, "certified", _C.serial),
    _of("settings", desired.c.made_ms, desired.c.device, desired.c.device, "settings_made", _text(desired.c.version)),
    _of("settings", reported.c.at_ms, reported.c.device, reported.c.device, "settings_used", _text(reported.c.version), reported.c.refused),
    _of("command", _K.made_ms, _K.id, _K.device, "command_made", _K.verb, _K.id, _K.made_by),
    _of("command", _K.ended_ms, _K.id, _K.device, "command_ended", _K.verb, _K.state + literal(" ") + _K.reason),
    _of("alert", _V.at_ms, _V.id, _V.device, _V.what, _V.kind, _V.detail),
    _of("trouble", alarm.c.at_ms, alarm.c.id, alarm.c.device, "alarm", alarm.c.kind, alarm.c.detail),
    _of("trouble", refused.c.last_ms, refused.c.reason, refused.c.device, "refused", refused.c.reason, _text(refused.c.count) + literal(" × ") + refused.c.sample),
    _of("done", audit.c.at_ms, audit.c.id, audit.c.subject, "did", audit.c.act, audit.c.detail, audit.c.who),
)  # fmt: skip
"""By rank: of what happened at one moment, the last of these is told first."""


@dataclass(frozen=True, slots=True)
class _Place:
    at_ms: int
    rank: int
    key: str


def timeline(
    connection: Connection, device: str, *, kinds: Sequence[str] = (), before: str = "", most: int = 50
) -> list[TimelineRow]:
    """What happened to a box, the newest first; of some kinds, and before a row that was seen."""
    most, since = bounded(most), _place(before)
    stays = _stays(connection, device) if not kinds or "done" in kinds else None
    found: list[tuple[int, int, TimelineRow]] = []
    for rank, source in enumerate(SOURCES):
        if kinds and source.kind not in kinds:
            continue
        mine = source.mine == device
        if source.mine is audit.c.subject and stays is not None:
            mine = or_(mine, stays)
        query = select(source.at.label("at_ms"), source.key.label("key"), *source.told).where(mine)
        query = _before(query, source, rank, since) if since else query.where(source.at.is_not(None))
        for row in connection.execute(query.order_by(source.at.desc(), source.key.desc()).limit(most)):
            found.append((row.at_ms, rank, _row(row, source.kind, rank)))
    # Rows of one source are in their order already, which is the database's own and not Python's.
    found.sort(key=lambda one: (-one[0], -one[1]))
    return [row for _, _, row in found[:most]]


def _row(row: Any, kind: str, rank: int) -> TimelineRow:
    what = "online" if kind == "line" and row.what in PRESENT else row.what
    return TimelineRow(
        at_ms=row.at_ms,
        kind=kind,
        what=what,
        name=row.name or "",
        detail=(row.detail or "").strip(),
        who=row.who or "",
        at=f"{row.at_ms}-{rank}-{row.key}",
    )


def _place(text: str) -> _Place | None:
    """A place in the list from an address; None where it is none: from the newest."""
    found = re.fullmatch(r"(\d{1,15})-(\d{1,2})-(.{1,80})", text, re.ASCII)
    if not found or int(found[2]) >= len(SOURCES):
        return None
    place = _Place(int(found[1]), int(found[2]), found[3])
    numbered = SOURCES[place.rank].key.type.python_type is int
    return place if not numbered or re.fullmatch(r"\d{1,18}", place.key, re.ASCII) else None


def _before(query: Select[Any], source: _Source, rank: int, since: _Place) -> Select[Any]:
    """What comes after a row in the list: earlier; or at its moment, of a source that is told later, or of its own further on."""
    if rank < since.rank:
        return query.where(source.at <= since.at_ms)
    if rank > since.rank:
        return query.where(source.at < since.at_ms)
    key = int(since.key) if source.key.type.python_type is int else since.key
    return query.where(or_(source.at < since.at_ms, (source.at == since.at_ms) & (source.key < key)))


def _stays(connection: Connection, device: str) -> ColumnElement[bool] | None:
    """What was done to its places while it stood there."""
    query = select(binding.c.position, binding.c.since_ms, binding.c.fenced_ms)
    mine = query.where(binding.c.device == device).order_by(binding.c.since_ms.desc()).limit(STAYS_MOST)
    stays = []
    for row in connection.execute(mine):
        while_there = audit.c.subject.in_([row.position, f"box:{row.position}"]) & (
            audit.c.at_ms >= row.since_ms
        )
        stays.append(while_there if row.fenced_ms is None else while_there & (audit.c.at_ms <= row.fenced_ms))
    return or_(*stays) if stays else None
