"""`tillbox fleet diff` and `timeline`: one box as the core knows it, what it is to have and what happened to it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tillbox.cloud_bridge.letters import visible, visible_lines

from .commands import CORE, KEY, AsJson, Core, KeyFile, _said, _table, _when, fleet

if TYPE_CHECKING:
    from .client import Api

Box = Annotated[str, typer.Argument(help="store/lane, or the box's name")]


def _device(api: Api, box: str) -> str:
    """The box itself, where a place is named. ApiRefused where none stands there."""
    from .client import ApiRefused

    if "/" not in box:
        return box
    found = [one["device"] for one in api.ask("places", search=box, most=500) if one["position"] == box]
    if not found or found[0] is None:
        raise ApiRefused(f"no box stands at {box}")
    return str(found[0])


@fleet.command()
def diff(box: Box, core: Core = CORE, key_file: KeyFile = KEY, as_json: AsJson = False) -> None:
    """How a box stands to its settings: the version that it is to have, the one that it says it uses, and what lies between,
    as a patch. What a decision would change is `twin diff`.
    """
    from .client import Api

    with _said():
        api = Api.at(core, key_file)
        found = api.ask(f"boxes/{_device(api, box)}/twin")
    if as_json:
        print(json.dumps(found))
        return
    used = "nothing yet" if found["used_version"] is None else f"version {found['used_version']}"
    pinned = ", pinned" if found["pinned"] else ""
    # Beside the patch, so that the patch alone can go into a file.
    print(f"{found['device']} is to have version {found['version']} and uses {used}{pinned}", file=sys.stderr)
    if found["refused"]:
        print(
            f"it did not take version {found['refused_version']}: {visible(found['refused'])}",
            file=sys.stderr,
        )
    if found["patch"]:
        print(visible_lines(found["patch"]))


@fleet.command()
def timeline(
    box: Box,
    kind: Annotated[
        str, typer.Option(help="start, line, place, settings, command, alert, trouble, done; commas between.")
    ] = "",
    before: Annotated[str, typer.Option(help="Go on from a row: its `at`, as --json tells it.")] = "",
    core: Core = CORE,
    key_file: KeyFile = KEY,
    as_json: AsJson = False,
) -> None:
    """What happened to a box, the newest first."""
    from .client import Api

    with _said():
        api = Api.at(core, key_file)
        found = api.ask(f"boxes/{_device(api, box)}/timeline", kind=kind, before=before, most=100)
    if as_json:
        print(json.dumps({"timeline": found}))
        return
    rows = [
        (_when(one["at_ms"]), one["kind"], one["what"], one["name"], one["who"], one["detail"])
        for one in found
    ]
    _table(("when (UTC)", "kind", "what", "", "who", ""), rows)
