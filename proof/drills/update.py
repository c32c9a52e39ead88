"""The drill of updates: good releases and bad ones, on a real box under its real launcher, with a real core behind it.

Every release is built from this tree and signed; every lie is told by the web server. A case is well when what became of
the release is what was promised, with its reason, and when the box sells afterwards and the core has that sale.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tillbox.agent.updates import launcher
from tillbox.agent.updates.words import Why
from tillbox.cloud_bridge.releases.keys import make_keys
from tillbox.cloud_bridge.releases.repository import Repository
from tillbox.demo.town import GOODS, Town

from . import workshop as made
from .points import LATE, cuts_of
from .rollout import Rollouts
from .station import DrillFailed, Station, canaries_booked
from .webserver import WebServer
from .workshop import Change, Workshop

OLD, OLDER, WRONG, CRASHES, HANGS, MUTE, NEW = "0.1.0", "0.0.9", "0.2.0", "0.2.1", "0.2.2", "0.2.3", "0.3.0"
RELEASES: dict[str, tuple[Change, ...]] = {
    NEW: made.GOOD,
    WRONG: made.OFF_BY_A_FEN,
    OLDER: made.GOOD,
    CRASHES: made.CRASHES,
    HANGS: made.NEVER_STARTS,
    MUTE: made.NEVER_SETTLES,
}
ROLL_BACK_S_MAX = 120.0

Say = Callable[[str], None]


@dataclass(slots=True)
class Row:
    """How one case went."""

    case: str
    expected: str
    seen: str = ""
    says: str = ""
    says_zh: str = ""
    sells: bool = False
    seconds: float = 0.0
    back_s: float | None = None
    """From the trial's start until the old till answers again; for what was rolled back."""

    @property
    def ok(self) -> bool:
        """As promised, and in time."""
        return self.seen == self.expected and self.sells and (self.back_s or 0.0) < ROLL_BACK_S_MAX


@dataclass(slots=True)
class Drill:
    """One run."""

    folder: Path
    say: Say
    rows: list[Row] = field(default_factory=list)
    shop: Workshop = field(init=False)
    web: WebServer = field(init=False)
    station: Station = field(init=False)

    def run(self, *, short: bool = False) -> dict[str, Any]:
        """Play it. `short`: one good release, one that sells wrongly, and the power cuts."""
        began = time.monotonic()
        town = Town(self.folder / "town", boxes=1)
        self.shop = Workshop(self.folder / "workshop")
        try:
            self._open(town, (NEW, WRONG) if short else tuple(RELEASES))
            if not short:
                self._lies()
            self._trials(short)
            self._good(short)
            self._power_cuts(short)
            held, booked = canaries_booked(town)
            town.stop()
            self._rollouts(WRONG, "sells wrongly") if short else self._rollouts(CRASHES, "ended by itself")
        finally:
            town.stop()
            if hasattr(self, "web"):
                self.web.stop()
        return self._report(held, booked, time.monotonic() - began)

    def _open(self, town: Town, versions: tuple[str, ...]) -> None:
        self.shop.open()
        self.shop.build_all({OLD: made.GOOD} | {version: RELEASES[version] for version in versions})
        self.say(f"{len(versions) + 1} releases are built")
        self.shop.publish(OLD, days_ago=1)
        self.web = WebServer(self.shop.repository.folder)
        town.build()
        self.station = Station(town, town.counters[0], self.shop, self.web.url)
        self.station.seed(OLD)
        shutil.copytree(self.station.root, self.folder / "seeded")
        town.start()
        self.station.ready()
        self.say(f"broker, wallet, core and a box with release {OLD} under its launcher are up")

    # releases that are not what they should be

    def _lies(self) -> None:
        metadata = self.shop.repository.metadata
        first = (metadata / "timestamp.json").read_bytes()
        self.shop.publish(NEW)
        self._refused(
            "tampered archive",
            Why.TAMPERED,
            bend=lambda name, data: _flipped(data) if name.endswith(".zip") else data,
        )
        self._refused(
            "tampered metadata",
            Why.UNSIGNED,
            bend=lambda name, data: _later(data) if name == "timestamp.json" else data,
        )
        strangers = Repository(self.folder / "strangers")
        strangers.create(make_keys(self.folder / "strangers-keys"), datetime.now(UTC))
        self.web.folder = strangers.folder
        self._refused("signed by strangers", Why.UNSIGNED)
        self.web.folder = self.shop.repository.folder
        self._refused(
            "rolled-back metadata",
            Why.ROLLED_BACK,
            bend=lambda name, data: first if name == "timestamp.json" else data,
        )
        older = _newest(metadata, "snapshot").read_bytes()
        self.shop.publish(NEW)
        newest = _newest(metadata, "snapshot").name
        self._refused("mix and match", Why.MIXED, bend=lambda name, data: older if name == newest else data)
        self.shop.publish(NEW, days_ago=10)
        self._refused("expired: news is held back", Why.EXPIRED)
        self.shop.publish(OLDER)
        self._refused("downgrade", Why.DOWNGRADE)

    def _refused(self, case: str, expected: Why, bend: Callable[[str, bytes], bytes] | None = None) -> None:
        with self._case(case, f"refused: {expected}") as row:
            if bend:
                self.web.bend = bend
            said = self.station.refusal()
            self.web.honest()
            row.seen, row.says, row.says_zh = f"refused: {said['why']}", said["en"], said["zh"]

    # releases that are signed and bad

    def _trials(self, short: bool) -> None:
        self.shop.publish(WRONG)
        self._refused("sells wrongly, by one fen", Why.SELLS_WRONGLY)
        if short:
            return
        self._rolled_back("crashes at its start", CRASHES)
        self._rolled_back("never starts", HANGS)
        self._rolled_back("never hears the core", MUTE)

    def _rolled_back(self, case: str, version: str) -> None:
        with self._case(case, "rolled back") as row:
            self.shop.publish(version)
            self.station.check_updates()
            self.station.until("a trial", lambda: self._on_trial(version))
            began = time.monotonic()
            self.shop.publish(OLD)  # withdrawn, or a failure that may be the line's would be tried once more
            self._ended(row, version)
            self.station.ready()
            row.back_s = round(time.monotonic() - began, 1)

    def _on_trial(self, version: str) -> bool:
        state = self.station.slots.state()
        return state.version == version or state.last.get("version") == version

    def _ended(self, row: Row, version: str) -> None:
        slots = self.station.slots
        self.station.until(
            "the trial's end", lambda: slots.state().last.get("version") == version, ROLL_BACK_S_MAX
        )
        last = slots.state().last
        row.seen = "kept" if last["kept"] else "rolled back"
        row.says, row.says_zh = str(last["en"]), str(last["zh"])

    # a good release

    def _good(self, short: bool) -> None:
        """From seeded slots, so that the steps that are written down are those of one whole update."""
        self._fresh("seeded")
        self.station.start(cut="at no step")
        self.station.ready()
        self.station.counter.press("pick", gtin=GOODS[0][0])
        self.shop.publish(NEW)
        if not short:
            with self._case("interrupted download", "refused: interrupted", sell=False) as row:
                self.web.drop_after = 100_000
                said = self.station.refusal()
                row.seen, row.says, row.says_zh = f"refused: {said['why']}", said["en"], said["zh"]
                self.web.honest()
                row.sells = self.station.counter.look().get("total") == "12.00"
        with self._case("a customer is at the till", "waits: customer", sell=False) as row:
            self.station.check_updates()
            self.station.until("a release that waits", lambda: bool(self.station.updates().get("blocked_by")))
            blocker = self.station.updates()["blocked_by"][0]
            row.seen, row.says, row.says_zh = f"waits: {blocker['blocker']}", blocker["en"], blocker["zh"]
            if not short and self.web.resumed_from != [100_000]:
                row.seen = f"the download began anew: {self.web.resumed_from}"
            shutil.copytree(self.station.root, self.folder / "staged")
            row.sells = self.station.sell()
        with self._case("good release", "kept") as row:
            self._ended(row, NEW)
            self.station.until("the new release", lambda: self.station.runs() == NEW)

    # power cuts

    def _power_cuts(self, short: bool) -> None:
        steps = self.station.log.read_text().splitlines()
        self.say(
            f"one update has {len(steps)} durable steps beside the unpacked tree; the power goes at some of them"
        )
        for label, cut in cuts_of(steps, short=short):
            self._power_cut(label, cut, "staged" if LATE.search(cut) else "seeded")

    def _power_cut(self, label: str, cut: str, since: str) -> None:
        late = since == "staged"
        with self._case(f"power cut: {label}", "sells on, then kept" if late else "sells on") as row:
            self._fresh(since)
            self.station.start(cut=cut)
            self.station.until(f"the cut {cut}", lambda: not self.station.box.alive)
            slot, _ = launcher.choose(
                launcher.read_state(self.station.root), launcher.bootable(self.station.root)
            )
            self.station.start()
            self.station.ready()
            row.seen = "sells on" if slot else "no slot can be started"
            row.says = f"cut {cut}; slot {slot} starts"
            if late:
                row.sells = self.station.sell()
                self._ended(Row("", ""), NEW)
                row.seen += ", then kept" if self.station.slots.state().good == "b" else ", and is lost"

    # many boxes, by head office's word

    def _rollouts(self, bad: str, lacks: str) -> None:
        rollouts = Rollouts(self.folder / "fleet", self.say, self.shop, self.web.url)
        try:
            self.station = rollouts.open(OLD)
            with self._case("a release is published, and nobody was told", "taken by 0 of 3") as row:
                self.shop.publish(bad)
                row.seen = f"taken by {rollouts.asks()} of 3"
            with self._case("rollout of a bad release", f"stopped after 1 of 3: {lacks}") as row:
                failed, row.says = rollouts.bad(bad)
                row.seen = f"stopped after {failed} of 3: {lacks if lacks in row.says else row.says}"
            self.shop.publish(NEW)
            with self._case("rollout: customers at the tills", "waits: customer", sell=False) as row:
                row.seen, row.says, row.says_zh = rollouts.waits(NEW)
                row.sells = all(station.sell() for station in rollouts.stations)
            with self._case("rollout of a good release", "kept by 3 of 3") as row:
                row.seen = f"kept by {rollouts.kept(NEW)} of 3"
        finally:
            rollouts.close()

    def _fresh(self, since: str) -> None:
        self.station.box.kill()
        shutil.rmtree(self.station.root)
        shutil.copytree(self.folder / since, self.station.root)

    @contextmanager
    def _case(self, case: str, expected: str, *, sell: bool = True) -> Iterator[Row]:
        row, began = Row(case, expected), time.monotonic()
        try:
            yield row
            if sell:
                row.sells = self.station.sell()
        except DrillFailed as failed:
            self.web.honest()
            row.seen = f"{row.seen} {failed}".strip()
        row.seconds = round(time.monotonic() - began, 1)
        self.rows.append(row)
        self.say(f"{'ok ' if row.ok else 'NOT'} {case}: {row.seen} — {row.says}")

    def _report(self, held: int, booked: int, seconds: float) -> dict[str, Any]:
        backs = [row.back_s for row in self.rows if row.back_s is not None]
        return {
            "ok": all(row.ok for row in self.rows) and held > 0 and booked == 0,
            "cases": [{**asdict(row), "ok": row.ok} for row in self.rows],
            "well": sum(row.ok for row in self.rows),
            "of": len(self.rows),
            "slowest_roll_back_s": max(backs, default=None),
            "canaries_with_the_core": held,
            "canaries_in_the_book": booked,
            "seconds": round(seconds, 1),
        }


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def _later(data: bytes) -> bytes:
    """Metadata with another expiry, as somebody without the key would like it."""
    document = json.loads(data)
    document["signed"]["expires"] = "2099-01-01T00:00:00Z"
    return json.dumps(document).encode()


def _newest(metadata: Path, role: str) -> Path:
    return max(metadata.glob(f"*.{role}.json"), key=lambda path: int(path.name.partition(".")[0]))
