"""One box: how it is, what it sold last, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.store import reading
from tillbox.cloud_bridge.store.reading import BoxDetail


@dataclass(frozen=True, slots=True)
class BoxPage:
    """One box."""

    box: BoxDetail


def show(connection: Connection, asked: Asked) -> BoxPage | None:
    """The box of that name."""
    found = reading.box(connection, asked.names["device"][:32])
    return BoxPage(found) if found else None
