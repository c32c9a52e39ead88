"""`tillbox fleet command`, and what belongs to it: command one box or many, approve, stop, and see what became of it."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from tillbox.contracts.commands import MANY, SAYS

from .commands import CORE, KEY, AsJson, Core, KeyFile, _said, _table, _when, fleet
from .waves import WAVES

VERBS = "\n".join(f"  {verb:<20} {SAYS[verb].en}" for verb in MANY)

OneOfMany = StrEnum("OneOfMany", {verb.name: verb.value for verb in MANY})  # type: ignore[misc]

Why = Annotated[str, typer.Option(help="For drain and quarantine: what the cashier reads.")]
Sale = Annotated[str, typer.Option(help="For reprint: whose receipt; the last one, if none is named.")]
Release = Annotated[str, typer.Option(help="For update: the release to run from now on, e.g. 0.2.0.")]


@fleet.command(
    help=f"""Command one box. It does it when nobody is disturbed, and its own journal says what became of it.

\b
{VERBS}

\b
  tillbox fleet command store17/lane2 self-test
  tillbox fleet command store17/lane2 quarantine --why 'the drawer is being counted'

To see its log or its screen: tillbox fleet watch. To be let in: tillbox fleet shell.
"""
)
def command(
    box: Annotated[str, typer.Argument(help="store/lane, or the box's name")],
    verb: Annotated[OneOfMany, typer.Argument(help="what it is to do")],
    why: Why = "",
    sale: Sale = "",
    release: Release = "",
    minutes: Annotated[int, typer.Option(min=1, help="So long it may wait.")] = 60,
    core: Core = CORE,
    key_file: KeyFile = KEY,
    as_json: AsJson = False,
) -> None:
    """Command one box."""
    from .client import Api

    wanted = {
        "box": box, "verb": verb.value, "why": why, "sale": sale, "release": release, "minutes": minutes,
    }  # fmt: skip
    with _said():
        made = Api.at(core, key_file).act("send-command", wanted)
    if as_json:
        print(json.dumps(made))
        return
    print(
        f"{made['verb']} is on its way to {made['position']} until {_when(made['expires_ms'])} UTC: {made['id']}"
    )


@fleet.command("command-many")
def command_many(
    verb: Annotated[OneOfMany, typer.Argument(help="what they are to do")],
    scope: Annotated[list[str], typer.Argument(help="store/lane, store, group:NAME; * for all")],
    send: Annotated[
        bool, typer.Option("--send", help="Send it. Without, it only says who would be reached.")
    ] = False,
    why: Why = "",
    sale: Sale = "",
    release: Release = "",
    max_percent: Annotated[int, typer.Option(min=1, max=100, help="Of all boxes in service.")] = 10,
    max_boxes: Annotated[int, typer.Option(min=1, help="In all.")] = 50,
    stop_if_failed: Annotated[int, typer.Option(min=0, help="So many may fail; one more stops it.")] = 0,
    waves: Annotated[str, typer.Option(help="Percent of the boxes, ever more.")] = ",".join(map(str, WAVES)),
    rest_minutes: Annotated[
        int, typer.Option(min=0, help="So long at least between two waves; a release needs a day.")
    ] = 0,
    patience_minutes: Annotated[
        int, typer.Option(min=1, help="So long a wave waits for boxes that say nothing.")
    ] = 10,
    minutes: Annotated[int, typer.Option(min=1, help="So long each may wait for its box.")] = 24 * 60,
    core: Core = CORE,
    key_file: KeyFile = KEY,
    as_json: AsJson = False,
) -> None:
    """Command many boxes, in waves: first look whom it reaches, then say --send.

    \b
      tillbox fleet command-many self-test store17 group:north
      tillbox fleet command-many restart '*' --max-percent 100 --max-boxes 500 --send
      tillbox fleet command-many update '*' --release 0.2.0 --rest-minutes 1440 --minutes 14400 --max-percent 100 --send

    Above a number of boxes that the core's configuration sets, a second person has to approve it. One box is looked at by
    `tillbox fleet watch`, and `tillbox fleet shell` lets in.
    """
    from .client import Api

    try:
        percents = [int(one) for one in waves.split(",")]
    except ValueError:
        sys.exit(f"tillbox fleet: --waves {waves[:40]}: write percents with commas, as 1,10,50,100")
    wanted = {
        "scope": scope, "verb": verb.value, "why": why, "sale": sale, "release": release, "preview": not send,
        "waves": percents, "rest_minutes": rest_minutes, "patience_minutes": patience_minutes, "minutes": minutes,
        "max_percent": max_percent, "max_boxes": max_boxes, "stop_if_failed": stop_if_failed,
    }  # fmt: skip
    with _said():
        found = Api.at(core, key_file).act("send-commands", wanted)
    _bulk_out(found, as_json)


@fleet.command("approve-bulk")
def approve_bulk(
    bulk: Annotated[str, typer.Argument(help="The bulk's id.")],
    core: Core = CORE,
    key_file: KeyFile = KEY,
    as_json: AsJson = False,
) -> None:
    """Let a bulk go that somebody else has asked for."""
    from .client import Api

    with _said():
        found = Api.at(core, key_file).act("approve-bulk", {"bulk": bulk})
    _bulk_out(found, as_json)


@fleet.command("stop-bulk")
def stop_bulk(
    bulk: Annotated[str, typer.Argument(help="The bulk's id.")],
    core: Core = CORE,
    key_file: KeyFile = KEY,
    as_json: AsJson = False,
) -> None:
    """Send nothing more of a bulk."""
    from .client import Api

    with _said():
        found = Api.at(core, key_file).act("stop-bulk", {"bulk": bulk})
    _bulk_out(found, as_json)


def _bulk_out(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(found))
        return
    rows = [(one["position"], one["device"], "yes" if one["online"] else "no") for one in found["boxes"]]
    _table(("place", "box", "online"), rows)
    print(f"{found['verb']}: {found['count']} boxes, {found['percent']} % of those in service.")
    print(f"Waves of {', '.join(map(str, found['waves']))}. {_bulk_state(found)}")


def _bulk_state(found: dict[str, Any]) -> str:
    if found["state"] == "preview":
        budget = "" if found["within_budget"] else " It is over its budget: name fewer boxes, or raise that."
        second = " A second person will have to approve it." if found["needs_second_person"] else ""
        return f"Nothing was sent; say --send to send it.{second}{budget}"
    if found["state"] == "awaiting":
        return f"A second person has to say: tillbox fleet approve-bulk {found['id']}"
    return f"It is {found['state']}: {found['id']}"


@fleet.command()
def commands(
    box: Annotated[str, typer.Argument(help="store/lane or a box's name; all without.")] = "",
    bulk: Annotated[str, typer.Option(help="Only of this bulk.")] = "",
    core: Core = CORE,
    key_file: KeyFile = KEY,
    as_json: AsJson = False,
) -> None:
    """What boxes were commanded, and what became of it; the newest first."""
    from .client import Api

    with _said():
        found = Api.at(core, key_file).ask("commands", box=box, bulk=bulk, most=200)
    if as_json:
        print(json.dumps({"commands": found}))
        return
    rows = [
        (
            _when(one["made_ms"]),
            one["position"],
            one["verb"],
            one["state"] + (" (unheard)" if one["guessed"] else ""),
            one["reason"],
            one["made_by"],
            one["id"],
        )
        for one in found
    ]
    _table(("made (UTC)", "place", "verb", "state", "why", "by", "command"), rows)


@fleet.command()
def outcome(
    name: Annotated[str, typer.Argument(metavar="COMMAND", help="The command's id.")],
    core: Core = CORE,
    key_file: KeyFile = KEY,
) -> None:
    """One command's whole story as JSON, with its result; a bundle of diagnostics is unpacked."""
    from .client import Api
    from .results import unpacked

    with _said():
        found = Api.at(core, key_file).ask(f"commands/{name}")
    parts = [one["result"] for one in found["events"] if one["part"]]
    if parts and found["command"]["state"] == "successful":
        found["bundle"] = unpacked("".join(parts))
        found["events"] = [one for one in found["events"] if not one["part"]]
    print(json.dumps(found, indent=1, ensure_ascii=True))
