"""`tillbox demo`: a whole shop on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

demo = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@demo.command()
def run_demo(
    folder: Annotated[
        Path, typer.Option(help="Where everything lives, a new folder inside for each time.")
    ] = Path("var/demo"),
    port: Annotated[int, typer.Option(help="The counter's page.", min=1, max=65_535)] = 8080,
    console_port: Annotated[int, typer.Option(help="The console.", min=1, max=65_535)] = 8081,
) -> None:
    """A whole shop on this machine: open the counter's page, play the shop, pull a plug, sell on.

    Ctrl-C ends it.
    """
    from tillbox.broker.mosquitto import MosquittoMissing

    from .counter.server import serve

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        sys.exit(f"tillbox demo: {folder} cannot be made: {fault.strerror}. Choose another with --folder.")
    try:
        serve(folder.resolve(), port, console_port)
    except MosquittoMissing as missing:
        sys.exit(f"tillbox demo: {missing}")
