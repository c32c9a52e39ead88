"""Keeps out who was put out: the revocation list says so to the broker, and a kick ends what is connected.

It goes by what the registry says, not by what it was told: a core that died between the two goes on where it was. A
list that has run out would keep everybody out, so it is written anew every day.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from tillbox.broker.mosquitto import SERVICE_USER, KickFailed, kick
from tillbox.broker.pki import Authority
from tillbox.cloud_bridge.store import registry
from tillbox.cloud_bridge.store.database import Database

LOOK_S = 60.0
HOLD_S = 4.0  # the shortest wait of a box before it comes back is a second, and the broker reads the list within one
SETTLE_S = 0.5  # the broker looks for a new list five times a second
AGAIN_S = 2.0
LIST_MS = 24 * 3_600_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ServiceDoor:
    """Where the broker lets the core take a client's place; with an authority by TLS."""

    host: str
    port: int
    password: str
    authority: Path | None


class Warden:
    """One thread beside the core's worker."""

    def __init__(
        self,
        database: Database,
        authority: Authority,
        door: ServiceDoor,
        *,
        copy: Path | None,
        now_ms: Callable[[], int],
    ) -> None:
        self._database, self._authority, self._now_ms = database, authority, now_ms
        self._door, self._copy = door, copy
        self._woken, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="warden", daemon=True)
        self._listed_ms = 0

    def start(self) -> None:
        """Go to work."""
        self._thread.start()

    def wake(self) -> None:
        """Somebody was put out: do not wait for the next round."""
        self._woken.set()

    def stop(self) -> None:
        """End soon."""
        self._ended.set()
        self._woken.set()
        self._thread.join(HOLD_S + 1.0)

    def _work(self) -> None:
        wait_s = 0.0
        while not self._ended.is_set():
            self._woken.wait(wait_s)
            self._woken.clear()
            try:
                wait_s = LOOK_S if self.look() else AGAIN_S
            except Exception:
                log.exception("warden.failed", hint="it is tried again")
                wait_s = LOOK_S

    def look(self) -> bool:
        """Once: write the list if it lacks somebody or is a day old, and throw out who is still in. False where
        somebody may still be in."""
        now_ms = self._now_ms()
        with self._database.reading() as connection:
            rows = registry.revoked(connection, now_ms)
        serials = {int(row.serial, 16) for row in rows}
        if serials - self._authority.revoked_serials() or now_ms - self._listed_ms > LIST_MS:
            now = datetime.fromtimestamp(now_ms / 1000, UTC)
            self._listed_ms = 0  # until it lies where the broker finds it
            self._authority.revoke_serials(tuple(serials), now=now)
            if self._copy is not None:
                self._authority.copy_revocations(self._copy)
            self._listed_ms = now_ms
            self._ended.wait(SETTLE_S)
        out = [
            self._throw_out(name) for name in sorted({row.device for row in rows if row.kicked_ms is None})
        ]
        return all(out)

    def _throw_out(self, name: str) -> bool:
        try:
            door = self._door
            held = kick(
                door.port, name, user=SERVICE_USER, password=door.password, hold_s=HOLD_S, host=door.host, authority=door.authority,
            )  # fmt: skip
        except KickFailed as why:
            log.warning("warden.no_kick", device=name, why=str(why), hint="it is tried again")
            return False
        if held:
            with self._database.writing() as connection:
                registry.kicked(connection, name, self._now_ms())
            log.info("warden.out", device=name)
        else:
            log.warning("warden.came_back", device=name, hint="does the broker read the revocation list?")
        return held
