"""What every page has around it, and how a page becomes HTML."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tillbox.cloud_bridge.fleet.acts import may

from .formats import FILTERS
from .settings_form import BY_NAME
from .words import fact_text, field_text, word

NAV = (
    (("sales", "/", "viewer"), ("coupons", "/coupons", "viewer"), ("beside", "/beside", "viewer")),
    (
        ("boxes", "/boxes", "viewer"),
        ("health", "/health", "viewer"),
        ("visit", "/field", "engineer"),
        ("provision", "/provision", "operator"),
        ("settings", "/settings", "operator"),
    ),
    (("alerts", "/alerts", "viewer"), ("trouble", "/trouble", "viewer")),
    (("commands", "/commands", "viewer"), ("bulks", "/bulks", "viewer"), ("audit", "/audit", "operator")),
)
"""The pages one goes to, in groups: name, address, least role. A group goes by the name of its first page; of its others only
those see that are in it. Four groups are what a thumb reaches in the bar of a phone."""
_OF_SALES = ("sales", "accounts")


@dataclass(frozen=True, slots=True)
class Frame:
    """Who looks, in which language, at which address. `operator` is empty outside the door. A page that is not `live` stays
    as it is: what an act gave is shown once."""

    language: str
    operator: str = ""
    csrf: str = ""
    path: str = ""
    role: str = ""
    live: bool = True
    alerts: int = 0
    """How many are open."""

    @property
    def here(self) -> str:
        """The address of the page of the navigation that this one is, or belongs to."""
        first = self.path.split("/")[1] if "/" in self.path else ""
        return "/" if first in _OF_SALES else f"/{first}"

    @property
    def groups(self) -> list[list[tuple[str, str]]]:
        """The navigation, as far as who looks may go: name and address."""
        return [[(name, href) for name, href, least in group if self.may(least)] for group in NAV]

    def may(self, least: str) -> bool:
        """Whether who looks may do what needs that role."""
        return may(self.role, least)

    def word(self, name: str) -> str:
        """A fixed word in the page's language."""
        return word(name, self.language)

    def field(self, name: str) -> str:
        """A form's field, by what its act calls it."""
        return field_text(name, self.language)

    def setting(self, name: str) -> str:
        """What a setting of a box is called; the name itself where it is of another version."""
        return BY_NAME[name].title.say(self.language) if name in BY_NAME else name

    def fact(self, name: str) -> str:
        """A kind or a state from the book, in words."""
        return fact_text(name, self.language)


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(FILTERS)


def render(name: str, page: Any, frame: Frame, *, whole: bool = True) -> str:
    """The page `name` as HTML; only its inside where it is not wanted whole."""
    template = _TEMPLATES.get_template("frame.html" if whole else f"{name}/page.html")
    return template.render(frame=frame, page=page, name=name, inner=f"{name}/page.html")
