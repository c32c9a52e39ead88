"""Every box that was ever heard of."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.store import reading
from tillbox.cloud_bridge.store.reading import BoxRow


@dataclass(frozen=True, slots=True)
class BoxesPage:
    """By name."""

    rows: tuple[BoxRow, ...]


def show(connection: Connection, _: Asked) -> BoxesPage:
    """All of them."""
    return BoxesPage(tuple(reading.boxes(connection)))
