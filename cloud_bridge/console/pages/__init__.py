"""Every page of the console, a folder each: `page.py` says what it shows, `page.html` how it looks, and the parts
that several share lie in `parts/`. `/patterns` shows all of them with golden data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from .account import page as account
from .asked import Asked
from .beside import page as beside
from .box import page as box
from .boxes import page as boxes
from .coupons import page as coupons
from .field import page as field
from .patterns import page as patterns
from .sale import page as sale
from .sales import page as sales
from .trouble import page as trouble


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
    Page("coupons", "/coupons", coupons.show),
    Page("beside", "/beside", beside.show),
    Page("account", "/accounts/{name}", account.show),
    Page("trouble", "/trouble", trouble.show),
    Page("field", "/field/{device}", field.show, "engineer"),
    Page("patterns", "/patterns", patterns.show),
)

__all__ = ["PAGES", "Asked", "Page"]
