"""A remote shell on real parts: broker, core, a box that enrolled by its sheet and asks its cashier, and a pipe in the place of
an admin's keyboard."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import termios
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tillbox.demo.fleet_day import arrival
from tillbox.demo.town import Counter
from tillbox.proof.drills.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.mosquitto, pytest.mark.timeout(300)]
PLACE, MARK = "store1/lane1", "tillbox-shell-test-of-much"
FLEET = "from tillbox.cloud_bridge.fleet.commands import fleet; fleet()"


class Visit:
    """An admin's visits to one box."""

    def __init__(self, stage: Stage, counter: Counter, folder: Path) -> None:
        self.stage, self.counter, self.key = stage, counter, folder / "admin.key"
        self.api = stage.town.api("admin")
        self.key.touch(0o600)
        self.key.write_text(self.api.key)

    def begin(self, terminal: int = subprocess.PIPE) -> subprocess.Popen[str]:
        """`tillbox fleet shell`; the cashier is asked."""
        words = ["shell", PLACE, "--why", "look at the <disk>", "--core", self.api.url]
        command = [sys.executable, "-c", FLEET, *words, "--key-file", os.fspath(self.key)]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), terminal)
        running: subprocess.Popen[str] = subprocess.Popen(command, text=True, **pipes)  # type: ignore[call-overload]
        self.stage.until("the cashier to be asked", lambda: self.visitor.get("asking") is True)
        return running

    @property
    def visitor(self) -> dict[str, Any]:
        return self.counter.look().get("visitor") or {}

    def press(self, action: str) -> None:
        """Once more where it was too early: a question that came up only just now takes none."""
        before = self.visitor

        def pressed() -> bool:
            assert self.counter.press(action, shell=str(before["shell"]))
            return self.visitor != before

        self.stage.until("the press to be taken", pressed)

    def newest(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.ask("commands", box=PLACE, most=1)[0]
        return found

    def ended(self) -> tuple[str, str]:
        self.stage.until("its end", lambda: self.newest()["ended_ms"] is not None)
        return self.newest()["state"], self.newest()["reason"]


def test_a_box_lets_somebody_in_whom_its_cashier_lets_in(tmp_path: Path) -> None:
    stage = Stage(tmp_path, lambda _: None)
    try:
        stage.open()
        stage.plan(PLACE)
        counter = stage.town.unpack("carton-1")
        path = tmp_path / "carton-1" / "box.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"shell": "ask"}))
        arrival(counter, PLACE, stage.sheet(PLACE), stage.phone, stage._lock)
        visit = Visit(stage, counter, tmp_path)

        let_in = visit.begin()
        with urllib.request.urlopen(f"{counter.url}/fragment", timeout=5) as page:
            assert "look at the &lt;disk&gt;" in page.read().decode()
        visit.press("shell_allow")
        shown, said = let_in.communicate("echo $((6*7)); cat /dev/null\n", timeout=60)
        assert let_in.returncode == 0, said
        assert "42" in shown
        assert "The shell was left." in said
        assert visit.ended() == ("successful", "The shell was left.")
        name = visit.newest()["id"]
        at_the_core = visit.api.text(f"recordings/{name}")
        at_the_box = (counter.state / "shells" / f"{name}.cast").read_text()
        for cast in (at_the_core, at_the_box):
            head, *events = [json.loads(line) for line in cast.splitlines()]
            assert head["version"] == 2
            assert "look at the <disk>" in head["title"]
            recorded = "".join(text for _, way, text in events if way == "o")
            assert recorded.replace("\r\n", "\n").replace("\r", "\n") == shown
            assert "echo $((6*7))" in "".join(text for _, way, text in events if way == "i")

        with_a_terminal(visit)

        took = [timed(stage, counter) for _ in range(3)]
        much = visit.begin()
        visit.press("shell_allow")
        assert much.stdin is not None
        much.stdin.write(f"yes {MARK}\n")
        much.stdin.flush()
        casts = counter.state / "shells"
        stage.until("much", lambda: max(one.stat().st_size for one in casts.glob("*.cast")) > 60_000)
        meanwhile = [timed(stage, counter) for _ in range(3)]
        assert sorted(meanwhile)[1] < sorted(took)[1] + 1.0, (took, meanwhile)
        stage.until("the sales in the book", lambda: stage.sales(visit.newest()["device"]) == 7)
        visit.press("shell_end")
        stage.until(
            "everything to be gone",
            lambda: subprocess.run(["pgrep", "-f", f"^yes {MARK}"]).returncode != 0,
        )
        assert "It was ended at the till." in much.communicate(timeout=60)[1]
        assert much.returncode == 1
        assert visit.ended() == ("failed", "It was ended at the till.")
        assert visit.visitor == {}

        refused = visit.begin()
        visit.press("shell_refuse")
        assert "The cashier refused." in refused.communicate(timeout=60)[1]
        assert refused.returncode == 1
    finally:
        stage.close()


def with_a_terminal(visit: Visit) -> None:
    """As a person does it: every key goes to the box, the window has its size, and one key ends it."""
    screen, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (40, 100))
    before = termios.tcgetattr(terminal)
    person = visit.begin(terminal)
    visit.press("shell_allow")
    see(screen, b"You are in")
    os.write(screen, b"stty size\n")
    see(screen, b"40 100")
    os.write(screen, b"sleep 1000\n")
    see(screen, b"sleep 1000\r\n\x1b[?2004l")
    os.write(screen, b"\x03")
    see(screen, b"^C")
    os.write(screen, b"echo not''hing is left\n")
    see(screen, b"nothing is left")
    os.write(screen, b"\x1d")
    see(screen, b"It was ended by whoever opened it.")
    assert person.wait(60) == 0
    assert termios.tcgetattr(terminal) == before, "the terminal is as it was"
    os.close(screen)
    os.close(terminal)
    assert visit.ended() == ("successful", "It was ended by whoever opened it.")


def see(screen: int, what: bytes) -> None:
    """Read the terminal until that is there."""
    shown = b""
    while what not in shown:
        assert select.select([screen], [], [], 60)[0], shown
        shown += os.read(screen, 4_096)


def timed(stage: Stage, counter: Counter) -> float:
    """The seconds that one sale takes, from the first press to the paper."""
    began = time.monotonic()
    stage.sell(counter)
    return time.monotonic() - began
