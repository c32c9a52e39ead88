"""`tillbox box`: run one checkout box until it is told to stop. `tillbox journal`: read one."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tillbox.contracts.settings import SettingsWrong, load, names_in

if TYPE_CHECKING:
    from .app import Box

box = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


doctor = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
devices = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
pair = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
journal = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@journal.command()
def show(
    path: Annotated[Path, typer.Argument(help="A box's journal.db; a running box is not disturbed.")],
    after: Annotated[int, typer.Option(min=0, help="Begin after this position.")] = 0,
    most: Annotated[int, typer.Option(min=1, help="So many records at the most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per record.")] = False,
) -> None:
    """What a box recorded, oldest first, and what the core already holds of it.

    Example: tillbox journal /var/lib/tillbox/journal.db --after 100 --json
    """
    from rich.console import Console
    from rich.table import Table

    from .inspect import NoJournal, rows

    table = Table("position", "incarnation", "seq", "kind", "id", "with the core")
    try:
        for row in rows(path, after=after, most=most):
            if as_json:
                print(json.dumps(asdict(row), ensure_ascii=True))
            else:
                table.add_row(
                    str(row.position),
                    row.inc,
                    str(row.seq),
                    row.kind,
                    row.tid,
                    "yes" if row.settled else "no",
                )
    except NoJournal as why:
        sys.exit(f"tillbox journal: {why}")
    if not as_json:
        Console().print(table)


@box.command()
def run(config: Annotated[Path, typer.Option(help="The box's configuration, TOML or JSON.")]) -> None:
    """Run one checkout box: its devices, its journal, its line to the core and its screen.

    Stop it with Ctrl-C or SIGTERM; a power cut does it no harm either. Example: tillbox box --config box-1.json
    """
    from tillbox.broker.own import TakenAlready, own_file, own_port
    from tillbox.broker.supervisor import Supervisor

    from .app import Box
    from .config import BoxConfig, FleetBoxConfig
    from .logs import log_files
    from .provisioning.beginning import fleet_box
    from .provisioning.keystore import KeyUnsafe
    from .screen.server import serve

    try:
        of_fleet = "fleet" in names_in(config)
        loaded = load(config, FleetBoxConfig if of_fleet else BoxConfig)
        lock = own_file(loaded.state / "journal.db")
        door = own_port(loaded.screen_port) if loaded.screen_port else None
        api_door = own_port(loaded.api.port) if loaded.api else None
    except (SettingsWrong, TakenAlready) as wrong:
        sys.exit(f"tillbox box: {wrong}")
    files = log_files(loaded.logs)
    ended, alive = threading.Event(), Supervisor().alive
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    box: Box | None
    if isinstance(loaded, FleetBoxConfig):
        try:
            box = fleet_box(loaded, door, ended, alive)
        except (SettingsWrong, KeyUnsafe) as wrong:
            sys.exit(f"tillbox box: {wrong}")
    else:
        assert isinstance(loaded, BoxConfig)
        box = Box(loaded, alive=alive)
    if box is None:
        return
    box.logs = files
    threading.Thread(target=_stop_when, args=(ended, box), name="end", daemon=True).start()
    if door is not None:
        serve(box, door)
    if api_door is not None and loaded.api is not None:
        from .api.server import open_door

        open_door(box, api_door, loaded.api.origins)
    box.run()
    if lock is not None:
        lock.close()
    if box.restarts:
        # The same process, so that whoever watches it need not know; files and doors are shut by the change itself.
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606


def _stop_when(ended: threading.Event, box: Box) -> None:
    ended.wait()
    box.stop()


@doctor.command()
def see(
    config: Annotated[Path, typer.Option(help="The box's configuration.")] = Path("/etc/tillbox/box.toml"),
    slip: Annotated[
        bool, typer.Option("--slip", help="Print a test slip and wait until a reader reads it back.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """What is wrong with this box, line by line, and what to do. Nothing on the page is secret.

    It looks at the configuration, the journal, the disk (free space, and how long a write takes until it is safe), the
    clock, the line to the core, and every device. Beside a running box it asks that box. The exit status is 1 if a line
    is red.

    Example: tillbox doctor --config box-1.json --slip
    """
    from .doctor import Light, report
    from .examine import of_file, of_running

    found = (None if slip else of_running(config)) or report(
        of_file(config, slip=slip, tell=lambda what: print(f"looking at {what} …", file=sys.stderr))
    )
    if as_json:
        print(json.dumps(found, ensure_ascii=True))
    else:
        _show_page(found)
    red = any(line["light"] == Light.RED for line in found["lines"])
    raise typer.Exit(1 if red else 0)


def _show_page(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("", "what", "how it is", "what to do")
    colours = {"green": "green", "yellow": "yellow", "red": "bold red"}
    for line in found["lines"]:
        mark = Text({"green": "✓", "yellow": "!", "red": "✗"}[line["light"]], style=colours[line["light"]])
        table.add_row(mark, line["check"], Text(line["en"]), Text(line["todo_en"]))
    console = Console(highlight=False)
    console.print(Text(found["software"]))
    console.print(table)


@devices.command()
def list_devices(as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False) -> None:
    """What is plugged into this machine, and what a box's configuration would say of it. Nothing is opened.

    Example: tillbox devices --json | jq '.devices[] | select(.setting == "readers") | .proposal'
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from tillbox.hardware.finding import find

    found = find()
    if as_json:
        print(json.dumps({"devices": [one.as_json() for one in found]}, ensure_ascii=True))
        return
    if not found:
        print(
            "Nothing is plugged in that a box can use. Printers on the network are not looked for: name theirs."
        )
        return
    table = Table("kind", "what it says it is", "address", "for", "in the configuration")
    for one in found:
        proposal = json.dumps(one.proposal, ensure_ascii=False)
        sure = "" if one.sure else " (if that is what it is)"
        table.add_row(one.kind, Text(one.name), Text(one.address), one.setting, Text(proposal + sure))
    Console(highlight=False).print(table)


@pair.command()
def pair_program(
    name: Annotated[str, typer.Argument(help="What the shop calls the other program.")],
    config: Annotated[Path, typer.Option(help="The box's configuration.")] = Path("/etc/tillbox/box.toml"),
) -> None:
    """Give another program's till a token for this box's local door. It is shown once; a new one ends the old one.

    Example: tillbox pair "noodle shop" --config box-1.json
    """
    from .api.server import pairings
    from .provisioning.compose import config_in

    try:
        loaded = config_in(config)
    except SettingsWrong as wrong:
        sys.exit(f"tillbox pair: {wrong}")
    if loaded.api is None:
        sys.exit("tillbox pair: the door is shut. Set `api` in the box's configuration first.")
    print(pairings(loaded.state).pair(name))
