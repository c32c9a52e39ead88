"""`tillbox demo` and `tillbox smoke`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

smoke_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
demo_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def smoke() -> None:
    """The entry point of `tillbox smoke`."""
    smoke_app(prog_name="tillbox smoke")


def demo() -> None:
    """The entry point of `tillbox demo`."""
    demo_app(prog_name="tillbox demo")


@smoke_app.command()
def run_smoke(
    keep: Annotated[Path | None, typer.Option(help="Keep everything in this folder, logs included.")] = None,
) -> None:
    """A short day in a shop on real parts, without a person: one JSON line says how it went.

    Starts broker, wallet, core and two boxes on free ports, sells by cash, by photo with a coupon and by
    scanner, cuts the line, sells on, mends it, and compares the paper with the book.
    """
    from .smoke import SmokeFailed, run

    with tempfile.TemporaryDirectory(prefix="tillbox-") as folder:
        home = keep or Path(folder)
        try:
            report = run(home, lambda what: print(what, file=sys.stderr, flush=True))
        except (SmokeFailed, RuntimeError) as failed:
            logs = "\n".join(
                f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in home.glob("*.log")
            )
            print(f"{failed}\n{logs}", file=sys.stderr)
            print(json.dumps({"ok": False, "why": str(failed)}))
            raise typer.Exit(1) from failed
    print(json.dumps(report))
    raise typer.Exit(0 if report["ok"] else 1)


@demo_app.command()
def run_demo(
    folder: Annotated[Path, typer.Option(help="Where everything lives; it is begun anew each time.")] = Path(
        "var/demo"
    ),
    port: Annotated[int, typer.Option(help="The counter's page.")] = 8080,
    console_port: Annotated[int, typer.Option(help="The console.")] = 8081,
) -> None:
    """A whole shop on this machine: open the counter's page, play the shop, pull a plug, sell on.

    Ctrl-C ends it.
    """
    from .counter.server import serve

    serve(folder.resolve(), port, console_port)
