"""Commands for many boxes: those that were, and where a new one begins. It is looked at before it is sent (bulk_preview)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.fields import VerbForm, bulk_form
from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.store import command_lists
from tillbox.cloud_bridge.store.command_lists import BulkRow
from tillbox.contracts.commands import MANY, Verb

ROWS = 20


@dataclass(frozen=True, slots=True)
class BulksPage:
    """`form` is there once a verb was chosen; `before` is where the next page begins, empty on the last."""

    rows: tuple[BulkRow, ...]
    form: VerbForm | None = None
    before: str = ""

    @property
    def verbs(self) -> tuple[str, ...]:
        """What there is to choose."""
        return MANY


def show(connection: Connection, asked: Asked) -> BulksPage:
    """`?verb=` opens its form, with what else the address says in it; `?before=` goes on with the list."""
    verb = asked.query.get("verb", "")
    rows = command_lists.bulks(connection, before=asked.query.get("before", "")[:36], most=ROWS)
    return BulksPage(
        rows=tuple(rows),
        form=bulk_form(Verb(verb), asked.query) if verb in MANY else None,
        before=rows[-1].id if len(rows) == ROWS else "",
    )


def form_address(said: dict[str, str]) -> str:
    """The form again, filled in."""
    return "/bulks?" + urlencode(said)
