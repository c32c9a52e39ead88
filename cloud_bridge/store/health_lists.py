"""How the fleet is: alerts by store, and each box with its figures and what it can still do. Reads only.

A list is of boxes in service. What a lost box said last is marked with when that was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, Select, and_, case, func, or_, select, tuple_

from tillbox.contracts.alerts import AlertKind, Weight, text_of, weight_of
from tillbox.contracts.messages import Telemetry
from tillbox.contracts.promises import sentence
from tillbox.contracts.verdicts import Text

from .reading import MOST, bounded
from .tables import PRESENT, alert, alert_event, binding, box, certificate, device, position

EVENTS_MOST = 200
LOST, AWAY, WELL = 7, 8, 9
"""Beyond the weights of alerts: a box that has none open, and how it is."""


class AlertRow(BaseModel):
    """One open alert, and what to do."""

    device: str
    position: str
    kind: str
    subject: str
    detail: str
    since_ms: int
    raised_ms: int
    as_of_ms: int | None
    """When its box was heard of last, where it is not there now."""
    zh: str
    en: str


class StoreAlerts(BaseModel):
    """What is open in one store. Without a name: boxes that stand nowhere, and what concerns them all."""

    store: str
    title: str
    alerts: list[AlertRow]


class AlertEvent(BaseModel):
    """An alert was raised, or cleared."""

    id: int
    store: str
    position: str
    device: str
    kind: str
    subject: str
    what: str
    detail: str
    at_ms: int
    zh: str
    en: str


class HealthRow(BaseModel):
    """One box at a glance."""

    device: str
    position: str
    store: str
    title: str
    state: str
    since_ms: int
    heard_ms: int
    software: str
    telemetry: Telemetry | None
    """None where it never said any, or none that can be read."""
    money_waits_ms: int | None
    """For how long the oldest sale has waited, by the box's own word of when it was made."""
    as_of_ms: int | None
    """When all this was said, where the box is not there now; then the promise says so, too."""
    promise_zh: str
    promise_en: str
    alerts: list[str]
    """What is open, the worst first; one kind as often as it has subjects."""
    rank: int
    """The weight of its worst alert; without any 7 where it is lost, 8 where it is not there, else 9."""
    certificate_until_ms: int | None = None


_STANDS = binding.c.fenced_ms.is_(None)
_IN_SERVICE = or_(device.c.state.is_(None), device.c.state == "live")
_WEIGHT = case(
    {kind.value: weight_of(kind).value for kind in AlertKind}, value=alert.c.kind, else_=Weight.TODAY.value
)
_WORST_FIRST = (_WEIGHT, alert.c.since_ms, alert.c.device, alert.c.kind, alert.c.subject)


def _placed(query: Select[Any], name: Any) -> Select[Any]:
    """With the place of a box, and without boxes that were put out."""
    return (
        query.outerjoin(device, device.c.device == name)
        .outerjoin(binding, and_(binding.c.device == name, _STANDS))
        .outerjoin(position, position.c.name == binding.c.position)
        .where(_IN_SERVICE)
    )


def open_alerts(
    connection: Connection, *, store: str = "", kind: str = "", most: int = MOST
) -> list[StoreAlerts]:
    """What is open, store by store, the store with the worst first; within a store likewise, and then the oldest first.
    Where there is more than `most`, the worst are here."""
    columns = select(alert, position.c.name, position.c.store, position.c.title, box.c.state, box.c.heard_ms)
    query = _placed(columns.select_from(alert).outerjoin(box, box.c.device == alert.c.device), alert.c.device)
    query = _of(query, store=store, kind=kind).order_by(*_WORST_FIRST).limit(bounded(most))
    found: dict[str, StoreAlerts] = {}
    for row in connection.execute(query):
        group = found.setdefault(
            row.store or "", StoreAlerts(store=row.store or "", title=row.title or "", alerts=[])
        )
        group.alerts.append(_alert(row))
    return list(found.values())


def alerts_of(connection: Connection, name: str) -> list[AlertRow]:
    """What is open on one box, the worst first; also on one that was put out."""
    query = (
        select(alert, position.c.name, box.c.state, box.c.heard_ms)
        .outerjoin(box, box.c.device == alert.c.device)
        .outerjoin(binding, and_(binding.c.device == alert.c.device, _STANDS))
        .outerjoin(position, position.c.name == binding.c.position)
        .where(alert.c.device == name)
    )
    return [_alert(row) for row in connection.execute(query.order_by(*_WORST_FIRST).limit(MOST))]


def alert_counts(connection: Connection, *, store: str = "") -> dict[str, int]:
    """How many are open of each kind, the worst first."""
    query = _placed(select(alert.c.kind, func.count()).select_from(alert), alert.c.device)
    query = _of(query, store=store, kind="").group_by(alert.c.kind).order_by(_WEIGHT, alert.c.kind)
    return {kind: count for kind, count in connection.execute(query)}


def open_count(connection: Connection) -> int:
    """How many alerts are open in all."""
    query = select(func.count()).select_from(alert).outerjoin(device, device.c.device == alert.c.device)
    return int(connection.execute(query.where(_IN_SERVICE)).scalar_one())


def _of(query: Select[Any], *, store: str, kind: str) -> Select[Any]:
    if store:
        query = query.where(position.c.store == store)
    return query.where(alert.c.kind == kind) if kind else query


def _alert(row: Any) -> AlertRow:
    text = text_of(row.kind)
    gone = row.heard_ms is not None and row.state not in PRESENT and row.kind != AlertKind.BOX_LOST
    return AlertRow(
        device=row.device,
        position=row.name or "",
        kind=row.kind,
        subject=row.subject,
        detail=row.detail,
        since_ms=row.since_ms,
        raised_ms=row.raised_ms,
        as_of_ms=row.heard_ms if gone else None,
        zh=text.zh,
        en=text.en,
    )


def events_after(connection: Connection, after: int, *, most: int = EVENTS_MOST) -> list[AlertEvent]:
    """What was raised and cleared since an event, in its order."""
    query = _EVENTS.where(alert_event.c.id > after).order_by(alert_event.c.id)
    return [_event(row) for row in connection.execute(query.limit(min(bounded(most), EVENTS_MOST)))]


def newest_events(
    connection: Connection, *, store: str = "", kind: str = "", most: int = 30
) -> list[AlertEvent]:
    """What was raised and cleared last, the newest first."""
    query = _EVENTS.order_by(alert_event.c.id.desc()).limit(min(bounded(most), EVENTS_MOST))
    if store:
        # By the boxes that stand there now: the events of a store are few among those of a fleet.
        there = select(binding.c.device).join(position, position.c.name == binding.c.position)
        query = query.where(alert_event.c.device.in_(there.where(position.c.store == store, _STANDS)))
    if kind:
        query = query.where(alert_event.c.kind == kind)
    return [_event(row) for row in connection.execute(query)]


_EVENTS: Select[Any] = (
    select(alert_event, position.c.name, position.c.store)
    .outerjoin(binding, and_(binding.c.device == alert_event.c.device, _STANDS))
    .outerjoin(position, position.c.name == binding.c.position)
)


def _event(row: Any) -> AlertEvent:
    text = text_of(row.kind)
    return AlertEvent(
        id=row.id, store=row.store or "", position=row.name or "", device=row.device, kind=row.kind,
        subject=row.subject, what=row.what, detail=row.detail, at_ms=row.at_ms, zh=text.zh, en=text.en,
    )  # fmt: skip


def newest_event(connection: Connection) -> int:
    """The number of the newest event; 0 before the first."""
    return connection.execute(select(func.max(alert_event.c.id))).scalar() or 0


def health(
    connection: Connection,
    *,
    now_ms: int,
    search: str = "",
    after: str = "",
    worst: bool = False,
    most: int = 100,
) -> list[HealthRow]:
    """Boxes by name, or the worst first; those after one that was seen (its name, or where `worst` its `health_key`).
    `search` is a part of a name, a place or a title."""
    columns = select(
        box, device.c.software, position.c.name, position.c.store, position.c.title, _RANK.label("rank")
    )
    query = _placed(
        columns.select_from(box).outerjoin(_OPEN, _OPEN.c.device == box.c.device), box.c.device
    ).limit(bounded(most))
    if search:
        searched = (box.c.device, position.c.name, position.c.title)
        query = query.where(or_(*(one.icontains(search, autoescape=True) for one in searched)))
    if worst:
        order = (_RANK, -func.coalesce(_OPEN.c.count, 0), box.c.device)
        seen = _seen(after)
        query = query.where(tuple_(*order) > tuple_(*seen)) if seen else query
        query = query.order_by(*order)
    else:
        query = query.where(box.c.device > after).order_by(box.c.device)
    rows = list(connection.execute(query))
    names = [row.device for row in rows]
    kinds: dict[str, list[str]] = {}
    opened = select(alert.c.device, alert.c.kind).where(alert.c.device.in_(names)).order_by(*_WORST_FIRST)
    for name, kind in connection.execute(opened):
        kinds.setdefault(name, []).append(kind)
    until = _certificates(connection, names)
    return [_health(row, kinds.get(row.device, []), until.get(row.device), now_ms) for row in rows]


def health_key(row: HealthRow) -> str:
    """A box as a place in the list of the worst, for the address of the next page."""
    return f"{row.rank}.{len(row.alerts)}.{row.device}"


def _seen(key: str) -> tuple[int, int, str] | None:
    rank, count, name = (*key.split(".", 2), "", "")[:3]
    numbers = all(one.isascii() and one.isdecimal() and len(one) < 6 for one in (rank, count))
    return (int(rank), -int(count), name) if numbers else None


_OPEN = (
    select(alert.c.device, func.min(_WEIGHT).label("weight"), func.count().label("count"))
    .group_by(alert.c.device)
    .subquery("opened")
)
_RANK = func.coalesce(_OPEN.c.weight, case((box.c.state == "lost", LOST), (box.c.state.in_(PRESENT), WELL), else_=AWAY))  # fmt: skip


def health_counts(connection: Connection) -> dict[str, int]:
    """How many boxes in service are online, offline and lost."""
    query = _placed(select(box.c.state, func.count()).select_from(box), box.c.device).group_by(box.c.state)
    found = {"online": 0, "offline": 0, "lost": 0}
    for state, count in connection.execute(query):
        found["online" if state in PRESENT else state] += count
    return found


def _certificates(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """Until when the newest certificate of each is good."""
    mine = certificate.c.device.in_(names) & certificate.c.revoked_ms.is_(None)
    query = select(certificate.c.device, func.max(certificate.c.not_after_ms)).where(mine)
    return {name: until for name, until in connection.execute(query.group_by(certificate.c.device))}


def _health(row: Any, kinds: list[str], until_ms: int | None, now_ms: int) -> HealthRow:
    told = _telemetry(row.telemetry)
    made_ms = told.oldest_money_ms if told else None
    waits_ms = None if made_ms is None else max(0, now_ms - made_ms)
    text = sentence(told.promise, oldest_age_ms=waits_ms) if told and told.promise else None
    there = row.state in PRESENT
    if text and not there:
        text = Text(f"失联前：{text.zh}", f"as it said last: {text.en}")
    return HealthRow(
        device=row.device,
        position=row.name or "",
        store=row.store or "",
        title=row.title or "",
        state="online" if there else row.state,
        since_ms=row.since_ms,
        heard_ms=row.heard_ms,
        as_of_ms=None if there else row.heard_ms,
        software=row.software or "",
        telemetry=told,
        money_waits_ms=waits_ms,
        promise_zh=text.zh if text else "",
        promise_en=text.en if text else "",
        alerts=kinds,
        rank=row.rank,
        certificate_until_ms=until_ms,
    )


def _telemetry(data: bytes | None) -> Telemetry | None:
    try:
        return Telemetry.model_validate(json.loads(data or b"{}"))
    except ValidationError:
        return None
