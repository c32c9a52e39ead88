"""What somebody must see to in the shops: store by store, the worst first, each with what to do; and what was raised and
cleared last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.store import health_lists
from tillbox.cloud_bridge.store.health_lists import AlertEvent, StoreAlerts

ALERTS = 300
EVENTS = 30


@dataclass(frozen=True, slots=True)
class AlertsPage:
    """What is open, of one store or kind or of all. `counts` are by kind, also of what is not shown."""

    stores: tuple[StoreAlerts, ...]
    counts: Mapping[str, int]
    events: tuple[AlertEvent, ...]
    store: str = ""
    kind: str = ""

    @property
    def open(self) -> int:
        """How many there are of what is wanted."""
        return self.counts.get(self.kind, 0) if self.kind else sum(self.counts.values())

    @property
    def shown(self) -> int:
        """How many of these are on the page: the worst."""
        return sum(len(one.alerts) for one in self.stores)

    def address(self, **other: str) -> str:
        """This page with another filter."""
        wanted = {"store": self.store, "kind": self.kind, **other}
        said = urlencode({name: word for name, word in wanted.items() if word})
        return f"/alerts?{said}" if said else "/alerts"


def show(connection: Connection, asked: Asked) -> AlertsPage:
    """`?store=` and `?kind=` narrow it."""
    store, kind = asked.query.get("store", "").strip()[:24], asked.query.get("kind", "").strip()[:24]
    return AlertsPage(
        stores=tuple(health_lists.open_alerts(connection, store=store, kind=kind, most=ALERTS)),
        counts=health_lists.alert_counts(connection, store=store),
        events=tuple(health_lists.newest_events(connection, store=store, kind=kind, most=EVENTS)),
        store=store,
        kind=kind,
    )
