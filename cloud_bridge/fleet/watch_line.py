"""`tillbox fleet watch`: what a box logs, line by line in a terminal, while it lasts."""

from __future__ import annotations

import json
import sys
import time
from enum import StrEnum
from typing import Annotated, Any

import typer

from tillbox.cloud_bridge.clock import wall_ms
from tillbox.cloud_bridge.letters import visible
from tillbox.contracts.commands import WATCH_MINUTES_MAX

from .commands import CORE, KEY, Core, KeyFile, _said, _when, fleet
from .onlooker import LOST

EVERY_S = 1.0
PATIENCE_MS = 15_000  # a box that is there and free answers within two seconds


class What(StrEnum):
    """What can be watched, and how that is ended."""

    LOG = "log"
    SCREEN = "screen"
    NOTHING = "nothing"


@fleet.command()
def watch(
    box: Annotated[str, typer.Argument(help="store/lane, or the box's name")],
    what: Annotated[
        What, typer.Argument(help="log: here; screen: in the console; nothing: end both.")
    ] = What.LOG,
    minutes: Annotated[int, typer.Option(min=1, max=WATCH_MINUTES_MAX, help="It ends by itself.")] = 5,
    core: Core = CORE,
    key_file: KeyFile = KEY,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per line of the log.")] = False,
) -> None:
    """Watch a box's log here as it comes, or have it show its screen in the console. Ctrl-C ends the looking.

    Example: tillbox fleet watch store17/lane2 log --minutes 10 --json | jq 'select(.level == "error")'
    """
    from .client import Api

    with _said():
        api = Api.at(core, key_file)
        wanted = {"box": box, "verb": "watch", "what": what.value}
        made = api.act("send-command", wanted | ({} if what is What.NOTHING else {"minutes": minutes}))
        if what is What.LOG:
            _tail(api, made, as_json)
        elif what is What.SCREEN:
            print(f"{api.url}/boxes/{made['device']}/live until {_when(made['expires_ms'])} UTC")


def _tail(api: Any, made: dict[str, Any], as_json: bool) -> None:
    """Every line that comes after the command was made, until its time is over."""
    lines, told, begun_ms = f"boxes/{made['device']}/log", False, wall_ms()
    after = max((row["number"] for row in api.ask(lines)), default=0)
    while wall_ms() < made["expires_ms"]:
        for row in api.ask(lines, after=after):
            after, told = row["number"], True
            print(json.dumps(row) if as_json else _line(row), flush=True)
        if not told and wall_ms() - begun_ms > PATIENCE_MS:
            told = True
            command = api.ask(f"commands/{made['id']}")["command"]
            print(_why(command), file=sys.stderr)
            if command["state"] == "failed":
                sys.exit(1)
        time.sleep(EVERY_S)


def _line(row: dict[str, Any]) -> str:
    if row["level"] == LOST:
        return f"… {visible(row['text'])} lines did not come through"
    return f"{_when(row['at_ms'], seconds=True)} {visible(row['level']):<8} {visible(row['text'])}"


def _why(command: dict[str, Any]) -> str:
    if command["state"] == "failed":
        return f"tillbox fleet: the box did not: {visible(command['reason'])}"
    if command["state"] == "successful":
        return "tillbox fleet: the box has nothing to say, or hands in its records first; waiting"
    return f"tillbox fleet: the box has not answered yet ({command['state']}); is it online? waiting"
