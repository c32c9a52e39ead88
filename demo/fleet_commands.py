"""`tillbox fleet demo`: boxes come out of their cartons."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

demo = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@demo.command()
def run_demo(
    boxes: Annotated[int, typer.Option(min=1, max=200, help="How many come out of their cartons.")] = 3,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where everything lives; a folder that goes away by itself, if none is named."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Plan, print the claim sheets, and let boxes enrol by reading them, with everything real but the shop: broker, core,
    certificates, cameras that see pictures of the printed paper, an engineer's browser.

    Each box greets on paper, reads its sheet, tests itself with a printed slip, prints its birth slip, is accepted by the
    page that the slip's code opens, and sells. The seconds count from power-on.

    Example: tillbox fleet demo --boxes 12 --json
    """
    from tillbox.broker.mosquitto import MosquittoMissing

    from .fleet_day import DayFailed, run, table_of

    def say(what: str) -> None:
        print(what, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="tillbox-fleet-") as fresh:
        try:
            found = run((folder or Path(fresh)).resolve(), boxes, say)
        except (DayFailed, MosquittoMissing, RuntimeError) as why:
            sys.exit(f"tillbox fleet demo: {why}")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        from rich.console import Console
        from rich.table import Table

        heads, rows = table_of(found["boxes"])
        table = Table(*heads)
        for row in rows:
            table.add_row(*row)
        Console().print(table)
        print(
            f"median {found['median_s']} s, slowest {found['slowest_s']} s; the goal is {found['goal_s']:.0f} s"
        )
    raise typer.Exit(0 if found["ok"] else 1)
