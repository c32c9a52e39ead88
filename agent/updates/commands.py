"""`tillbox update …`: what an engineer does with the slots, and what the launcher and an examination call."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tillbox.contracts.settings import SettingsWrong

update = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="The two slots of a box: seed them, look at them; judge and answer are for the launcher.",
)

Root = Annotated[Path, typer.Option(help="The folder of the launcher and the slots.")]
Config = Annotated[Path, typer.Option(help="The box's configuration.")]


@update.command()
def seed(
    archive: Annotated[Path, typer.Argument(help="A release, as `tillbox release sign` wrote it.")],
    root: Root,
    lock: Annotated[
        Path, typer.Option(help="The requirements.lock that the interpreter's libraries are of.")
    ],
) -> None:
    """Give a new box its first release and its launcher. The archive is believed: it came with the image, or by hand.

    Example: tillbox update seed release.zip --root /var/lib/tillbox-updates --lock requirements.lock
    """
    from .slots import ArchiveWrong, Slots

    try:
        Slots(root).seed(archive, hashlib.sha256(lock.read_bytes()).hexdigest())
    except (ArchiveWrong, OSError) as wrong:
        sys.exit(f"tillbox update seed: {wrong}")
    print(
        f"Slot a is ready. Start the box with: python3 -I {root / 'launcher.py'} --config /etc/tillbox/box.toml"
    )


@update.command()
def show(
    root: Root, as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False
) -> None:
    """What is in the slots, which of them is good, what is on trial, and how the last trial ended.

    Example: tillbox update show --root /var/lib/tillbox-updates --json
    """
    from . import launcher
    from .slots import ArchiveWrong, Slots

    slots = Slots(root)
    try:
        state, whole = slots.state(), launcher.bootable(root)
    except ArchiveWrong as wrong:
        sys.exit(f"tillbox update show: {wrong}")
    rows = [
        {"slot": slot, "version": slots.told(slot).get("version", ""), "whole": slot in whole, "good": slot == state.good, "trial": slot == state.trial}
        for slot in launcher.SLOTS
    ]  # fmt: skip
    if as_json:
        print(
            json.dumps(
                {
                    "slots": rows,
                    "starts": state.starts,
                    "last": dict(state.last),
                    "refused": dict(state.refused),
                }
            )
        )
        return
    _show(rows, state)


def _show(rows: list[dict[str, object]], state: object) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("slot", "release", "whole", "is")
    for row in rows:
        role = "good" if row["good"] else "on trial" if row["trial"] else "idle"
        table.add_row(str(row["slot"]), str(row["version"]), "yes" if row["whole"] else "no", role)
    console = Console(highlight=False)
    console.print(table)
    last = getattr(state, "last", {})
    if last:
        console.print(f"{last['version']}: {last['en']} ({last['seconds']} s)")


@update.command()
def judge(
    config: Config,
    slot: Annotated[str, typer.Option(help="The slot on trial.")],
) -> None:
    """Judge the trial that runs in the other slot. The launcher calls it; its last line is the verdict, as JSON."""
    from tillbox.agent.provisioning.compose import config_in
    from tillbox.agent.provisioning.keystore import KeyUnsafe

    from .judge import Judge
    from .machine import Release
    from .slots import Slots

    try:
        loaded = config_in(config)
    except (SettingsWrong, KeyUnsafe) as wrong:
        sys.exit(f"tillbox update judge: {wrong}")
    if loaded.updates is None:
        sys.exit("tillbox update judge: the box's configuration has no room for updates")
    told = Slots(loaded.updates.root).told(slot)
    release = Release(str(told.get("version", "")), "", str(told.get("sha256", "")), 0, "")
    outcome = Judge(loaded, loaded.updates, breathe=lambda: print("{}", flush=True)).run(release)
    print(outcome.line(), flush=True)


@update.command()
def answer() -> None:
    """Answer the rehearsals on standard input, one JSON line each: what this release would charge and print."""
    from .answers import answer as answer_one
    from .health import Rehearsal

    for line in sys.stdin:
        found = answer_one(Rehearsal.model_validate_json(line))
        print(found.model_dump_json() if found else "null")
