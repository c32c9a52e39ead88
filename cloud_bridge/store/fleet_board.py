"""What the console's lists of the fleet show: ten thousand places a page at a time, counted and found in SQL.

A page costs the same number of statements whatever is on it, and none of them walks through the inbox or the alarms.
Reads only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, literal, or_, select

from tillbox.cloud_bridge.fleet.missing import missing_of

from .tables import PRESENT, alarm, binding, box, incarnation, position

STATES = ("online", "offline", "lost", "empty", "unaccepted", "put_out", "unplaced")
"""What a list can be narrowed to. `empty`: a place without a box; `put_out`: a box that was taken out of its place and
whose records are not all accounted for; `unplaced`: a box that never enrolled."""
STORES_MOST = 100
GROUPS_MOST = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of the fleet: each empty where it does not matter."""

    search: str = ""
    state: str = ""
    group: str = ""
    store: str = ""


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One place with its box; a place without one; or a box without a place."""

    place: str
    title: str
    device: str
    state: str
    accepted: bool
    since_ms: int | None
    pending: int
    oldest_pending_ms: int | None
    records: int = 0
    standing: str = "unheard"
    alarms: int = 0
    epoch: int = 0
    """Which epoch of its place ended; 0 for what stands there now."""
    missing: int = 0
    """How many records of a box that was put out are known to exist and are not here."""

    @property
    def key(self) -> str:
        """Where it is in the list, for the address of the next page. No place has a colon or a hash in its name."""
        if self.epoch:
            return f"{self.place}#{self.epoch}"
        return self.place or f":{self.device}"


@dataclass(frozen=True, slots=True)
class StoreRow:
    """One store, and how its lanes stand."""

    store: str
    title: str
    lanes: int
    online: int
    lost: int
    empty: int


HELD = and_(
    binding.c.position == position.c.name, binding.c.epoch == position.c.epoch, binding.c.fenced_ms.is_(None)
)
"""The newest binding, by its key: whatever there is of older ones costs nothing."""
_PLACES = position.outerjoin(binding, HELD).outerjoin(box, box.c.device == binding.c.device)
_ENDED = (binding.c.fenced_ms.is_not(None)) & (binding.c.closed_ms.is_(None))
_PUT_OUT = binding.join(position, position.c.name == binding.c.position).outerjoin(
    box, box.c.device == binding.c.device
)
_UNPLACED = ~exists().where(binding.c.device == box.c.device)

_PART: dict[str, ColumnElement[bool]] = {
    "online": box.c.state.in_(PRESENT),
    "offline": binding.c.device.is_not(None) & or_(box.c.state.is_(None), box.c.state == "offline"),
    "lost": box.c.state == "lost",
    "empty": binding.c.device.is_(None),
    "unaccepted": binding.c.device.is_not(None) & binding.c.accepted_ms.is_(None),
}
_COLUMNS = (
    position.c.name.label("place"), position.c.title, binding.c.device, binding.c.accepted_ms, box.c.state,
    box.c.since_ms, box.c.telemetry,
)  # fmt: skip


def fleet(connection: Connection, wanted: Wanted, *, after: str = "", most: int = 50) -> list[FleetRow]:
    """The part of the fleet that is wanted, by place, then the boxes without one; from after a row that was seen."""
    rows: list[FleetRow] = []
    if wanted.state == "put_out":
        rows = [_row(row) for row in connection.execute(_put_out(wanted, after).limit(most))]
    elif wanted.state != "unplaced" and not after.startswith(":"):
        rows = [_row(row) for row in connection.execute(_places(wanted, after).limit(most))]
    if len(rows) < most and _may_be_unplaced(wanted):
        seen = after.removeprefix(":") if after.startswith(":") else ""
        rows += [_row(row) for row in connection.execute(_unplaced(wanted, seen).limit(most - len(rows)))]
    return _filled(connection, rows)


def counts(connection: Connection, wanted: Wanted) -> dict[str, int]:
    """How many there are in each state, of what is wanted otherwise; and in `all` how many places."""
    every = replace(wanted, state="")
    sums = [func.coalesce(func.sum(case((part, 1), else_=0)), 0).label(name) for name, part in _PART.items()]
    places = select(func.count().label("all"), *sums).select_from(_PLACES).where(*_within(every))
    row = connection.execute(places).one()
    found = {name: int(value) for name, value in row._mapping.items()}
    found["put_out"] = _count(connection, _put_out(every, ""))
    found["unplaced"] = _count(connection, _unplaced(every, "")) if _may_be_unplaced(every) else 0
    return found


def stores(connection: Connection, wanted: Wanted, *, after: str = "") -> list[StoreRow]:
    """Stores with their counts, by name."""
    sums = [func.sum(case((_PART[name], 1), else_=0)) for name in ("online", "lost", "empty")]
    query = (
        select(position.c.store, func.min(position.c.title), func.count(), *sums)
        .select_from(_PLACES)
        .where(position.c.store > after, *_within(wanted))
        .group_by(position.c.store)
        .order_by(position.c.store)
        .limit(STORES_MOST)
    )
    return [StoreRow(*row) for row in connection.execute(query)]


def groups(connection: Connection) -> list[str]:
    """The groups that places are in."""
    column = position.c.store_group
    query = select(column).where(column != "").distinct().order_by(column).limit(GROUPS_MOST)
    return list(connection.execute(query).scalars())


def _places(wanted: Wanted, after: str) -> Select[Any]:
    query = select(*_COLUMNS).select_from(_PLACES).where(position.c.name > after, *_within(wanted))
    if wanted.state in _PART:
        query = query.where(_PART[wanted.state])
    return query.order_by(position.c.name)


def _put_out(wanted: Wanted, after: str) -> Select[Any]:
    """Boxes that were put out and not yet closed. A place may have had several: the list goes by place and epoch."""
    place, _, epoch = after.partition("#")
    query = select(*_COLUMNS, binding.c.epoch).select_from(_PUT_OUT).where(_ENDED, *_within(wanted))
    if epoch.isascii() and epoch.isdecimal() and len(epoch) < 10:
        later = (position.c.name == place) & (binding.c.epoch > int(epoch))
        query = query.where(or_(position.c.name > place, later))
    return query.order_by(position.c.name, binding.c.epoch)


def _unplaced(wanted: Wanted, after: str) -> Select[Any]:
    nothing = literal("")
    query = select(
        nothing.label("place"), nothing.label("title"), box.c.device, literal(0).label("accepted_ms"),
        box.c.state, box.c.since_ms, box.c.telemetry,
    ).where(box.c.device > after, _UNPLACED)  # fmt: skip
    if wanted.search:
        query = query.where(box.c.device.icontains(wanted.search, autoescape=True))
    if wanted.state in ("online", "offline", "lost"):
        query = query.where(
            box.c.state.in_(PRESENT) if wanted.state == "online" else box.c.state == wanted.state
        )
    return query.order_by(box.c.device)


def _may_be_unplaced(wanted: Wanted) -> bool:
    """A box without a place has no store, no group, and nothing to be accepted for."""
    return (
        not wanted.store
        and not wanted.group
        and wanted.state in ("", "unplaced", "online", "offline", "lost")
    )


def _within(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.store:
        found.append(position.c.store == wanted.store)
    if wanted.group:
        found.append(position.c.store_group == wanted.group)
    if wanted.search:
        columns = (position.c.name, position.c.title, binding.c.device)
        found.append(or_(*(one.icontains(wanted.search, autoescape=True) for one in columns)))
    return found


def _count(connection: Connection, query: Select[Any]) -> int:
    return int(
        connection.execute(select(func.count()).select_from(query.order_by(None).subquery())).scalar_one()
    )


def _row(row: Any) -> FleetRow:
    health = json.loads(row.telemetry or b"{}")
    state = "online" if row.state in PRESENT else row.state or "offline"
    return FleetRow(
        place=row.place,
        title=row.title,
        device=row.device or "",
        state=state if row.device else "empty",
        accepted=row.accepted_ms is not None,
        since_ms=row.since_ms,
        pending=int(health.get("pending", 0)),
        oldest_pending_ms=health.get("oldest_pending_ms"),
        epoch=row._mapping.get("epoch", 0),
    )


def _filled(connection: Connection, rows: Sequence[FleetRow]) -> list[FleetRow]:
    """With what only the rows on the page are asked for: records, alarms, and what is missing."""
    devices = sorted({row.device for row in rows if row.device})
    held = _held(connection, devices)
    mine = alarm.c.device.in_(devices)
    query = select(alarm.c.device, func.count()).where(mine).group_by(alarm.c.device)
    shouts: dict[str, int] = {name: count for name, count in connection.execute(query)}
    gaps = missing_of(connection, [row.device for row in rows if row.epoch])
    return [
        replace(
            row,
            records=held.get(row.device, (0, ""))[0],
            standing=held.get(row.device, (0, "unheard"))[1],
            alarms=shouts.get(row.device, 0),
            missing=sum(gap.count for gap in gaps.get(row.device, ())),
        )
        for row in rows
    ]


def _held(connection: Connection, devices: Sequence[str]) -> dict[str, tuple[int, str]]:
    """How many records of each box are here, and how its newest boot stands."""
    found: dict[str, tuple[int, str]] = {}
    column = incarnation.c
    query = select(column.device, column.watermark, column.standing).where(column.device.in_(devices))
    for device, watermark, standing in connection.execute(query.order_by(column.device, column.number)):
        found[device] = found.get(device, (0, ""))[0] + watermark, standing
    return found
