"""The lists of commands: of one box, of a bulk, one command's whole story, and bulks. Reads only."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, select

from tillbox.contracts.commands import WATCH_MINUTES_MAX, Verb
from tillbox.contracts.ids import CHANCE_BYTES, uuid7

from .commands import tally
from .reading import MOST, bounded
from .tables import bulk, command, command_event


class CommandRow(BaseModel):
    """One command for one box, and how it stands."""

    id: str
    device: str
    position: str
    verb: str
    params: dict[str, Any]
    made_by: str
    bulk: str | None
    wave: int
    state: str
    reason: str
    guessed: bool
    """The core thinks that it is over, and its box has not said so."""
    sends: int
    made_ms: int
    expires_ms: int
    ended_ms: int | None


class EventRow(BaseModel):
    """What was heard of it."""

    at_ms: int
    told_by: str
    state: str
    reason: str
    result: str
    part: int


class CommandStory(BaseModel):
    """A command from its making to its end."""

    command: CommandRow
    events: list[EventRow]


class BulkRow(BaseModel):
    """One command for many boxes: who asked, who approved, and how far it is."""

    id: str
    verb: str
    asked: dict[str, Any]
    boxes: int
    made_by: str
    approved_by: str | None
    state: str
    why: str
    wave: int
    made_ms: int
    states: dict[str, int]
    """How many of the commands that were let go stand how."""


def commands(
    connection: Connection, *, device: str = "", bulk_id: str = "", most: int = 100
) -> list[CommandRow]:
    """The newest first; of one box, or of one bulk."""
    query = select(command).order_by(command.c.made_ms.desc(), command.c.id.desc()).limit(bounded(most))
    if device:
        query = query.where((command.c.device == device) | (command.c.position == device))
    if bulk_id:
        query = query.where(command.c.bulk == bulk_id)
    return [_command(row) for row in connection.execute(query)]


class WatchRow(BaseModel):
    """That a box was asked to show something, and what became of that."""

    command: str
    what: str
    state: str
    reason: str
    made_by: str
    made_ms: int
    until_ms: int


def watches(connection: Connection, *, now_ms: int, device: str = "") -> dict[str, dict[str, WatchRow]]:
    """What boxes were asked to show and are not through with, by box and by what; of one box, or of all. A command that its
    box has refused shows nothing."""
    since = uuid7(max(0, now_ms - WATCH_MINUTES_MAX * 60_000), bytes(CHANCE_BYTES))
    query = select(command).where(command.c.id >= since, command.c.verb == Verb.WATCH.value)
    if device:
        query = query.where(command.c.device == device)
    found: dict[str, dict[str, WatchRow]] = {}
    for row in map(_command, connection.execute(query.order_by(command.c.made_ms, command.c.id))):
        what = str(row.params["what"])
        of_box = found.setdefault(row.device, {})
        if what == "nothing":
            of_box.clear()
        elif row.expires_ms > now_ms:
            of_box[what] = WatchRow(
                command=row.id, what=what, state=row.state, reason=row.reason, made_by=row.made_by,
                made_ms=row.made_ms, until_ms=row.expires_ms,
            )  # fmt: skip
    return {name: of_box for name, of_box in found.items() if of_box}


def command_story(connection: Connection, name: str) -> CommandStory | None:
    """One command; None where there is none of that id."""
    row = connection.execute(select(command).where(command.c.id == name)).one_or_none()
    if row is None:
        return None
    events = select(command_event).where(command_event.c.command == name).order_by(command_event.c.id)
    return CommandStory(
        command=_command(row), events=[_event(one) for one in connection.execute(events.limit(MOST))]
    )


def bulks(connection: Connection, *, most: int = 100) -> list[BulkRow]:
    """The newest first."""
    query = select(bulk).order_by(bulk.c.made_ms.desc(), bulk.c.id.desc()).limit(bounded(most))
    return [_bulk(connection, row) for row in connection.execute(query).all()]


def _command(row: Any) -> CommandRow:
    document = json.loads(json.loads(row.sealed)["doc"])
    names = set(CommandRow.model_fields) - {"params", "guessed"}
    told = {name: getattr(row, name) for name in names}
    return CommandRow(params=document["params"], guessed=bool(row.guessed), **told)


def _event(row: Any) -> EventRow:
    told = {name: getattr(row, name) for name in EventRow.model_fields if name != "result"}
    return EventRow(result=row.result.decode(), **told)


def _bulk(connection: Connection, row: Any) -> BulkRow:
    names = set(BulkRow.model_fields) - {"asked", "boxes", "states"}
    told = {name: getattr(row, name) for name in names}
    return BulkRow(
        asked=json.loads(row.asked),
        boxes=len(json.loads(row.boxes)["boxes"]),
        states=tally(connection, row.id, row.wave),
        **told,
    )
