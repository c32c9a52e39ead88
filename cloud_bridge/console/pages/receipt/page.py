"""A customer's own receipt. Its address carries 74 random bits and is on nobody else's paper."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.console.pages.sale.page import Line, lines_of
from tillbox.cloud_bridge.store import reading
from tillbox.cloud_bridge.store.reading import SaleRow


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """What was on the paper, and what became of it since."""

    row: SaleRow
    lines: tuple[Line, ...]


def show(connection: Connection, asked: Asked) -> ReceiptPage | None:
    """The receipt of that sale; None while the core does not have it."""
    found = reading.sale(connection, asked.names["tid"][:36])
    return ReceiptPage(found.row, lines_of(found)) if found else None
