"""What an engineer opens on the way to a shop: find a place or a box, and go on from there with one thumb."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.store import fleet_board
from tillbox.cloud_bridge.store.fleet_board import FleetRow, Wanted

ROWS = 10  # more is not looked through on a phone: a person types one more letter


@dataclass(frozen=True, slots=True)
class VisitPage:
    """What was found. `proof` is from the slip whose address was pasted."""

    search: str
    proof: str
    rows: tuple[FleetRow, ...]
    more: bool

    def accept_address(self, device: str) -> str:
        """The page of a box, with the proof if the slip was its own."""
        return f"/field/{quote(device)}" + (f"?s={quote(self.proof)}" if self.proof else "")


def show(connection: Connection, asked: Asked) -> VisitPage:
    """`?search=`: a part of a place, a title or a box; or the whole address from a birth slip."""
    text = "".join(one for one in asked.query.get("search", "") if one.isprintable()).strip()[:400]
    search, proof = wanted_of(text)
    rows = fleet_board.fleet(connection, Wanted(search=search), most=ROWS + 1) if search else []
    return VisitPage(search, proof, tuple(rows[:ROWS]), len(rows) > ROWS)


def wanted_of(text: str) -> tuple[str, str]:
    """What is looked for, and the proof that came with it."""
    _, found, rest = text.partition("/field/")
    if not found:
        return text[:64], ""
    try:
        address = urlsplit(f"/{rest}")
    except ValueError:
        return text[:64], ""
    return address.path[1:65], parse_qs(address.query).get("s", [""])[0][:100]
