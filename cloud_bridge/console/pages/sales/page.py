"""The newest sales, and the sums of the day; or those of one box, or with one coupon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.formats import midnight_ms
from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.store import reading
from tillbox.cloud_bridge.store.reading import Day, SaleRow

ROWS = 50


@dataclass(frozen=True, slots=True)
class SalesPage:
    """`older` is the place in the list where the next page begins; empty on the last. `only` is the box or the
    coupon of a list that is not of all sales; such a list has no sums of the day."""

    rows: tuple[SaleRow, ...]
    today: Day | None
    older: str
    only: Mapping[str, str] = field(default_factory=dict)

    @property
    def next_page(self) -> str:
        """The query of the next page."""
        return urlencode({**self.only, "before": self.older})


def show(connection: Connection, asked: Asked) -> SalesPage:
    """The list that begins after `?before=`, or with the newest; `?box=` or `?coupon=` name whose."""
    only = {name: asked.query[name][:32] for name in ("box", "coupon") if asked.query.get(name)}
    rows = tuple(
        reading.sales(
            connection,
            device=only.get("box", ""),
            template=only.get("coupon", ""),
            before=place(asked.query.get("before", "")),
            most=ROWS,
        )
    )
    today = None if only else reading.day(connection, since_ms=midnight_ms(asked.now_ms))
    return SalesPage(rows, today, seen(rows[-1]) if len(rows) == ROWS else "", only)


def seen(row: SaleRow) -> str:
    """A sale as a place in the list, for the address of the next page."""
    return f"{row.received_ms}-{row.tid}"


def place(text: str) -> tuple[int, str] | None:
    """A place in the list from an address; None where it is none."""
    ms, _, tid = text.partition("-")
    return (int(ms), tid[:36]) if ms.isascii() and ms.isdecimal() and len(ms) < 15 else None
