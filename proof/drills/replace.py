"""`tillbox fleet drill replace`: boxes die with unsent sales. Another takes each one's place, and what the dead one did not
hand in comes back, every way there is, once."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tillbox.demo.town import GOODS, Counter, tillbox
from tillbox.hardware.simulated.paper import paper_picture, paper_text

from .stage import Stage

GOAL_S = 300.0
OFFLINE_SALES = 3
RESCUE_S = 60.0


@dataclass(frozen=True, slots=True)
class Row:
    """One dead box, and what became of its place and its sales."""

    way: str
    place: str
    sells_again_s: float
    unsent: int
    in_the_book: int
    doubled: int
    missing: int
    closed: bool
    old_box: str
    rescue_s: float
    ok: bool


def run(folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Every way, one after the other."""
    stage = Stage(folder, say)
    rows: list[Row] = []
    try:
        stage.open()
        stage.plan(*(f"store1/lane{number}" for number in range(1, len(WAYS) + 1)))
        for number, (way, rescue) in enumerate(WAYS.items(), start=1):
            row = _play(stage, way, rescue, f"store1/lane{number}", number)
            say(
                f"{way}: sells again after {row.sells_again_s:.1f} s, rescued in {row.rescue_s:.1f} s, ok {row.ok}"
            )
            rows.append(row)
    finally:
        stage.close()
    return {"rows": [asdict(row) for row in rows], "goal_s": GOAL_S, "ok": all(row.ok for row in rows)}


Rescue = Callable[[Stage, Counter, Counter], str]
"""Bring back what the old box has; how the old box stands afterwards."""


def _play(stage: Stage, way: str, rescue: Rescue, place: str, number: int) -> Row:
    old, device, _ = stage.box(f"old-{number}", place)
    stage.town.cut(old)
    stage.until("the line to be down", lambda: old.look().get("online") is False)
    for _ in range(OFFLINE_SALES):
        stage.sell(old)
    if way not in ("sold on in secret", "by codes"):
        old.process.kill()
    sold = 1 + OFFLINE_SALES
    began = time.monotonic()
    new, _, _ = stage.box(f"new-{number}", place, stage.sheet(place, "replace-box"))
    again_s = time.monotonic() - began
    began = time.monotonic()
    stands = rescue(stage, old, new)
    stage.until("every sale in the book", lambda: stage.sales(device) >= sold, RESCUE_S)
    rescue_s = time.monotonic() - began
    left = stage.missing(device)
    closed = not stage.refused("close-range", {"device": device})
    found = stage.sales(device)
    good = found == sold and left == 0 and closed and again_s < GOAL_S and not stands.startswith("NO")
    old.process.stop()
    new.process.stop()
    return Row(
        way, place, round(again_s, 1), OFFLINE_SALES, found, max(0, found - sold), left, closed, stands,
        round(rescue_s, 1), good,
    )  # fmt: skip


def _by_itself(stage: Stage, old: Counter, _: Counter) -> str:
    """It is switched on again, in a drawer or on a bench: it learns that it was replaced, and hands in."""
    old.process.start()
    stage.town.mend(old)
    stage.until("the old box to stop", lambda: old.look().get("phase") == "Stopped")
    old.press("pick", gtin=GOODS[0][0])
    time.sleep(0.5)
    return (
        "refused, sells nothing" if old.look().get("total") in (None, "", "0.00") else "NO: it rang up goods"
    )


def _by_its_card(stage: Stage, old: Counter, _: Counter) -> str:
    """Its card is read on another machine."""
    command = [*tillbox(), "rescue", str(old.state.parent), "--json"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=RESCUE_S, check=False)
    found = json.loads(said.stdout or "{}")
    stage.say(f"rescue said {found}")
    return (
        "dead"
        if said.returncode == 0 and found.get("taken", 0) >= OFFLINE_SALES
        else f"NO: {said.stderr[-200:]}"
    )


def _by_codes(stage: Stage, old: Counter, new: Counter) -> str:
    """Its screen is all that is left: it shows its records as codes, and the box that took its place reads them."""
    with urllib.request.urlopen(f"{old.url}/rescue", timeout=RESCUE_S) as answer:
        page = answer.read().decode()
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    stage.say(f"the dead box's screen shows {len(pictures)} codes")
    for picture in pictures:
        new.hold_before_camera(base64.b64decode(unquote(picture)))
        time.sleep(1.5)
    return "shows codes, and has no line"


def _by_papers(stage: Stage, old: Counter, new: Counter) -> str:
    """Only its papers are left; they are shown to the box that took its place. The customer's page is behind the same code."""
    slips = [slip for slip in old.papers() if "RECEIPT" in paper_text(slip.data)]
    device = str(old.process.name)
    for number, slip in enumerate(slips, start=1):
        new.hold_before_camera(paper_picture(slip.data))
        time.sleep(1.5)
        stage.say(f"paper {number} of {device}: {new.look().get('said', [''])[0]}")
    return "dead"


def _in_secret(stage: Stage, old: Counter, _: Counter) -> str:
    """It lives on without a line and sells after its end: what it sold before comes in, and nothing of what it sold after."""
    time.sleep(1.5)
    stage.sell(old)
    stage.town.mend(old)
    stage.until("the old box to stop", lambda: old.look().get("phase") == "Stopped")
    device = str(old.look().get("device"))
    stage.until("the alarm", lambda: "sold_after_end" in stage.alarms(device))
    return "its sale after the end is not in the book, and somebody is told"


WAYS: dict[str, Rescue] = {
    "by itself": _by_itself,
    "by its card": _by_its_card,
    "by codes": _by_codes,
    "by its papers": _by_papers,
    "sold on in secret": _in_secret,
}
"""How the records of a dead box come back."""
