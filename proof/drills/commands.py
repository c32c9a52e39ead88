"""`tillbox fleet drill`: what goes wrong in a fleet, on command."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

HELP = """Play what goes wrong in a fleet, on real parts (broker, core, boxes), and judge it from the outside.

Each drill says what it does while it does it, and ends with a table, or with one JSON document where --json is given.
The exit status is 1 if anything did not come out as promised.
"""

drill = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]
Folder = Annotated[
    Path | None,
    typer.Option(help="Where everything lives; a folder that goes away by itself, if none is named."),
]


@drill.callback()
def _group() -> None:
    pass  # it makes a group of a single command, too


@drill.command()
def update(
    short: Annotated[
        bool, typer.Option("--short", help="One good release, one that sells wrongly, and a few power cuts.")
    ] = False,
    keep: Annotated[Path | None, typer.Option(help="Keep everything in this folder, logs included.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Updates: good releases, bad ones, lying servers, and power cuts at every step that makes something durable.

    A box runs under its launcher; releases are built from this checkout, signed, and served on loopback. Each case must
    end as promised, with its reason, and the box must sell afterwards: the core must have that sale.
    Two and a half minutes of work for one core, most of it starts of boxes.

    Example: tillbox fleet drill update --json | jq '.cases[] | {case, seen, says, seconds}'
    """
    from tillbox.broker.mosquitto import MosquittoMissing

    from .points import PointUnknown
    from .station import DrillFailed
    from .update import Drill
    from .workshop import NoTree

    with tempfile.TemporaryDirectory(prefix="tillbox-") as folder:
        try:
            report = Drill(keep or Path(folder), lambda what: print(what, file=sys.stderr, flush=True)).run(
                short=short
            )
        except (MosquittoMissing, NoTree, DrillFailed, PointUnknown) as why:
            sys.exit(f"tillbox fleet drill update: {why}")
    if as_json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        _show_cases(report)
    raise typer.Exit(0 if report["ok"] else 1)


@drill.command()
def replace(folder: Folder = None, as_json: AsJson = False) -> None:
    """Boxes die with unsent sales; others take their places, and the sales come back: by the dead box itself, from its card,
    by codes that it shows, by its papers. One sells on after its end, and that is found out.
    """
    from .replace import run

    _play(run, folder, as_json=as_json)


@drill.command()
def revoke(folder: Folder = None, as_json: AsJson = False) -> None:
    """A box is stolen: it is put out within seconds, stays out, and its certificate opens nothing that is not its own."""
    from .revoke import run

    _play(run, folder, as_json=as_json)


def _play(
    run: Callable[[Path, Callable[[str], None]], dict[str, Any]], folder: Path | None, *, as_json: bool
) -> None:
    from tillbox.broker.mosquitto import MosquittoMissing
    from tillbox.demo.fleet_day import DayFailed

    from .station import DrillFailed

    def say(what: str) -> None:
        print(what, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="tillbox-drill-") as fresh:
        try:
            found = run((folder or Path(fresh)).resolve(), say)
        except (DrillFailed, DayFailed, MosquittoMissing, RuntimeError) as why:
            sys.exit(f"tillbox fleet drill: {why}")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        _show(found["rows"])
    raise typer.Exit(0 if found["ok"] else 1)


def _show(rows: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*(name.replace("_", " ") for name in rows[0]))
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row.values()))
    Console(highlight=False).print(table)


def _show_cases(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("", "case", "what became of it", "why", "s")
    for row in report["cases"]:
        mark = Text("✓", "green") if row["ok"] else Text("✗", "bold red")
        table.add_row(mark, row["case"], row["seen"], Text(row["says"]), f"{row['seconds']:.1f}")
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"{report['well']} of {report['of']} cases as promised; the slowest roll-back took "
        f"{report['slowest_roll_back_s']} s; {report['canaries_with_the_core']} canaries with the core, "
        f"{report['canaries_in_the_book']} in the book; {report['seconds']} s"
    )
