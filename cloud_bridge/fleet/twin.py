"""The twin: what each box is to be, what it says it is, and bringing the two together.

Nothing is sent because something happened: a box that is there and says another version than the one it should have is
sent its settings, again and again, until it says that it has them, or why it does not take them. So no broker has to keep
anything, and a core that was restored goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, func, or_, select, update

from tillbox.cloud_bridge.store.database import upsert
from tillbox.cloud_bridge.store.tables import PRESENT, binding, box, desired, reported, setting
from tillbox.contracts import topics
from tillbox.contracts.messages import State

from . import audit
from .presence import Word
from .settings import Wrong, for_box

AGAIN_MS = 30_000  # a box answers within seconds, or waits for a customer to go
AT_ONCE = (
    100  # settings sent in one look: a shop list each, so that a change for ten thousand boxes takes minutes
)
AFRESH_AT_ONCE = 200  # boxes whose settings are made anew in one look: below a second

log = structlog.get_logger(__name__)


class Change(BaseModel):
    """One setting that differs. Lists are told by their length and what came and went."""

    setting: str
    before: object
    after: object


def difference(before: dict[str, object], after: dict[str, object]) -> list[Change]:
    """What differs, by name; what is in neither or the same in both is not listed."""
    names = sorted(before.keys() | after.keys())
    return [
        Change(setting=name, before=before.get(name), after=after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]


def take(connection: Connection, words: Iterable[Word], *, now_ms: int) -> None:
    """What boxes say of the settings that they use."""
    rows = {}
    for word in words:
        if word.topic != topics.state_up(word.device):
            continue
        try:
            said = State.model_validate_json(word.payload)
        except ValidationError:
            continue  # presence has counted it
        if said.s == "online" and said.twin is not None:
            rows[word.device] = {
                "device": word.device,
                "version": said.twin,
                "refused": said.twin_refused or "",
                "refused_version": said.twin_said or 0,
                "at_ms": now_ms,
            }
    upsert(connection, reported, list(rows.values()), "device")


@dataclass(frozen=True, slots=True)
class Send:
    """Settings on their way."""

    device: str
    sealed: bytes


def due(connection: Connection, *, now_ms: int) -> list[Send]:
    """Who is there with other settings than it should have, and was not sent them a moment ago."""
    other = or_(reported.c.version.is_(None), reported.c.version != desired.c.version)
    untold = or_(reported.c.refused_version.is_(None), reported.c.refused_version != desired.c.version)
    query = (
        select(desired.c.device, desired.c.sealed)
        .join(box, box.c.device == desired.c.device)
        .outerjoin(reported, reported.c.device == desired.c.device)
        .where(box.c.state.in_(PRESENT), other, untold, desired.c.sent_ms < now_ms - AGAIN_MS)
        .limit(AT_ONCE)
    )
    found = [Send(row.device, row.sealed) for row in connection.execute(query)]
    if found:
        sent = desired.c.device.in_([one.device for one in found])
        connection.execute(update(desired).where(sent).values(sent_ms=now_ms))
    return found


class Afresh:
    """Makes settings anew after somebody decided something, a few boxes at a time. One thread uses it."""

    def __init__(self) -> None:
        self._seen = -1
        self._after: str | None = ""
        self._wrong: dict[str, str] = {}
        """What is wrong with whose settings, as the audit log says already."""

    def look(self, connection: Connection, key: bytes, *, now_ms: int) -> int:
        """How many boxes have new settings."""
        count: int = connection.execute(select(func.count()).select_from(setting)).scalar_one()
        if count != self._seen:
            self._seen, self._after = count, ""
        return 0 if self._after is None else self._some(connection, self._after, key, now_ms)

    def _some(self, connection: Connection, after: str, key: bytes, now_ms: int) -> int:
        live = (binding.c.fenced_ms.is_(None)) & (binding.c.position > after)
        query = select(binding.c.position, binding.c.epoch, binding.c.device).where(live)
        rows = list(connection.execute(query.order_by(binding.c.position).limit(AFRESH_AT_ONCE)))
        self._after = rows[-1].position if rows else None
        return sum(self._one(connection, row.position, row.epoch, row.device, key, now_ms) for row in rows)

    def _one(
        self, connection: Connection, place: str, epoch: int, device: str, key: bytes, now_ms: int
    ) -> bool:
        found = for_box(connection, device, place, epoch, key=key, now_ms=now_ms)
        if isinstance(found, Wrong):
            if self._wrong.get(device) != found.why:
                self._wrong[device] = found.why
                audit.note(
                    connection,
                    who="core",
                    act="settings wrong",
                    subject=device,
                    detail=found.why,
                    at_ms=now_ms,
                )
            return False
        self._wrong.pop(device, None)
        return found[1]
