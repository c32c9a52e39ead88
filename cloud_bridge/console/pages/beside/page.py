"""What happened beside the boxes' own sales: other tills' papers that were read, and drawers that were opened."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.console.pages.sales.page import place
from tillbox.cloud_bridge.store import reading
from tillbox.cloud_bridge.store.reading import BesideRow

ROWS = 50


@dataclass(frozen=True, slots=True)
class BesidePage:
    """`older` is the place in the list where the next page begins; empty on the last."""

    rows: tuple[BesideRow, ...]
    older: str


def show(connection: Connection, asked: Asked) -> BesidePage:
    """The list that begins after `?before=`, or with the newest."""
    before = place(asked.query.get("before", ""))
    rows = tuple(reading.beside(connection, before=before, most=ROWS))
    older = f"{rows[-1].received_ms}-{rows[-1].tid}" if len(rows) == ROWS else ""
    return BesidePage(rows, older)
