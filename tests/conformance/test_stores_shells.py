"""Remote shells at the core, on both databases: who is believed to be the box, what is recorded, and when it does not go on."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from tests.conformance.test_stores_commands import FEW, Office
from tests.conformance.test_stores_fleet import _chance
from tests.patience import eventually

from tillbox.agent.provisioning.keystore import FileKeyStore
from tillbox.broker.line import Message
from tillbox.cloud_bridge.console.pages import Asked
from tillbox.cloud_bridge.console.pages.recording import page as recording
from tillbox.cloud_bridge.fleet import shells as module
from tillbox.cloud_bridge.fleet.acts import perform
from tillbox.cloud_bridge.fleet.recordings import cast
from tillbox.cloud_bridge.fleet.shells import LATE_MS, LEFT_MS, OPEN_MAX, Shells, ShellSeen
from tillbox.cloud_bridge.store.database import Database
from tillbox.contracts import topics
from tillbox.contracts.messages import canonical
from tillbox.contracts.proofs import SHELL, web
from tillbox.contracts.shells import Channel, Kind, agreed, keys_of, public_of
from tillbox.contracts.verdicts import Reason, Refused

BOX = b"b" * 32


class Desk(Office):
    """Head office with shells, and a box's end of one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.out: list[tuple[str, bytes]] = []
        self.set_ms = 0
        """How far the hour was set."""
        hour = lambda: self.now_ms + self.set_ms  # noqa: E731
        steady = lambda: self.now_ms  # noqa: E731
        told = {"now_ms": hour, "steady_ms": steady, "chance": _chance}
        self.shells = Shells(self.database, publish=self.publish, **told)
        self.shells.start()

    def publish(self, topic: str, frame: bytes) -> bool:
        self.out.append((topic, frame))
        return True

    def do(self, act: str, role: str = "admin", **body: Any) -> Any:
        if not hasattr(self, "shells"):
            return super().do(act, role, **body)
        fleet = replace(FEW, shells=self.shells)
        told = {"who": "ann", "role": role, "now_ms": self.now_ms, "chance": _chance}
        return perform(self.database, fleet, act, body, **told)

    def ask(self, place: str = "s9/a") -> tuple[str, Any]:
        """A shell is asked for; its command as its box has it."""
        made = self.do("open-shell", box=place, why="the disk", minutes=5)
        assert not isinstance(made, Refused), made
        (sent,) = self.sent()
        assert sent.id == made.id
        return made.id, sent

    def answer(self, sent: Any, key: FileKeyStore, *, box: bytes = BOX) -> Channel:
        """What a box says when it lets somebody in, and its end of the line."""
        core = bytes.fromhex(sent.params["key"])
        transcript = agreed(sent.id, core=core, box=public_of(box))
        keys = keys_of(box, core, transcript=transcript)
        assert not isinstance(keys, Refused)
        proof = web(key.sign(SHELL + transcript))
        self.says(sent, "init")
        self.says(sent, "executing", result=canonical({"key": public_of(box).hex(), "proof": proof}).decode())
        self.now_ms += module.LOOK_MS
        return Channel(sent.id, send=keys.up, receive=keys.down, now_ms=self.now_ms)

    def show(self, channel: Channel, device: str, data: bytes) -> None:
        channel.say(Kind.DATA, data)
        for frame in channel.due(self.now_ms):
            self.shells.hear(Message(topics.shell_up(device), frame))

    def typed(self, channel: Channel) -> list[tuple[Kind, bytes]]:
        found: list[tuple[Kind, bytes]] = []
        while self.out:
            heard = channel.hear(self.out.pop(0)[1], self.now_ms)
            found += [] if isinstance(heard, Refused) else heard
        return found

    def see(self, shell: str, after: int = 0, who: str = "ann") -> ShellSeen:
        found = self.shells.look(shell, who, after, 0.05)
        assert isinstance(found, ShellSeen), found
        return found

    def until(self, shell: str, state: str) -> ShellSeen:
        def there() -> bool:
            self.now_ms += module.LOOK_MS
            return self.see(shell).state == state

        assert eventually(there), self.see(shell)
        return self.see(shell)


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(database, tmp_path)
    yield opened
    opened.shells.stop()


@pytest.fixture
def box(desk: Desk) -> str:
    (device,) = desk.stand("a")
    return device


def test_what_is_typed_and_shown_is_recorded_and_cannot_be_changed(desk: Desk, box: str) -> None:
    shell, sent = desk.ask()
    assert sent.params | {"key": ""} == {"who": "ann", "why": "the disk", "minutes": 5, "key": ""}
    assert isinstance(desk.shells.look(shell, "bob", 0, 0), Refused), "it is hers alone"
    channel = desk.answer(sent, desk.boxes["a"])
    assert desk.until(shell, "open").data == ""
    assert desk.shells.type(shell, "ann", b"ls\n", (100, 40)) is None
    assert eventually(lambda: desk.out)
    assert eventually(lambda: desk.typed(channel)[-1:] == [(Kind.DATA, b"ls\n")])
    desk.show(channel, box, "a\x1b[1mb\u4e2d\r\n".encode())
    assert eventually(lambda: base64.b64decode(desk.see(shell).data).endswith(b"\r\n"))
    desk.show(channel, box, b"$ ")
    assert eventually(lambda: base64.b64decode(desk.see(shell).data).endswith(b"$ "))
    seen = desk.see(shell)
    assert desk.see(shell, seen.next).data == "", "what was read is let go"
    channel.say(Kind.CLOSE, b"exited")
    desk.show(channel, box, b"")
    assert desk.until(shell, "over").reason == "The shell was left."
    desk.says(sent, "successful")
    with desk.database.reading() as connection:
        told = cast(connection, shell)
        page = recording.show(connection, Asked(desk.now_ms, {"shell": shell}, {}))
    assert told is not None
    head, *events = [json.loads(line) for line in told.splitlines()]
    assert head["title"] == "s9/a ann: the disk"
    assert [event[1:] for event in events[:2]] == [["r", "100x40"], ["i", "ls\n"]]
    assert page is not None
    assert page.lines == ("ab中", "$")
    for change in ("UPDATE shell_chunk SET data = ''", "DELETE FROM shell_chunk"):
        with pytest.raises(DBAPIError, match="append-only"), desk.database.writing() as connection:
            connection.execute(text(change))


@pytest.mark.parametrize("who", ["another key", "another box's frames", "no key at all"])
def test_whoever_answers_in_a_boxs_place_is_not_believed(
    desk: Desk, box: str, who: str, tmp_path: Path
) -> None:
    shell, sent = desk.ask()
    if who == "no key at all":
        desk.says(sent, "init", "executing", result='{"key": 7}')
        assert "not under that box's signature" in desk.until(shell, "over").reason
    elif who == "another key":
        desk.answer(sent, FileKeyStore(tmp_path / "thief" / "box.key"))
        assert "not under that box's signature" in desk.until(shell, "over").reason
    else:
        channel = desk.answer(sent, desk.boxes["a"])
        desk.until(shell, "open")
        desk.show(channel, "box-2", b"forged")
        assert not eventually(lambda: desk.see(shell).data, 0.3)
    with desk.database.reading() as connection:
        assert cast(connection, shell) is None


def test_a_shell_that_cannot_be_recorded_does_not_go_on(
    desk: Desk, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, sent = desk.ask()
    channel = desk.answer(sent, desk.boxes["a"])
    desk.until(shell, "open")

    def full(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(module.store, "add", full)
    desk.typed(channel)
    desk.shells.type(shell, "ann", b"rm -rf /\n")
    seen = desk.until(shell, "over")
    assert (seen.reason, seen.data) == ("Its recording could not be written.", "")
    heard: list[tuple[Kind, bytes]] = []
    assert eventually(lambda: heard.extend(desk.typed(channel)) or heard)
    assert heard == [(Kind.CLOSE, b"")], "what is not recorded is not sent"


def test_what_cannot_be_taken_keeps_nobody_busy(
    desk: Desk, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[float] = []
    turn = desk.shells._turn
    monkeypatch.setattr(desk.shells, "_turn", lambda one: (turns.append(one.asked_ms), turn(one)))
    shell, sent = desk.ask()
    early = b"".join((uuid.UUID(shell).bytes, bytes(40)))

    def busy() -> bool:
        before = len(turns)
        return eventually(lambda: len(turns) - before > 10 + 0.5 / module.TURN_S, 0.5)

    for _ in range(module.FRAMES_MAX):
        desk.shells.hear(Message(topics.shell_up(box), early))
    assert not busy(), "its box has not answered"
    desk.answer(sent, desk.boxes["a"])
    desk.until(shell, "open")
    going = desk.shells._shells[shell]
    assert eventually(lambda: desk.shells.type(shell, "ann", b"x") == Refused(Reason.SHELL_BEHIND))
    assert going.typed
    assert not busy(), "its box takes nothing"
    assert not isinstance(desk.do("end-shell", shell=shell), Refused)
    desk.until(shell, "over")
    assert not going.typed
    assert not busy()


def test_a_clock_that_is_set_ends_no_shell(desk: Desk, box: str) -> None:
    shell, sent = desk.ask()
    desk.answer(sent, desk.boxes["a"])
    desk.until(shell, "open")
    for desk.set_ms in (24 * 3_600_000, -24 * 3_600_000):
        desk.now_ms += module.LOOK_MS
        assert not eventually(lambda: desk.see(shell).state != "open", 0.3)


def test_a_recording_is_bounded_also_where_a_box_shows_nothing_many_times(desk: Desk, box: str) -> None:
    shell, sent = desk.ask()
    channel = desk.answer(sent, desk.boxes["a"])
    desk.until(shell, "open")
    going = desk.shells._shells[shell]
    with desk.shells._changed:
        for body in (b"", b"", b"", b""):
            channel.say(Kind.DATA, body)
        for frame in channel.due(desk.now_ms):
            desk.shells.hear(Message(topics.shell_up(box), frame))
    assert eventually(lambda: desk.typed(channel) == [] and channel.is_idle)
    assert going.recorded == 0
    with desk.shells._changed:
        for body in (b"a", b"b", b"c", b"d"):
            channel.say(Kind.DATA, body)
        for frame in channel.due(desk.now_ms):
            desk.shells.hear(Message(topics.shell_up(box), frame))
    assert eventually(lambda: base64.b64decode(desk.see(shell).data) == b"abcd")
    assert going.recorded == module.CHUNK_BYTES_MIN
    with desk.database.reading() as connection:
        assert [one.data for one in module.store.chunks(connection, shell)] == [b"abcd"]


@pytest.mark.parametrize("how", ["ended", "gone"])
def test_a_terminal_that_ends_it_or_is_gone_leaves_no_shell_behind(desk: Desk, box: str, how: str) -> None:
    shell, sent = desk.ask()
    channel = desk.answer(sent, desk.boxes["a"])
    desk.until(shell, "open")
    desk.typed(channel)
    if how == "ended":
        assert not isinstance(desk.do("end-shell", shell=shell), Refused)
    else:
        desk.now_ms += LEFT_MS
    assert eventually(lambda: (Kind.CLOSE, b"") in desk.typed(channel))
    assert desk.until(shell, "over").reason == "It was ended by whoever opened it."
    assert desk.shells.type(shell, "ann", b"x") == Refused(Reason.SHELL_UNKNOWN, shell)


def test_a_box_that_lets_somebody_in_who_has_gone_is_told_so(desk: Desk, box: str) -> None:
    shell, sent = desk.ask()
    desk.do("end-shell", shell=shell)
    assert desk.until(shell, "over").well
    channel = desk.answer(sent, desk.boxes["a"])
    heard: list[tuple[Kind, bytes]] = []
    assert eventually(lambda: heard.extend(desk.typed(channel)) or heard)
    assert heard == [(Kind.CLOSE, b"")]
    assert not isinstance(desk.do("open-shell", box="s9/a", why="again"), Refused)


def test_what_its_box_refuses_is_over_with_its_reason(desk: Desk, box: str) -> None:
    shell, sent = desk.ask()
    desk.says(sent, "init", "blocked")
    assert desk.until(shell, "asking").data == ""
    desk.says(sent, "failed")
    desk.until(shell, "over")
    desk.now_ms += LATE_MS
    assert eventually(lambda: isinstance(desk.shells.look(shell, "ann", 0, 0), Refused))


def test_there_is_one_for_a_box_and_few_in_all(desk: Desk) -> None:
    desk.stand(lanes=OPEN_MAX + 1)
    for number in range(OPEN_MAX):
        assert not isinstance(desk.do("open-shell", box=f"s9/b{number}", why="x"), Refused)
    assert desk.do("open-shell", box="s9/b0", why="x").reason == Reason.SHELL_BUSY
    assert desk.do("open-shell", box=f"s9/b{OPEN_MAX}", why="x").reason == Reason.SHELL_BUSY
    assert desk.do("open-shell", box="s9/none", why="x").reason == Reason.NO_BOX_THERE


def test_an_operator_sends_no_shell_as_a_command(desk: Desk, box: str) -> None:
    refused = desk.do("send-command", "operator", box="s9/a", verb="shell", why="x")
    assert refused.reason == Reason.COMMAND_WRONG
    many = desk.do("send-commands", "operator", scope=["s9"], verb="shell", why="x")
    assert many.reason == Reason.COMMAND_WRONG
    assert desk.do("open-shell", "operator", box="s9/a", why="x").reason == Reason.NOT_ALLOWED
