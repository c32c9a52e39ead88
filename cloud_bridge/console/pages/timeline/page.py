"""Everything that is known to have happened to one box, newest first, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.store import fleet_lists, reading, timeline
from tillbox.cloud_bridge.store.timeline import KINDS, TimelineRow

ROWS = 50
SIGNS = {
    "start": "↻", "line": "⇄", "place": "⌂", "settings": "⚙", "command": "➤", "alert": "▲", "trouble": "✗", "done": "✎",
}  # fmt: skip
"""A sign for each kind; the word stands beside it."""


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """`kind` is what is shown, empty for all; `older` is where the next page begins, empty on the last."""

    device: str
    rows: tuple[TimelineRow, ...]
    kind: str
    older: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it can be narrowed to."""
        return KINDS

    def sign(self, kind: str) -> str:
        """The sign of a kind."""
        return SIGNS[kind]

    def address(self, **said: str) -> str:
        """This list, narrowed to a kind or from another row on."""
        words = {name: word for name, word in said.items() if word}
        return f"/boxes/{quote(self.device, safe='')}/timeline" + (f"?{urlencode(words)}" if words else "")


def show(connection: Connection, asked: Asked) -> TimelinePage | None:
    """`?kind=` narrows it, `?before=` goes on."""
    device = asked.names["device"][:32]
    kind = asked.query.get("kind", "")
    kind = kind if kind in KINDS else ""
    before = asked.query.get("before", "")[:120]
    rows = timeline.timeline(connection, device, kinds=[kind] if kind else [], before=before, most=ROWS + 1)
    is_known = rows or reading.box(connection, device) or fleet_lists.box_story(connection, device)
    if not is_known:
        return None
    return TimelinePage(device, tuple(rows[:ROWS]), kind, rows[ROWS - 1].at if len(rows) > ROWS else "")
