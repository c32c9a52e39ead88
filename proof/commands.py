"""`tillbox prove …`: each promise by a command. Every command prints one JSON line with --json, and exits 1
where the promise does not hold."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

prove = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Prove the promises, each by a command.",
)

smoke = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

bench = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Measure, each figure beside a reference in the same run.",
)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON line instead of a table.")]


@smoke.command()
def run_smoke(
    keep: Annotated[Path | None, typer.Option(help="Keep everything in this folder, logs included.")] = None,
) -> None:
    """A short day in a shop on real parts, without a person: one JSON line says how it went.

    Starts broker, wallet, core and two boxes on free ports, sells by cash, by photo with a coupon and by
    scanner, cuts the line, sells on, mends it, and compares the paper with the book.
    """
    from tillbox.broker.mosquitto import MosquittoMissing

    from .smoke import SmokeFailed, run

    with tempfile.TemporaryDirectory(prefix="tillbox-") as folder:
        home = keep or Path(folder)
        try:
            report = run(home, lambda what: print(what, file=sys.stderr, flush=True))
        except (SmokeFailed, MosquittoMissing, RuntimeError) as failed:
            logs = "\n".join(
                f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in home.glob("*.log")
            )
            print(f"{failed}\n{logs}", file=sys.stderr)
            print(json.dumps({"ok": False, "why": str(failed)}))
            raise typer.Exit(1) from failed
    print(json.dumps(report))
    raise typer.Exit(0 if report["ok"] else 1)


@prove.command()
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


@prove.command()
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


@prove.command()
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


@prove.command()
def kill9(
    seconds: Annotated[int, typer.Option(min=5, help="How long the killing goes on.")] = 60,
    boxes: Annotated[int, typer.Option(min=1, max=8, help="How many boxes sell.")] = 2,
    seed: Annotated[int, typer.Option(help="Where chance begins.")] = 0,
    keep: Annotated[Path | None, typer.Option(help="Keep everything in this folder, logs included.")] = None,
    as_json: AsJson = False,
) -> None:
    """Real processes, killed with SIGKILL at random moments, over lines that are cut inside a packet.

    Boxes, core, wallet and broker go on from what is on their disks; then what the boxes printed is compared
    with the book, and the wallet's statement with both.
    """
    from tillbox.broker.mosquitto import MosquittoMissing

    from .kill9 import run

    def say(what: str) -> None:
        print(what, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="tillbox-") as folder:
        try:
            report = run(keep or Path(folder), seconds, boxes, seed, say)
        except MosquittoMissing as missing:
            sys.exit(f"tillbox prove kill9: {missing}")
    _say(report, as_json)
    raise typer.Exit(0 if report["ok"] else 1)


@prove.command(name="powercut-kernel")
def powercut_kernel(
    cuts: Annotated[int, typer.Option(min=1, help="How many times the file system is shut down.")] = 200,
    seed: Annotated[int, typer.Option(help="Where chance begins.")] = 0,
    as_json: AsJson = False,
) -> None:
    """The shipped journal on the standard library's SQLite and a real ext4 that is shut down under it.

    Needs root, a loop device and ext4.
    """
    from .powercut_kernel import CannotHere, run

    try:
        report = run(cuts, seed)
    except CannotHere as why:
        sys.exit(f"tillbox prove powercut-kernel: {why}")
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


@bench.callback()
def _bench() -> None:
    """Measure, each figure beside a reference in the same run."""


@bench.command(name="decode")
def bench_decode(
    images: Annotated[
        Path | None,
        typer.Option(
            help="A folder of folders of pictures, each with its truth beside it as NAME.txt or NAME.bin."
        ),
    ] = None,
    write: Annotated[Path | None, typer.Option(help="Write the table to this Markdown file, too.")] = None,
    as_json: AsJson = False,
) -> None:
    """How well codes are read: our cascade beside pyzbar, zxing-cpp and OpenCV alone, in the same run.

    Without --images over pictures that it makes itself: codes on screens and labels, in blur, glare, moiré, low
    light and noise. In a folder whose name begins with falsepositives every read is wrong. The exit status is 1
    where our cascade reads anything wrong. Example: tillbox bench decode --images photos --json
    """
    from .decoding import READERS, run
    from .tables import decode_table, markdown

    if images is not None and not images.is_dir():
        sys.exit(f"tillbox bench decode: {images} is no folder of pictures")
    rows = run(images, lambda name: print(name, file=sys.stderr, flush=True))
    if not rows[-1]["pictures"]:
        sys.exit(f"tillbox bench decode: there is no picture with its truth beside it below {images}")
    if write is not None:
        write.write_text(markdown(rows, list(READERS)))
    if as_json:
        print(json.dumps({"sets": rows}, ensure_ascii=False))
    else:
        Console().print(decode_table(rows, list(READERS)))
    raise typer.Exit(1 if rows[-1]["tillbox"]["wrong"] else 0)


@bench.command(name="camera")
def bench_camera(
    holds: Annotated[
        int, typer.Option(min=1, help="How often each kind of code is held there in each fault.")
    ] = 3,
    write: Annotated[Path | None, typer.Option(help="Write the tables to this Markdown file, too.")] = None,
    as_json: AsJson = False,
) -> None:
    """What a camera costs on an empty counter, and how soon it reads what is held before it, beside pyzbar and
    zxing-cpp alone on the same frames.

    The frames are made from seeds, 1280x720 in grey, 15 a second; the milliseconds are one core's. The exit status
    is 1 where our camera reads anything wrong. Example: tillbox bench camera --holds 3 --json
    """
    from .camera import run
    from .tables import camera_markdown, camera_rows

    report = run(holds, lambda name: print(name, file=sys.stderr, flush=True))
    if write is not None:
        write.write_text(camera_markdown(report))
    if as_json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        head, *rows = camera_rows(report)
        table = Table(*head)
        for row in rows:
            table.add_row(*row)
        Console().print(table)
    raise typer.Exit(1 if any(row["tillbox"]["wrong"] for row in report["held"]) else 0)
