"""What one balance is made of."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.formats import amount
from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.letters import visible
from tillbox.cloud_bridge.store import reading
from tillbox.cloud_bridge.store.reading import PostingRow

ROWS = 100


@dataclass(frozen=True, slots=True)
class AccountPage:
    """`sums` are the account's balances, a unit each; `older` is where the next page begins, empty on the last."""

    name: str
    sums: tuple[tuple[str, str], ...]
    postings: tuple[PostingRow, ...]
    older: str


def show(connection: Connection, asked: Asked) -> AccountPage:
    """The account of that name, from `?before=` on. One that nothing was ever posted to is empty."""
    name = asked.names["name"][:80]
    before = place(asked.query.get("before", ""))
    rows = tuple(reading.account(connection, name, before=before, most=ROWS))
    sums = tuple((unit, amount(minor, unit)) for unit, minor in reading.balances(connection, name))
    return AccountPage(visible(name), sums, rows, seen(rows[-1]) if len(rows) == ROWS else "")


def seen(row: PostingRow) -> str:
    """A posting as a place in the list, for the address of the next page."""
    return f"{row.posted_ms}-{row.leg}-{row.tid}"


def place(text: str) -> tuple[int, str, int] | None:
    """A place in the list from an address: hour, transaction, leg. None where it is none."""
    ms, leg, tid = (*text.split("-", 2), "", "")[:3]
    numbers = all(one.isascii() and one.isdecimal() and len(one) < 15 for one in (ms, leg))
    return (int(ms), tid[:64], int(leg)) if numbers else None
