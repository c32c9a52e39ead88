"""Presence and telemetry of boxes, as the console shows them. Droppable: the newest word counts."""

from __future__ import annotations

from pydantic import ValidationError
from sqlalchemy import Connection, select

from tillbox.cloud_bridge.store.database import upsert
from tillbox.cloud_bridge.store.tables import box
from tillbox.contracts.messages import State, Telemetry
from tillbox.contracts.verdicts import Reason

TELEMETRY_BYTES_MAX = 4_096


def state(connection: Connection, device: str, payload: bytes, *, now_ms: int) -> Reason | None:
    """A birth, a goodbye or a will. A will of an earlier boot says nothing about this one."""
    try:
        said = State.model_validate_json(_bounded(payload))
    except ValidationError:
        return Reason.NOT_UNDERSTOOD
    known = connection.execute(select(box).where(box.c.device == device)).one_or_none()
    if known is not None and said.s != "online" and said.inc != known.inc:
        return None
    changed = known is None or known.state != said.s
    row = {
        "device": device,
        "state": said.s,
        "inc": said.inc,
        "telemetry": known.telemetry if known is not None else b"{}",
        "since_ms": now_ms if changed or known is None else known.since_ms,
        "heard_ms": now_ms,
    }
    upsert(connection, box, [row], "device")
    return None


def telemetry(connection: Connection, device: str, payload: bytes, *, now_ms: int) -> Reason | None:
    """How a box is doing."""
    try:
        said = Telemetry.model_validate_json(_bounded(payload))
    except ValidationError:
        return Reason.NOT_UNDERSTOOD
    known = connection.execute(select(box).where(box.c.device == device)).one_or_none()
    row = {
        "device": device,
        "state": "online",
        "inc": said.inc,
        "telemetry": said.model_dump_json(exclude_none=True).encode(),
        "since_ms": known.since_ms if known is not None and known.state == "online" else now_ms,
        "heard_ms": now_ms,
    }
    upsert(connection, box, [row], "device")
    return None


def _bounded(payload: bytes) -> bytes:
    """What is longer than any of ours is nothing of ours."""
    return payload if len(payload) <= TELEMETRY_BYTES_MAX else b""
