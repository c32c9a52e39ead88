"""One command: who asked for it, every step that was heard of, and what came of it in a form that can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.console.pages.checks import Check
from tillbox.cloud_bridge.fleet.results import result_of
from tillbox.cloud_bridge.store import command_lists
from tillbox.cloud_bridge.store.command_lists import CommandEvent, CommandRow, CommandStory
from tillbox.contracts.verdicts import Text

DEPTH, ITEMS, LETTERS = 5, 200, 4_000
"""So deep, so wide and so long a result is shown. What a box says is not trusted to be small."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A piece of a result as a page shows it: one of these is there, the others are empty."""

    text: str = ""
    rows: tuple[tuple[str, Shown], ...] = ()
    lines: tuple[str, ...] = ()
    lights: tuple[tuple[str, str, Text], ...] = ()

    def checks(self, language: str) -> tuple[Check, ...]:
        """The lights as a table of checks."""
        return tuple((check, light, says.say(language)) for check, light, says in self.lights)


@dataclass(frozen=True, slots=True)
class CommandPage:
    """`steps` are without the parts of a long result, which come one by one. `sale` is whose receipt was printed."""

    command: CommandRow
    steps: tuple[CommandEvent, ...]
    result: Shown | None
    sale: str = ""


def show(connection: Connection, asked: Asked) -> CommandPage | None:
    """The command of that id."""
    found = command_lists.command_story(connection, asked.names["command"][:36])
    return None if found is None else page_of(found)


def page_of(story: CommandStory) -> CommandPage:
    """A command's story, for people."""
    result = result_of(story.events)
    sale = result.get("sale") if isinstance(result, dict) else None
    return CommandPage(
        command=story.command,
        steps=tuple(one for one in story.events if not one.part),
        result=None if result is None else readable(result),
        sale=sale if isinstance(sale, str) else "",
    )


def readable(value: Any, depth: int = DEPTH) -> Shown:
    """What a box said, as rows, lines and lights."""
    if isinstance(value, dict) and value and depth:
        return Shown(rows=tuple((_cut(str(name)), readable(one, depth - 1)) for name, one in _few(value)))
    if isinstance(value, list) and value and depth:
        if all(isinstance(one, dict) and "light" in one and "check" in one for one in value):
            return Shown(lights=tuple(_light(one) for one in value[:ITEMS]))
        if all(not isinstance(one, dict | list) for one in value):
            return Shown(lines=tuple(_cut(_plain(one)) for one in value[-ITEMS:]))
        items = enumerate(value[:ITEMS], start=1)
        return Shown(rows=tuple((str(number), readable(one, depth - 1)) for number, one in items))
    if isinstance(value, dict | list):
        return Shown(text="…" if value else "–")
    return Shown(text=_cut(_plain(value)))


def _light(one: Mapping[str, Any]) -> tuple[str, str, Text]:
    """A self-test says one sentence, the doctor's page the same in both languages."""
    said = one.get("says", "")
    text = Text(_cut(str(one.get("zh", said))), _cut(str(one.get("en", said))))
    return _cut(str(one["check"])), str(one["light"]), text


def _few(value: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    return list(islice(value.items(), ITEMS))


def _plain(value: Any) -> str:
    return (
        {None: "–", True: "✓", False: "×"}[value]
        if value is None or value is True or value is False
        else str(value)
    )


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[:LETTERS]}…"
