"""`tillbox fleet drill`: what goes wrong in a fleet, on command."""

from __future__ import annotations

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
