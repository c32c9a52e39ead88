"""A town whose boxes come out of the carton: they know their machine and whom to believe, and nothing else. Broker with its
three doors, core with a fleet's keys, an API key, an engineer with a phone; boxes are made one by one."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime
from http.cookiejar import CookieJar
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillbox.broker.mosquitto import Doors, Mosquitto, free_port
from tillbox.broker.pki import Authority, Identity
from tillbox.cloud_bridge.fleet.client import Api
from tillbox.cloud_bridge.fleet.home import FleetHome
from tillbox.hardware.decoding import Found, decode, load
from tillbox.hardware.simulated.paper import paper_picture, paper_text
from tillbox.hardware.simulated.printer import SimulatedPrinter, Slip
from tillbox.hardware.simulated.scanner import SimulatedScanner

from .town import COUPON, GOODS, LEASE, SHOP, START_S, TENANT, Counter, Process, Town, tillbox
from .wire import Wire

HOST = "127.0.0.1"


@dataclass(slots=True)
class FleetTown(Town):
    """A town with a fleet, and no box in it yet."""

    boxes: int = 0
    home: FleetHome = field(init=False)
    doors: Doors = field(init=False)
    box_port: int = 0
    """Where boxes find the broker; each box's own wire leads there."""
    claim_wires: dict[str, Wire] = field(default_factory=dict)
    """Each box's way to the door for claims, by its carton."""

    def _authority(self, now: datetime) -> Authority:
        self.home = FleetHome.create(
            self.folder / "fleet", name="Tillbox demo fleet", now=now, chance=os.urandom
        )
        return self.home.authority

    def _broker(self, authority: Authority, server: Identity) -> Mosquitto:
        self.doors = Doors(free_port(), free_port(), self.home.service_password)
        self.box_port = free_port()
        return Mosquitto(
            self.folder / "broker", port=self.box_port, authority=authority, server=server, doors=self.doors
        )

    def _fleet_part(self) -> dict[str, Any]:
        return {
            "fleet": {
                "home": str(self.home.folder),
                "host": HOST,
                "port": self.box_port,
                "claim_port": self.doors.claim_port,
                "service_port": self.doors.service_port,
                "tenant": TENANT,
                "console_url": f"http://{HOST}:{self.console_port}",
            }
        }

    def cut(self, counter: Counter) -> None:
        """No line at all for this box."""
        counter.wire.cut()
        self.claim_wires[counter.device].cut()

    def mend(self, counter: Counter) -> None:
        """Its line is back."""
        counter.wire.mend()
        self.claim_wires[counter.device].mend()

    def stop(self) -> None:
        """Stop everything that runs."""
        super(FleetTown, self).stop()
        for wire in self.claim_wires.values():
            wire.close()

    def core_command(self, *words: str) -> str:
        """What a command on the core's machine prints."""
        command = [*tillbox(), "core", *words, "--config", str(self.folder / "core" / "core.json")]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=START_S
        ).stdout.strip()

    def api(self, role: str = "operator") -> Api:
        """The API, with a key of that role. It is the demo operator's, who is an admin."""
        key = self.core_command("key", f"demo-{role}", "--role", role, "--owner", "demo")
        return Api(f"http://{HOST}:{self.console_port}", key)

    def shop_settings(self) -> dict[str, Any]:
        """What the tenant decides about all its boxes."""
        issuer = Ed25519PrivateKey.from_private_bytes(self.issuer_seed).public_key().public_bytes_raw()
        return {
            "tenant": TENANT,
            "shop": SHOP,
            "claim_url": f"http://{HOST}:{self.console_port}/r/",
            "issuers": [issuer.hex()],
            "goods": [{"gtin": gtin, "name": name, "price": price} for gtin, name, price in GOODS],
            "stocks": {COUPON["name"]: LEASE},
        }

    def unpack(self, name: str) -> Counter:
        """A box out of its carton, with its devices and not switched on. Its own name it will find itself."""
        home = self.folder / name
        camera = home / "camera"
        camera.mkdir(parents=True)
        wire, printer, scanner = Wire(self.box_port), SimulatedPrinter(), SimulatedScanner()
        claims = self.claim_wires.setdefault(name, Wire(self.doors.claim_port))
        port, api_port = free_port(), free_port()
        config = {
            "state": str(home / "state"),
            "witness": str(home / "witness"),
            "readers": [
                {"kind": "serial", "name": "scanner", "address": str(scanner.path)},
                {"kind": "folder", "name": "camera", "address": str(camera)},
            ],
            "printer": f"{HOST}:{printer.port}",
            "screen_port": port,
            "fleet": {
                "trust": str(self.home.trust_path),
                "claim_host": HOST,
                "claim_port": self.doors.claim_port,
                "broker_via": f"{HOST}:{wire.port}",
                "claims_via": f"{HOST}:{claims.port}",
                "sticks": str(home / "sticks"),
            },
        }
        (home / "box.json").write_text(json.dumps(config))
        command = [*tillbox(), "box", "--config", str(home / "box.json")]
        process = Process(name, command, self.folder / f"{name}.log")
        counter = Counter(name, process, wire, printer, scanner, camera, port, home / "state", api_port)
        self.counters.append(counter)
        return counter

    def phone(self, name: str = "engineer", role: str = "engineer") -> Phone:
        """An engineer's phone, signed in to the console."""
        return Phone(
            f"http://{HOST}:{self.console_port}", name, self.core_command("operator", name, "--role", role)
        )


class Phone:
    """What a phone's browser does: it reads a code, opens its page, and presses what is there."""

    def __init__(self, console: str, name: str, password: str) -> None:
        self._console = console
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.post("/login", name=name, password=password)

    def get(self, path: str) -> str:
        """A page."""
        with self._opener.open(self._whole(path), timeout=START_S) as answer:
            said: str = answer.read().decode()
            return said

    def post(self, path: str, **fields: str) -> str:
        """A form."""
        body = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(self._whole(path), body, {"Origin": self._console})
        with self._opener.open(request, timeout=START_S) as answer:
            said: str = answer.read().decode()
            return said

    def _whole(self, path: str) -> str:
        return path if path.startswith("http") else self._console + path


def codes_on(slip: Slip) -> tuple[Found, ...]:
    """What a phone reads on a paper: the picture of it, through the decoders."""
    grey = load(paper_picture(slip.data))
    return tuple(decode(grey)) if not hasattr(grey, "reason") else ()


def text_of(slip: Slip) -> str:
    """What a person reads on it."""
    return paper_text(slip.data)
