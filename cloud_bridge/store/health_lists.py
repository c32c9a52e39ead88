"""How the fleet is: alerts by store, and each box with its figures and what it can still do. Reads only.

A list is of boxes in service. What a lost box said last is marked with when that was.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, Select, and_, func, or_, select

from tillbox.contracts.alerts import AlertKind, text_of
from tillbox.contracts.messages import Telemetry
from tillbox.contracts.promises import sentence
from tillbox.contracts.verdicts import Text

from .reading import MOST, bounded
from .tables import PRESENT, alert, alert_event, binding, box, device, position

EVENTS_MOST = 200


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


class EventRow(BaseModel):
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


_STANDS = binding.c.fenced_ms.is_(None)
_IN_SERVICE = or_(device.c.state.is_(None), device.c.state == "live")


def _placed(query: Select[Any], name: Any) -> Select[Any]:
    """With the place of a box, and without boxes that were put out."""
    return (
        query.outerjoin(device, device.c.device == name)
        .outerjoin(binding, and_(binding.c.device == name, _STANDS))
        .outerjoin(position, position.c.name == binding.c.position)
        .where(_IN_SERVICE)
    )


def open_alerts(connection: Connection, *, store: str = "", most: int = MOST) -> list[StoreAlerts]:
    """What is open, store by store; within a store the oldest first."""
    columns = select(alert, position.c.name, position.c.store, position.c.title, box.c.state, box.c.heard_ms)
    query = _placed(columns.select_from(alert).outerjoin(box, box.c.device == alert.c.device), alert.c.device)
    if store:
        query = query.where(position.c.store == store)
    query = query.order_by(position.c.store, alert.c.since_ms, alert.c.device, alert.c.kind)
    found: dict[str, StoreAlerts] = {}
    for row in connection.execute(query.limit(bounded(most))):
        group = found.setdefault(
            row.store or "", StoreAlerts(store=row.store or "", title=row.title or "", alerts=[])
        )
        group.alerts.append(_alert(row))
    return list(found.values())


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


def events_after(connection: Connection, after: int, *, most: int = EVENTS_MOST) -> list[EventRow]:
    """What was raised and cleared since an event, in its order."""
    columns = select(alert_event, position.c.name, position.c.store)
    query = (
        columns.select_from(alert_event)
        .outerjoin(binding, and_(binding.c.device == alert_event.c.device, _STANDS))
        .outerjoin(position, position.c.name == binding.c.position)
        .where(alert_event.c.id > after)
        .order_by(alert_event.c.id)
        .limit(min(bounded(most), EVENTS_MOST))
    )
    return [_event(row) for row in connection.execute(query)]


def _event(row: Any) -> EventRow:
    text = text_of(row.kind)
    return EventRow(
        id=row.id, store=row.store or "", position=row.name or "", device=row.device, kind=row.kind,
        subject=row.subject, what=row.what, detail=row.detail, at_ms=row.at_ms, zh=text.zh, en=text.en,
    )  # fmt: skip


def newest_event(connection: Connection) -> int:
    """The number of the newest event; 0 before the first."""
    return connection.execute(select(func.max(alert_event.c.id))).scalar() or 0


def health(
    connection: Connection, *, now_ms: int, search: str = "", after: str = "", most: int = 100
) -> list[HealthRow]:
    """Boxes by name, those after one that was seen; `search` is a part of a name, a place or a title."""
    columns = select(box, device.c.software, position.c.name, position.c.store, position.c.title)
    query = _placed(columns.select_from(box), box.c.device).where(box.c.device > after)
    if search:
        searched = (box.c.device, position.c.name, position.c.title)
        query = query.where(or_(*(one.icontains(search, autoescape=True) for one in searched)))
    rows = list(connection.execute(query.order_by(box.c.device).limit(bounded(most))))
    kinds: dict[str, list[str]] = {}
    names = [row.device for row in rows]
    for one in connection.execute(select(alert).where(alert.c.device.in_(names)).order_by(alert.c.since_ms)):
        kinds.setdefault(one.device, []).append(one.kind)
    return [_health(row, kinds.get(row.device, []), now_ms) for row in rows]


def _health(row: Any, kinds: list[str], now_ms: int) -> HealthRow:
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
    )


def _telemetry(data: bytes | None) -> Telemetry | None:
    try:
        return Telemetry.model_validate(json.loads(data or b"{}"))
    except ValidationError:
        return None
