"""Saved views: filters of the fleet's list under a name, each of one person alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, StringConstraints
from sqlalchemy import Connection, delete, func, select

from tillbox.cloud_bridge.store.database import upsert
from tillbox.cloud_bridge.store.tables import view
from tillbox.contracts.settings import Strict
from tillbox.contracts.verdicts import Reason, Refused

VIEWS_MAX = 20  # of one person: more are not a row of links any more


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("write it with letters that can be seen")
    return text


Title = Annotated[
    str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True), AfterValidator(_printable)
]
Part = Annotated[str, StringConstraints(max_length=24, pattern=r"^[a-z0-9_-]*$")]


class Filters(Strict):
    """What a view shows."""

    search: Annotated[str, StringConstraints(max_length=64), AfterValidator(_printable)] = ""
    state: Part = ""
    group: Part = ""
    store: Part = ""


class SaveView(Filters):
    """A view under its name; one of that name is overwritten."""

    name: Title


class DropView(Strict):
    """A view that nobody needs any more."""

    name: Title


class Views(BaseModel):
    """The names of the views that there are now."""

    names: list[str]


class View(BaseModel):
    """One view."""

    name: str
    filters: Filters


def save(connection: Connection, who: str, wanted: SaveView, now_ms: int) -> Views | Refused:
    """Keep it."""
    others = select(func.count()).where(view.c.operator == who, view.c.name != wanted.name)
    if connection.execute(others).scalar_one() >= VIEWS_MAX:
        return Refused(Reason.VIEWS_FULL, f"{VIEWS_MAX}")
    filters = wanted.model_dump_json(exclude={"name"}).encode()
    row = {"operator": who, "name": wanted.name, "wanted": filters, "made_ms": now_ms}
    upsert(connection, view, [row], "operator", "name")
    return _names(connection, who)


def drop(connection: Connection, who: str, wanted: DropView) -> Views:
    """Forget it; one that is not there is forgotten already."""
    connection.execute(delete(view).where(view.c.operator == who, view.c.name == wanted.name))
    return _names(connection, who)


def of(connection: Connection, who: str) -> list[View]:
    """Somebody's views, by name."""
    query = select(view.c.name, view.c.wanted).where(view.c.operator == who).order_by(view.c.name)
    return [
        View(name=name, filters=Filters.model_validate_json(wanted))
        for name, wanted in connection.execute(query)
    ]


def _names(connection: Connection, who: str) -> Views:
    return Views(names=[one.name for one in of(connection, who)])
