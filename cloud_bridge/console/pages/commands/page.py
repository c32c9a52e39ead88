"""What boxes were commanded and what became of it, the newest first; narrowed to one box, it is also where it is commanded."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.fields import VerbForm, command_form
from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.store import command_lists
from tillbox.cloud_bridge.store.command_lists import LIVES, CommandRow
from tillbox.contracts.commands import Verb

ROWS = 50
FORMS = tuple(
    command_form(verb) for verb in Verb if verb not in (Verb.WATCH, Verb.SHELL)
)  # those are begun elsewhere


@dataclass(frozen=True, slots=True)
class CommandsPage:
    """`before` is where the next page begins; empty on the last."""

    rows: tuple[CommandRow, ...]
    box: str = ""
    bulk: str = ""
    life: str = ""
    before: str = ""

    @property
    def forms(self) -> tuple[VerbForm, ...]:
        """What the box can be commanded, where one is named."""
        return FORMS if self.box else ()

    def address(self, **other: str) -> str:
        """This list with another filter."""
        wanted = {"box": self.box, "bulk": self.bulk, "state": self.life, **other}
        said = urlencode({name: word for name, word in wanted.items() if word})
        return f"/commands?{said}" if said else "/commands"


def show(connection: Connection, asked: Asked) -> CommandsPage:
    """`?box=` (its name or its place), `?bulk=` and `?state=` narrow it, `?before=` goes on."""
    query = {name: asked.query.get(name, "").strip()[:64] for name in ("box", "bulk", "state", "before")}
    life = query["state"] if query["state"] in LIVES else ""
    rows = command_lists.commands(
        connection, device=query["box"], bulk_id=query["bulk"], life=life, before=query["before"], most=ROWS
    )
    return CommandsPage(
        rows=tuple(rows),
        box=query["box"],
        bulk=query["bulk"],
        life=life,
        before=rows[-1].id if len(rows) == ROWS else "",
    )
