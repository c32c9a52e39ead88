"""`tillbox prove …`: each promise by a command. Every command prints one JSON line with --json, and exits 1
where the promise does not hold."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Prove the promises, each by a command.",
)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON line instead of a table.")]


def prove() -> None:
    """The entry point of `tillbox prove`."""
    app(prog_name="tillbox prove")


@app.command()
def pipeline(
    seeds: Annotated[int, typer.Option(min=1, help="How many histories to live through.")] = 300,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Whole shops from a seed: real till, journal, delivery, ingest and book under every fault; then a verdict.

    A failing seed prints the command that lives it again. Example: tillbox prove pipeline --seeds 300 --json
    """
    from .pipeline import run

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("histories", total=seeds)
        report = run(first, seeds, lambda _: bar.advance(task))
    _say(report.as_json(), as_json)
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def mutants(
    seeds: Annotated[int, typer.Option(min=1, help="At most so many histories per mutant.")] = 400,
    only: Annotated[str, typer.Option(help="One mutant by name.")] = "",
    as_json: AsJson = False,
) -> None:
    """Switch protections off one at a time: the checkers must see every one."""
    from .mutants import MUTANTS, run

    names = [name for name in MUTANTS if only in ("", name)]
    if not names:
        raise typer.BadParameter(f"there is no mutant {only!r}; there are: {', '.join(MUTANTS)}")
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("mutants", total=len(names))
        report = run(names, seeds, lambda _: bar.advance(task))
    _say(report, as_json)
    raise typer.Exit(0 if all(row["killed"] for row in report["mutants"]) else 1)


@app.command()
def powercut(
    cuts: Annotated[int, typer.Option(min=1, help="How many power cuts.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Where chance begins.")] = 0,
    as_json: AsJson = False,
) -> None:
    """The product's journal on a disk that loses power: nothing acknowledged is lost, torn or corrupt.

    The same run with synchronous=NORMAL must fail, or the disk would prove nothing.
    """
    from .powercut import run

    report = run(cuts, seed)
    _say(report, as_json)
    raise typer.Exit(0 if report["ok"] else 1)


def _say(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(report, ensure_ascii=False))
        return
    table = Table(show_header=False)
    for name, value in report.items():
        shown = (
            json.dumps(value, ensure_ascii=False, indent=1) if isinstance(value, (dict, list)) else str(value)
        )
        table.add_row(name, shown)
    Console().print(table)
