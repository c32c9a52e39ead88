"""Sends what was commanded until the boxes' own journals end it, and lets the waves of a bulk go.

It goes by what the database says: a core that died between two sends goes on where it was.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row

from tillbox.cloud_bridge.store import commands
from tillbox.cloud_bridge.store.database import Database

from . import audit
from .commanding import MINUTE_MS, SendCommands
from .waves import Standing, Turn, turn

WHO = "core"


class Dispatch:
    """The way out for commands. One thread uses it."""

    def __init__(self, database: Database, pace: commands.Pace = commands.PACE) -> None:
        self._database, self._pace = database, pace

    def turn(self, now_ms: int) -> list[tuple[str, bytes]]:
        """Once: what is to be sent now, each with its box. It is noted as sent before it is, so that a core that falls over
        on the way sends it later and not in a circle."""
        with self._database.writing() as connection:
            commands.expire(connection, now_ms, self._pace)
            for row in commands.running(connection):
                _go_on(connection, row, now_ms)
            rows = commands.due(connection, now_ms)
            commands.sent(connection, rows, now_ms, self._pace)
        return [(row.device, row.sealed) for row in rows]


def _go_on(connection: Connection, row: Row[Any], now_ms: int) -> None:
    asked = SendCommands.model_validate(json.loads(row.asked))
    found = commands.tally(connection, [row.id])[row.id]
    standing = Standing(
        wave=row.wave,
        last=len(asked.waves) - 1,
        since_ms=row.wave_ms or row.made_ms,
        open=found["open"],
        failed=found.get("failed", 0),
        stop_if_failed=asked.stop_if_failed,
        patience_ms=asked.patience_minutes * MINUTE_MS,
        rest_ms=asked.rest_minutes * MINUTE_MS,
    )
    match turn(standing, now_ms):
        case Turn.NEXT:
            commands.release(connection, row.id, row.wave + 1, now_ms)
        case Turn.DONE:
            commands.change_bulk(connection, row.id, state="done")
        case Turn.STOP:
            why = f"{standing.failed} boxes failed; {standing.stop_if_failed} may. It stopped by itself."
            commands.change_bulk(connection, row.id, state="stopped", why=why)
            commands.call_off(connection, row.id, why, now_ms)
            audit.note(connection, who=WHO, act="stop-bulk", subject=row.id, detail=why, at_ms=now_ms)
