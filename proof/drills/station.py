"""One box under its launcher, in a town: started, cut off with all its processes, asked, and made to sell."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import select

from tillbox.agent.updates.slots import Slots
from tillbox.cloud_bridge.store import tables
from tillbox.demo.town import GOODS, STOP_S, Counter, Process, Town, tillbox
from tillbox.hardware.simulated.paper import paper_text

from .workshop import Workshop

PATIENCE_S = 40.0  # a box's start on a machine that has other work
LOOK_S = 0.05
UP_S, CANARY_S = 12.0, 6.0  # shorter than a shop's: a drill waits for both in vain


class DrillFailed(Exception):
    """Something did not come as it must; the message says what."""


class Launched(Process):
    """A launcher and everything that it started: one group of processes, which a power cut ends together."""

    def start(self, environment: dict[str, str] | None = None) -> None:
        """Start it, unless it runs."""
        if self.alive:
            return
        with self.log.open("ab") as out:
            self.running = subprocess.Popen(
                self.command,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )

    def kill(self) -> None:
        """As a power cut would."""
        if self.running is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait(STOP_S)
            self.running = None


class Station:
    """A counter whose software comes out of two slots."""

    def __init__(
        self, town: Town, counter: Counter, workshop: Workshop, url: str, *, by_command: bool = False
    ) -> None:
        self.town, self.workshop, self.counter = town, workshop, counter
        home = town.folder / counter.device
        self.root = home / "updates"
        self.slots = Slots(self.root)
        self.log = town.folder / "steps.log"
        config = home / "box.json"
        told = json.loads(config.read_text())
        trust = workshop.repository.metadata / "1.root.json"
        told["updates"] = {
            "url": url, "trust": str(trust), "root": str(self.root), "poll_s": 3_600, "quiet_s": 0.2,
            "rate_bytes_s": 50_000_000, "up_s": UP_S, "canary_s": CANARY_S, "customer_s": 3, "by_command": by_command,
        }  # fmt: skip
        config.write_text(json.dumps(told, ensure_ascii=False))
        command = [str(workshop.python), "-I", str(self.root / "launcher.py"), "--config", str(config)]
        self.box = Launched(self.counter.device, command, town.folder / f"{self.counter.device}.log")
        self.counter.process = self.box

    def seed(self, version: str) -> None:
        """Slots as an engineer leaves them."""
        shutil.rmtree(self.root, ignore_errors=True)
        lock = self.workshop.lock
        words = (
            "update",
            "seed",
            str(self.workshop.archive(version)),
            "--root",
            str(self.root),
            "--lock",
            str(lock),
        )
        done = subprocess.run(
            [*tillbox(), *words], capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        if done.returncode:
            raise DrillFailed(done.stderr)

    def start(self, cut: str = "") -> None:
        """Switch it on; with a cut, until that step."""
        if cut:
            self.log.unlink(missing_ok=True)
        environment = {"ROOT": str(self.root), "LOG": str(self.log), "CUT": cut}
        self.box.start({f"TILLBOX_DRILL_{name}": value for name, value in environment.items()})

    def updates(self) -> dict[str, Any]:
        """What the box says of its updates; empty while it is off."""
        found: dict[str, Any] = self.counter.look().get("updates") or {}
        return found

    def runs(self) -> str:
        """The release that sells."""
        return str(self.updates().get("runs", ""))

    def check_updates(self) -> None:
        """Have it ask for a release now."""
        self.counter.press("check_updates")

    def refusal(self) -> dict[str, str]:
        """Ask for a release, and hear why not."""
        self.ready()
        before = int(self.updates().get("asks", 0))
        self.check_updates()
        self.until("an answer about updates", lambda: self._asked(before))
        found: dict[str, str] = self.updates()["refused"]
        return found

    def _asked(self, before: int) -> bool:
        said = self.updates()
        return int(said.get("asks", 0)) > before and said["state"] == "steady" and bool(said["refused"])

    def ready(self) -> None:
        """Wait until it sells and its line is up."""
        self.until("the till", lambda: self.counter.look().get("online") is True and bool(self.updates()))

    def sell(self) -> bool:
        """Sell for cash, and see that the sale is in the core's book."""
        self.ready()
        papers = len(self.counter.papers())
        self.until("a product", self._rung)
        self.counter.press("cash", amount="20")
        self.until("a receipt", lambda: len(self.counter.papers()) == papers + 1)
        text = paper_text(self.counter.papers()[-1].data)
        self.until("the sale in the book", lambda: self._is_booked(text))
        return "找零" in text and "8.00" in text

    def _rung(self) -> bool:
        """One product on the till, pressed again where the till went down between a look and a press."""
        total = self.counter.look().get("total")
        if total == "0.00":
            self.counter.press("pick", gtin=GOODS[0][0])
            total = self.counter.look().get("total")
        return total == "12.00"

    def until(self, what: str, ready: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Wait for something."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if ready():
                return
            time.sleep(LOOK_S)
        raise DrillFailed(f"waited {patience_s:.0f} s for {what}, in vain; the box says {self.updates()}")

    def _is_booked(self, text: str) -> bool:
        with self.town.book() as connection:
            sales = connection.execute(select(tables.sale.c.tid)).scalars().all()
        return any(tid in text for tid in sales)


def canaries_booked(town: Town) -> tuple[int, int]:
    """How many canaries the core holds, and how many of them are in its book: none may be."""
    with town.book() as connection:
        held = (
            connection.execute(select(tables.inbox.c.tid).where(tables.inbox.c.kind == "canary"))
            .scalars()
            .all()
        )
        booked = (
            connection.execute(select(tables.txn.c.tid).where(tables.txn.c.tid.in_(held))).scalars().all()
        )
    return len(held), len(booked)
