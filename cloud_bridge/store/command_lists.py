"""The lists of commands: of one box, of a bulk, one command's whole story, and bulks. Reads only."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select

from tillbox.contracts.commands import WATCH_MINUTES_MAX, State, Verb
from tillbox.contracts.ids import CHANCE_BYTES, uuid7

from .commands import UNHEARD, tally
from .reading import MOST, bounded
from .tables import bulk, command, command_event

REASONS_MOST = 50


def _is(state: State) -> ColumnElement[bool]:
    return command.c.state == state.value


_LIVES: dict[str, ColumnElement[bool]] = {
    "held": and_(_is(State.INIT), command.c.sends == 0),
    "sent": and_(_is(State.INIT), command.c.sends > 0),
    "blocked": _is(State.BLOCKED),
    "executing": _is(State.EXECUTING),
    "successful": _is(State.SUCCESSFUL),
    "failed": _is(State.FAILED),
    "unheard": and_(_is(State.EXPIRED), command.c.guessed == 1, command.c.reason == UNHEARD),
    "called_off": and_(_is(State.EXPIRED), command.c.guessed == 1, command.c.reason != UNHEARD),
    "expired": and_(_is(State.EXPIRED), command.c.guessed == 0),
}
LIVES = tuple(_LIVES)
"""How a command stands, for people: held (its wave or its box is not there yet), sent, blocked, executing; and over: successful,
failed, unheard (the box did not say in time that it had it), called_off (its bulk was stopped), expired."""
_LIFE = case(*((where, life) for life, where in _LIVES.items()), else_="sent")


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
    life: str
    """One of LIVES."""
    reason: str
    guessed: bool
    """The core thinks that it is over, and its box has not said so."""
    sends: int
    made_ms: int
    expires_ms: int
    ended_ms: int | None


class CommandEvent(BaseModel):
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
    events: list[CommandEvent]


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


class WaveRow(BaseModel):
    """One wave of a bulk: how many of its boxes stand how. `boxes` is 0 where the draw left none for it."""

    number: int
    percent: int
    boxes: int
    lives: dict[str, int]


class WhyRow(BaseModel):
    """Why boxes of a bulk are not done: how many say the same."""

    life: str
    reason: str
    boxes: int


class BulkStory(BaseModel):
    """A bulk from its making to its end, wave by wave."""

    bulk: BulkRow
    waves: list[WaveRow]
    reasons: list[WhyRow]
    """The most frequent first."""
    names: list[str]
    """The boxes that it was asked for."""
    wave_ms: int | None
    """When the newest wave was let go."""


def commands(
    connection: Connection,
    *,
    device: str = "",
    bulk_id: str = "",
    life: str = "",
    before: str = "",
    most: int = 100,
) -> list[CommandRow]:
    """The newest first; of one box or its place, of one bulk, that stand so. `before` is the id of the last that was seen."""
    # An id begins with the hour it was made at.
    query = _COMMANDS.order_by(command.c.id.desc()).limit(bounded(most))
    if device:
        query = query.where((command.c.device == device) | (command.c.position == device))
    if bulk_id:
        query = query.where(command.c.bulk == bulk_id)
    if life in _LIVES:
        query = query.where(_LIVES[life])
    if before:
        query = query.where(command.c.id < before)
    return [_command(row) for row in connection.execute(query)]


_COMMANDS: Select[Any] = select(command, _LIFE.label("life"))


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
    query = _COMMANDS.where(command.c.id >= since, command.c.verb == Verb.WATCH.value)
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
    row = connection.execute(_COMMANDS.where(command.c.id == name)).one_or_none()
    if row is None:
        return None
    events = select(command_event).where(command_event.c.command == name).order_by(command_event.c.id)
    return CommandStory(
        command=_command(row), events=[_event(one) for one in connection.execute(events.limit(MOST))]
    )


def bulks(connection: Connection, *, before: str = "", most: int = 100) -> list[BulkRow]:
    """The newest first; `before` is the id of the last that was seen."""
    query = select(bulk).order_by(bulk.c.id.desc()).limit(bounded(most))
    if before:
        query = query.where(bulk.c.id < before)
    rows = connection.execute(query).all()
    states = tally(connection, [row.id for row in rows])
    return [_bulk(row, states[row.id]) for row in rows]


def bulk_story(connection: Connection, name: str) -> BulkStory | None:
    """One bulk; None where there is none of that id."""
    row = connection.execute(select(bulk).where(bulk.c.id == name)).one_or_none()
    if row is None:
        return None
    asked = json.loads(row.asked)
    lives = select(command.c.wave, _LIFE, func.count()).where(command.c.bulk == name)
    waves = [
        WaveRow(number=number, percent=percent, boxes=0, lives={})
        for number, percent in enumerate(asked["waves"])
    ]
    for wave, life, count in connection.execute(lives.group_by(command.c.wave, _LIFE)):
        waves[wave].lives[life] = waves[wave].lives.get(life, 0) + count
        waves[wave].boxes += count
    return BulkStory(
        bulk=_bulk(row, tally(connection, [name])[name]),
        waves=waves,
        reasons=_reasons(connection, name),
        names=json.loads(row.boxes)["boxes"],
        wave_ms=row.wave_ms,
    )


def _reasons(connection: Connection, name: str) -> list[WhyRow]:
    told = select(_LIFE.label("life"), command.c.reason, func.count().label("boxes"))
    undone = _LIFE.in_(("failed", "blocked", "unheard", "expired"))
    query = told.where(command.c.bulk == name, undone).group_by(_LIFE, command.c.reason)
    query = query.order_by(func.count().desc(), command.c.reason).limit(REASONS_MOST)
    return [WhyRow(life=row.life, reason=row.reason, boxes=row.boxes) for row in connection.execute(query)]


def _command(row: Any) -> CommandRow:
    document = json.loads(json.loads(row.sealed)["doc"])
    names = set(CommandRow.model_fields) - {"params", "guessed"}
    told = {name: getattr(row, name) for name in names}
    return CommandRow(params=document["params"], guessed=bool(row.guessed), **told)


def _event(row: Any) -> CommandEvent:
    told = {name: getattr(row, name) for name in CommandEvent.model_fields if name != "result"}
    return CommandEvent(result=row.result.decode(), **told)


def _bulk(row: Any, states: dict[str, int]) -> BulkRow:
    names = set(BulkRow.model_fields) - {"asked", "boxes", "states"}
    told = {name: getattr(row, name) for name in names}
    asked, boxes = json.loads(row.asked), json.loads(row.boxes)["boxes"]
    return BulkRow(asked=asked, boxes=len(boxes), states=states, **told)
