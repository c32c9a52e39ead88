"""Remote shells, at the core: between an admin's terminal, which asks over the API, and a box, which is on the line.

One thread carries all of them. What is typed is recorded before it goes out, what is shown before anybody sees it; where that
fails, the shell ends. A session's key lives in this process alone: a core that starts anew has lost it, and the box ends what it
does not hear of. The line's thread and the API's only put and look.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from pydantic import BaseModel
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from tillbox.broker.line import Message
from tillbox.cloud_bridge.store import shells as store
from tillbox.cloud_bridge.store.database import Database
from tillbox.cloud_bridge.store.shells import Chunk
from tillbox.cloud_bridge.store.tables import device as registered
from tillbox.contracts import topics
from tillbox.contracts.casts import IN, OUT, SIZE
from tillbox.contracts.commands import ENDS, State
from tillbox.contracts.proofs import SHELL, is_proven, unweb
from tillbox.contracts.shells import (
    DATA_BYTES_MAX,
    FRAME_BYTES_MAX,
    GOOD,
    KEY_BYTES,
    SAYS,
    SILENT_MS,
    Channel,
    End,
    Kind,
    agreed,
    keys_of,
    public_of,
    shell_of,
    size_bytes,
)
from tillbox.contracts.verdicts import Reason, Refused

OPEN_MAX = 8  # an admin has one, perhaps two; each holds a thread of the API while it is looked at
RECORDED_BYTES_MAX = 8 * 2**20  # the box's own bound comes first, unless it lies
CHUNK_BYTES_MIN = 64  # what a row of the database is at the least, however little is in it
FRAMES_MAX = 32
TYPED_MAX = 16
UNSEEN_BYTES_MAX = 2**20  # a minute of the fastest box: who has not looked for so long is gone
TURN_S, IDLE_S = 0.05, 1.0
LOOK_MS = 500
OVER_MS = 60_000  # so long the end of a shell can be read
LATE_MS = 7 * 60_000  # and so long its box may still let somebody in: a command's time, and a cashier's
LEFT_MS = 60_000
LAST_WORDS_MS = 7_000  # what was shown last may be on its way when the journal's word is here
LOOK_S = 10.0  # one question of a terminal

log = structlog.get_logger(__name__)


class ShellSeen(BaseModel):
    """What a terminal sees: `state` is waiting, asking, open or over, `well` whether that is as whoever opened it wanted;
    `data` is base64, and `next` where to go on."""

    state: str
    reason: str
    well: bool
    data: str
    next: int


@dataclass(slots=True)
class _Shell:
    """One shell. `frames` and `typed` are put by other threads; the rest is the one thread's own."""

    id: str
    device: str
    who: str
    private: bytes
    asked_ms: int
    frames: deque[bytes] = field(default_factory=lambda: deque(maxlen=FRAMES_MAX))
    typed: deque[tuple[Kind, bytes]] = field(default_factory=deque)
    state: str = "waiting"
    reason: str = ""
    well: bool = False
    channel: Channel | None = None
    shown: bytearray = field(default_factory=bytearray)
    gone: int = 0
    """How many bytes of what was shown are read and let go."""
    read_ms: int = 0
    looked_ms: int = 0
    over_ms: int | None = None
    recorded: int = 0
    closing: bool = False


class Shells:
    """All shells of one core."""

    def __init__(
        self,
        database: Database,
        *,
        publish: Callable[[str, bytes], bool],
        now_ms: Callable[[], int],
        steady_ms: Callable[[], int],
        chance: Callable[[int], bytes],
    ) -> None:
        """What is recorded is stamped by `now_ms`; everything that waits goes by `steady_ms`, which nobody sets."""
        self._database, self._publish, self._chance = database, publish, chance
        self._stamp_ms, self._now_ms = now_ms, steady_ms
        self._shells: dict[str, _Shell] = {}
        self._changed = threading.Condition()
        self._news = False
        """Something is there for the thread to do that was not there when it looked last."""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="shells", daemon=True)

    def start(self) -> None:
        """Go to work."""
        self._thread.start()

    def stop(self) -> None:
        """End; boxes end what they do not hear of any more."""
        self._ended.set()
        with self._changed:
            self._wake()
        if self._thread.is_alive():
            self._thread.join(2.0)

    # other threads

    def begin(self, shell: str, *, device: str, who: str) -> bytes | Refused:
        """A new one, named by its command: the core's part of its key."""
        private, now_ms = self._chance(KEY_BYTES), self._now_ms()
        with self._changed:
            going = [one for one in self._shells.values() if one.over_ms is None]
            if len(going) >= OPEN_MAX or any(one.device == device for one in going):
                return Refused(Reason.SHELL_BUSY, device)
            self._shells[shell] = _Shell(shell, device, who, private, now_ms, read_ms=now_ms)
            self._wake()
        return public_of(private)

    def hear(self, message: Message) -> None:
        """A frame from the line, unread. One that comes before its key is kept until there is one, and wakes nobody."""
        name, device = shell_of(message.payload), topics.device_of(message.topic)
        if len(message.payload) > FRAME_BYTES_MAX:
            return
        with self._changed:
            shell = self._shells.get(name)
            if shell is None or shell.device != device or (shell.over_ms is not None and not shell.channel):
                return
            shell.frames.append(message.payload)
            if shell.channel is not None:
                self._wake()

    def type(self, shell: str, who: str, data: bytes, size: tuple[int, int] | None = None) -> Refused | None:
        """What was typed, and how large the window is now. Only whoever opened it types."""
        pieces = [(Kind.SIZE, size_bytes(*size))] if size else []
        pieces += [(Kind.DATA, data[at : at + DATA_BYTES_MAX]) for at in range(0, len(data), DATA_BYTES_MAX)]
        with self._changed:
            found = self._shells.get(shell)
            if found is None or found.who != who or found.over_ms is not None:
                return Refused(Reason.SHELL_UNKNOWN, shell)
            if len(found.typed) + len(pieces) > TYPED_MAX:
                return Refused(Reason.SHELL_BEHIND)
            found.typed.extend(pieces)
            self._wake()
        return None

    def close(self, shell: str) -> Refused | None:
        """End it; any admin may."""
        with self._changed:
            found = self._shells.get(shell)
            if found is None or found.over_ms is not None:
                return Refused(Reason.SHELL_UNKNOWN, shell)
            found.closing = True
            self._wake()
        return None

    def look(self, shell: str, who: str, after: int, wait_s: float = LOOK_S) -> ShellSeen | Refused:
        """What was shown after so many bytes; it waits a while for something new. What is before is let go."""
        with self._changed:
            found = self._shells.get(shell)
            if found is None or found.who != who:
                return Refused(Reason.SHELL_UNKNOWN, shell)
            state = found.state
            read = max(0, min(after - found.gone, len(found.shown)))
            del found.shown[:read]
            found.gone += read
            found.read_ms = self._now_ms()
            self._changed.wait_for(lambda: bool(found.shown) or found.state != state, wait_s)
            found.read_ms = self._now_ms()
            return ShellSeen(
                state=found.state,
                reason=found.reason,
                well=found.well,
                data=base64.b64encode(bytes(found.shown)).decode(),
                next=found.gone + len(found.shown),
            )

    def _wake(self) -> None:
        self._news = True
        self._changed.notify_all()

    # its own thread

    def _work(self) -> None:
        while not self._ended.is_set():
            with self._changed:
                # What could not be taken the last time, since too much is on its way, is no news.
                if not self._news:
                    self._changed.wait(TURN_S if self._shells else IDLE_S)
                self._news = False
                going = list(self._shells.values())
            for shell in going:
                try:
                    self._turn(shell)
                except Exception:
                    log.exception("shell.failed", shell=shell.id)
                    self._over_by(shell, End.FAULT)

    def _turn(self, shell: _Shell) -> None:
        now_ms = self._now_ms()
        if shell.over_ms is not None:
            if shell.channel is None and now_ms - shell.looked_ms >= LOOK_MS:
                shell.looked_ms = now_ms
                self._shut_late(shell, now_ms)
            self._say_last(shell, now_ms)
            if now_ms - shell.over_ms >= (OVER_MS if shell.channel else LATE_MS):
                with self._changed:
                    self._shells.pop(shell.id, None)
            return
        if now_ms - shell.looked_ms >= LOOK_MS:
            shell.looked_ms = now_ms
            self._ask_store(shell, now_ms)
        if shell.channel is None:
            if shell.closing:
                self._over_by(shell, End.CLOSED)
            return
        self._carry(shell, shell.channel, now_ms)
        if now_ms - shell.read_ms >= LEFT_MS or len(shell.shown) > UNSEEN_BYTES_MAX or shell.closing:
            shell.channel.say(Kind.CLOSE)
            self._over_by(shell, End.CLOSED)
        elif now_ms - shell.channel.heard_ms >= SILENT_MS:
            self._over_by(shell, End.SILENT)
        self._say(shell, now_ms)

    def _ask_store(self, shell: _Shell, now_ms: int) -> None:
        """What the box's journal says of it."""
        with self._database.reading() as connection:
            found = store.stands(connection, shell.id)
            if found is None:
                if now_ms - shell.asked_ms >= OVER_MS:
                    self._over(shell, "It was never asked for.")
                return
            begins = shell.channel is None and found.state == State.EXECUTING
            channel = self._agreed(connection, shell, found.answer, now_ms) if begins else None
        if begins:
            shell.channel = channel
            self._now(shell, "open", "") if channel else self._over(
                shell, "What came back is not under that box's signature."
            )
        elif found.state == State.BLOCKED:
            self._now(shell, "asking", found.reason)
        elif found.state in ENDS and (
            shell.channel is None or now_ms - shell.channel.heard_ms >= LAST_WORDS_MS
        ):
            self._over(shell, found.reason, well=found.state == State.SUCCESSFUL)

    def _shut_late(self, shell: _Shell, now_ms: int) -> None:
        """A box that lets somebody in who has gone meanwhile is told so."""
        with self._database.reading() as connection:
            found = store.stands(connection, shell.id)
            if found is not None and found.state == State.EXECUTING:
                shell.channel = self._agreed(connection, shell, found.answer, now_ms)
        if shell.channel is not None:
            shell.channel.say(Kind.CLOSE)

    def _agreed(self, connection: Connection, shell: _Shell, answer: str, now_ms: int) -> Channel | None:
        """The session's line, where the box that answers is the one that was meant."""
        try:
            told = json.loads(answer)
            box, proof = bytes.fromhex(told["key"]), unweb(told["proof"])
        except (ValueError, TypeError, LookupError):
            return None
        public = connection.execute(
            select(registered.c.public_key).where(registered.c.device == shell.device)
        ).scalar_one()
        transcript = agreed(shell.id, core=public_of(shell.private), box=box)
        keys = keys_of(shell.private, box, transcript=transcript)
        if isinstance(keys, Refused) or not is_proven(public, SHELL, transcript, proof):
            log.warning("shell.foreign", shell=shell.id, device=shell.device)
            return None
        return Channel(shell.id, send=keys.down, receive=keys.up, now_ms=now_ms)

    def _carry(self, shell: _Shell, channel: Channel, now_ms: int) -> None:
        shown, end, wall_ms = bytearray(), None, self._stamp_ms()
        for _ in range(len(shell.frames)):
            heard = channel.hear(shell.frames.popleft(), now_ms)
            for kind, body in [] if isinstance(heard, Refused) else heard:
                if kind is Kind.DATA:
                    shown += body
                elif kind is Kind.CLOSE:
                    end = body.decode("ascii", "replace")
        chunks = [Chunk(OUT, bytes(shown), wall_ms)] if shown else []
        typed: list[tuple[Kind, bytes]] = []
        while shell.typed and channel.has_room_for(len(typed) + 1):
            kind, body = shell.typed.popleft()
            typed.append((kind, body))
            if kind is Kind.DATA:
                chunks.append(Chunk(IN, body, wall_ms))
            else:
                columns, rows = (int.from_bytes(body[at : at + 2], "big") for at in (0, 2))
                chunks.append(Chunk(SIZE, f"{columns}x{rows}".encode(), wall_ms))
        if not self._recorded(shell, chunks):
            return
        for kind, body in typed:
            channel.say(kind, body)
        if shown:
            with self._changed:
                shell.shown += shown
                self._changed.notify_all()
        if end is not None:
            self._over_by(shell, End(end) if end in set(End) else End.FAULT)

    def _recorded(self, shell: _Shell, chunks: list[Chunk]) -> bool:
        """What happened is in the database; where it cannot be, the shell is over."""
        shell.recorded += sum(max(CHUNK_BYTES_MIN, len(one.data)) for one in chunks)
        why = End.FULL if shell.recorded > RECORDED_BYTES_MAX else None
        if chunks and why is None:
            try:
                with self._database.writing() as connection:
                    store.add(connection, shell.id, chunks)
            except SQLAlchemyError as fault:
                log.warning("shell.unrecorded", shell=shell.id, why=str(fault)[:200])
                why = End.UNRECORDED
        if why is not None:
            assert shell.channel is not None
            shell.channel.say(Kind.CLOSE)
            self._over_by(shell, why)
        return why is None

    def _say(self, shell: _Shell, now_ms: int) -> None:
        if shell.channel is not None:
            for frame in shell.channel.due(now_ms):
                self._publish(topics.shell_down(shell.device), frame)

    def _say_last(self, shell: _Shell, now_ms: int) -> None:
        """That it is over, until the box has heard so; and then no beat more: the box may have another shell."""
        channel, again = shell.channel, bool(shell.frames)
        if channel is None:
            return
        for _ in range(len(shell.frames)):
            channel.hear(shell.frames.popleft(), now_ms)
        if again or not channel.is_idle:
            self._say(shell, now_ms)

    def _now(self, shell: _Shell, state: str, reason: str) -> None:
        with self._changed:
            shell.state, shell.reason = state, reason
            self._changed.notify_all()

    def _over(self, shell: _Shell, reason: str, *, well: bool = False) -> None:
        if shell.over_ms is not None:
            return
        with self._changed:
            shell.over_ms, shell.well = self._now_ms(), well
            shell.typed.clear()
            if shell.channel is None:
                shell.frames.clear()
            self._now(shell, "over", reason)

    def _over_by(self, shell: _Shell, end: End) -> None:
        self._over(shell, SAYS[end].en, well=end in GOOD)
