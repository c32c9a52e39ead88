"""`tillbox loadtest`: thousands of boxes on this machine, and what becomes of them."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

loadtest = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@loadtest.command()
def run_loadtest(
    boxes: Annotated[int, typer.Option(min=4, max=100_000, help="How many boxes.")] = 10_000,
    rate: Annotated[float, typer.Option(min=1, help="Records a second to reach for, of all boxes together.")] = 1_000,
    seconds: Annotated[float, typer.Option(min=2, help="How long the steady phase is measured.")] = 30,
    telemetry: Annotated[float, typer.Option(min=0.5, help="Seconds between two telemetries of a box with something new; a real one's are 5, and 15 where nothing is new.")] = 5,
    at_once: Annotated[int, typer.Option(min=2, help="Boxes that come up at the same moment at most: this machine makes the boxes' half of every TLS handshake, too.")] = 400,
    losses: Annotated[bool, typer.Option(help="Cut boxes off and watch presence; takes two minutes.")] = True,
    folder: Annotated[Path | None, typer.Option(help="Keep everything in this folder, logs included. It must be new or empty.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Where chance begins.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")] = False,
) -> None:  # fmt: skip
    """Thousands of boxes against a real mosquitto with mutual TLS and a real core, on this machine alone.

    Every box has its own certificate, will, birth, hello, telemetry and chained journal, and sends again until the core's
    own ack settles it. Phases: certificates; all connect at once; steady telemetry and sales, at the highest of a few
    rates up to --rate that the core keeps up with; the broker is killed; the core is killed; pages of the console with a
    session; some boxes are cut off, some vanish silently, and all come back; and a verdict from the boxes' own lists.

    Ten thousand boxes need 10,200 open files for the broker (ulimit -n), 2 GB of memory and about ten minutes; where the
    machine allows fewer, as many boxes as it allows are taken, and the report says so. Progress goes to stderr. The exit
    status is 1 if a record was lost, doubled or changed, the book does not balance, or presence was false; a goal that was
    missed for want of speed is only said. Example: tillbox loadtest --boxes 1000 --rate 200 --json
    """
    from tillbox.broker.mosquitto import MosquittoMissing

    from . import report
    from .phases import LoadTest, Wanted

    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}", file=sys.stderr, flush=True)

    if folder is not None and folder.is_dir() and any(folder.iterdir()):
        sys.exit(f"tillbox loadtest: {folder} is not empty; name a new folder")
    with tempfile.TemporaryDirectory(prefix="tillbox-load-") as scratch:
        wanted = Wanted(boxes, rate, seconds, telemetry, folder or Path(scratch), at_once, losses, seed=seed)
        try:
            figures = LoadTest(wanted, say).run()
        except (MosquittoMissing, RuntimeError) as failed:
            sys.exit(f"tillbox loadtest: {failed}")
    figures["goals"], figures["ok"] = report.judged(figures), report.is_true(figures)
    if as_json:
        print(json.dumps(figures))
    else:
        Console().print(report.table(figures))
    raise typer.Exit(0 if figures["ok"] else 1)
