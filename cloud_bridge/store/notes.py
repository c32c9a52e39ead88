"""What is told to people: alarms, and refusals that are counted."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from tillbox.cloud_bridge.alarms import Alarm

from .database import upsert
from .tables import alarm, refused

SAMPLE_BYTES = 200


def shout(connection: Connection, kind: Alarm, *, device: str, ref: str, detail: str, now_ms: int) -> None:
    """An alarm: somebody must look. The same one is raised once, however often its cause is sent again."""
    same = (alarm.c.kind == kind) & (alarm.c.device == device) & (alarm.c.ref == ref)
    if connection.execute(select(alarm.c.id).where(same, alarm.c.detail == shown(detail)).limit(1)).first():
        return
    row = {"kind": kind, "device": device, "ref": ref, "detail": shown(detail), "at_ms": now_ms}
    connection.execute(insert(alarm), row)


def count_refused(
    connection: Connection, device: str, reason: str, sample: bytes, now_ms: int, *, times: int = 1
) -> None:
    """Count what was refused, and keep the beginning of the newest for a person to look at."""
    where = (refused.c.device == device) & (refused.c.reason == reason)
    count = connection.execute(select(refused.c.count).where(where)).scalar() or 0
    row = {
        "device": device,
        "reason": reason,
        "count": count + times,
        "sample": shown(sample[:SAMPLE_BYTES].decode("utf-8", "backslashreplace")),
        "last_ms": now_ms,
    }
    upsert(connection, refused, [row], "device", "reason")


def shown(text: str) -> str:
    """Text from outside as it may be kept and looked at: PostgreSQL takes no NUL, and a person sees none."""
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text[:200])[:200]
