"""Shows head office what it asked to watch: the till's screen, or the log's lines as they come. For so many minutes, and
then it ends by itself; a box that starts anew shows nothing until it is asked again.

It never competes with money: what it says is droppable, rate-bounded, and goes only while the line has nothing else to
do. A thread of its own looks what is new; the till's thread says it, or lets it be.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from tillbox.agent.app import Box, View
from tillbox.agent.clock import shown
from tillbox.agent.runtime import Runtime
from tillbox.contracts import topics
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.commands import Command, Watch
from tillbox.contracts.messages import (
    LINES_AT_ONCE,
    LIVE_CHARACTERS_MAX,
    SCREEN_BYTES_MAX,
    Live,
    LogLines,
)
from tillbox.contracts.packing import packed

from .lately import Lately

TURN_S = 0.25
SCREEN_MS = 1_000  # a till that changes faster is looked at once a second
SCREEN_AGAIN_MS = 20_000  # one that was lost on its way is not missing until the next change
LOG_MS = 500
OFFERED_MS = 30_000  # a till that was so busy has begun anew, and what waited for it is gone

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Watched:
    """One thing that is shown. `said` is the picture that was sent last, and `view` what it was drawn from; `lines` how many
    of the log are done with."""

    command: str
    ends_ms: int
    due_ms: int = 0
    again_ms: int = 0
    said: bytes = b""
    view: View | None = None
    lines: int = 0
    offered_ms: int | None = None
    """Since when the till has not looked at what it was offered."""


class LiveRoom:
    """What one box shows. `picture` draws its screen, a whole document without anything secret in it."""

    def __init__(
        self,
        box: Box,
        lately: Lately,
        picture: Callable[[], bytes],
        *,
        clock_ms: Callable[[], int],
    ) -> None:
        self._box, self._lately, self._picture, self._clock_ms = box, lately, picture, clock_ms
        self._watched: dict[str, _Watched] = {}
        self._line_up = False
        self._lock = threading.Lock()
        self._asked = threading.Event()
        self._thread = threading.Thread(target=self._work, name="live", daemon=True)

    def start(self) -> None:
        """Go to work."""
        self._thread.start()

    # the till's thread

    def watch(self, command: Command, wanted: Watch, at: TimeInterval) -> None:
        """Show something from now on, or nothing any more. Its time is the command's own."""
        log.info("live.asked", what=wanted.what, minutes=wanted.minutes)
        until_ms = command.made_ms + wanted.minutes * 60_000
        left_ms = min(max(0, until_ms - at.lo_ms), wanted.minutes * 60_000)
        with self._lock:
            if wanted.what == "nothing":
                self._watched.clear()
                self._box.watched_until = ""
                return
            self._watched[wanted.what] = _Watched(command.id, self._clock_ms() + left_ms)
            if wanted.what == "screen":
                self._box.watched_until = shown(TimeInterval(until_ms, until_ms)).rpartition(" ")[2]
        self._asked.set()

    # its own thread

    def _work(self) -> None:
        while True:
            if not self._watched:
                self._asked.wait()
            self._asked.clear()
            try:
                self.turn()
            except Exception:
                log.exception("live.failed", hint="head office sees nothing more; the till goes on")
                self._end(lambda _: True)
            self._asked.wait(TURN_S)

    def turn(self) -> None:
        """Once: end what is over, and offer what is new."""
        now_ms, view = self._clock_ms(), self._box.view
        self._end(lambda one: now_ms >= one.ends_ms)
        line_up = view is not None and view.till.line_up
        came_back, self._line_up = line_up and not self._line_up, line_up
        for what, one in self._watched.copy().items():
            if came_back:
                one.again_ms = 0  # what was on its way when the line went is lost
            if not line_up or now_ms < one.due_ms:
                continue
            if one.offered_ms is not None and now_ms - one.offered_ms < OFFERED_MS:
                continue
            if view is None or view.pending:
                continue  # it would not be sent: money goes first, and the picture will be another by then
            if what == "log":
                self._tell(one)
            elif view is not one.view or now_ms >= one.again_ms:
                self._show(one, view, now_ms)

    def _end(self, over: Callable[[_Watched], bool]) -> None:
        with self._lock:
            for what in [what for what, one in self._watched.items() if over(one)]:
                del self._watched[what]
                log.info("live.ended", what=what)
            if "screen" not in self._watched:
                self._box.watched_until = ""

    def _show(self, one: _Watched, view: View | None, now_ms: int) -> None:
        picture = self._picture()
        if picture == one.said and now_ms < one.again_ms:
            one.view = view
            return
        data = packed(picture)
        if len(picture) > SCREEN_BYTES_MAX or len(data) > LIVE_CHARACTERS_MAX:
            log.warning(
                "live.too_large", size=len(picture), hint="this till has too many products to be shown"
            )
            self._end(lambda other: other is one)
            return

        def sent(sent_ms: int) -> None:
            one.said, one.view = picture, view
            one.due_ms, one.again_ms = sent_ms + SCREEN_MS, sent_ms + SCREEN_AGAIN_MS

        self._offer("screen", one, Live(what="screen", command=one.command, data=data), sent)

    def _tell(self, one: _Watched) -> None:
        begin, lines = self._lately.after(one.lines, LINES_AT_ONCE)
        if not lines:
            return
        data = packed(LogLines(lines=tuple(lines)).model_dump_json().encode())
        assert len(data) <= LIVE_CHARACTERS_MAX, "forty lines of three hundred characters are not so much"

        def sent(sent_ms: int) -> None:
            one.lines, one.due_ms = begin + len(lines), sent_ms + LOG_MS

        lost = begin - one.lines if one.lines else 0
        self._offer("log", one, Live(what="log", command=one.command, data=data, lost=lost), sent)

    def _offer(self, what: str, one: _Watched, said: Live, sent: Callable[[int], None]) -> None:
        payload = said.model_dump_json().encode()
        topic = topics.live_up(self._box.config.device)

        def say(runtime: Runtime) -> None:
            now_ms = self._clock_ms()
            one.offered_ms = None
            wanted = self._watched.get(what) is one and one.due_ms <= now_ms < one.ends_ms
            if wanted and runtime.spare(topic, payload):
                sent(now_ms)

        one.offered_ms = self._clock_ms()
        if not self._box.work(say):
            one.offered_ms = None
