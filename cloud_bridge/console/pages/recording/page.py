"""One remote shell: who was in, why, how it ended, and what was on the terminal, as text."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.fleet import recordings


@dataclass(frozen=True, slots=True)
class RecordingPage:
    """`lines` are what was shown, of a long recording the last."""

    shell: str
    device: str
    position: str
    who: str
    why: str
    begun_ms: int
    ended_ms: int | None
    reason: str
    lines: tuple[str, ...]
    whole: bool


def show(connection: Connection, asked: Asked) -> RecordingPage | None:
    """The shell of that id, if there was one."""
    shell = asked.names["shell"][:36]
    found = recordings.of(connection, shell)
    if found is None:
        return None
    lines, whole = recordings.shown(connection, shell)
    return RecordingPage(
        shell=shell,
        device=found.device,
        position=found.position,
        who=found.made_by,
        why=str(found.params["why"]),
        begun_ms=found.made_ms,
        ended_ms=found.ended_ms,
        reason=found.reason,
        lines=tuple(lines),
        whole=whole,
    )
