"""The launcher with real processes in its slots: small ones that live, crash, hang, and judges that say what they like."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.releases import wheel
from tests.unit.test_updates_slots import release

from tillbox.agent.updates.launcher import Launcher, State
from tillbox.agent.updates.slots import Slots
from tillbox.cloud_bridge.releases.archive import pack

LIVES = "(HOME / f'up-{VERSION}').touch(); time.sleep(60)"
CRASHES = "sys.exit(7)"
KEEPS = "print('{}'); print(json.dumps({'kept': True, 'zh': '好', 'en': 'It is good.'}))"
ENDS = "print(json.dumps({'kept': False, 'zh': '算错了', 'en': 'It sells wrongly.'}))"
PATIENCE_S = 20.0


def program(home: Path, version: str, box: str, judge: str) -> str:
    return (
        f"import json, pathlib, sys, time\nHOME, VERSION = pathlib.Path({str(home)!r}), {version!r}\n"
        f"def main():\n    if sys.argv[1] == 'box':\n        {box}\n    else:\n        {judge}\n"
    )


class Shop:
    """A box's folder, and its launcher on a thread."""

    def __init__(self, home: Path) -> None:
        self.home, self.slots = home, Slots(home / "updates")
        self.launcher = Launcher(self.slots.root, home / "box.json", trial_s=1.5)

    def archive(self, version: str, box: str, judge: str = ENDS) -> Path:
        made = wheel(
            self.home, version, {"tillbox/main.py": program(self.home, version, box, judge)}, main=False
        )
        lock = self.home / "requirements.lock"
        lock.touch()
        path = self.home / f"{version}.zip"
        path.write_bytes(pack(made, lock, hardware="any", minimum="0").data)
        return path

    def tries(self, box: str, judge: str) -> State:
        """The old release judges the new one; the state once a box is up again, and the launcher has gone."""
        self.slots.seed(self.archive("0.1.0", LIVES, judge), "lock")
        self.slots.stage(self.archive("0.2.0", box), release("0.2.0"))
        self.slots.arm(release("0.2.0"))
        thread = threading.Thread(target=self.launcher.run)
        thread.start()
        self.until(lambda: bool(self.slots.state().last))
        kept = self.slots.state().last["kept"]
        self.until(lambda: self.is_up("0.2.0" if kept else "0.1.0"))
        self.launcher.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
        return self.slots.state()

    def is_up(self, version: str) -> bool:
        return (self.home / f"up-{version}").exists()

    def until(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not ready():
            assert time.monotonic() < deadline, self.slots.state()
            time.sleep(0.02)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_what_the_old_releases_judge_keeps_is_the_good_slot(shop: Shop) -> None:
    state = shop.tries(LIVES, KEEPS)
    assert (state.good, state.trial, state.last["version"]) == ("b", "", "0.2.0")
    assert (shop.slots.home("b") / "kept").exists()


@pytest.mark.parametrize(
    ("box", "judge", "says"),
    [
        (LIVES, ENDS, "It sells wrongly."),
        (CRASHES, "time.sleep(60)", "ended by itself (exit status 7)"),
        (LIVES, "time.sleep(60)", "came to no end"),
        (LIVES, "print('kept')", "came to no end"),
        (LIVES, f"{KEEPS}; sys.exit(1)", "came to no end"),
        (LIVES, "raise ValueError", "came to no end"),
    ],
    ids=[
        "judged bad",
        "crashes",
        "judge hangs",
        "judge babbles",
        "judge dies after its word",
        "judge crashes",
    ],
)
def test_everything_else_is_rolled_back_with_its_reason(shop: Shop, box: str, judge: str, says: str) -> None:
    state = shop.tries(box, judge)
    assert (state.good, state.trial, state.last["kept"]) == ("a", "", False)
    assert says in state.last["en"]
    assert set(state.refused) == {"0.2.0"}


def test_a_launcher_that_is_stopped_in_a_trial_goes_on_with_it_at_the_next_start(shop: Shop) -> None:
    shop.slots.seed(shop.archive("0.1.0", LIVES, "time.sleep(60)"), "lock")
    shop.slots.stage(shop.archive("0.2.0", LIVES), release("0.2.0"))
    shop.slots.arm(release("0.2.0"))
    thread = threading.Thread(target=shop.launcher.run)
    thread.start()
    shop.until(lambda: shop.is_up("0.2.0"))
    shop.launcher.stop()
    thread.join(PATIENCE_S)
    state = shop.slots.state()
    assert (state.good, state.trial, state.starts, dict(state.last)) == ("a", "b", 1, {})
