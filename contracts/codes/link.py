"""Links: what a poster or a code plate carries. It may be shown; nothing here, or anywhere, fetches it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from tillbox.contracts.verdicts import Reason, Refused

URL_CHARACTERS_MAX = 2_048
"""What browsers and wallets still open; a longer one is somebody's attack or accident."""

_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s\\]+", re.IGNORECASE)
# No backslash: browsers read it as a slash and this file does not, so the two would see different hosts.


@dataclass(frozen=True, slots=True)
class LinkCode:
    """An http or https address with a host. ValueError for anything else."""

    url: str

    def __post_init__(self) -> None:
        if len(self.url) > URL_CHARACTERS_MAX or not _host(self.url):
            raise ValueError(f"{self.url[:60]!r} is no http or https address")

    @property
    def host(self) -> str:
        """The host it leads to, whatever name and password stand before it."""
        return _host(self.url)

    @property
    def text(self) -> str:
        """What the symbol carries."""
        return self.url


def link_code(text: str) -> LinkCode | Refused | None:
    """A link; a refusal if it has no host or is too long; None if it is something else."""
    if not _SCHEME.match(text):
        return None
    if len(text) > URL_CHARACTERS_MAX:
        return Refused(Reason.CODE_TOO_LONG, "URL")
    return LinkCode(text) if _host(text) else Refused(Reason.CODE_DAMAGED, "URL")


def _host(url: str) -> str:
    """The host, or nothing. `urlsplit` raises for brackets that are no IPv6 address and the like."""
    if not _URL.fullmatch(url):
        return ""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
