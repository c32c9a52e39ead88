"""Whoever watches hears only boxes that were asked, and takes nothing from them that could do harm."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tillbox.broker.line import Message
from tillbox.cloud_bridge.console.pages.live.page import narrowed, pane
from tillbox.cloud_bridge.fleet.acts import CommandMade, Fleet, perform
from tillbox.cloud_bridge.fleet.onlooker import BOXES_MAX, KEPT_MS, LINES_MAX, LOOK_MS, WAITING_MAX, Onlooker
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.store import registry
from tillbox.cloud_bridge.store.command_lists import WatchRow
from tillbox.cloud_bridge.store.database import Database, open_database
from tillbox.contracts import topics
from tillbox.contracts.messages import (
    LINES_BYTES_MAX,
    LIVE_BYTES_MAX,
    SCREEN_BYTES_MAX,
    Live,
    LogLine,
    LogLines,
)
from tillbox.contracts.packing import packed
from tillbox.contracts.proofs import web
from tillbox.contracts.verdicts import Reason, Refused

NOW = 1_790_000_000_000
MINUTE = 60_000
FLEET = Fleet(
    bytes(32), "corner-tea", "127.0.0.1", 8884, 100, 1_000, Schedule(), second_person_above=BOXES_MAX + 2
)


class Room:
    """A core's database with some boxes, and who watches."""

    def __init__(self, database: Database) -> None:
        self.database, self.now_ms, self.set_ms = database, NOW, 0
        self.onlooker = self.onlooks()

    def onlooks(self) -> Onlooker:
        wall = lambda: self.now_ms + self.set_ms  # noqa: E731
        return Onlooker(self.database, now_ms=wall, steady_ms=lambda: self.now_ms)

    def stand(self, *names: str) -> None:
        places = [{"store": "s1", "lane": name, "title": "茶铺"} for name in names]
        self.do("plan-places", places=places)
        with self.database.writing() as connection:
            for name in names:
                registry.enlist(connection, name, b"key", hardware="", software="", at_ms=NOW)
                registry.bind(connection, f"s1/{name}", name, NOW)

    def do(self, act: str, **body: Any) -> Any:
        who = {"who": "ann", "role": "operator"}
        return perform(self.database, FLEET, act, body, **who, now_ms=self.now_ms, chance=os.urandom)

    def watch(self, box: str, what: str, minutes: int = 5) -> str:
        self.now_ms += 1  # no two commands of a person are made in one millisecond
        made = self.do("send-command", box=box, verb="watch", what=what, minutes=minutes)
        assert isinstance(made, CommandMade), made
        self.onlooker.look_again()
        self.onlooker.turn()
        return made.id

    def says(self, box: str, what: str, command: str, data: str, lost: int = 0) -> bool:
        said = Live.model_validate({"what": what, "command": command, "data": data, "lost": lost})
        return self.sends(box, said.model_dump_json().encode())

    def sends(self, box: str, payload: bytes) -> bool:
        self.onlooker.hear(Message(topics.live_up(box), payload))
        return self.onlooker.turn()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    database = open_database(f"sqlite:///{tmp_path / 'core.db'}")
    made = Room(database)
    made.stand("box-1", "box-2")
    yield made
    database.close()


def lines(*texts: str) -> str:
    told = tuple(LogLine(at_ms=NOW, level="info", text=text) for text in texts)
    return packed(LogLines(lines=told).model_dump_json().encode())


PAGE = packed(b"<p>till</p>")


def test_only_a_box_that_was_asked_is_heard_and_only_what_it_was_asked(room: Room) -> None:
    command = room.watch("box-1", "screen")
    assert not room.says("box-2", "screen", command, PAGE), "another box"
    assert not room.says("box-1", "log", command, lines("x")), "its log was not asked for"
    assert not room.says("box-1", "screen", room.watch("box-2", "screen"), PAGE), "another's command"
    assert room.onlooker.picture("box-1") is None
    assert room.says("box-1", "screen", command, PAGE)
    picture = room.onlooker.picture("box-1")
    assert picture is not None
    assert picture.html == b"<p>till</p>"
    assert room.onlooker.picture("box-2") is None


def test_it_ends_at_its_time_and_at_a_word(room: Room) -> None:
    command = room.watch("s1/box-1", "screen", 2)
    room.now_ms += 2 * MINUTE - 1
    assert room.says("box-1", "screen", command, PAGE), "the last one was under way"
    room.now_ms += LOOK_MS + 1
    room.onlooker.turn()
    assert not room.says("box-1", "screen", command, PAGE)
    again = room.watch("box-1", "screen")
    room.watch("box-1", "nothing", 60)
    assert not room.says("box-1", "screen", again, PAGE)
    assert room.onlooker.picture("box-1") is not None, "what was seen can be read for a while"
    room.now_ms += KEPT_MS + 10 * MINUTE
    room.onlooker.turn()
    assert room.onlooker.picture("box-1") is None


def test_a_core_that_was_started_anew_goes_on_listening_to_whom_it_had_asked(room: Room) -> None:
    command = room.watch("box-1", "log")
    assert room.says("box-1", "log", command, lines("one", "two"))
    newest = room.onlooker.log("box-1")[-1].number
    room.onlooker = room.onlooks()
    room.now_ms += 1_000
    room.onlooker.turn()
    assert room.says("box-1", "log", command, lines("three"))
    assert [row.text for row in room.onlooker.log("box-1", after=newest)] == ["three"]


def test_a_clock_that_is_set_back_makes_nobody_wait(room: Room) -> None:
    room.onlooker.turn()
    room.set_ms = -MINUTE
    command = room.do("send-command", box="box-2", verb="watch", what="log", minutes=20).id
    room.now_ms += LOOK_MS
    room.onlooker.turn()
    assert room.says("box-2", "log", command, lines("two"))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no message",
        b"[" * 10_000,
        b'{"what":"screen","command":"COMMAND","data":"no packing"}',
        b'{"what":"screen","command":"COMMAND","data":"'
        + web(zlib.compress(bytes(SCREEN_BYTES_MAX + 1))).encode()
        + b'"}',
        b'{"what":"log","command":"LOG","data":"'
        + web(zlib.compress(bytes(LINES_BYTES_MAX + 1))).encode()
        + b'"}',
        b'{"what":"log","command":"LOG","data":"' + packed(b'{"lines": 7}').encode() + b'"}',
        b'{"what":"screen","command":"COMMAND","data":"' + b"A" * LIVE_BYTES_MAX + b'"}',
    ],
    ids=["nothing", "no json", "deep", "not packed", "a bomb", "a bomb of lines", "no lines", "too long"],
)
def test_what_is_hostile_is_let_go(room: Room, payload: bytes) -> None:
    command, log = room.watch("box-1", "screen"), room.watch("box-1", "log")
    sent = payload.replace(b"COMMAND", command.encode()).replace(b"LOG", log.encode())
    assert not room.sends("box-1", sent)
    assert room.onlooker.picture("box-1") is None
    assert room.onlooker.log("box-1") == []
    assert room.says("box-1", "screen", command, PAGE), "and the next one is taken"


def test_memory_is_bounded_whatever_a_box_says(room: Room) -> None:
    command = room.watch("box-1", "log")
    payload = Live(what="log", command=command, data=lines(*"abc")).model_dump_json().encode()
    for _ in range(1_000):
        room.onlooker.hear(Message(topics.live_up("box-1"), payload))
    room.onlooker.turn()
    assert len(room.onlooker.log("box-1")) == 3 * WAITING_MAX
    for _ in range(LINES_MAX // 30):
        assert room.says("box-1", "log", command, lines(*"x" * 39), lost=7)
    rows = room.onlooker.log("box-1")
    assert len(rows) == LINES_MAX
    assert [row.number for row in rows] == sorted({row.number for row in rows})
    assert {row.text for row in rows if row.level == "lost"} == {"7"}


def test_so_many_boxes_are_watched_and_no_more(room: Room) -> None:
    names = [f"b{number:02}" for number in range(BOXES_MAX + 2)]
    room.stand(*names)
    commands = {}
    for name in names:
        commands[name] = room.watch(name, "screen")
    heard = [name for name in names if room.says(name, "screen", commands[name], PAGE)]
    assert heard == names[2:], "the newest"


def test_a_watch_is_of_one_box_and_of_half_an_hour_at_the_most(room: Room) -> None:
    refused = room.do("send-command", box="box-1", verb="watch", what="screen", minutes=31)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.COMMAND_WRONG
    assert isinstance(room.do("send-commands", verb="watch", scope=["s1"], preview=False), Refused)
    assert isinstance(room.do("send-command", box="box-1", verb="restart", what="screen"), Refused)
    assert isinstance(room.do("send-command", box="box-1", verb="watch"), Refused)


ASKED = WatchRow(
    command="c", what="screen", state="successful", reason="", made_by="ann", made_ms=NOW, until_ms=NOW
)


@pytest.mark.parametrize(
    ("asked", "silent", "online", "busy", "stands"),
    [
        (None, True, True, False, "watch_none"),
        ("init", True, True, False, "watch_asked"),
        ("init", True, False, False, "watch_away"),
        ("failed", True, True, False, "watch_refused"),
        ("successful", True, True, True, "watch_busy"),
        ("successful", True, True, False, "watch_silent"),
        ("successful", False, True, True, "watch_on"),
        ("successful", False, False, False, "watch_away"),
    ],
)
def test_the_page_says_why_nothing_comes(
    asked: str | None, silent: bool, online: bool, busy: bool, stands: str
) -> None:
    row = ASKED.model_copy(update={"state": asked}) if asked else None
    assert pane("screen", row, silent, online=online, busy=busy).stands == stands


def test_the_log_is_narrowed_by_level_and_letters(room: Room) -> None:
    command = room.watch("box-1", "log")
    told = [("info", "box.up"), ("warning", "Device.trouble"), ("error", "steward.failed"), ("lost", "a lie")]
    found = LogLines(lines=tuple(LogLine(at_ms=NOW, level=level, text=text) for level, text in told))
    assert room.says("box-1", "log", command, packed(found.model_dump_json().encode()))
    rows = room.onlooker.log("box-1")
    assert [row.text for row in narrowed(rows, "", "")] == [
        "a lie",
        "steward.failed",
        "Device.trouble",
        "box.up",
    ]
    assert [row.text for row in narrowed(rows, "warning", "")] == ["steward.failed", "Device.trouble"]
    assert [row.text for row in narrowed(rows, "", "DEVICE")] == ["Device.trouble"]
