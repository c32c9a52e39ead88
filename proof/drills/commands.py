"""`tillbox fleet drill`: what goes wrong in a fleet, on command."""

from __future__ import annotations

import json
import sys
import tempfile
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
