"""What happens in a load test, phase by phase, and what is measured in each. A phase returns its figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from . import certificates, machine, verdict
from .crowds import Crowds
from .house import House
from .member import Plan
from .watch import Watch

CROWDS = 2  # processes of boxes: as many as this was written on has processors
STORM_S = 300.0  # a storm that is not over by then has no end
DRAIN_S = 180.0
JITTER_S = 3.0  # power comes back to a whole town, and boxes boot in their own time
AWAY_S = 2.0  # how long a killed broker stays away: a supervisor's restart
LAG_S = 2.0  # what waits for an answer is less than this much of selling, or the core falls behind
LADDER = (1.0, 0.75, 0.5, 0.25, 0.1)
PAGE_TIMES = 20
CUT = 50
LOSS_S = 90.0
RETURN_S = 30.0


@dataclass(slots=True)
class Wanted:
    """What is asked for."""

    boxes: int
    rate: float
    seconds: float
    telemetry_s: float
    folder: Path
    at_once: int = 400
    losses: bool = True
    warm_s: float = 5.0
    core_away_s: float = 10.0
    seed: int = 0


@dataclass(slots=True)
class LoadTest:
    """One run over all phases."""

    wanted: Wanted
    say: Callable[[str], None]
    figures: dict[str, Any] = field(default_factory=dict)
    house: House = field(init=False)
    crowds: Crowds = field(init=False)
    watch: Watch = field(init=False)

    def run(self) -> dict[str, Any]:
        """Everything, one after the other."""
        files = machine.most_files()
        boxes = min(self.wanted.boxes, machine.most_boxes(files))
        if boxes < self.wanted.boxes:
            self.say(
                f"this machine allows {files} open files a process: {boxes} boxes instead of {self.wanted.boxes}"
            )
        self.figures |= {"boxes": boxes, "boxes_wanted": self.wanted.boxes, "machine": machine.describe()}
        self.wanted.boxes = boxes
        self.house = House(self.wanted.folder / "house")
        self._phase("certificates", self._certificates)
        try:
            self.house.start()
            self._through()
        finally:
            self.house.stop()
        return self.figures

    def _through(self) -> None:
        self.crowds = Crowds(self._plans())
        self.watch = Watch(self.house.away)
        self.crowds.dress()
        try:
            self._phase("connect_storm", self._connect)
            self.watch.start()
            self._phase("steady", self._steady)
            self._phase("broker_restart", self._broker)
            self._phase("core_restart", self._core)
            self._phase("pages", self._pages)
            if self.wanted.losses:
                self._phase("presence", self._presence)
            self._phase("verdict", self._verdict)
        finally:
            self.watch.stop()
            self.crowds.end()

    def _phase(self, name: str, what: Callable[[], dict[str, Any]]) -> None:
        self.say(f"{name.replace('_', ' ')} …")
        self.figures[name] = what()
        self.say(f"{name.replace('_', ' ')}: {self.figures[name]}")

    def _names(self) -> list[str]:
        return [f"load-{number:05d}" for number in range(self.wanted.boxes)]

    def _plans(self) -> list[Plan]:
        names = self._names()
        wanted = self.wanted
        return [
            Plan(
                devices=tuple(names[number::CROWDS]),
                certificates=wanted.folder / "boxes",
                port=self.house.town.broker.port,
                seed=wanted.seed * CROWDS + number,
                telemetry_ms=int(wanted.telemetry_s * 1_000),
                at_once=max(1, wanted.at_once // CROWDS),
            )
            for number in range(CROWDS)
        ]

    # the phases

    def _certificates(self) -> dict[str, Any]:
        began = time.monotonic()
        certificates.make(
            self.house.town.authority,
            self.wanted.folder / "boxes",
            self._names(),
            workers=CROWDS,
        )
        seconds = time.monotonic() - began
        return {"seconds": round(seconds, 1), "per_second": round(self.wanted.boxes / seconds)}

    def _connect(self) -> dict[str, Any]:
        with self._used() as used:
            empty = self.house.uses()
            storm = self._storm(lambda: self.crowds.connect(JITTER_S))
        full = self.house.uses()
        per_box = (full["broker"].resident - empty["broker"].resident) / self.wanted.boxes
        return storm | used | {
            "broker_mb": _mb(full["broker"].resident),
            "broker_kb_per_box": round(per_box / 1024, 1),
            "core_mb": _mb(full["core"].resident),
            "core_kb_per_box": round((full["core"].resident - empty["core"].resident) / self.wanted.boxes / 1024, 1),
        }  # fmt: skip

    def _steady(self) -> dict[str, Any]:
        """Down the ladder to the first rate at which what waits stays bounded."""
        for step in LADDER:
            found = self._sell_at(self.wanted.rate * step)
            self._drained()
            if found["sustained"]:
                break
            self.say(f"not sustained: {found}")
        return found

    def _sell_at(self, rate: float) -> dict[str, Any]:
        crowds = self.crowds
        self.watch.forget()
        crowds.sell(rate)
        time.sleep(self.wanted.warm_s)
        crowds.waited_ms()
        before, held_before, began = crowds.look(), self.house.records(), time.monotonic()
        pending = []
        with self._used() as used:
            while time.monotonic() - began < self.wanted.seconds:
                time.sleep(1.0)
                pending.append(crowds.look().pending)
        after, held, took = crowds.look(), self.house.records(), time.monotonic() - began
        waited = crowds.waited_ms()
        crowds.sell(0)
        sold = (after.records - before.records) / took
        fell_behind = pending[-1] > rate * LAG_S + 1
        return used | {
            "sustained": not fell_behind and sold > 0.9 * rate,
            "rate_wanted": rate,
            "sold_per_s": round(sold, 1),
            "ingested_per_s": round((held - held_before) / took, 1),
            "telemetry_per_s": round((after.counts["telemetry"] - before.counts["telemetry"]) / took, 1),
            "ack_p50_ms": _part(waited, 0.5),
            "ack_p99_ms": _part(waited, 0.99),
            "ack_max_ms": waited[-1] if waited else None,
            "pending_max": max(pending),
            "false_deaths": len(self.watch.gone()),
        }

    def _broker(self) -> dict[str, Any]:
        rate = self.figures["steady"]["rate_wanted"] / 2
        self.crowds.sell(rate)
        self.house.town.broker.kill()
        time.sleep(AWAY_S)
        with self._used() as used:
            storm = self._storm(self.house.town.broker.start)
            drained = self._drained(rate * LAG_S)
        self.crowds.sell(0)
        self._drained()
        return storm | used | {"selling_per_s": rate, "drained_s_after_that": drained}

    def _core(self) -> dict[str, Any]:
        rate = self.figures["steady"]["rate_wanted"] / 2
        town = self.house.town
        self.crowds.sell(rate)
        time.sleep(1.0)
        town.core.kill()
        time.sleep(self.wanted.core_away_s)
        waiting = self.crowds.look().pending
        with self._used() as used:
            town.core.start()
            drained = self._drained(rate * LAG_S)
        self.crowds.sell(0)
        self._drained()
        return used | {
            "selling_per_s": rate,
            "away_s": self.wanted.core_away_s,
            "waiting": waiting,
            "drained_s": drained,
        }

    def _pages(self) -> dict[str, Any]:
        """While telemetry goes on and half of what is sustained is sold."""
        rate = self.figures["steady"]["rate_wanted"] / 2
        self.crowds.sell(rate)
        found = {}
        for path in ("/boxes", "/", "/trouble", f"/boxes/{self._names()[0]}"):
            taken, size = self.house.page_ms(path, PAGE_TIMES)
            ordered = sorted(taken)
            found[path] = {
                "median_ms": _part(ordered, 0.5),
                "p95_ms": _part(ordered, 0.95),
                "kb": size // 1024,
            }
        self.crowds.sell(0)
        self._drained()
        return found

    def _presence(self) -> dict[str, Any]:
        names = self._names()
        count = min(CUT, len(names) // 4)
        chosen = Random(self.wanted.seed).sample(names, 2 * count)
        self.watch.forget()
        cut = self._gone(tuple(chosen[:count]), self.crowds.cut)
        frozen = self._gone(tuple(chosen[count:]), self.crowds.freeze)
        false = self.watch.gone().keys() - set(chosen)
        return {"boxes": count, "cut": cut, "vanished": frozen, "false_deaths": len(false)}

    def _gone(self, devices: tuple[str, ...], how: Callable[[tuple[str, ...]], None]) -> dict[str, Any]:
        began = time.monotonic()
        how(devices)
        _wait(lambda: self.watch.gone().keys() >= set(devices), LOSS_S)
        gone = self.watch.gone()
        lost = sorted(gone[device] - began for device in devices if device in gone)
        began = time.monotonic()
        self.crowds.come_back(devices)
        _wait(lambda: all(self.watch.back().get(one, 0.0) > began for one in devices), RETURN_S)
        back = self.watch.back()
        came = sorted(back[one] - began for one in devices if back.get(one, 0.0) > began)
        return {
            "noticed": len(lost),
            "lost_s_median": _part(lost, 0.5),
            "lost_s_max": _part(lost, 1.0),
            "back": len(came),
            "back_s_median": _part(came, 0.5),
            "back_s_max": _part(came, 1.0),
        }

    def _verdict(self) -> dict[str, Any]:
        drained = self._drained()
        lists = self.crowds.evidence(self.wanted.folder)
        with self.house.town.book() as connection:
            found = verdict.judge(connection, lists)
        seen = self.crowds.look()
        return asdict(found) | {
            "ok": found.ok,
            "pending": seen.pending,
            "drained_s": drained,
            "boxes_say": dict(seen.counts),
        }

    # what phases share

    def _storm(self, begin: Callable[[], Any]) -> dict[str, Any]:
        """Until every box is up, registered and believed to be there."""
        boxes, began = self.wanted.boxes, time.monotonic()
        begin()
        reached: dict[str, float | None] = {"all_up_s": None, "all_registered_s": None, "all_online_s": None}
        goals: dict[str, Callable[[], bool]] = {
            "all_up_s": lambda: self.crowds.look().up == boxes,
            "all_registered_s": lambda: self.house.registered() == boxes,
            "all_online_s": lambda: self.house.states()["online"] == boxes and self.crowds.look().up == boxes,
        }
        while None in reached.values() and time.monotonic() - began < STORM_S:
            for name, goal in goals.items():
                if reached[name] is None and goal():
                    reached[name] = round(time.monotonic() - began, 1)
            time.sleep(1.0)
        return dict(reached)

    def _drained(self, most: float = 0) -> float | None:
        """How long until no more than so many records wait for the core; None where that was not seen."""
        began = time.monotonic()
        done = _wait(lambda: self.crowds.look().pending <= most, DRAIN_S)
        return round(time.monotonic() - began, 1) if done else None

    @contextmanager
    def _used(self) -> Iterator[dict[str, Any]]:
        """Who used how much of a processor meanwhile."""
        found: dict[str, Any] = {}
        before, began = self._uses(), time.monotonic()
        yield found
        after = self._uses()
        found["cpu_percent"] = machine.shares(before, after, time.monotonic() - began)

    def _uses(self) -> dict[str, machine.Use]:
        boxes = {f"boxes_{number}": machine.use_of(pid) for number, pid in enumerate(self.crowds.pids)}
        return self.house.uses() | boxes


def _wait(ready: Callable[[], bool], patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if ready():
            return True
        time.sleep(0.2)
    return False


def _part(ordered: list[Any], part: float) -> float | None:
    """The figure below which that part of all lies."""
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * part))], 2) if ordered else None


def _mb(size: int) -> int:
    return size >> 20
