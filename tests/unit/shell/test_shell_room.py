"""A shell on a box: a real till with its journal, a real terminal with a real shell, and head office's end of the line."""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.patience import eventually
from tests.unit.test_errands import Till, config
from tests.unit.test_runtime import Counter

from tillbox.agent.app import Box
from tillbox.agent.clock import BootClock
from tillbox.agent.provisioning.keystore import FileKeyStore
from tillbox.agent.screen.page import till_page
from tillbox.agent.screen.server import drawn
from tillbox.agent.shell import keeper, recording, room
from tillbox.agent.shell.consent import ANSWER_MS, EARLY_MS, REFUSED_MS, Policy
from tillbox.agent.shell.room import KEEPER, RATE_BYTES_S, ShellRoom
from tillbox.contracts import topics
from tillbox.contracts.proofs import SHELL, is_proven, unweb
from tillbox.contracts.shells import DATA_BYTES_MAX, Channel, Kind, agreed, keys_of, public_of, size_bytes
from tillbox.contracts.verdicts import Reason, Refused

CORE = b"c" * 32
UP = topics.shell_up("box-1")


class Hours:
    """The box's clock, which a test may put on."""

    ahead_ms = 0

    def boot_ms(self) -> int:
        return BootClock().boot_ms() + self.ahead_ms


@dataclass
class Visit:
    """A box, its till, and the core's end of whatever shell there is."""

    till: Till
    key: FileKeyStore
    hours: Hours
    till_page: socket.socket
    shown: bytes = b""
    end: str = ""
    frames: list[bytes] = field(default_factory=list)
    channel: Channel | None = None

    @property
    def shells(self) -> ShellRoom:
        assert self.till.shells is not None
        return self.till.shells

    def ask(self, *, minutes: int = 5, why: str = "the disk") -> str:
        told = {"who": "ann", "why": why, "minutes": minutes, "key": public_of(CORE).hex()}
        return self.till.command("shell", **told)

    def open(self, **more: Any) -> str:
        """Let in, with the box's answer proven and the channel agreed."""
        shell = self.ask(**more)
        said = self.till.said(shell)[-1]
        assert said["state"] == "executing", said
        answer = json.loads(said["result"])
        box = bytes.fromhex(answer["key"])
        transcript = agreed(shell, core=public_of(CORE), box=box)
        assert is_proven(self.key.public, SHELL, transcript, unweb(answer["proof"]))
        keys = keys_of(CORE, box, transcript=transcript)
        assert not isinstance(keys, Refused)
        self.channel = Channel(shell, send=keys.down, receive=keys.up, now_ms=self.hours.boot_ms())
        return shell

    def turn(self) -> None:
        """A moment of the till's thread, of the line, and of the core."""
        with_work = self.till.box._inbox
        while not with_work.empty():
            with_work.get_nowait()(self.till.runtime)
        self.till.turn()
        while self.till.counter.sent:
            topic, frame = self.till.counter.sent.pop(0)
            if topic == UP and self.channel is not None:
                self.frames.append(frame)
                heard = self.channel.hear(frame, self.hours.boot_ms())
                assert not isinstance(heard, Refused)
                for kind, body in heard:
                    self.shown += body if kind is Kind.DATA else b""
                    self.end = body.decode() if kind is Kind.CLOSE else self.end
        if self.channel is not None:
            for frame in self.channel.due(self.hours.boot_ms()):
                self.shells.hear(frame)

    def type(self, text: str) -> None:
        assert self.channel is not None
        assert self.channel.say(Kind.DATA, text.encode())

    def until(self, true: Callable[[], object], seconds: float = 20.0) -> bool:
        def look() -> object:
            self.turn()
            return true()

        return eventually(look, seconds)

    def last(self, shell: str) -> tuple[str, str]:
        said = self.till.said(shell)[-1]
        return said["state"], said["reason"]

    def leave(self) -> None:
        """End whatever there is, by the cashier's hand."""
        session = self.shells._session
        if session is not None:
            session.end_at_till()
            assert self.until(lambda: session.is_over)

    def is_over(self, shell: str) -> bool:
        return self.until(lambda: self.last(shell)[0] in ("successful", "failed"))


class Key(FileKeyStore):
    @property
    def public(self) -> bytes:
        return self._public()


@pytest.fixture
def visits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Visit]]:
    made: list[Visit] = []
    hours = Hours()
    monkeypatch.setattr(room, "GOODBYE_MS", 300)

    def one(policy: Policy = Policy.ALWAYS, minutes: int = 15) -> Visit:
        page = socket.create_server(("127.0.0.1", 0))
        port = page.getsockname()[1]
        box = Box(
            config(
                tmp_path / "state", None, shell=policy, shell_minutes=minutes, screen_port=port,
                witness=str(tmp_path / "stick" / "witness"), logs=str(tmp_path / "logs"),
            )
        )  # fmt: skip
        for folder in ("state", "stick", "logs"):
            (tmp_path / folder).mkdir()
        (tmp_path / "stick" / "witness").write_text("7")
        (tmp_path / "logs" / "box.log").write_text("a line")
        key = Key(tmp_path / "state" / "identity" / "client.key")
        till = Till(
            box, tmp_path / "state", Counter(), shells=ShellRoom(box, sign=key.sign, clock_ms=hours.boot_ms)
        )
        till.boot()
        box.view = SimpleNamespace(pending=0)  # type: ignore[assignment]
        made.append(Visit(till, key, hours, page))
        return made[-1]

    yield one
    for visit in made:
        visit.leave()
        visit.till_page.close()
        visit.till.journal.close()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def test_what_is_typed_is_done_and_both_are_recorded_before_anybody_sees_it(
    visits: Callable[..., Visit],
) -> None:
    visit = visits()
    shell = visit.open()
    visit.type("echo $((6*7)) $(stty size) $(ulimit -v); id -u; env | sort; pwd\n")
    assert visit.until(lambda: b"42 24 80 131072" in visit.shown and b"\n/\r\n" in visit.shown), visit.shown
    assert b"TERM=xterm-256color" in visit.shown
    assert not [word for word in os.environ if f"{word}=".encode() in visit.shown and word not in SET]
    assert visit.channel is not None
    visit.channel.say(Kind.SIZE, size_bytes(100, 40))
    visit.type("stty size\n")
    assert visit.until(lambda: b"40 100" in visit.shown)
    visit.type("exit\n")
    assert visit.is_over(shell)
    assert visit.last(shell) == ("successful", "The shell was left.")
    assert visit.end == "exited"
    path = visit.till.folder / "shells" / f"{shell}.cast"
    assert path.stat().st_mode & 0o777 == 0o600
    head, *events = [json.loads(line) for line in path.read_text().splitlines()]
    assert (head["version"], head["title"]) == (2, "ann: the disk")
    assert "".join(text for _, way, text in events if way == "i").endswith("stty size\nexit\n")
    assert "".join(text for _, way, text in events if way == "o") == visit.shown.decode()
    assert ["r", "100x40"] in [event[1:] for event in events]


SET = {"PATH", "HOME", "TERM", "LANG", "HISTFILE", "PWD", "SHLVL", "_", "OLDPWD"}


def test_never_is_never_whatever_head_office_signs(visits: Callable[..., Visit]) -> None:
    visit = visits(Policy.NEVER)
    assert visit.last(visit.ask())[0] == "failed"
    assert visit.shells.visitor is None
    assert not (visit.till.folder / "shells").exists()
    assert topics.shell_down("box-1") not in dict(visit.till.box._subscriptions())


def test_longer_than_the_box_allows_is_refused(visits: Callable[..., Visit]) -> None:
    visit = visits(Policy.ALWAYS, 5)
    assert topics.shell_down("box-1") in dict(visit.till.box._subscriptions())
    assert visit.last(visit.ask(minutes=6)) == ("failed", "This box allows 5 minutes at the most.")


def test_the_cashier_is_asked_and_lets_in(visits: Callable[..., Visit]) -> None:
    visit = visits(Policy.ASK)
    shell = visit.ask(why="look \u202eat it")
    assert visit.till.life(shell) == ["init", "blocked"]
    asked = visit.shells.visitor
    assert asked is not None
    assert (asked.who, asked.minutes, asked.asking) == ("ann", 5, True)
    visit.till.box._draw(visit.till.runtime.till, visit.till.runtime)
    assert visit.till.box.view is not None
    page = till_page(visit.till.box.view, visit.till.box.config, "en")
    assert page.visitor is not None
    assert page.visitor.why == "look at it", "nobody writes backwards over the buttons"
    second = visit.ask()
    assert visit.last(second)[0] == "failed", "one at a time, also to be asked for"
    assert visit.shells.decide(second, allow=True) == Refused(Reason.SHELL_UNKNOWN)
    assert visit.shells.decide(shell, allow=True) == Refused(Reason.SHELL_EARLY), "it came under a finger"
    visit.hours.ahead_ms += EARLY_MS
    allow = f'action="/do/shell_allow" data-sure="{page.label("shell_sure")} ann"'
    assert allow in drawn(visit.till.box, "till_body.html", "en")
    assert visit.till.sell(), "nobody waits for an answer to be sold to"
    assert visit.shells.decide(shell, allow=True) is None
    assert visit.shells.decide(shell, allow=False) == Refused(Reason.SHELL_UNKNOWN), "a word is a word"
    assert visit.until(lambda: visit.last(shell)[0] == "executing")
    inside = visit.shells.visitor
    assert inside is not None
    assert not inside.asking
    assert visit.shells.end(shell)
    assert visit.is_over(shell)
    assert visit.last(shell) == ("failed", "It was ended at the till.")
    assert visit.shells.visitor is None
    assert not visit.shells.end(shell)


def test_a_cashier_who_refuses_or_does_not_look_lets_nobody_in(visits: Callable[..., Visit]) -> None:
    visit = visits(Policy.ASK)
    shell = visit.ask()
    visit.hours.ahead_ms += EARLY_MS
    assert visit.shells.decide(shell, allow=False) is None
    assert visit.is_over(shell)
    assert visit.last(shell) == ("failed", "The cashier refused.")
    assert visit.last(visit.ask()) == ("failed", "The cashier refused a moment ago: ask again in a minute.")
    assert visit.shells.visitor is None, "and the till shows nothing of it"
    visit.hours.ahead_ms += REFUSED_MS
    shell = visit.ask()
    visit.hours.ahead_ms += ANSWER_MS
    assert visit.is_over(shell)
    assert visit.last(shell) == ("failed", "Nobody at the till answered.")
    assert visit.shells.visitor is None


def test_at_its_time_everything_is_gone_also_what_calls_itself_a_daemon(visits: Callable[..., Visit]) -> None:
    visit = visits()
    shell = visit.open(minutes=1)
    visit.type(
        f"setsid nohup sh -c '{SLEEP} & {SLEEP}' >/dev/null 2>&1 & disown; {SLEEP} & echo re''ady $$\n"
    )
    assert visit.until(lambda: b"ready" in visit.shown and len(sleepers()) == 3), visit.shown
    visit.hours.ahead_ms += 60_000
    assert visit.is_over(shell)
    assert visit.last(shell) == ("failed", "Its time was over.")
    assert eventually(lambda: not sleepers())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_whoever_ends_or_stops_the_keeper_stays_no_longer(
    visits: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    monkeypatch.setattr(room, "KEEPER_S", 0.5)
    visit = visits()
    shell = visit.open(minutes=1)
    visit.type(f"trap '' HUP; setsid sh -c 'trap \"\" HUP; {SLEEP} & {SLEEP}' & {SLEEP} & echo re''ady\n")
    assert visit.until(lambda: b"ready" in visit.shown and len(sleepers()) == 3), visit.shown
    with subprocess.Popen(["sleep", "1003"]) as own:
        session = visit.shells._session
        assert session is not None
        assert session._keeper is not None
        session._keeper.send_signal(how)
        visit.hours.ahead_ms += 60_000
        assert visit.is_over(shell)
        assert eventually(lambda: not sleepers())
        assert own.poll() is None, "what is the box's own is left alone"
        own.kill()


SLEEP = f"sleep 1000.{os.getpid()}"  # another worker's are not ours


def sleepers() -> list[str]:
    found = subprocess.run(["pgrep", "-xa", "sleep"], capture_output=True, text=True).stdout
    return [line for line in found.splitlines() if line.endswith(SLEEP)]


def test_a_shell_that_cannot_be_started_leaves_the_box_as_it_was(
    visits: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError("no more tasks")

    monkeypatch.setattr(room.subprocess, "Popen", none)
    visit = visits()
    shell = visit.open()
    assert visit.is_over(shell)
    assert visit.last(shell) == ("failed", "The box could not do it; its log says why.")
    adopts = ctypes.c_int(-1)
    keeper.libc.prctl(37, ctypes.byref(adopts), 0, 0, 0)  # PR_GET_CHILD_SUBREAPER
    assert adopts.value == 0, "orphans go to the machine's first process again"


def test_a_minute_of_silence_ends_it(visits: Callable[..., Visit]) -> None:
    visit = visits()
    shell = visit.open()
    assert visit.until(lambda: b"$" in visit.shown or b"#" in visit.shown)
    visit.channel = None
    visit.until(lambda: False, 0.5)
    visit.hours.ahead_ms += 60_000
    assert visit.is_over(shell)
    assert visit.last(shell) == ("failed", "Nothing was heard for a minute.")


def test_a_session_that_cannot_be_recorded_does_not_go_on(
    visits: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = visits()
    shell = visit.open()
    assert visit.until(lambda: visit.shown)
    monkeypatch.setattr(recording, "ROOM_BYTES", 2**62)
    visit.type("touch made-anyway\n")
    assert visit.is_over(shell)
    assert visit.last(shell) == ("failed", "Its recording could not be written.")
    assert not Path("/made-anyway").exists(), "what is not recorded is not done"
    again = visit.open()
    assert visit.is_over(again)
    assert visit.last(again)[1] == "Its recording could not be written."


def test_a_recording_has_a_length_and_only_the_newest_are_kept(
    visits: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "BYTES_MAX", 20_000)
    visit = visits()
    for _ in range(recording.KEPT + 1):
        shell = visit.open()
        visit.type("yes\n")
        assert visit.is_over(shell)
        assert visit.last(shell) == ("failed", "Its recording was full.")
    kept = sorted((visit.till.folder / "shells").iterdir())
    assert len(kept) == recording.KEPT
    assert kept[-1].name == f"{shell}.cast"
    assert max(path.stat().st_size for path in kept) <= 20_000


def test_what_shows_much_is_slowed_down_and_sells_as_fast_as_ever(visits: Callable[..., Visit]) -> None:
    visit = visits()
    visit.open()
    visit.type("yes\n")
    assert visit.until(lambda: len(visit.shown) > room.BURST_BYTES)
    began, before = visit.hours.boot_ms(), len(visit.shown)
    sold = 0
    assert visit.until(lambda: visit.hours.boot_ms() - began > 2_000)
    rate = (len(visit.shown) - before) * 1000 / (visit.hours.boot_ms() - began)
    assert rate < 1.5 * RATE_BYTES_S
    for _ in range(20):
        sold += visit.till.sell()
    assert sold == 20
    visit.till.box.view = SimpleNamespace(pending=20)  # type: ignore[assignment]
    visit.turn()
    visit.until(lambda: False, 0.5)
    shown = len(visit.shown)
    visit.until(lambda: False, 1.0)
    assert len(visit.shown) == shown, "while money waits for the core, nothing is shown"


def test_what_nobody_reads_keeps_no_box_busy(
    visits: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = visits()
    visit.open()
    visit.type("stty raw -echo; echo re''ady; sleep 60\n")
    assert visit.until(lambda: b"ready" in visit.shown)
    session, waits = visit.shells._session, []
    assert session is not None
    wait = session._wait
    monkeypatch.setattr(session, "_wait", lambda: (waits.append(1), wait()))

    def is_full() -> bool:
        assert visit.channel is not None
        visit.channel.say(Kind.DATA, bytes(DATA_BYTES_MAX))
        return session._typed_is_full and not session._frames.empty()

    assert visit.until(is_full)
    waits.clear()
    assert not eventually(lambda: len(waits) > 10 + 0.5 / room.TURN_S, 0.5)


def test_whoever_holds_the_line_types_nothing(visits: Callable[..., Visit]) -> None:
    visit = visits()
    shell = visit.open()
    visit.type("echo once >>$OLDPWD/dev/null; echo no''ted\n")
    assert visit.until(lambda: b"noted" in visit.shown)
    assert visit.channel is not None
    visit.channel.say(Kind.DATA, b"echo aga''in\n")
    (frame,) = visit.channel.due(visit.hours.boot_ms())
    for one in (frame, frame, *visit.frames, frame[:-1], bytes(100), b""):
        visit.shells.hear(one)
    assert visit.until(lambda: b"again" in visit.shown)
    visit.until(lambda: False, 0.5)
    assert visit.shown.count(b"again") == 1
    assert visit.shells.is_open(shell)


def test_the_boxs_own_files_and_its_program_are_out_of_reach(visits: Callable[..., Visit]) -> None:
    visit = visits()
    visit.open()
    state = visit.till.folder
    visit.type(f"cat {state}/identity/client.key; echo x > {state}/new; rm {state}/journal.db; echo do''ne\n")
    assert visit.until(lambda: b"done" in visit.shown)
    version = keeper.libc.syscall(keeper.CREATE_RULESET, None, 0, keeper.VERSION_FLAG)
    if b"hides nothing" in visit.shown:
        assert version < 1
        pytest.skip("this kernel has no Landlock, and the shell was told so")
    assert visit.shown.count(b"ermission denied") == 3, visit.shown
    assert b"PRIVATE" not in visit.shown
    visit.shown = b""
    stick, logs = state.parent / "stick" / "witness", state.parent / "logs"
    tries = (
        f"cat {stick}",
        f"cat {logs}/box.log",
        f"echo 2147483647 >{stick}",
        f"rm {stick}",
        f"touch {state.parent}/new",
    )
    visit.type("; ".join(tries) + "; echo x >/tmp/new-$$; echo x >/dev/null && echo do''ne\n")
    assert visit.until(lambda: b"done" in visit.shown), visit.shown
    assert visit.shown.count(b"ermission denied") == 6, visit.shown
    assert stick.read_text() == "7"
    with socket.create_server(("127.0.0.1", 0)) as other, visit.till_page as page:
        for door, found in (
            (other, b"reached"),
            (page, b"Permission denied" if version >= 4 else b"reached"),
        ):
            visit.shown = b""
            port = door.getsockname()[1]
            visit.type(f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo rea''ched; echo do''ne\n")
            assert visit.until(lambda: b"done" in visit.shown)
            assert found in visit.shown
    visit.type(f"kill -0 {os.getpid()} && echo mi''ne; echo en''ough\n")
    assert visit.until(lambda: b"enough" in visit.shown)
    assert (b"mine" in visit.shown) is (version < 6)
    assert not (state / "new").exists()


def test_what_seals_the_boxs_key_is_hidden_with_all_that_it_writes(visits: Callable[..., Visit]) -> None:
    visit = visits()
    hidden, told = room._hidden(visit.till.box.config), visit.till.box.config
    assert {told.state, told.witness, told.logs, Path("/dev/tpm0"), Path("/dev/tpmrm0")} <= set(hidden)


def test_a_card_without_files_to_be_made_is_full_too(
    visits: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = visits()
    tape = recording.Recording(visit.till.folder / "shells", "one", title="", begun_ms=0)
    free = SimpleNamespace(f_bavail=2**40, f_frsize=4_096, f_files=10_000_000, f_favail=2_000_000)
    monkeypatch.setattr(recording.os, "fstatvfs", lambda _: free)
    assert tape.has_room
    free.f_favail = 10
    assert not tape.has_room
    free.f_files = 0
    assert tape.has_room, "a file system without such a bound"
    tape.close()


@pytest.mark.parametrize(("seconds", "closes", "status"), [("60", True, 129), ("1", False, 124)])
def test_a_box_that_is_killed_leaves_no_shell_behind(seconds: str, closes: bool, status: int) -> None:
    """The keeper alone: its door is closed, as by the death of whoever held it; or its time is over."""
    screen, terminal = os.openpty()
    command = [sys.executable, "-I", "-S", str(KEEPER), str(terminal), seconds, ""]
    pipes = {"stdin": subprocess.PIPE, "pass_fds": (terminal,), "start_new_session": True}
    with subprocess.Popen(command, **pipes) as keeper:  # type: ignore[call-overload]
        os.close(terminal)
        os.write(screen, b"echo pid=$$=\n")
        shown = b""
        while not (found := re.search(rb"pid=(\d+)=", shown)):
            shown += os.read(screen, 4_096)
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            keeper.send_signal(number)
        assert alive(int(found[1]))
        if closes:
            keeper.stdin.close()
        assert keeper.wait(20) == status
        assert not alive(int(found[1]))
    os.close(screen)


def test_after_a_power_cut_it_is_over_and_says_so(visits: Callable[..., Visit]) -> None:
    visit = visits()
    shell = visit.open()
    visit.leave()
    visit.till.shells = ShellRoom(visit.till.box, sign=visit.key.sign, clock_ms=visit.hours.boot_ms)
    visit.till.power_cut()
    assert visit.is_over(shell)
    assert visit.last(shell)[0] == "failed"
    assert visit.shells.visitor is None
