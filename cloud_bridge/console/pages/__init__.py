"""Every page of the console, a folder each: `page.py` says what it shows, `page.html` how it looks, and the parts
that several share lie in `parts/`. `/patterns` shows all of them with golden data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection

from .account import page as account
from .alerts import page as alerts
from .asked import Asked
from .audit import page as audit
from .beside import page as beside
from .box import page as box
from .boxes import page as boxes
from .bulk import page as bulk
from .bulk_preview import page as bulk_preview
from .bulks import page as bulks
from .claims import page as claims
from .command import page as command
from .commands import page as commands
from .coupons import page as coupons
from .field import page as field
from .health import page as health
from .live import page as live
from .patterns import page as patterns
from .provision import page as provision
from .recording import page as recording
from .sale import page as sale
from .sales import page as sales
from .settings import page as settings
from .slips import page as slips
from .timeline import page as timeline
from .trouble import page as trouble
from .visit import page as visit


@dataclass(frozen=True, slots=True)
class Page:
    """One page behind the door. `show` gives its context, a frozen dataclass, or None where there is no such
    page."""

    name: str
    path: str
    show: Callable[[Connection, Asked], Any]
    least: str = "viewer"
    """The least role that may see it."""


PAGES = (
    Page("sales", "/", sales.show),
    Page("sale", "/sales/{tid}", sale.show),
    Page("boxes", "/boxes", boxes.show),
    Page("box", "/boxes/{device}", box.show),
    Page("health", "/health", health.show),
    Page("alerts", "/alerts", alerts.show),
    Page("commands", "/commands", commands.show),
    Page("command", "/commands/{command}", command.show, "operator"),
    Page("bulks", "/bulks", bulks.show),
    Page("bulk", "/bulks/{bulk}", bulk.show),
    Page("timeline", "/boxes/{device}/timeline", timeline.show),
    Page("live", "/boxes/{device}/live", live.show, "operator"),
    Page("provision", "/provision", provision.show, "operator"),
    Page("settings", "/settings", settings.show, "operator"),
    Page("audit", "/audit", audit.show, "operator"),
    Page("recording", "/recordings/{shell}", recording.show, "admin"),
    Page("coupons", "/coupons", coupons.show),
    Page("beside", "/beside", beside.show),
    Page("account", "/accounts/{name}", account.show),
    Page("trouble", "/trouble", trouble.show),
    Page("visit", "/field", visit.show, "engineer"),
    Page("field", "/field/{device}", field.show, "engineer"),
    Page("patterns", "/patterns", patterns.show),
)

GIVEN: dict[str, tuple[str, Callable[[BaseModel, str, Mapping[str, str]], Any]]] = {
    "make-claims": ("claims", claims.show),
    "replace-box": ("claims", claims.show),
    "take-slips": ("slips", slips.show),
    "send-commands": ("bulk_preview", bulk_preview.show),
}
"""Acts that give something which is seen once: the page that shows it, made from what was given, the way back and what the
form said; or instead of a page the address where it goes on."""

__all__ = ["GIVEN", "PAGES", "Asked", "Page"]
