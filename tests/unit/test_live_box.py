"""What a box shows head office while it is watched: never more than was asked, never before money, and the cashier knows."""

from __future__ import annotations

import asyncio
import json
import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.test_errands import NOW, TEA, Till, config
from tests.unit.test_runtime import Counter

from tillbox.agent import till as shop
from tillbox.agent.app import Box
from tillbox.agent.clock import BootClock
from tillbox.agent.errands.lately import LINES_MAX
from tillbox.agent.screen.page import till_page
from tillbox.agent.screen.server import Screen
from tillbox.broker.line import Down, Up
from tillbox.contracts import topics
from tillbox.contracts.clock import TimeBelief
from tillbox.contracts.messages import LINES_BYTES_MAX, SCREEN_BYTES_MAX, Live, LogLines
from tillbox.contracts.packing import unpacked

MINUTE = 60_000


class Watched(Till):
    """A box that is watched, on a clock of its own."""

    def boot(self) -> None:
        super().boot()
        self.now_ms = 1_000_000
        self.live._clock_ms = lambda: self.now_ms
        self.draw()

    def draw(self) -> None:
        self.box._draw(self.runtime.till, self.runtime)

    def watch(self, what: str, **more: Any) -> str:
        command = self.command("watch", what=what, **more)
        self.turn()
        self.settle()
        return command

    def look(self, ms: int = 0) -> None:
        """So much later its thread looks once, and its till does what was put before it."""
        self.now_ms += ms
        self.draw()
        self.live.turn()
        while True:
            try:
                self.box._inbox.get_nowait()(self.runtime)
            except queue.Empty:
                break
        self.draw()

    def shown(self, what: str = "screen") -> list[Live]:
        said = map(Live.model_validate_json, self.counter.messages(topics.live_up("box-1")))
        return [one for one in said if one.what == what]

    def pictures(self) -> list[str]:
        return [(unpacked(one.data, most=SCREEN_BYTES_MAX) or b"").decode() for one in self.shown()]

    def log(self) -> list[str]:
        found = [unpacked(one.data, most=LINES_BYTES_MAX) or b"" for one in self.shown("log")]
        return [line.text for data in found for line in LogLines.model_validate_json(data).lines]


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(Box(config(tmp_path, None)), tmp_path, Counter())
    made.boot()
    yield made
    made.journal.close()


async def page_of(screen: Screen) -> str:
    way = httpx.ASGITransport(screen.app())
    async with httpx.AsyncClient(transport=way, base_url="http://127.0.0.1") as cashier:
        return (await cashier.get("/")).text


def test_the_screen_is_what_the_cashier_sees_and_nothing_in_it_can_be_pressed(till: Watched) -> None:
    screen = Screen(till.box)
    assert screen.token in asyncio.run(page_of(screen)), "the cashier's own page has it"
    command = till.watch("screen")
    till.look()
    till.runtime.happen(shop.LineRung(TEA))
    till.look(1_000)
    empty, rung = till.pictures()
    assert till.life(command)[-1] == "successful"
    assert {one.command for one in till.shown()} == {command}
    assert 'id="due">0.00' in empty
    assert 'id="due">8.00' in rung
    assert "<main inert>" in rung
    assert all(word not in rung for word in ("<script", "<link", "src=", screen.token))
    assert 'name="token" value=""' in rung


def test_it_is_shown_once_a_second_at_the_most_and_when_it_changed(till: Watched) -> None:
    till.watch("screen")
    for _ in range(40):
        till.look(100)
    assert len(till.pictures()) == 1
    for number in range(40):
        till.runtime.happen(shop.LineRung(TEA) if number % 2 else shop.Cleared())
        till.look(100)
    assert len(till.pictures()) == 1 + 4
    before = len(till.pictures())
    till.look(1_000)
    for _ in range(25):
        till.look(1_000)
    assert len(till.pictures()) - before in (1, 2), "one that was lost is not missing for long"


def test_money_goes_first(till: Watched) -> None:
    till.watch("screen")
    till.watch("log")
    till.look()
    before = len(till.counter.sent)
    assert till.sell()
    till.look(5_000)
    sent = [topic for topic, _ in till.counter.sent[before:]]
    assert topics.live_up("box-1") not in sent, "its sale is not with the core yet"
    till.settle()
    till.look(5_000)
    assert 'class="sales"' in till.pictures()[-1]
    assert "8.00" in till.pictures()[-1]


def test_a_till_that_is_busy_finds_one_picture_waiting_and_none_is_drawn_while_money_waits(
    till: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[bytes] = []
    picture = till.live._picture
    monkeypatch.setattr(till.live, "_picture", lambda: drawn.append(b"") or picture())
    till.watch("screen")
    till.watch("log")
    till.draw()
    before = till.box._inbox.qsize()
    for _ in range(20):
        till.now_ms += 250
        till.live.turn()
    assert till.box._inbox.qsize() - before <= 2, "one of each"
    assert len(drawn) == 1
    till.look(5_000)
    assert till.sell()
    till.draw()
    drawn.clear()
    for _ in range(20):
        till.look(1_000)
    assert drawn == []
    till.settle()
    till.look(1_000)
    assert drawn, "and then it goes on"


def test_a_line_that_was_down_gets_the_screen_anew(till: Watched) -> None:
    till.watch("screen")
    till.look()
    till.runtime.hear(Down("the cable"))
    till.look(1_500)
    assert len(till.pictures()) == 1
    till.runtime.hear(Up())
    till.look(1_500)
    till.look(1_500)
    assert len(till.pictures()) >= 2


def test_the_cashier_is_told_until_when(till: Watched) -> None:
    till.watch("screen", minutes=15)
    till.look()
    assert till.box.view is not None
    for language, words in (("en", "Head office sees this screen until"), ("zh", "总部正在看这个屏幕")):
        page = till_page(till.box.view, till.box.config, language)
        assert words in page.watched
        assert till.box.watched_until in page.watched
    assert till.box.watched_until in till.pictures()[0]
    till.watch("nothing")
    till.look(1_000)
    assert till_page(till.box.view, till.box.config, "en").watched == ""


@pytest.mark.parametrize("what", ["screen", "log"])
def test_it_ends_by_itself_by_the_hour_that_it_was_asked_for(till: Watched, what: str) -> None:
    till.lately(None, "info", {"event": "box.up"})
    till.watch(what, minutes=2)
    till.look()
    assert len(till.shown(what)) == 1
    till.lately(None, "info", {"event": "still"})
    till.look(2 * MINUTE - 10_000)
    seen = len(till.shown(what))
    assert seen == 2
    till.runtime.happen(shop.LineRung(TEA))
    till.lately(None, "info", {"event": "too late"})
    till.look(11_000)
    till.look(60_000)
    assert len(till.shown(what)) == seen
    assert till.box.watched_until == ""


def test_a_box_that_starts_anew_shows_nothing_until_it_is_asked_again(till: Watched) -> None:
    till.watch("screen")
    till.look()
    till.power_cut()
    till.settle()
    till.counter.sent.clear()
    till.look(5_000)
    assert till.shown() == []


def test_the_log_comes_in_batches_masked_and_says_what_was_left_out(till: Watched) -> None:
    till.lately(None, "info", {"event": "before it was watched"})
    till.watch("log")
    till.look()
    till.lately(None, "warning", {"event": "code 13812345678 was refused", "file": "a\udcff"})
    till.look(100)
    assert not any("was refused" in line for line in till.log()), "twice a second at the most"
    till.look(500)
    assert any("before it was watched" in line for line in till.log())
    assert any("138***78 was refused" in line for line in till.log())
    for number in range(LINES_MAX + 35):
        till.lately(None, "info", {"event": f"line {number}"})
    for _ in range(4):
        till.look(500)
    assert sum(one.lost for one in till.shown("log")) == 35
    assert till.log()[-1].startswith(f"line {LINES_MAX + 34}")


def test_a_screen_that_is_too_large_ends_and_the_log_says_why(till: Watched) -> None:
    till.watch("screen")
    till.live._picture = lambda: bytes(SCREEN_BYTES_MAX + 1)
    till.look()
    till.look(5_000)
    assert till.shown() == []
    assert till.box.watched_until == ""


@pytest.mark.parametrize(
    "params", [{"what": "camera"}, {"what": "screen", "minutes": 31}, {"minutes": 5}, {}]
)
def test_what_cannot_be_watched_is_refused(till: Watched, params: dict[str, Any]) -> None:
    command = till.command("watch", **params)
    assert till.life(command) == ["init", "failed"]
    assert json.dumps(till.said(command)[-1]["reason"])
    till.look()
    assert till.counter.messages(topics.live_up("box-1")) == []


def test_a_box_that_hears_of_it_late_ends_with_the_others(till: Watched) -> None:
    boot_ms = BootClock().boot_ms()
    late = TimeBelief(0).told(NOW + 4 * MINUTE, asked_boot_ms=boot_ms, answered_boot_ms=boot_ms)
    till.runtime.belief = late
    till.watch("screen", minutes=5)
    till.look(MINUTE - 10_000)
    assert len(till.shown()) == 1
    till.runtime.happen(shop.LineRung(TEA))
    till.look(11_000)
    assert len(till.shown()) == 1
