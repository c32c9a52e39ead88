"""`tillbox box`: run one checkout box until it is told to stop. `tillbox journal`: read one."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tillbox.contracts.settings import SettingsWrong, load

box = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


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
def run(config: Annotated[Path, typer.Option(help="The box's configuration, a JSON file.")]) -> None:
    """Run one checkout box: its devices, its journal, its line to the core and its screen.

    Stop it with Ctrl-C or SIGTERM; a power cut does it no harm either. Example: tillbox box --config box-1.json
    """
    from tillbox.broker.own import TakenAlready, own_file, own_port

    from .app import Box
    from .config import BoxConfig
    from .screen.server import serve

    try:
        loaded = load(config, BoxConfig)
        lock = own_file(loaded.state / "journal.db")
        door = own_port(loaded.screen_port) if loaded.screen_port else None
    except (SettingsWrong, TakenAlready) as wrong:
        sys.exit(f"tillbox box: {wrong}")
    box = Box(loaded)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: box.stop())
    if door is not None:
        serve(box, door)
    box.run()
    if lock is not None:
        lock.close()
