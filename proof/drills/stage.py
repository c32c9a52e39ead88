"""What the drills share: a town with a fleet, a box brought to its place in one call, sales, and a look into the book."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from tillbox.cloud_bridge.fleet.client import Api, ApiRefused
from tillbox.cloud_bridge.store import tables
from tillbox.demo.fleet_day import arrival
from tillbox.demo.fleet_town import FleetTown, Phone
from tillbox.demo.town import GOODS, Counter

from .station import DrillFailed

PATIENCE_S = 60.0


@dataclass(slots=True)
class Stage:
    """A town, and what a drill does in it."""

    folder: Path
    say: Callable[[str], None]
    town: FleetTown = field(init=False)
    api: Api = field(init=False)
    phone: Phone = field(init=False)
    _sheets: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.town = FleetTown(self.folder)

    def open(self) -> None:
        """Broker, core, an API key, an engineer."""
        self.town.build()
        self.town.start()
        self.api, self.phone = self.town.api(), self.town.phone()
        self.api.act("decide-settings", {"scope": "tenant", "settings": self.town.shop_settings()})
        self.say("broker, wallet and core are up")

    def close(self) -> None:
        """Stop everything."""
        self.town.stop()

    def plan(self, *places: str) -> None:
        """Places that are to be."""
        rows = [dict(zip(("store", "lane"), place.split("/"), strict=True)) for place in places]
        self.api.act("plan-places", {"places": [{**row, "title": f"茶铺 {row['store']}"} for row in rows]})

    def sheet(self, place: str, act: str = "make-claims") -> bytes:
        """A claim's printed sheet, as a picture."""
        from tillbox.cloud_bridge.fleet.sheets import write_sheets

        body = {"place": place} if act == "replace-box" else {"places": [place]}
        claims = self.api.act(act, body)["claims"]
        self._sheets += 1
        path = self.folder / f"sheet-{self._sheets}.png"
        why = write_sheets(claims, "png", path)
        if why:
            raise DrillFailed(f"the sheet of {place} was not printed: {why}")
        return path.read_bytes()

    def box(self, name: str, place: str, sheet: bytes | None = None) -> tuple[Counter, str, float]:
        """A box at its place that has sold once: it, its name, and the seconds from power-on to that sale."""
        counter = self.town.unpack(name)
        row = arrival(counter, place, sheet or self.sheet(place), self.phone, self._lock)
        return counter, row.device, row.sold_s

    def sell(self, counter: Counter) -> None:
        """One tea for cash, recorded and on paper."""
        papers = len(counter.papers())
        counter.press("pick", gtin=GOODS[0][0])
        self.until("a product", lambda: counter.look().get("total") == "12.00")
        counter.press("cash", amount="20")
        self.until("a receipt", lambda: len(counter.papers()) > papers)

    def missing(self, device: str) -> int:
        """How many records of a box are known to be missing."""
        return sum(gap["last"] - gap["first"] + 1 for gap in self.api.ask(f"boxes/{device}")["missing"])

    def sales(self, device: str) -> int:
        """How many sales of a box the book has."""
        return self.count(
            select(func.count()).where(tables.txn.c.device == device, tables.txn.c.kind == "sale")
        )

    def alarms(self, device: str) -> list[str]:
        """What was shouted about a box."""
        with self.town.book() as connection:
            return list(
                connection.execute(
                    select(tables.alarm.c.kind).where(tables.alarm.c.device == device)
                ).scalars()
            )

    def count(self, query: Any) -> int:
        """A number from the core's own tables."""
        with self.town.book() as connection:
            found: int = connection.execute(query).scalar_one()
        return found

    def refused(self, act: str, body: dict[str, Any]) -> str:
        """What an act is refused with; empty where it was done."""
        try:
            self.api.act(act, body)
        except ApiRefused as why:
            return str(why)
        return ""

    def until(self, what: str, ready: Callable[[], bool], patience_s: float = PATIENCE_S) -> float:
        """Wait for something; the seconds that it took."""
        began = time.monotonic()
        while not ready():
            if time.monotonic() - began > patience_s:
                tails = "\n".join(
                    f"--- {path.name}\n{path.read_text(errors='replace')[-600:]}"
                    for path in sorted(self.folder.glob("*.log"))
                )
                raise DrillFailed(f"waited {patience_s:.0f} s for {what}, in vain\n{tails}")
            time.sleep(0.1)
        return time.monotonic() - began
