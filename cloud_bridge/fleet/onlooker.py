"""What boxes show at this moment, for whoever asked to watch: the newest screen and the last lines of the log, in memory and
nowhere else. Only boxes that were asked are listened to; what they send is bounded here and believed nowhere: a screen
is handed to a browser that lets it do nothing, a line of a log is text.

It has a queue and a thread of its own: nothing that is watched keeps money waiting.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from pydantic import BaseModel, ValidationError

from tillbox.broker.line import Message
from tillbox.cloud_bridge.store import command_lists
from tillbox.cloud_bridge.store.command_lists import WatchRow
from tillbox.cloud_bridge.store.database import Database
from tillbox.contracts import topics
from tillbox.contracts.messages import (
    LINES_BYTES_MAX,
    LIVE_BYTES_MAX,
    SCREEN_BYTES_MAX,
    Live,
    LogLine,
    LogLines,
)
from tillbox.contracts.packing import unpacked

BOXES_MAX = 32  # watched at once: a screen each, of a megabyte at most
LINES_MAX = 500  # of each box
WAITING_MAX = 8  # messages of one box; an honest one says three in a second
KEPT_MS = 10 * 60_000  # what was seen can be read for a while after its end
LOOK_MS = 5_000  # nobody says that a time is over
NEWS_S = 0.3  # open pages need not hear of every line
LOST = "lost"

log = structlog.get_logger(__name__)


class LogRow(BaseModel):
    """One line of a box's log. Numbers grow, also over a restart of the core. Of level `lost`: so many lines as `text` says
    did not come through."""

    number: int
    at_ms: int
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A box's screen as it sent it: HTML that nobody has looked at."""

    html: bytes
    number: int
    heard_ms: int


@dataclass(slots=True)
class _Seen:
    """One box that is, or was lately, watched."""

    asked: dict[str, WatchRow] = field(default_factory=dict)
    waiting: deque[bytes] = field(default_factory=lambda: deque(maxlen=WAITING_MAX))
    picture: Picture | None = None
    lines: deque[LogRow] = field(default_factory=lambda: deque(maxlen=LINES_MAX))
    until_ms: int = 0


class Onlooker:
    """Listens to boxes that were asked to show something. Any thread may ask it what they show."""

    def __init__(
        self,
        database: Database,
        *,
        now_ms: Callable[[], int],
        steady_ms: Callable[[], int],
        on_news: Callable[[], None] = lambda: None,
    ) -> None:
        """When somebody's watching is over is an hour, by `now_ms`; how often to look goes by `steady_ms`."""
        self._database, self._now_ms, self._steady_ms, self._on_news = database, now_ms, steady_ms, on_news
        self._seen: dict[str, _Seen] = {}
        self._lock = threading.Lock()
        self._awake, self._ended = threading.Event(), threading.Event()
        self._look_ms: int | None = None
        """When to look again whom to listen to; None: now."""
        self._thread = threading.Thread(target=self._work, name="onlooker", daemon=True)

    def start(self) -> None:
        """Go to work. Boxes may have been asked before this core began."""
        self._awake.set()
        self._thread.start()

    def stop(self) -> None:
        """End soon."""
        self._ended.set()
        self._awake.set()

    def look_again(self) -> None:
        """Somebody may have asked a box to show something."""
        self._look_ms = None
        self._awake.set()

    def hear(self, message: Message) -> None:
        """On the line's thread: keep it for a moment, or let it go."""
        if len(message.payload) > LIVE_BYTES_MAX:
            return
        with self._lock:
            seen = self._seen.get(topics.device_of(message.topic) or "")
            if seen is not None:
                seen.waiting.append(message.payload)
        if seen is not None:
            self._awake.set()

    # what there is to see

    def picture(self, device: str) -> Picture | None:
        """The newest screen of a box; None where there is none."""
        with self._lock:
            seen = self._seen.get(device)
            return seen.picture if seen else None

    def log(self, device: str, *, after: int = 0) -> list[LogRow]:
        """The lines of a box's log after a number, oldest first."""
        with self._lock:
            seen = self._seen.get(device)
            return [row for row in seen.lines if row.number > after] if seen else []

    # its own thread

    def _work(self) -> None:
        while not self._ended.is_set():
            self._awake.wait(LOOK_MS / 1_000)
            self._awake.clear()
            try:
                if self.turn():
                    self._on_news()
            except Exception:
                log.exception("onlooker.failed", hint="what is watched stands still for a moment")
            self._ended.wait(NEWS_S)

    def turn(self) -> bool:
        """Once: whom to listen to, and what they said. Whether there is anything new to see."""
        now_ms = self._now_ms()
        steady_ms, look_ms = self._steady_ms(), self._look_ms
        if look_ms is None or steady_ms >= look_ms:
            self._look_ms = steady_ms + LOOK_MS
            with self._database.reading() as connection:
                asked = command_lists.watches(connection, now_ms=now_ms)
            self._ask(asked, now_ms)
        with self._lock:
            said = [
                (seen, seen.waiting.popleft()) for seen in self._seen.values() for _ in tuple(seen.waiting)
            ]
        taken = [self._take(seen, payload, now_ms) for seen, payload in said]
        return any(taken)

    def _ask(self, asked: dict[str, dict[str, WatchRow]], now_ms: int) -> None:
        """Listen to the boxes that were asked last; forget those whose time has long been over."""
        newest = sorted(asked, key=lambda device: -max(one.made_ms for one in asked[device].values()))
        with self._lock:
            for device in newest[:BOXES_MAX]:
                seen = self._seen.setdefault(device, _Seen())
                seen.until_ms = max(seen.until_ms, *(one.until_ms for one in asked[device].values()))
            for device, seen in list(self._seen.items()):
                seen.asked = asked.get(device, {}) if device in newest[:BOXES_MAX] else {}
            over = sorted(
                (device for device, seen in self._seen.items() if not seen.asked),
                key=lambda device: self._seen[device].until_ms,
            )
            for device in over:
                if len(self._seen) > BOXES_MAX or self._seen[device].until_ms + KEPT_MS < now_ms:
                    del self._seen[device]

    def _take(self, seen: _Seen, payload: bytes, now_ms: int) -> bool:
        """One message of a box, if it was asked for."""
        try:
            said = Live.model_validate_json(payload)
        except ValidationError:
            return False
        asked = seen.asked.get(said.what)
        if asked is None or asked.command != said.command or now_ms > asked.until_ms:
            return False
        if said.what == "screen":
            return self._screen(seen, unpacked(said.data, most=SCREEN_BYTES_MAX), now_ms)
        return self._lines(seen, unpacked(said.data, most=LINES_BYTES_MAX), said.lost, now_ms)

    def _screen(self, seen: _Seen, html: bytes | None, now_ms: int) -> bool:
        if html is None:
            return False
        with self._lock:
            before = seen.picture
            same = before is not None and before.html == html
            number = before.number if before and same else max(now_ms, before.number + 1 if before else 0)
            seen.picture = Picture(html, number, now_ms)
        return True

    def _lines(self, seen: _Seen, data: bytes | None, lost: int, now_ms: int) -> bool:
        try:
            found = LogLines.model_validate_json(data or b"").lines
        except ValidationError:
            return False
        gap = (LogLine(at_ms=found[0].at_ms if found else 0, level=LOST, text=f"{lost}"),) if lost else ()
        with self._lock:
            for line in (*gap, *found):
                number = max(now_ms, seen.lines[-1].number + 1 if seen.lines else 0)
                level = line.level if line.level != LOST or line in gap else ""
                seen.lines.append(LogRow(number=number, at_ms=line.at_ms, level=level, text=line.text))
        return bool(found)
