"""Alerts at the core: what boxes say is open, and the three that only the core can know.

Whoever raised an alert clears it. A box says all that is open at once, so what it does not name is over; a box that is
lost says nothing, and keeps what it had. The core's own are looked for now and then, by what the store says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import Connection, and_, delete, func, insert, or_, select

from tillbox.cloud_bridge.store import notes
from tillbox.cloud_bridge.store.database import upsert
from tillbox.cloud_bridge.store.tables import PRESENT, alert, alert_event, box, device, incarnation, refused
from tillbox.contracts.alerts import CORE_KINDS, AlertKind
from tillbox.contracts.messages import Alerts
from tillbox.contracts.verdicts import Reason

ALERTS_BYTES_MAX = 16_384
EVENTS_A_DAY_MAX = 200
"""Of one box: an honest one raises and clears a few. More of one that trembles are no news, and rows are for ever."""
DAY_MS = 86_400_000
SINCE_MAX_MS = 366 * DAY_MS  # nothing was bad for longer than a year without a boot between
LOOK_MS = 30_000  # of ten thousand boxes it takes half a second
LOST_MS = 5 * 60_000  # a router that starts anew takes two minutes
MISSING_MS = 60_000  # telemetry and the records before it may overtake each other on their way into the store
DROPS_MS = 10 * 60_000  # without another drop it is over
NAMED_MAX = 5

Key = tuple[str, str, str]
"""Device, kind, subject."""


@dataclass(frozen=True, slots=True)
class Open:
    """One that is open, as its owner says."""

    detail: str
    since_ms: int


def take(connection: Connection, said: Sequence[tuple[str, bytes]], *, now_ms: int) -> bool:
    """What boxes say is open, in its order; whether that was news. What cannot be read is counted and changes nothing."""
    lists: dict[str, dict[Key, Open]] = {}
    for name, payload in said:
        try:
            told = Alerts.model_validate_json(payload if len(payload) <= ALERTS_BYTES_MAX else b"")
        except ValidationError:
            notes.count_refused(connection, name, Reason.NOT_UNDERSTOOD, payload, now_ms)
            continue
        lists[name] = {
            (name, one.kind, notes.shown(one.subject)[:32]): Open(
                notes.shown(one.detail), _since(one.since_ms, now_ms)
            )
            for one in told.open
            if one.kind not in CORE_KINDS  # nobody is lost by his own word
        }
    found = {key: one for of_box in lists.values() for key, one in of_box.items()}
    return settle(connection, found, source="box", of=lists, now_ms=now_ms) if lists else False


def _since(said_ms: int, now_ms: int) -> int:
    """When it began. A box that does not know the hour, or lies about it, is heard of now."""
    return said_ms if now_ms - SINCE_MAX_MS < said_ms <= now_ms else now_ms


def settle(
    connection: Connection, found: Mapping[Key, Open], *, source: str, of: Iterable[str] | None, now_ms: int
) -> bool:
    """Make what is open be `found`, among what `source` raised for some devices (None: for all). True where that was news."""
    query = select(alert).where(alert.c.source == source)
    if of is not None:
        query = query.where(alert.c.device.in_(list(of)))
    known = {(row.device, row.kind, row.subject): row for row in connection.execute(query)}
    fresh = [key for key in found if key not in known]
    over = [key for key in known if key not in found]
    moved = [key for key in found if key in known and found[key].detail != known[key].detail]
    rows = [
        {
            **_named(key),
            "detail": found[key].detail,
            "source": source,
            "since_ms": found[key].since_ms,
            "raised_ms": known[key].raised_ms if key in known else now_ms,
        }
        for key in (*fresh, *moved)
    ]
    upsert(connection, alert, rows, "device", "kind", "subject")
    for key in over:
        connection.execute(
            delete(alert).where(*(alert.c[column] == value for column, value in _named(key).items()))
        )
    _note(connection, [(key, "raised", found[key].detail) for key in fresh], now_ms)
    _note(connection, [(key, "cleared", known[key].detail) for key in over], now_ms)
    return bool(fresh or over or moved)


def _named(key: Key) -> dict[str, str]:
    return {"device": key[0], "kind": key[1], "subject": key[2]}


def _note(connection: Connection, events: list[tuple[Key, str, str]], now_ms: int) -> None:
    for key, what, detail in events:
        recent = (alert_event.c.device == key[0]) & (alert_event.c.at_ms > now_ms - DAY_MS)
        count = connection.execute(select(func.count()).select_from(alert_event).where(recent)).scalar_one()
        if key[0] and count >= EVENTS_A_DAY_MAX:
            continue
        row = {**_named(key), "what": what, "detail": detail, "at_ms": now_ms}
        connection.execute(insert(alert_event), row)


class Watch:
    """Looks for what only the core can know. One thread uses it."""

    def __init__(self) -> None:
        self._looked_ms = 0
        self._missing: dict[str, int] = {}
        self._dropped: int | None = None
        self._drops, self._rose_ms = 0, 0

    def dropped(self, payload: bytes, *, now_ms: int) -> None:
        """The broker's own count of what it let go. One that is smaller than before is of a broker that was started anew."""
        if not payload.isdigit() or len(payload) > 18:
            return
        count = int(payload)
        if self._dropped is not None and count > self._dropped:
            fresh = now_ms - self._rose_ms > DROPS_MS
            self._drops = count - self._dropped + (0 if fresh else self._drops)
            self._rose_ms = now_ms
        self._dropped = count

    def is_due(self, now_ms: int) -> bool:
        """Whether to look now."""
        return not 0 <= now_ms - self._looked_ms < LOOK_MS  # a clock may be set back

    def look(self, connection: Connection, *, now_ms: int) -> bool:
        """Once; whether there was news."""
        self._looked_ms = now_ms
        found = self._boxes(connection, now_ms) | self._broker(connection, now_ms)
        return settle(connection, found, source="core", of=None, now_ms=now_ms)

    def _boxes(self, connection: Connection, now_ms: int) -> dict[Key, Open]:
        found: dict[Key, Open] = {}
        missing: dict[str, int] = {}
        for row in connection.execute(_BOXES):
            if row.state == "lost" and now_ms - row.since_ms >= LOST_MS:
                found[row.device, AlertKind.BOX_LOST, ""] = Open("", row.since_ms)
            lacks = lacking(json.loads(row.telemetry or b"{}"), row.watermark) if row.state in PRESENT else 0
            if lacks:
                missing[row.device] = self._missing.get(row.device, now_ms)
                if now_ms - missing[row.device] >= MISSING_MS:
                    key = row.device, AlertKind.RECORDS_MISSING, ""
                    found[key] = Open(str(lacks), missing[row.device])
        self._missing = missing
        return found

    def _broker(self, connection: Connection, now_ms: int) -> dict[Key, Open]:
        """Drops, beside the boxes in whose records there was a gap at that time."""
        if not self._rose_ms or now_ms - self._rose_ms > DROPS_MS:
            return {}
        gaps = and_(refused.c.reason == Reason.SEQUENCE_GAP, refused.c.last_ms >= self._rose_ms - MISSING_MS)
        names = list(
            connection.execute(select(refused.c.device).where(gaps).order_by(refused.c.device)).scalars()
        )
        beside = (
            f"; gaps in the records of {', '.join(names[:NAMED_MAX])}" if names else "; no gap in any records"
        )
        more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
        return {("", AlertKind.BROKER_DROPS, ""): Open(f"{self._drops}{beside}{more}", self._rose_ms)}


_BOXES = (
    select(box.c.device, box.c.state, box.c.since_ms, box.c.telemetry, incarnation.c.watermark)
    .outerjoin(device, device.c.device == box.c.device)
    .outerjoin(incarnation, and_(incarnation.c.device == box.c.device, incarnation.c.inc == box.c.inc))
    .where(or_(device.c.state.is_(None), device.c.state == "live"))
)
"""Boxes in service. One without a row in `device` never enrolled: its certificate was made by hand."""


def lacking(health: Mapping[str, object], watermark: int | None) -> int:
    """How many records a box believes to be here that are not. What it still has to hand in is not missing."""
    seq, pending = health.get("seq"), health.get("pending")
    if not isinstance(seq, int) or not isinstance(pending, int):
        return 0
    return max(0, seq - pending - (watermark or 0))
