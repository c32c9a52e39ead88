"""compose.yaml without containers: the very files that it mounts, each where it is mounted, under a folder that stands for
the root; real mosquittos, the real core on a real PostgreSQL, and a real box that enrols, and is put out."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import create_engine, select, text
from tests.deploy.machine import ROOT
from tests.patience import eventually

from tillbox.broker.line import Down, Happening, Up
from tillbox.broker.mosquitto import SERVICE_USER, Doors, KickFailed, free_port, kick
from tillbox.broker.mqtt import Endpoint, MqttLine
from tillbox.broker.pki import Authority, Identity
from tillbox.cloud_bridge.fleet.home import FleetHome
from tillbox.cloud_bridge.store import tables
from tillbox.demo.fleet_town import FleetTown
from tillbox.demo.town import COUPON, Process, tillbox
from tillbox.proof.drills.stage import Stage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.mosquitto,
    pytest.mark.postgres,
    pytest.mark.drill,
    pytest.mark.timeout(400),
]
HERE = ROOT / "deploy/container"
COMPOSE = yaml.safe_load((HERE / "compose.yaml").read_text())
BROKER, CORE = COMPOSE["services"]["broker"], COMPOSE["services"]["core"]
DOORS = (8883, 8884, 1884)
NAME = "broker.example"


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """What is mounted, by where."""
    return {where: what for what, where, *_ in (one.split(":") for one in service["volumes"])}


@dataclass(slots=True)
class Containers:
    """The broker's container, as compose starts it."""

    process: Process
    port: int
    claim_port: int

    def start(self) -> None:
        self.process.start()
        for port in (self.port, self.claim_port):
            assert eventually(lambda port=port: listens(port)), self.process.log.read_text()

    def stop(self) -> None:
        self.process.stop()


@dataclass(slots=True)
class ComposeTown(FleetTown):
    """A town whose broker and core are the compose file's."""

    server: str = ""
    ports: dict[int, int] = field(default_factory=lambda: {port: free_port() for port in DOORS})

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def here(self, said: str) -> str:
        """A file's text with each place that is mounted under our root, and ports that are free."""
        for where in sorted({**mounts(BROKER), **mounts(CORE)}, key=len, reverse=True):
            said = re.sub(rf"(?<![\w.-]){where}(?=[/\s\"']|$)", f"{self.root}{where}", said)
        for port, free in self.ports.items():
            said = re.sub(rf"\b{port}\b", str(free), said)
        return said

    def put(self, where: str, said: str) -> Path:
        path = Path(f"{self.root}{where}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(said)
        return path

    def _authority(self, now: datetime) -> Authority:
        for service in (BROKER, CORE):
            for where, what in mounts(service).items():
                if (HERE / what).is_file():
                    self.put(where, self.here((HERE / what).read_text()))
                else:
                    (self.root / where.strip("/")).mkdir(parents=True, exist_ok=True)
        command("fleet", "init", f"{self.root}/fleet")
        self.home = FleetHome(self.root / "fleet")
        return self.home.authority

    def _broker(self, authority: Authority, server: Identity) -> Containers:
        names = [part for name in (NAME, "broker", "127.0.0.1") for part in ("--name", name)]
        ports = ("--claim-port", str(self.ports[8884]), "--service-port", str(self.ports[1884]))
        to = ("--to", f"{self.root}/var/lib/tillbox-broker", "--core", f"{self.root}/identity")
        command("fleet", "broker", f"{self.root}/fleet", *to, *names, *ports, "--core-elsewhere")
        for where in ("/etc/tillbox/mosquitto.conf", "/var/lib/tillbox-broker/claims.conf"):
            path = Path(f"{self.root}{where}")
            # In its container it is started as its user; here, by root, it would change to one who cannot read our files.
            path.write_text(self.here(path.read_text()) + ("\nuser root\n" if os.geteuid() == 0 else ""))
        self.doors = Doors(self.ports[8884], self.ports[1884], self.home.service_password)
        self.box_port = self.ports[8883]
        started = [one if one == "/bin/sh" else self.here(one) for one in BROKER["command"]]
        process = Process("broker", started, self.folder / "broker.log")
        return Containers(process, self.ports[8883], self.ports[8884])

    def _build_core(self, authority: Authority, now: datetime) -> None:
        """What cannot be as in the container: names that only its network knows, the console's port, the wallet."""
        FleetTown._build_core(self, authority, now)
        config = tomllib.loads(Path(f"{self.root}/etc/tillbox/core.toml").read_text())
        assert (config["broker"]["host"], config["fleet"]["service_host"]) == ("broker", "broker")
        config["broker"]["host"] = config["fleet"]["service_host"] = "127.0.0.1"
        config["database"] = f"{self.server}/{config['database'].rpartition('/')[2]}"
        config["wallet"] |= {"url": self.wallet_url, "secret": str(self.folder / "wallet/merchant.secret")}
        config["fleet"]["console_url"] = f"http://127.0.0.1:{self.console_port}"
        config |= {"http_port": self.console_port, "http_host": "127.0.0.1", "stocks": [COUPON]}
        (self.folder / "core/core.json").write_text(json.dumps(config))


@dataclass(slots=True)
class ComposeStage(Stage):
    server: str = ""

    def __post_init__(self) -> None:
        self.town = ComposeTown(self.folder, server=self.server)


@pytest.fixture
def stage(tmp_path: Path, postgres: str) -> Iterator[ComposeStage]:
    admin = create_engine(f"{postgres}/postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS tillbox"))
        connection.execute(text("CREATE DATABASE tillbox"))
    opened = ComposeStage(tmp_path, print, server=postgres)
    try:
        opened.open()
        yield opened
    finally:
        opened.close()
        admin.dispose()


def command(*words: str) -> None:
    subprocess.run([*tillbox(), *words], check=True, capture_output=True, timeout=60)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_box_enrols_at_the_door_for_claims_sells_and_is_refused_once_it_is_revoked(
    stage: ComposeStage,
) -> None:
    town = stage.town
    stage.plan("store1/lane1")
    box, device, _ = stage.box("carton", "store1/lane1")
    list_before = Path(f"{town.root}/var/lib/tillbox-broker/ca.crl").read_bytes()

    stage.api.act("revoke-box", {"device": device})
    stage.until("the till to stop", lambda: box.look().get("phase") == "Stopped")
    stage.until("the kick to hold", lambda: kicked(stage.server, device), 20.0)
    assert Path(f"{town.root}/var/lib/tillbox-broker/ca.crl").read_bytes() != list_before
    box.process.stop()
    assert "revoked" in refused(town, box.state, device)

    with pytest.raises(KickFailed, match="password"):
        service(town, "guess" * 20)
    with pytest.raises(KickFailed, match="cannot be used"):
        service(town, town.doors.secret, tls=False)

    # Of half a broker nobody would hear: the container ends, and compose starts it anew.
    script = town.broker.process.running
    children = Path(f"/proc/{script.pid}/task/{script.pid}/children").read_text().split()
    (claims,) = (one for one in children if b"claims.conf" in Path(f"/proc/{one}/cmdline").read_bytes())
    os.kill(int(claims), signal.SIGKILL)
    assert eventually(lambda: script.poll() == 1 and not listens(town.box_port))


def kicked(server: str, device: str) -> bool:
    """Whether the core knows that the box was thrown out and did not come back."""
    engine = create_engine(f"{server}/tillbox")
    with engine.connect() as connection:
        found = connection.execute(
            select(tables.certificate.c.kicked_ms).where(tables.certificate.c.device == device)
        )
        held = found.scalars().all()
    engine.dispose()
    return bool(held) and None not in held


def refused(town: ComposeTown, state: Path, device: str) -> str:
    """What somebody hears who comes to the boxes' door with that box's own certificate and key."""
    mine = state / "identity"
    endpoint = Endpoint(
        host="127.0.0.1", port=town.box_port, client_id=device, authority=mine / "root.crt",
        certificate=mine / "box.crt", key=mine / "box.key", subscriptions=(),
    )  # fmt: skip
    heard: list[Happening] = []
    line = MqttLine(endpoint)
    line.start(heard.append)
    came = eventually(lambda: any(isinstance(one, Down) for one in heard))
    line.stop()
    assert came
    assert not any(isinstance(one, Up) for one in heard)
    return next(one.why for one in heard if isinstance(one, Down))


def service(town: ComposeTown, password: str, *, tls: bool = True) -> bool:
    authority = town.authority.certificate if tls else None
    return kick(
        town.doors.service_port, "nobody", user=SERVICE_USER, password=password, hold_s=0.1, host="127.0.0.1",
        authority=authority,
    )  # fmt: skip
