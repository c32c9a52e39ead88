"""`tillbox box`: run one checkout box until it is told to stop."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def box() -> None:
    """The entry point of `tillbox box`."""
    app(prog_name="tillbox box")


@app.command()
def run(config: Annotated[Path, typer.Option(help="The box's configuration, a JSON file.")]) -> None:
    """Run one checkout box: its devices, its journal, its line to the core and its screen.

    Stop it with Ctrl-C or SIGTERM; a power cut does it no harm either. Example: tillbox box --config box-1.json
    """
    from .app import Box
    from .config import ConfigWrong, load
    from .screen.server import serve

    try:
        loaded = load(config)
    except ConfigWrong as wrong:
        sys.exit(f"tillbox box: {wrong}")
    box = Box(loaded)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: box.stop())
    if loaded.screen_port:
        serve(box, loaded.screen_port)
    box.run()
