"""Presence and telemetry of boxes, as the console shows them: true within seconds, whatever order words come in.

A birth, a goodbye and a will say whether a box is there; telemetry says how it is. The newest telemetry counts, and a
batch of words is one transaction. Two things would make presence false, and are not believed at once: a will of an
earlier boot, and telemetry that was under way when its box was lost. Two others nobody ever says: a broker that died
before it could publish a will, and a birth that a broker had no room for. So a box that says nothing at all is lost
(`silent`), and one that goes on speaking after it was lost is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, bindparam, select, update

from tillbox.cloud_bridge.store import notes
from tillbox.cloud_bridge.store.database import upsert
from tillbox.cloud_bridge.store.tables import LEAVING, PRESENT, box
from tillbox.contracts import topics
from tillbox.contracts.messages import State, Telemetry
from tillbox.contracts.verdicts import Reason

TELEMETRY_BYTES_MAX = 4_096
ECHO_MS = 10_000  # a word that comes so long after its box was heard of last was not under way all the while
SILENCE_MS = 40_000
"""A box says something every 15 s at least, and every 35 s while it hands in a long queue. A dead connection shows the
broker only after 45 s (one keepalive and a half)."""
GRACE_MS = 8_000
"""A connection that broke is no death yet: most boxes are back within this. The broker could wait for us (a delayed will),
but mosquitto 2.0.11 frees such a will twice when its client is back first."""
LOOK_MS = 2_000  # how often silence is looked for
STALL_MS = 3 * LOOK_MS  # a core that did not look for so long has not listened either
CHUNK = 400  # boxes per SELECT

Body = TypeVar("Body", bound=BaseModel)

_LOST = (
    update(box)
    .where(box.c.state == bindparam("was"), box.c.heard_ms < bindparam("before"))
    .values(state="lost", since_ms=bindparam("now"))
)
_FROM_AHEAD = update(box).where(box.c.heard_ms > bindparam("now")).values(heard_ms=bindparam("now"))
_KNOWN = select(box).where(box.c.device.in_(bindparam("devices", expanding=True)))


@dataclass(frozen=True, slots=True)
class Word:
    """What came of a box on one of its topics. The broker vouches for the topic."""

    device: str
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Presence:
    """What the core believes of one box. `heard_ms` is the newest word of it or, as a will, about it."""

    state: str
    inc: str
    telemetry: bytes
    since_ms: int
    heard_ms: int


def take(connection: Connection, words: Sequence[Word], *, now_ms: int) -> None:
    """Take in a batch of words, in their order. What is not understood is counted."""
    before = _known(connection, sorted({word.device for word in words}))
    after = dict(before)
    for word in words:
        known = after.get(word.device)
        found = _fold(known, word, now_ms)
        if isinstance(found, Reason):
            notes.count_refused(connection, word.device, found, word.payload, now_ms)
        elif found is not None:
            after[word.device] = found
    rows = [
        _row(device, after[device]) for device in sorted(after) if after[device] is not before.get(device)
    ]
    upsert(connection, box, rows, "device")


def silent(connection: Connection, *, now_ms: int) -> int:
    """Boxes that say nothing any more are lost, whatever the broker thinks. How many that are."""
    return _lose(connection, "online", now_ms - SILENCE_MS, now_ms)


def gone(connection: Connection, *, now_ms: int) -> int:
    """Boxes whose connection broke and that did not come back in their moment. How many that are."""
    # A clock that was set back: nobody was heard in an hour that is still to come, nor will be believed to until then.
    connection.execute(_FROM_AHEAD, {"now": now_ms})
    return _lose(connection, LEAVING, now_ms - GRACE_MS, now_ms)


def _lose(connection: Connection, state: str, heard_before_ms: int, now_ms: int) -> int:
    told = {"was": state, "before": heard_before_ms, "now": now_ms}
    return connection.execute(_LOST, told).rowcount


class Listening:
    """Since when the core hears everybody: only then is silence a box's own. One thread uses it."""

    def __init__(self) -> None:
        self._since_ms: int | None = None
        self._looked_ms = 0

    def may_look(self, now_ms: int, *, up: bool) -> bool:
        """Whether to look for silence now. `up`: whether the core's own line is."""
        stalled = not 0 <= now_ms - self._looked_ms <= STALL_MS  # or set back
        if not stalled and now_ms - self._looked_ms < LOOK_MS:
            return False
        self._looked_ms = now_ms
        if not up:
            self._since_ms = None
        elif stalled or self._since_ms is None:
            self._since_ms = now_ms
        return self._since_ms is not None and now_ms - self._since_ms > SILENCE_MS


def _fold(known: Presence | None, word: Word, now_ms: int) -> Presence | Reason | None:
    """What is believed after a word; None where it changes nothing."""
    if word.topic == topics.state_up(word.device):
        said = _read(State, word.payload)
        return said if isinstance(said, Reason) else _stated(known, said, now_ms)
    if word.topic == topics.telemetry_up(word.device):
        health = _read(Telemetry, word.payload)
        return health if isinstance(health, Reason) else _reported(known, health, now_ms)
    return _spoke(known, now_ms)


def _stated(known: Presence | None, said: State, now_ms: int) -> Presence | None:
    """A birth, a goodbye or a will. A will of an earlier boot says nothing about this one."""
    if known is None:
        return Presence(said.s, said.inc, b"{}", now_ms, now_ms)
    if said.s != "online" and said.inc != known.inc:
        return None
    if said.s == "lost" and known.state == "online":
        # It has a moment to come back, as a box whose socket broke does; `gone` finds it if it does not.
        return replace(known, state=LEAVING, heard_ms=now_ms)
    if said.s == "lost" and known.state == LEAVING:
        return None
    same = known.state == said.s or (known.state, said.s) == (LEAVING, "online")
    since_ms = known.since_ms if same else now_ms
    return replace(known, state=said.s, inc=said.inc, since_ms=since_ms, heard_ms=now_ms)


def _reported(known: Presence | None, health: Telemetry, now_ms: int) -> Presence | None:
    """How a box is doing. A birth comes before it, so of a box that is not there, or in another boot than it, it is an
    echo; unless it goes on."""
    said = health.model_dump_json(exclude_none=True).encode()
    if known is None:
        return Presence("online", health.inc, said, now_ms, now_ms)
    if known.state == "online" and known.inc == health.inc:
        return replace(known, telemetry=said, heard_ms=now_ms)
    if now_ms - known.heard_ms < ECHO_MS:
        return None
    since_ms = known.since_ms if known.state in PRESENT else now_ms
    return Presence("online", health.inc, said, since_ms, now_ms)


def _spoke(known: Presence | None, now_ms: int) -> Presence | None:
    """Anything else that a box that is there says: it is not silent."""
    return replace(known, heard_ms=now_ms) if known is not None and known.state == "online" else None


def _read(model: type[Body], payload: bytes) -> Body | Reason:
    """What is longer than any of ours is nothing of ours."""
    try:
        return model.model_validate_json(payload if len(payload) <= TELEMETRY_BYTES_MAX else b"")
    except ValidationError:
        return Reason.NOT_UNDERSTOOD


def _known(connection: Connection, devices: list[str]) -> dict[str, Presence]:
    found = {}
    for start in range(0, len(devices), CHUNK):
        for row in connection.execute(_KNOWN, {"devices": devices[start : start + CHUNK]}):
            found[row.device] = Presence(row.state, row.inc, row.telemetry, row.since_ms, row.heard_ms)
    return found


def _row(device: str, presence: Presence) -> dict[str, Any]:
    return {
        "device": device,
        "state": presence.state,
        "inc": presence.inc,
        "telemetry": presence.telemetry,
        "since_ms": presence.since_ms,
        "heard_ms": presence.heard_ms,
    }
