"""Who did what to the fleet, newest first; about one subject, or by one person."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.store import fleet_lists
from tillbox.cloud_bridge.store.fleet_lists import AuditRow

ROWS = 100


@dataclass(frozen=True, slots=True)
class AuditPage:
    """`older` is where the next page begins; empty on the last."""

    rows: tuple[AuditRow, ...]
    subject: str
    who: str
    older: str

    @property
    def next_page(self) -> str:
        """Its address."""
        return "/audit?" + urlencode({"subject": self.subject, "who": self.who, "before": self.older})


def show(connection: Connection, asked: Asked) -> AuditPage:
    """`?subject=` and `?who=` narrow it, `?before=` goes on."""
    subject, who = asked.query.get("subject", "").strip()[:80], asked.query.get("who", "").strip()[:48]
    before = number_of(asked.query.get("before", ""))
    rows = tuple(fleet_lists.audit_rows(connection, before=before, subject=subject, who=who, most=ROWS))
    return AuditPage(rows, subject, who, str(rows[-1].id) if len(rows) == ROWS else "")


def number_of(text: str) -> int | None:
    """A row's number from an address; None where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
