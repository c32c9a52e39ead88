"""The fleet: every place with its box and every box without a place, found, narrowed, counted, a page at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.fleet import views
from tillbox.cloud_bridge.fleet.views import Filters, View
from tillbox.cloud_bridge.store import fleet_board
from tillbox.cloud_bridge.store.fleet_board import STATES, STORES_MOST, FleetRow, StoreRow, Wanted

ROWS = 50


@dataclass(frozen=True, slots=True)
class BoxesPage:
    """One page of the list, or of its stores. `more` is where the next one begins; empty on the last."""

    wanted: Wanted
    by_store: bool
    rows: tuple[FleetRow, ...]
    stores: tuple[StoreRow, ...]
    counts: Mapping[str, int]
    groups: tuple[str, ...]
    views: tuple[View, ...]
    more: str

    def address(self, **other: str) -> str:
        """This list with another filter; a page of it begins anew."""
        by = {"by": "store"} if self.by_store else {}
        return address({**asdict(self.wanted), **by, **other})

    def view_address(self, filters: Filters) -> str:
        """The list of a saved view."""
        return address(filters.model_dump())

    @property
    def filters(self) -> dict[str, str]:
        """What is narrowed to."""
        return asdict(self.wanted)


def show(connection: Connection, asked: Asked) -> BoxesPage:
    """`?search=`, `?state=`, `?group=` and `?store=` narrow it; `?by=store` counts by store; `?after=` goes on."""
    wanted = _wanted(asked.query)
    by_store, after = asked.query.get("by") == "store", asked.query.get("after", "")[:80]
    rows = [] if by_store else fleet_board.fleet(connection, wanted, after=after, most=ROWS + 1)
    stores = fleet_board.stores(connection, wanted, after=after) if by_store else []
    more = rows[ROWS - 1].key if len(rows) > ROWS else ""
    return BoxesPage(
        wanted=wanted,
        by_store=by_store,
        rows=tuple(rows[:ROWS]),
        stores=tuple(stores),
        counts=fleet_board.counts(connection, wanted),
        groups=tuple(fleet_board.groups(connection)),
        views=tuple(views.of(connection, asked.who)),
        more=stores[-1].store if len(stores) == STORES_MOST else more,
    )


def address(filters: Mapping[str, str]) -> str:
    """The address of a list."""
    said = urlencode({name: word for name, word in filters.items() if word})
    return f"/boxes?{said}" if said else "/boxes"


def _wanted(query: Mapping[str, str]) -> Wanted:
    state = query.get("state", "")
    return Wanted(
        search="".join(one for one in query.get("search", "") if one.isprintable()).strip()[:64],
        state=state if state in STATES else "",
        group=_name(query.get("group", "")),
        store=_name(query.get("store", "")),
    )


def _name(text: str) -> str:
    """A name of the plan; empty for what can be none."""
    return text if re.fullmatch(r"[a-z0-9_-]{1,24}", text) else ""
