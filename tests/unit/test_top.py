"""`tillbox top`: what its keys do, what is shown first, and how a script reads it."""

from __future__ import annotations

from functools import reduce
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from tillbox.cloud_bridge.fleet.top import SEARCH_MAX, SORTS, Watching, chosen, drawn, press


def row(device: str, **more: Any) -> dict[str, Any]:
    told = {"pending": more.pop("pending", 0), "printer": more.pop("printer", "ready")}
    if "celsius" in more:
        told["vitals"] = {"celsius": more.pop("celsius")}
    return {
        "device": device, "position": f"s1/{device}", "title": "茶铺", "state": "online", "software": "tillbox 1.2",
        "telemetry": told, "money_waits_ms": None, "alerts": [], **more,
    }  # fmt: skip


ROWS = [
    row("calm"),
    row("warm", celsius=84, alerts=["hot"]),
    row("far", state="lost"),
    row("busy", pending=12, money_waits_ms=2_520_000, printer="paper_out", alerts=["paper_out"]),
    row("new", telemetry=None, position=""),
]


def typed(keys: str, start: Watching | None = None) -> Watching:
    return reduce(press, keys, start or Watching())


def names(watching: Watching) -> list[str]:
    return [one["device"] for one in chosen(ROWS, watching)]


def test_what_is_worst_stands_first_and_s_goes_through_the_orders() -> None:
    assert names(Watching()) == ["far", "busy", "warm", "calm", "new"]
    assert names(typed("s"))[0] == "busy"
    assert names(typed("sss"))[0] == "warm"
    assert typed("s" * len(SORTS)) == Watching()


def test_a_search_takes_every_key_until_it_is_ended() -> None:
    assert names(typed("/BUSq\x7f\r")) == ["busy"]
    assert typed("/s\r").sort == "worst"
    assert typed("/abc\x1b") == Watching()
    assert len(typed("/" + "x" * 99).search) == SEARCH_MAX
    assert names(typed("/茶铺\r")) == names(Watching())


@pytest.mark.parametrize("key", ["q", "\x03"])
def test_it_ends(key: str) -> None:
    assert typed(key).ended
    assert not typed("x\x00").ended


def test_the_screen_says_what_a_person_needs() -> None:
    console = Console(width=110, record=True, highlight=False, file=StringIO())
    console.print(drawn(ROWS, Watching(), lines=24, trouble="the core does not answer"))
    text = console.export_text()
    assert "5 boxes, 1 lost, 2 alerts" in text
    assert "the core does not answer" in text
    busy = next(line for line in text.splitlines() if "busy" in line)
    assert [word for word in ("s1/busy", "12", "00:42", "paper out", "1.2") if word not in busy] == []


def test_a_small_terminal_shows_the_first_rows() -> None:
    console = Console(width=110, record=True, highlight=False, file=StringIO())
    console.print(drawn(ROWS, Watching(), lines=6))
    text = console.export_text()
    assert "s1/far" in text
    assert "s1/calm" not in text
