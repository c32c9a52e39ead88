"""The drill's second town: three boxes of a fleet, each under its launcher, and head office that rolls a release out to them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tillbox.contracts.updates import BLOCKER_TEXTS, Blocker
from tillbox.demo.fleet_day import arrival
from tillbox.demo.town import GOODS

from .stage import Stage
from .station import Station
from .workshop import Workshop

PLACES = ("s1/l1", "s1/l2", "s2/l1")
WAVES = [33, 100]  # one box, then all
TRIAL_S = 90.0


@dataclass(slots=True)
class Rollouts:
    """A town of a fleet, and what head office does in it."""

    folder: Path
    say: Callable[[str], None]
    workshop: Workshop
    url: str
    stations: list[Station] = field(default_factory=list)
    stage: Stage = field(init=False)

    def open(self, version: str) -> Station:
        """Three boxes read their sheets and sell; the first of them."""
        self.stage = Stage(self.folder, self.say)
        self.stage.open()
        self.stage.plan(*PLACES)
        for number, place in enumerate(PLACES, start=1):
            counter = self.stage.town.unpack(f"carton-{number}")
            station = Station(self.stage.town, counter, self.workshop, self.url, by_command=True)
            station.seed(version)
            arrival(counter, place, self.stage.sheet(place), self.stage.phone, threading.Lock())
            self.stations.append(station)
        self.say(f"three boxes of a fleet run release {version}, and wait for head office's word")
        return self.stations[0]

    def close(self) -> None:
        """Stop everything."""
        if hasattr(self, "stage"):
            self.stage.close()

    def asks(self) -> int:
        """How many boxes have asked for a release, now that somebody might have told them."""
        for station in self.stations:
            station.check_updates()
            station.sell()
        return sum(bool(station.updates()["asks"]) for station in self.stations)

    def bad(self, release: str) -> tuple[int, str]:
        """A rollout that must stop by itself: how many boxes took it, and what the first one says."""
        bulk = self._send(release)
        self.stage.until("the rollout's stop", lambda: self._bulk(bulk)["state"] == "stopped", TRIAL_S)
        tried = [one for one in self._commands(bulk) if one["state"] != "expired"]
        return len(tried), "; ".join(one["reason"] for one in tried)

    def waits(self, release: str) -> tuple[str, str, str]:
        """Every till is in use: what the box of the first wave waits for, as the command and as the box's page say it."""
        for station in self.stations:
            station.ready()
            station.counter.press("pick", gtin=GOODS[0][0])
        bulk = self._send(release)
        self.stage.until("a box that waits", lambda: self._states(bulk).count("blocked") == 1)
        first = next(one for one in self._commands(bulk) if one["state"] == "blocked")
        text = BLOCKER_TEXTS[Blocker.CUSTOMER]
        path = f"/boxes/{first['device']}"
        self.stage.until("the box's page to say it", lambda: text.zh in self.stage.phone.get(path))
        return f"waits: {'customer' if first['reason'] == text.en else first['reason']}", text.en, text.zh

    def kept(self, release: str) -> int:
        """How many boxes have kept it, once the rollout is over."""
        bulk = self._bulks()[0]["id"]
        self.stage.until("the rollout's end", lambda: self._bulk(bulk)["state"] == "done", 2 * TRIAL_S)
        self.stage.until("the new release", lambda: all(one.runs() == release for one in self.stations))
        return self._states(bulk).count("successful")

    def _send(self, release: str) -> str:
        wanted = {
            "verb": "update", "release": release, "scope": ["*"], "preview": False, "waves": WAVES,
            "max_percent": 100, "max_boxes": len(PLACES), "stop_if_failed": 0,
        }  # fmt: skip
        return str(self.stage.api.act("send-commands", wanted)["id"])

    def _bulks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.stage.api.ask("bulks")
        return found

    def _bulk(self, bulk: str) -> dict[str, Any]:
        return next(one for one in self._bulks() if one["id"] == bulk)

    def _commands(self, bulk: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.stage.api.ask("commands", bulk=bulk)
        return found

    def _states(self, bulk: str) -> list[str]:
        return [one["state"] for one in self._commands(bulk)]
