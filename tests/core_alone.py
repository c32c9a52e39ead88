"""A whole core with its pages and its API, and nobody on its line: what a test of doors and pages needs."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy import insert

from tillbox.agent.provisioning.keystore import FileKeyStore
from tillbox.broker.mosquitto import free_port
from tillbox.cloud_bridge.config import CoreConfig
from tillbox.cloud_bridge.console.auth import new_password
from tillbox.cloud_bridge.fleet.acts import Fleet, perform
from tillbox.cloud_bridge.fleet.enrolment import Registrar
from tillbox.cloud_bridge.fleet.home import FleetHome
from tillbox.cloud_bridge.payments.channels.sandbox_seal import make_secret
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.serving import Running, build
from tillbox.cloud_bridge.store import registry, tables
from tillbox.cloud_bridge.store.database import Database
from tillbox.contracts.messages import EnrolAsk
from tillbox.contracts.proofs import BIRTH, web


@dataclass(frozen=True)
class CoreAlone:
    """A running core."""

    url: str
    running: Running
    home: FleetHome

    @property
    def database(self) -> Database:
        return self.running.core.database

    def operator(self, role: str) -> str:
        """An operator by the name of a role; the password."""
        return new_password(self.database, role, chance=os.urandom, role=role)

    def do(self, act: str, **body: Any) -> Any:
        """An act, as head office does it."""
        fleet = Fleet(self.home.key, "corner-tea", "127.0.0.1", 8884, 100, 1_000, Schedule())
        who = {"who": "ann", "role": "admin"}
        return perform(self.database, fleet, act, body, **who, now_ms=now_ms(), chance=os.urandom)

    def enrol(self, place: str, device: str, birth: bytes = b"") -> None:
        """A box is let in and stands there, as the registry keeps it."""
        with self.database.writing() as connection:
            key = b"not asked for"
            registry.enlist(connection, device, key, hardware="Pi 5", software="tillbox", at_ms=now_ms())
            epoch = registry.bind(connection, place, device, now_ms())
            if birth:
                registry.born(connection, device, epoch, birth)

    def let_in(self, place: str, box: FileKeyStore, birth: bytes) -> str:
        """A box with a key of its own claims its place; the proof that its birth slip carries."""
        token = self.do("make-claims", places=[place]).claims[0].typed
        registrar = Registrar(self.database, self.home.authority, self.home.key, host="127.0.0.1", port=8883)
        ask = EnrolAsk(token=token, request=box.request().decode(), hardware="Pi 5", software="tillbox")
        answer = registrar.answer(ask.model_dump_json().encode(), now_ms=now_ms())
        with self.database.writing() as connection:
            assert registry.born(connection, box.device, answer.epoch, birth), answer
        return web(box.sign(BIRTH + birth))

    def hear(self, device: str, state: str, telemetry: bytes = b"{}") -> None:
        """What is believed of a box."""
        row = {"device": device, "state": state, "inc": "0" * 16, "telemetry": telemetry}
        with self.database.writing() as connection:
            connection.execute(insert(tables.box), {**row, "since_ms": now_ms(), "heard_ms": now_ms()})


def photograph(size: tuple[int, int] = (64, 48), form: str = "JPEG", **more: Any) -> bytes:
    """A picture as a phone takes it: whatever is given is written beside it."""
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, form, **more)
    return out.getvalue()


def now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


@contextmanager
def core_alone(folder: Path) -> Iterator[CoreAlone]:
    """It runs until the end of the block."""
    now, port = datetime.now(UTC), free_port()
    home = FleetHome.create(folder / "fleet", name="test", now=now, chance=os.urandom)
    identity = home.authority.issue_client(folder / "core", name="core", now=now)
    make_secret(folder / "wallet.secret", os.urandom(32))
    url = f"http://127.0.0.1:{port}"
    config = CoreConfig.model_validate(
        {
            "database": f"sqlite:///{folder / 'core.db'}",
            "broker": {
                "host": "127.0.0.1",
                "port": free_port(),
                "authority": identity.authority,
                "certificate": identity.certificate,
                "key": identity.key,
            },
            "wallet": {
                "url": "http://127.0.0.1:9",
                "merchant": "m",
                "secret": str(folder / "wallet.secret"),
            },
            "fleet": {
                "home": home.folder,
                "host": "127.0.0.1",
                "port": 8883,
                "claim_port": 8884,
                "service_port": free_port(),
                "tenant": "corner-tea",
                "console_url": url,
            },
            "http_port": port,
        }
    )
    running = build(config, chance=os.urandom)
    running.start()
    try:
        yield CoreAlone(url, running, home)
    finally:
        running.stop()
