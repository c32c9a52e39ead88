"""One box as it is at this moment: its till's screen, and its log as it comes, while somebody asked it to show them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.fleet.onlooker import LOST, LogRow, Picture
from tillbox.cloud_bridge.store import command_lists, registry
from tillbox.cloud_bridge.store.command_lists import WatchRow

ROWS = 200
SILENT_MS = 45_000
"""A box that shows its screen says it again every 20 s."""
LEVELS = {"": (), "warning": ("warning", "error", "critical", LOST), "error": ("error", "critical", LOST)}
"""What the filter leaves; nothing named means everything."""
MINUTES = (5, 15)


@dataclass(frozen=True, slots=True)
class Pane:
    """One thing that can be watched. `stands` is a word of the console that says how that goes."""

    what: str
    stands: str
    tone: str
    until_ms: int | None = None
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LivePage:
    """A box that is looked at. `picture` is the number of the newest screen, which has an address of its own."""

    device: str
    panes: tuple[Pane, Pane]
    picture: int | None
    heard_ms: int | None
    rows: tuple[LogRow, ...]
    level: str
    text: str

    levels = tuple(LEVELS)
    minutes = MINUTES

    @property
    def box(self) -> str:
        """The address of the box's own page."""
        return f"/boxes/{quote(self.device)}"

    @property
    def path(self) -> str:
        """Its own address."""
        return f"{self.box}/live"

    @property
    def watched(self) -> bool:
        """Whether there is anything to end."""
        return any(pane.until_ms for pane in self.panes)


def show(connection: Connection, asked: Asked) -> LivePage | None:
    """The box of that name, if it was ever let in; `?level=` and `?text=` narrow its log."""
    device = asked.names["device"][:32]
    if registry.standing(connection, device) is None:
        return None
    online, pending = registry.is_online(connection, device), registry.pending(connection, device)
    wanted = command_lists.watches(connection, now_ms=asked.now_ms, device=device).get(device, {})
    picture = asked.onlooker.picture(device) if asked.onlooker else None
    rows = asked.onlooker.log(device) if asked.onlooker else []
    level, text = asked.query.get("level", ""), asked.query.get("text", "").strip()[:60]
    level = level if level in LEVELS else ""
    panes = (
        pane(
            "screen", wanted.get("screen"), _silent(picture, asked.now_ms), online=online, busy=bool(pending)
        ),
        pane("log", wanted.get("log"), not rows, online=online, busy=bool(pending)),
    )
    shown = picture if picture is not None and picture.html else None
    return LivePage(
        device,
        panes,
        shown.number if shown else None,
        shown.heard_ms if shown else None,
        tuple(narrowed(rows, level, text)),
        level,
        text,
    )


def _silent(picture: Picture | None, now_ms: int) -> bool:
    return picture is None or now_ms - picture.heard_ms > SILENT_MS


def pane(what: str, asked: WatchRow | None, silent: bool, *, online: bool, busy: bool) -> Pane:
    """How it goes with one thing that was asked for, or was not."""
    if asked is None:
        return Pane(what, "watch_none", "")
    if asked.state in ("failed", "expired"):
        stands, tone = "watch_refused", "bad"
    elif not online:
        stands, tone = "watch_away", "warn"
    elif asked.state != "successful":
        stands, tone = "watch_asked", "warn"
    elif silent:
        stands, tone = ("watch_busy" if busy else "watch_silent"), "warn"
    else:
        stands, tone = "watch_on", "good"
    return Pane(what, stands, tone, asked.until_ms, asked.made_by, asked.reason)


def narrowed(rows: list[LogRow], level: str, text: str) -> list[LogRow]:
    """The newest first, of a level and with some letters in them."""
    levels = LEVELS[level]
    left = [
        row
        for row in reversed(rows)
        if (not levels or row.level in levels) and (text.lower() in row.text.lower() or row.level == LOST)
    ]
    return left[:ROWS]
