"""How every box is: what waits, what hangs on it, its card, its clock and its line, and what it can still do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.store import health_lists
from tillbox.cloud_bridge.store.health_lists import HealthRow, health_key

ROWS = 50


@dataclass(frozen=True, slots=True)
class HealthPage:
    """One page of the boxes. `more` is where the next one begins; empty on the last."""

    rows: tuple[HealthRow, ...]
    counts: Mapping[str, int]
    search: str = ""
    by_name: bool = False
    more: str = ""

    def address(self, **other: str) -> str:
        """This list, otherwise; a page of it begins anew."""
        wanted = {"search": self.search, "sort": "name" if self.by_name else "", **other}
        said = urlencode({name: word for name, word in wanted.items() if word})
        return f"/health?{said}" if said else "/health"


def show(connection: Connection, asked: Asked) -> HealthPage:
    """`?search=` narrows it, `?sort=name` sorts by name and not by what is worst, `?after=` goes on."""
    search = "".join(one for one in asked.query.get("search", "") if one.isprintable()).strip()[:64]
    by_name, after = asked.query.get("sort") == "name", asked.query.get("after", "")[:48]
    rows = health_lists.health(
        connection, now_ms=asked.now_ms, search=search, after=after, worst=not by_name, most=ROWS + 1
    )
    last = rows[ROWS - 1] if len(rows) > ROWS else None
    return HealthPage(
        rows=tuple(rows[:ROWS]),
        counts=health_lists.health_counts(connection),
        search=search,
        by_name=by_name,
        more="" if last is None else last.device if by_name else health_key(last),
    )
