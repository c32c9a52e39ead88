"""`tillbox top`: every box at a glance, live in a terminal. It asks a running core every few seconds and changes nothing.

What a key does and how a row looks is pure; the loop at the end draws and listens.
"""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import reduce
from typing import Annotated, Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tillbox.cloud_bridge.letters import visible
from tillbox.contracts.promises import age

from .client import Api, ApiRefused
from .commands import CORE, KEY, Core, KeyFile

HELP = """Every box at a glance, live: state, what waits for the core and for how long, printer, temperature, alerts.

\b
  tillbox top                    live; q ends it, / searches, s sorts otherwise
  tillbox top --once --json      one look, for scripts
  tillbox top store17            only boxes whose name, place or title has that in it

It asks a running core, named by --core and a key by --key-file, or by TILLBOX_CORE and TILLBOX_KEY_FILE.
"""

top = typer.Typer(help=HELP, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

EVERY_S = 2.0
BOXES_MAX = 500  # more than a screen has lines; the search finds the others
SEARCH_MAX = 40
KEYS_AT_ONCE = 64  # what is pasted, or typed while the core was asked
ESCAPE, ENTER, RUB_OUT = "\x1b", ("\r", "\n"), ("\x7f", "\b")

Row = dict[str, Any]


def _told(row: Row, name: str) -> Any:
    return (row["telemetry"] or {}).get(name)


def _pending(row: Row) -> int:
    return _told(row, "pending") or 0


def _waits(row: Row) -> int:
    return row["money_waits_ms"] or 0


def _celsius(row: Row) -> int | None:
    found: int | None = (_told(row, "vitals") or {}).get("celsius")
    return found


SORTS: dict[str, Callable[[Row], Any]] = {
    "worst": lambda row: (row["state"] != "lost", -len(row["alerts"]), -_waits(row), -_pending(row)),
    "oldest": lambda row: -_waits(row),
    "queue": lambda row: -_pending(row),
    "warmest": lambda row: -(_celsius(row) or -99),
    "place": lambda row: (row["position"], row["device"]),
}
"""By what the list may be sorted; `s` goes on to the next."""


@dataclass(frozen=True, slots=True)
class Watching:
    """What the person at the terminal wants to see."""

    sort: str = "worst"
    search: str = ""
    typing: bool = False
    ended: bool = False


def press(watching: Watching, key: str) -> Watching:
    """What a key changes. While a search is typed every key is a letter of it."""
    if watching.typing:
        if key in ENTER:
            return replace(watching, typing=False)
        if key == ESCAPE:
            return replace(watching, typing=False, search="")
        if key in RUB_OUT:
            return replace(watching, search=watching.search[:-1])
        fits = key.isprintable() and len(watching.search) < SEARCH_MAX
        return replace(watching, search=watching.search + key) if fits else watching
    if key == "s":
        names = list(SORTS)
        return replace(watching, sort=names[(names.index(watching.sort) + 1) % len(names)])
    if key == "/":
        return replace(watching, typing=True, search="")
    return replace(watching, ended=True) if key in ("q", "\x03") else watching


def chosen(rows: Sequence[Row], watching: Watching) -> list[Row]:
    """The rows that are looked for, in the order that is wanted."""
    part = watching.search.lower()
    found = [row for row in rows if part in " ".join((row["device"], row["position"], row["title"])).lower()]
    return sorted(found, key=lambda row: (SORTS[watching.sort](row), row["device"]))


COLUMNS = ("place", "box", "state", "queue", "oldest", "printer", "°C", "version", "alerts")
COLOURS = {"online": "green", "lost": "bold red", "offline": "yellow"}


def cells(row: Row) -> tuple[Text, ...]:
    """One row as it is drawn."""
    waits, warm, printer = row["money_waits_ms"], _celsius(row), _told(row, "printer") or ""
    return (
        Text(visible(row["position"] or "-")),
        Text(visible(row["device"])),
        Text(visible(row["state"]), style=COLOURS.get(row["state"], "")),
        Text(str(_pending(row)) if row["telemetry"] else "?"),
        Text("" if waits is None else age(waits)),
        Text(visible(printer.replace("_", " ")), style="" if printer in ("", "ready") else "red"),
        Text("" if warm is None else str(warm), style="red" if warm is not None and warm >= 80 else ""),
        Text(visible(row["software"].removeprefix("tillbox "))),
        Text(visible(", ".join(kind.replace("_", " ") for kind in row["alerts"])), style="red"),
    )


def drawn(rows: Sequence[Row], watching: Watching, *, lines: int, trouble: str = "") -> Group:
    """The whole screen."""
    found = chosen(rows, watching)
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    for name in COLUMNS:
        right = name in ("queue", "oldest", "°C")
        table.add_column(
            name, justify="right" if right else "left", no_wrap=name != "alerts", overflow="ellipsis"
        )
    for row in found[: max(1, lines - 4)]:
        table.add_row(*cells(row))
    lost = sum(row["state"] == "lost" for row in found)
    alerts = sum(len(row["alerts"]) for row in found)
    head = Text(f"{len(found)} boxes, {lost} lost, {alerts} alerts   sorted by {watching.sort}")
    cursor = "_" if watching.typing else ""
    foot = Text(
        f"/{watching.search}{cursor}"
        if watching.typing or watching.search
        else "q ends   / searches   s sorts",
        style="dim",
    )
    return Group(head, Text(trouble, style="bold red"), table, foot)


@top.command(help=HELP)
def look(
    search: Annotated[str, typer.Argument(help="A part of a box, a place or a title.")] = "",
    core: Core = CORE,
    key_file: KeyFile = KEY,
    once: Annotated[bool, typer.Option("--once", help="One look, and no keys.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document; with --once.")] = False,
    every: Annotated[float, typer.Option(min=0.5, max=60, help="Seconds between two looks.")] = EVERY_S,
) -> None:
    """Every box at a glance."""
    watching = Watching(search=search[:SEARCH_MAX])
    try:
        api = Api.at(core, key_file)
        rows = api.ask("health", most=BOXES_MAX)
        if as_json:
            print(json.dumps({"boxes": chosen(rows, watching)}))
            return
        if once or not sys.stdin.isatty() or not sys.stdout.isatty():
            Console(highlight=False).print(drawn(rows, watching, lines=BOXES_MAX))
            return
        _live(api, rows, watching, every)
    except ApiRefused as why:
        sys.exit(f"tillbox top: {why}")


def _live(api: Api, rows: list[Row], watching: Watching, every_s: float) -> None:
    console, trouble = Console(), ""
    with _keys() as key, Live(console=console, screen=True, auto_refresh=False) as live:
        while not watching.ended:
            live.update(drawn(rows, watching, lines=console.size.height, trouble=trouble), refresh=True)
            pressed = key(every_s)
            if pressed:
                watching = reduce(press, pressed, watching)
                continue
            try:
                rows, trouble = api.ask("health", most=BOXES_MAX), ""
            except ApiRefused as why:
                trouble = f"{why}. What is shown is old."


@contextmanager
def _keys() -> Iterator[Callable[[float], str]]:
    """The keys of the terminal, which is as it was afterwards. Empty where none came in time; arrows and the like, which come
    as several signs, are none of ours."""
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)

    def key(wait_s: float) -> str:
        ready, _, _ = select.select([terminal], [], [], wait_s)
        found = os.read(terminal, KEYS_AT_ONCE).decode("utf-8", "ignore") if ready else ""
        return "" if found.startswith(ESCAPE) and len(found) > 1 else found

    try:
        yield key
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
