"""Who is there, and how they are wired: broker, wallet company, core and boxes as processes of their own, with
certificates made on the spot; cables that can be cut; twins of every device, with paper that outlives a box."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, NullPool, create_engine

from tillbox.broker.mosquitto import Mosquitto, free_port
from tillbox.broker.pki import Authority, Identity
from tillbox.cloud_bridge.payments.channels.sandbox_seal import make_secret
from tillbox.contracts.codes import CouponClaims, seal_coupon
from tillbox.contracts.money import CNY, Amount
from tillbox.hardware.simulated.printer import SimulatedPrinter, Slip
from tillbox.hardware.simulated.scanner import SimulatedScanner

from .wire import Wire

TENANT = "corner-tea"
SHOP = "街角茶铺 Corner Tea"
START_S = 30.0
STOP_S = 5.0
GOODS = (
    ("6901234567892", "茉莉花茶 Jasmine tea", 1200),
    ("6901028000017", "乌龙奶茶 Oolong milk tea", 1800),
    ("6920202888883", "柠檬红茶 Lemon tea", 1500),
    ("6934567000002", "豆沙饼 Bean cake", 650),
)
COUPON = {"name": "tea5", "title": "满20减5 · 5 off 20", "quantity": 500, "lease_ms": 24 * 3_600_000}
LEASE = 20
YEAR_MS = 365 * 24 * 3_600_000


@dataclass(slots=True)
class Process:
    """One process that may be killed and started again."""

    name: str
    command: list[str]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.running is not None and self.running.poll() is None

    def start(self) -> None:
        """Start it, unless it runs."""
        if self.alive:
            return
        with self.log.open("ab") as out:
            self.running = subprocess.Popen(self.command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end; insist after a while."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.running is None:
            return
        if self.running.poll() is None:
            self.running.send_signal(how)
        try:
            self.running.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait(STOP_S)
        self.running = None


@dataclass(slots=True)
class Counter:
    """One box and everything around it in the shop."""

    device: str
    process: Process
    wire: Wire
    printer: SimulatedPrinter
    scanner: SimulatedScanner
    camera: Path
    screen_port: int
    state: Path
    api_port: int
    pictures: int = 0

    @property
    def url(self) -> str:
        """The till's own page."""
        return f"http://127.0.0.1:{self.screen_port}"

    def look(self) -> dict[str, Any]:
        """What the till's page says, as data; empty while the box is off."""
        with (
            contextlib.suppress(OSError, ValueError),
            urllib.request.urlopen(f"{self.url}/state.json", timeout=3) as answer,
        ):
            found: dict[str, Any] = json.loads(answer.read())
            return found
        return {}

    def press(self, action: str, **fields: str) -> bool:
        """Press a button of the till's page."""
        token = self.look().get("token", "")
        body = urllib.parse.urlencode({"token": token, **fields}).encode()
        request = urllib.request.Request(f"{self.url}/do/{action}", body, {"X-Requested-With": "fetch"})
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=3):
            return True
        return False

    def hold_before_camera(self, picture: bytes, ending: str = "png") -> None:
        """Show the camera a picture."""
        self.pictures += 1
        fresh = self.camera / f"{self.pictures:06d}.{ending}"
        part = fresh.with_suffix(".part")
        part.write_bytes(picture)
        part.rename(fresh)
        for old in sorted(self.camera.iterdir())[:-20]:
            old.unlink(missing_ok=True)

    def papers(self) -> list[Slip]:
        """Every slip that came out, oldest first."""
        return list(self.printer.papers)


@dataclass(slots=True)
class Town:
    """Everything, in one folder."""

    folder: Path
    boxes: int = 2
    fast_payments: bool = False
    counters: list[Counter] = field(default_factory=list)
    issuer_seed: bytes = field(default_factory=lambda: os.urandom(32))
    console_port: int = 0
    authority: Authority = field(init=False)
    broker: Mosquitto = field(init=False)
    core: Process = field(init=False)
    wallet: Process = field(init=False)
    wallet_url: str = ""
    password: str = ""

    def build(self) -> None:
        """Make certificates, secrets and configurations. Nothing runs yet."""
        self.folder.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        self.authority = authority = self._authority(now)
        server = authority.issue_server(self.folder / "broker", names=("127.0.0.1", "localhost"), now=now)
        self.broker = self._broker(authority, server)
        self.console_port = self.console_port or free_port()
        self._build_wallet()
        self._build_core(authority, now)
        for number in range(1, self.boxes + 1):
            self._build_counter(f"box-{number}", authority, now)

    def _authority(self, now: datetime) -> Authority:
        return Authority.create(self.folder / "ca", name="Tillbox demo fleet", now=now)

    def _broker(self, authority: Authority, server: Identity) -> Mosquitto:
        return Mosquitto(self.folder / "broker", port=free_port(), authority=authority, server=server)

    def _fleet_part(self) -> dict[str, Any]:
        """What the core is told of a fleet: nothing here, where boxes have their certificates from the start."""
        return {}

    def start(self) -> None:
        """Start everything, and return when every screen answers."""
        self.broker.start()
        self.wallet.start()
        self.core.start()
        self._wait("the console", lambda: answers(f"http://127.0.0.1:{self.console_port}/login"))
        self.password = self._make_operator()
        for counter in self.counters:
            counter.process.start()
        for counter in self.counters:
            self._wait(counter.device, lambda counter=counter: counter.look().get("online") is True)

    def stop(self) -> None:
        """Stop everything that runs."""
        for counter in self.counters:
            counter.process.stop()
            counter.wire.close()
            counter.printer.close()
            counter.scanner.close()
        for process in (getattr(self, "core", None), getattr(self, "wallet", None)):
            if process is not None:
                process.stop()
        if hasattr(self, "broker"):
            self.broker.stop()

    def coupon(self, serial: int | None) -> str:
        """The text of a genuine coupon. Without a serial it is the poster's."""
        claims = CouponClaims(
            tenant=TENANT,
            template=str(COUPON["name"]),
            serial=serial,
            not_before_ms=0,
            not_after_ms=time.time_ns() // 1_000_000 + YEAR_MS,
            threshold=Amount(2_000, CNY),
            discount=Amount(500, CNY),
            title=str(COUPON["title"]),
        )
        return seal_coupon(claims, private_key=self.issuer_seed)

    @contextlib.contextmanager
    def book(self) -> Iterator[Connection]:
        """The core's own tables to read, for whoever compares."""
        file = self.folder / "core" / "core.db"
        engine = create_engine(f"sqlite:///file:{file}?mode=ro&uri=true", poolclass=NullPool)
        with engine.connect() as connection:
            yield connection

    def _build_wallet(self) -> None:
        home = self.folder / "wallet"
        home.mkdir(exist_ok=True)
        for name in ("merchant.secret", "office.secret"):
            make_secret(home / name, os.urandom(32))
        port = free_port()
        self.wallet_url = f"http://127.0.0.1:{port}"
        merchant = {
            "name": TENANT,
            "secret_path": str(home / "merchant.secret"),
            "notify_url": f"http://127.0.0.1:{self.console_port}/notify",
        }
        config = {
            "state_path": str(home / "wallet.db"),
            "merchants": [merchant],
            "office_secret_path": str(home / "office.secret"),
        }
        (home / "wallet.json").write_text(json.dumps(config))
        command = [*tillbox(), "channel", "--config", str(home / "wallet.json"), "--port", str(port)]
        self.wallet = Process("wallet", command, self.folder / "wallet.log")

    def _build_core(self, authority: Authority, now: datetime) -> None:
        home = self.folder / "core"
        identity = authority.issue_client(home, name="core", now=now)
        config: dict[str, Any] = {
            "database": f"sqlite:///{home / 'core.db'}",
            "broker": {
                "host": "127.0.0.1",
                "port": self.broker.port,
                "authority": str(identity.authority),
                "certificate": str(identity.certificate),
                "key": str(identity.key),
            },
            "wallet": {
                "url": self.wallet_url,
                "merchant": TENANT,
                "secret": str(self.folder / "wallet" / "merchant.secret"),
            },
            "http_port": self.console_port,
            "stocks": [COUPON],
            **self._fleet_part(),
        }
        if self.fast_payments:
            config |= {"query_ms": 1_000, "window_ms": 6_000, "reverse_floor_ms": 2_000}
        (home / "core.json").write_text(json.dumps(config))
        self.core = Process(
            "core",
            [*tillbox(), "core", "run", "--config", str(home / "core.json")],
            self.folder / "core.log",
        )

    def _build_counter(self, device: str, authority: Authority, now: datetime) -> None:
        home = self.folder / device
        identity = authority.issue_client(home, name=device, now=now)
        camera = home / "camera"
        camera.mkdir(exist_ok=True)
        wire, printer, scanner = Wire(self.broker.port), SimulatedPrinter(), SimulatedScanner()
        issuer = Ed25519PrivateKey.from_private_bytes(self.issuer_seed).public_key().public_bytes_raw()
        port, api_port = free_port(), free_port()
        config = {
            "device": device,
            "tenant": TENANT,
            "shop": SHOP,
            "state": str(home / "state"),
            "witness": str(home / "witness"),
            "broker": {
                "host": "127.0.0.1",
                "port": wire.port,
                "authority": str(identity.authority),
                "certificate": str(identity.certificate),
                "key": str(identity.key),
            },
            "readers": [
                {"kind": "serial", "name": "scanner", "address": str(scanner.path)},
                {"kind": "folder", "name": "camera", "address": str(camera)},
            ],
            "printer": f"127.0.0.1:{printer.port}",
            "screen_port": port,
            "api": {"port": api_port},
            "claim_url": f"http://127.0.0.1:{self.console_port}/r/",
            "issuers": [issuer.hex()],
            "goods": [{"gtin": gtin, "name": name, "price": price} for gtin, name, price in GOODS],
            "stocks": {COUPON["name"]: LEASE},
        }
        (home / "box.json").write_text(json.dumps(config, ensure_ascii=False))
        process = Process(
            device, [*tillbox(), "box", "--config", str(home / "box.json")], self.folder / f"{device}.log"
        )
        self.counters.append(
            Counter(device, process, wire, printer, scanner, camera, port, home / "state", api_port)
        )

    def _make_operator(self) -> str:
        command = [
            *tillbox(),
            "core",
            "operator",
            "demo",
            "--config",
            str(self.folder / "core" / "core.json"),
        ]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=START_S
        ).stdout.strip()

    def _wait(self, what: str, ready: Any) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if ready():
                return
            time.sleep(0.1)
        tails = "\n".join(_tail(path) for path in sorted(self.folder.glob("*.log")))
        raise RuntimeError(f"{what} did not come up within {START_S:.0f} s.\n{tails}")


def tillbox() -> list[str]:
    """This very program."""
    beside = Path(sys.executable).with_name("tillbox")
    return [str(beside)] if beside.exists() else [shutil.which("tillbox") or "tillbox"]


def answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
        return True
    return False


def _tail(path: Path) -> str:
    return f"--- {path.name}\n{path.read_text(errors='replace')[-800:]}"
