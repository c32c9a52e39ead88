"""One run of `tillbox print`: from rows to labels to where they go, and the summary at its end."""

from __future__ import annotations

import io
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn, TypeVar, cast

import typer
from rich.console import Console
from rich.progress import Progress

from tillbox.hardware import registry
from tillbox.hardware.commands import harmless
from tillbox.hardware.ports import LabelPrinter
from tillbox.hardware.printing.labels.designs import Paper
from tillbox.hardware.printing.labels.label import SIDE_MM, DotsPerMm, Unfit
from tillbox.hardware.printing.labels.typeface import system_typeface

from .going import Ended, Files, to_files, to_printer
from .kinds import Make
from .making import Format, Made
from .table import ROWS_MAX, Bad, Table

FORMATS = ("tspl", "zpl", "png", "pdf")
SHOWN_BAD_MAX = 20
PROGRESS_FROM = 20  # labels; fewer are made before a bar is drawn
_SIZE = re.compile(r"([0-9]{1,3})[xX×*]([0-9]{1,3})")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Batch:
    """What was asked for on the command line, as it was typed."""

    kind: str
    to: tuple[str, Path]
    printer: str
    language: str
    size: str
    dots: int
    copies: int
    begin_at: int
    skip_bad: bool
    as_json: bool

    def stop(self, why: str) -> NoReturn:
        """End with a sentence and nothing printed."""
        if self.as_json:
            print(json.dumps({"kind": self.kind, "ok": False, "out": 0, "bad": [], "error": why}))
        typer.echo(f"tillbox print {self.kind}: {harmless(why)}", err=True)
        raise typer.Exit(1)

    def need(self, value: Value | Unfit) -> Value:
        """The value, or the end."""
        if isinstance(value, Unfit):
            self.stop(value.why)
        return value

    def paper(self) -> Paper:
        """The labels that are asked for."""
        found = _SIZE.fullmatch(self.size)
        width, height = (int(found[1]), int(found[2])) if found else (0, 0)
        if not all(SIDE_MM[0] <= side <= SIDE_MM[1] for side in (width, height)):
            self.stop(
                f"--size {self.size[:20]}: write 40x30, width and height from {SIDE_MM[0]} to {SIDE_MM[1]} mm"
            )
        if self.dots not in (8, 12):
            self.stop("--dots is 8 (a printer of 203 dpi) or 12 (300 dpi)")
        return Paper(width, height, system_typeface(), cast(DotsPerMm, self.dots))

    def goal(self) -> Files | LabelPrinter:
        """Where they go: exactly one place."""
        how, path = self.to
        if bool(how) == bool(self.printer):
            self.stop("say where: --to png plate.png (or tspl, zpl, pdf), or --printer usb:/dev/usb/lp1")
        if self.language not in ("tspl", "zpl"):
            self.stop("--language is tspl or zpl")
        if self.printer:
            return self._printer()
        if how not in FORMATS:
            self.stop(f"--to {how[:20]}: the formats are {', '.join(FORMATS)}")
        is_folder = path.is_dir() or not path.suffix
        return Files(cast(Format, how), path, is_folder)

    def _printer(self) -> LabelPrinter:
        kind, _, address = self.printer.partition(":")
        try:
            return registry.label_printer(kind, "labels", address, {"language": self.language})
        except ValueError as why:
            self.stop(f"--printer {self.printer}: {why}")


def run(batch: Batch, table: Table, make: Make, *, issuer: str = "") -> None:
    """Make, read back, and send; the exit status is 1 unless all of it went well."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may know no Chinese
    began_ns = time.perf_counter_ns()
    goal, paper = batch.goal(), batch.paper()
    if len(table.rows) * batch.copies > ROWS_MAX and isinstance(goal, Files) and goal.format == "pdf":
        batch.stop(f"at most {ROWS_MAX} labels in one PDF: take fewer copies")
    made, bad = _made(table, make, paper)
    if bad and not batch.skip_bad:
        ended = Ended(0, tuple(bad))
    elif not made:
        ended = Ended(0, tuple(bad), "" if bad else "there is nothing to print")
    else:
        ended = _sent(batch, goal, made, paper)
    bad = [*bad, *ended.bad] if ended.bad != tuple(bad) else bad
    document = {
        "kind": batch.kind,
        "ok": not ended.trouble and ended.out > 0 and (batch.skip_bad or not bad),
        "out": ended.out,
        "bad": [{"where": one.where, "why": one.why} for one in bad],
        "error": ended.trouble or None,
        "milliseconds": round((time.perf_counter_ns() - began_ns) / 1_000_000),
    }
    _say(batch, document | ({"issuer": issuer} if issuer else {}), bad)
    raise typer.Exit(0 if document["ok"] else 1)


def _made(table: Table, make: Make, paper: Paper) -> tuple[list[Made], list[Bad]]:
    made: list[Made] = []
    bad = list(table.bad)
    for row in table.rows:
        label = make(row.cells, paper)
        if isinstance(label, Unfit):
            bad.append(Bad(row.where, label.why))
        else:
            made.append(Made(row.where, label))
    return made, bad


def _sent(batch: Batch, goal: Files | LabelPrinter, made: Sequence[Made], paper: Paper) -> Ended:
    face = paper.typeface
    steps = len(made) if isinstance(goal, Files) else 2 * len(made)
    with _progress(batch, steps) as step:
        if isinstance(goal, Files):
            return to_files(made, goal, face, batch.copies, skip_bad=batch.skip_bad, step=step)
        language = cast(Literal["tspl", "zpl"], batch.language)
        return to_printer(
            made,
            goal,
            language,
            face,
            batch.copies,
            skip_bad=batch.skip_bad,
            begin_at=batch.begin_at,
            step=step,
        )


@contextmanager
def _progress(batch: Batch, steps: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal; it moves as labels are read back, and again as they are printed."""
    console = Console(stderr=True)
    if steps < PROGRESS_FROM or batch.as_json or not console.is_terminal:
        yield lambda: None
        return
    with Progress(console=console) as bar:
        task = bar.add_task("labels", total=steps)
        yield lambda: bar.advance(task)


def _say(batch: Batch, document: dict[str, object], bad: Sequence[Bad]) -> None:
    if batch.as_json:
        print(json.dumps(document))
        return
    for one in bad[:SHOWN_BAD_MAX]:
        typer.echo(f"{one.where}: {harmless(one.why)}", err=True)
    if len(bad) > SHOWN_BAD_MAX:
        typer.echo(f"and {len(bad) - SHOWN_BAD_MAX} more", err=True)
    if bad and not batch.skip_bad:
        typer.echo("Nothing was printed. Mend these rows, or leave them out with --skip-bad.", err=True)
    if document["error"]:
        typer.echo(f"tillbox print {batch.kind}: {harmless(str(document['error']))}", err=True)
    elif document["out"]:
        where = batch.printer or f"{batch.to[1]}"
        labels = "1 label" if document["out"] == 1 else f"{document['out']} labels"
        typer.echo(f"{labels}, every code read back: {harmless(where)}")
    if document["ok"] and "issuer" in document:
        typer.echo(f"signed by {document['issuer']}: the boxes list this key among their issuers")
