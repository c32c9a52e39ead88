"""The door of a box, and the thread of the one session there may be.

Till's thread: a command is judged, and once its record is written the session begins. Line's thread: frames are put in a queue.
Screen's threads: the cashier allows, refuses, ends. The session's own thread carries what is typed and shown. Output waits while
records wait for the core, and comes no faster than a person could look at: what shows much is slowed down, and no sale is.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import queue
import select
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from tillbox.agent.app import Box
from tillbox.agent.clock import wall_ms
from tillbox.agent.config import BoxConfig
from tillbox.agent.outcomes import Move, Outcome
from tillbox.agent.runtime import Runtime
from tillbox.contracts import topics
from tillbox.contracts.casts import COLUMNS, IN, OUT, ROWS, SIZE
from tillbox.contracts.commands import Command, Shell, State, params_of
from tillbox.contracts.messages import canonical
from tillbox.contracts.proofs import SHELL, web
from tillbox.contracts.shells import (
    AGAIN_MS,
    DATA_BYTES_MAX,
    GOOD,
    KEY_BYTES,
    SAYS,
    Channel,
    End,
    Keys,
    Kind,
    agreed,
    keys_of,
    public_of,
    size_of,
)
from tillbox.contracts.verdicts import Reason, Refused

from .consent import EARLY_MS, MINUTE_MS, REFUSED_MS, Policy, Question, Standing, Visitor, consent, over
from .keeper import CAN_NARROW, adopt, children, descendants, end_all, filters
from .recording import NotRecorded, Recording, RecordingFull

RATE_BYTES_S = 16_384  # two hundred lines a second; a person reads five
BURST_BYTES = 32_768  # a screenful of anything is there at once
FRAMES_MAX = 32  # heard and not looked at yet; what is more comes again
TYPED_BYTES_MAX = 16_384  # taken and not read by the shell yet
REFUSED_SAID = 1_000  # a frame that came twice is refused, too; whoever forges many fills no log
TURN_S = 0.05
GOODBYE_MS = 3_000  # for the last words; the journal says how it ended in any case
KEEPER_S = 5.0  # it needs a tenth of a second
TPMS = (Path("/dev/tpm0"), Path("/dev/tpmrm0"))  # also one whose driver comes later
KEEPER = Path(__file__).with_name("keeper.py")

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Asked:
    """A command that wants in, and what the cashier said to it."""

    visitor: Visitor
    question: Question


class ShellRoom:
    """The remote shells of one box."""

    def __init__(
        self,
        box: Box,
        *,
        sign: Callable[[bytes], bytes],
        clock_ms: Callable[[], int],
        chance: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._box, self._sign, self._clock_ms, self._chance = box, sign, clock_ms, chance
        self._asked: _Asked | None = None
        self._session: Session | None = None
        self._keys: dict[str, Keys] = {}
        self._refused: dict[str, int] = {}
        """To whom the cashier said no within the last minute, and when."""

    # the till's thread

    def judge(self, command: Command, move: Move) -> Move:
        """Whether it may begin now; `move` is what any other command would do."""
        if move.state is not State.EXECUTING:
            if move.state is not State.BLOCKED and self._asked and self._asked.visitor.shell == command.id:
                self._asked = None
            return move
        wanted, now_ms = _wanted(command), self._clock_ms()
        config, policy = self._box.config, Policy(self._box.config.shell)
        busy = self._session is not None and not self._session.is_over
        asked = self._asked
        mine = asked is not None and asked.visitor.shell == command.id
        move = consent(
            policy,
            config.shell_minutes,
            wanted,
            is_open=busy or (asked is not None and not mine),
            question=asked.question if asked and mine else None,
            now_ms=now_ms,
            refused_ms=self._refused.get(wanted.who),
        )
        if move.state is State.BLOCKED and asked is None:
            visitor = Visitor(command.id, wanted.who, wanted.why, wanted.minutes, asking=True)
            self._asked = _Asked(visitor, Question(now_ms))
            log.info("shell.asked", command=command.id, who=wanted.who)
        elif mine and move.state is not State.BLOCKED:
            self._asked = None
        return move

    def answer(self, command: Command) -> str | None:
        """The box's part of the session's key, under its signature, for the record that it begins; None where the core's
        part is no key."""
        wanted, private = _wanted(command), self._chance(KEY_BYTES)
        mine, core = public_of(private), bytes.fromhex(wanted.key)
        transcript = agreed(command.id, core=core, box=mine)
        keys = keys_of(private, core, transcript=transcript)
        if isinstance(keys, Refused):
            return None
        self._keys = {command.id: keys}
        return canonical({"key": mine.hex(), "proof": web(self._sign(SHELL + transcript))}).decode()

    def begin(self, command: Command, owe: Callable[[Outcome], None]) -> None:
        """Its record is written: open it. How it ended is said to `owe`, once, from the session's thread."""
        self._session = Session(
            self._box, command.id, _wanted(command), self._keys.pop(command.id), owe, self._clock_ms
        )
        self._session.start()

    def is_open(self, shell: str) -> bool:
        """Whether that session is under way in this very process."""
        return self._session is not None and self._session.shell == shell and not self._session.is_over

    # the line's thread

    def hear(self, frame: bytes) -> None:
        """A frame, unread."""
        if self._session is not None:
            self._session.hear(frame)

    # the screen's threads

    @property
    def visitor(self) -> Visitor | None:
        """Who wants in, or is in; None where nobody does."""
        session, asked = self._session, self._asked
        if session is not None and not session.is_shut:
            return session.visitor(self._clock_ms())
        return asked.visitor if asked and asked.question.answer is None else None

    def decide(self, shell: str, *, allow: bool) -> Refused | None:
        """The cashier's word. Refused where that question is not open any more, or came up only just now."""
        asked, now_ms = self._asked, self._clock_ms()
        if asked is None or asked.visitor.shell != shell or asked.question.answer is not None:
            return Refused(Reason.SHELL_UNKNOWN)
        if now_ms - asked.question.since_ms < EARLY_MS:
            return Refused(Reason.SHELL_EARLY)
        if not allow:
            lately = {who: at_ms for who, at_ms in self._refused.items() if now_ms - at_ms < REFUSED_MS}
            self._refused = lately | {asked.visitor.who: now_ms}
        asked.question = Question(asked.question.since_ms, allow)
        return None

    def end(self, shell: str) -> bool:
        """The cashier ends it, at once; False where it is over already."""
        if not self.is_open(shell):
            return False
        assert self._session is not None
        self._session.end_at_till()
        return True


class Session:
    """One shell, from its beginning to its end, on a thread of its own."""

    def __init__(
        self,
        box: Box,
        shell: str,
        wanted: Shell,
        keys: Keys,
        owe: Callable[[Outcome], None],
        clock_ms: Callable[[], int],
    ) -> None:
        self.shell, self._box, self._wanted, self._owe, self._clock_ms = shell, box, wanted, owe, clock_ms
        self._opened_ms = self._clock_ms()
        self._channel = Channel(shell, send=keys.up, receive=keys.down, now_ms=self._opened_ms)
        self._frames: queue.Queue[bytes] = queue.Queue(FRAMES_MAX)
        self._at_till, self._closed = threading.Event(), False
        self._fault: End | None = None
        self._sent_ms: int | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self._recording: Recording | None = None
        self._screen = -1
        self._typed = b""
        self._allowance, self._counted_ms = float(BURST_BYTES), self._opened_ms
        self._drained = False
        self._others: set[int] = set()
        self._shown = self._read = self._refused = 0
        self.is_shut = self.is_over = False

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="shell", daemon=True).start()

    def hear(self, frame: bytes) -> None:
        """A frame, unread. What is too much comes again."""
        with contextlib.suppress(queue.Full):
            self._frames.put_nowait(frame)

    def end_at_till(self) -> None:
        """End it, whatever this session's own thread may be doing."""
        self._at_till.set()
        self._let_go()

    def visitor(self, now_ms: int) -> Visitor:
        """Who is in."""
        left_ms = self._wanted.minutes * MINUTE_MS - (now_ms - self._opened_ms)
        told = self._wanted
        return Visitor(self.shell, told.who, told.why, told.minutes, False, -(-max(0, left_ms) // MINUTE_MS))

    # its own thread

    def _run(self) -> None:
        log.info("shell.opened", command=self.shell, who=self._wanted.who, why=self._wanted.why)
        end = End.FAULT
        try:
            try:
                self._open()
                end = self._carry()
            finally:
                self._shut()
            self._say_goodbye(end)
        except Exception:
            log.exception("shell.failed", command=self.shell)
        log.info("shell.ended", command=self.shell, why=end)
        # After the last words: a record that waits for the core would have them wait, too.
        self._owe(_ended(end, self._shown, self._read))
        self.is_over = True

    def _open(self) -> None:
        config = self._box.config
        title = f"{self._wanted.who}: {self._wanted.why}"
        try:
            self._recording = Recording(config.state / "shells", self.shell, title=title, begun_ms=wall_ms())
        except NotRecorded as why:
            log.warning("shell.unrecorded", why=str(why))
            self._fault = End.UNRECORDED
            return
        # Whoever is in is no cashier: neither the till's page nor the other program's door takes a press of his.
        ports = [one for one in (config.screen_port, config.api.port if config.api else 0) if one]
        self._screen, terminal = pty.openpty()
        _resize(self._screen, COLUMNS, ROWS)
        os.set_blocking(self._screen, False)
        self._others = children(os.getpid())
        adopt(yes=True)
        try:
            self._keeper = subprocess.Popen(
                [
                    sys.executable, "-I", "-S", str(KEEPER), str(terminal), str(60 * self._wanted.minutes),
                    ",".join(map(str, ports)), *map(str, _hidden(config)),
                ],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=(terminal,), start_new_session=True, env={}, cwd="/",
            )  # fmt: skip
        finally:
            os.close(terminal)

    def _carry(self) -> End:
        while (end := over(self._standing(), self._clock_ms())) is None:
            self._wait()
            self._look_at_the_card()
            self._take_frames()
            self._type()
            self._show()
            self._send()
        return end

    def _look_at_the_card(self) -> None:
        """Whoever fills it is out before the till has to stop."""
        assert self._recording is not None
        if not self._recording.has_room:
            log.warning("shell.unrecorded", why="the card is nearly full")
            self._fault = End.UNRECORDED

    def _standing(self) -> Standing:
        return Standing(
            opened_ms=self._opened_ms,
            minutes=self._wanted.minutes,
            heard_ms=self._channel.heard_ms,
            ended_at_till=self._at_till.is_set(),
            closed=self._closed,
            exited=self._drained and self._keeper is not None and self._keeper.poll() is not None,
            fault=self._fault,
        )

    def _wait(self) -> None:
        """For something to show, or a moment: frames and buttons are looked at as often as a person types."""
        may = self._channel.has_room and self._allowed() > 0 and not self._drained and not self._money_waits
        poll = select.poll()
        if may:
            poll.register(self._screen, select.POLLIN)
        if self._frames.empty() or self._typed_is_full:
            poll.poll(TURN_S * 1000)

    @property
    def _typed_is_full(self) -> bool:
        return len(self._typed) >= TYPED_BYTES_MAX

    def _take_frames(self) -> None:
        for _ in range(FRAMES_MAX):
            if self._typed_is_full:
                return
            try:
                frame = self._frames.get_nowait()
            except queue.Empty:
                return
            now_ms = self._clock_ms()
            heard = self._channel.hear(frame, now_ms)
            if isinstance(heard, Refused):
                self._refused += 1
                if self._refused % REFUSED_SAID == 1:
                    log.warning("shell.refused", command=self.shell, reason=heard.reason, count=self._refused)
                continue
            for kind, body in heard:
                if kind is Kind.DATA:
                    self._record(IN, body)
                    self._typed += body if self._fault is None else b""
                elif kind is Kind.CLOSE:
                    self._closed = True
                elif kind is Kind.SIZE and (size := size_of(body)) is not None:
                    self._record(SIZE, f"{size[0]}x{size[1]}".encode())
                    _resize(self._screen, *size)

    def _type(self) -> None:
        if not self._typed or self._fault is not None:
            return
        try:
            taken = os.write(self._screen, self._typed[:DATA_BYTES_MAX])
        except BlockingIOError:
            return
        except OSError:
            self._typed = b""  # nobody reads any more
            return
        self._read += taken
        self._typed = self._typed[taken:]

    def _show(self) -> None:
        most = min(DATA_BYTES_MAX, self._allowed())
        if most <= 0 or not self._channel.has_room or self._drained or self._money_waits:
            return
        try:
            data = os.read(self._screen, most)
        except BlockingIOError:
            return
        except OSError as fault:
            # Linux says so once nobody has the terminal open any more.
            self._drained = fault.errno == errno.EIO
            return
        self._record(OUT, data)
        if self._fault is None:
            self._allowance -= len(data)
            self._shown += len(data)
            self._channel.say(Kind.DATA, data)

    def _allowed(self) -> int:
        """How many bytes may be shown now."""
        now_ms = self._clock_ms()
        more = (now_ms - self._counted_ms) * RATE_BYTES_S / 1000
        self._allowance, self._counted_ms = min(float(BURST_BYTES), self._allowance + more), now_ms
        return int(self._allowance)

    @property
    def _money_waits(self) -> bool:
        view = self._box.view
        return view is None or view.pending > 0

    def _record(self, way: str, data: bytes) -> None:
        assert self._recording is not None
        try:
            self._recording.add(self._clock_ms() - self._opened_ms, way, data)
        except RecordingFull:
            self._fault = End.FULL
        except NotRecorded as why:
            log.warning("shell.unrecorded", why=str(why))
            self._fault = End.UNRECORDED

    def _send(self) -> None:
        """By the till's thread, as everything on the line; one parcel at a time, so that it never has many of them."""
        now_ms = self._clock_ms()
        if self._sent_ms is not None and now_ms - self._sent_ms < AGAIN_MS:
            return
        frames = self._channel.due(now_ms, quiet=self._money_waits)
        if not frames:
            return
        topic = topics.shell_up(self._box.config.device)

        def send(runtime: Runtime) -> None:
            for frame in frames:
                runtime.parts.line.publish(topic, frame, qos=0)
            self._sent_ms = None

        self._sent_ms = now_ms
        if not self._box.work(send):
            self._sent_ms = None

    def _let_go(self) -> None:
        """The keeper ends everything once nobody holds its door."""
        keeper = self._keeper
        if keeper is not None and keeper.stdin is not None:
            with contextlib.suppress(OSError):
                keeper.stdin.close()

    def _shut(self) -> None:
        self._let_go()
        if self._keeper is not None:
            try:
                self._keeper.wait(KEEPER_S)
            except subprocess.TimeoutExpired:
                self._keeper.kill()
                self._keeper.wait()
            if self._keeper.returncode < 0:
                # Somebody has stopped it, or ended it: what it kept is ours now.
                log.warning("shell.keeper_killed", command=self.shell)
                end_all(self._orphans)
        adopt(yes=False)
        if self._screen >= 0:
            os.close(self._screen)
        if self._recording is not None:
            self._recording.close()
        self.is_shut = True

    def _orphans(self) -> set[int]:
        mine, own = filters(os.getpid()), children(os.getpid()) - self._others
        adopted = {one for one in own if _is_visitors(filters(one), mine)}
        return adopted | descendants(adopted)

    def _say_goodbye(self, end: End) -> None:
        self._channel.say(Kind.CLOSE, end.value.encode())
        until_ms = self._clock_ms() + GOODBYE_MS
        while not self._channel.is_idle and self._clock_ms() < until_ms:
            self._send()
            with contextlib.suppress(queue.Empty):
                self._channel.hear(self._frames.get(timeout=TURN_S), self._clock_ms())


def _is_visitors(theirs: int | None, mine: int | None) -> bool:
    """Whether somebody comes from the keeper, by how many filters he has, and not from this program itself. In doubt he does:
    what this program starts it starts again."""
    return not CAN_NARROW or theirs is None or mine is None or theirs > mine


def _hidden(config: BoxConfig) -> list[Path]:
    """What whoever is in must not open: all that the box writes, and what seals its key."""
    root = config.updates.root if config.updates else None
    mine = [one.resolve() for one in (config.state, root, config.witness, config.logs) if one]
    return [*mine, *TPMS, *(one for one in Path("/dev").glob("tpm*") if one not in TPMS)]


def _wanted(command: Command) -> Shell:
    wanted = params_of(command.verb, command.params)
    assert isinstance(wanted, Shell), "judged before it comes here"
    return wanted


def _ended(end: End, shown: int, read: int) -> Outcome:
    state = State.SUCCESSFUL if end in GOOD else State.FAILED
    return Outcome(state, SAYS[end].en, canonical({"end": end.value, "shown": shown, "typed": read}).decode())


def _resize(screen: int, columns: int, rows: int) -> None:
    with contextlib.suppress(OSError):
        fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
