"""`tillbox fleet board`: how far the places of a fleet have come, live, for whoever sets up a bench full of boxes."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tillbox.cloud_bridge.letters import visible
from tillbox.contracts.promises import age

from .commands import CORE, KEY, AsJson, Core, KeyFile, fleet

if TYPE_CHECKING:  # a help page does not wait for them
    from rich.console import Group

    from .client import Api

EVERY_S = 2.0
ROWS_MAX = 500
STAGES = {
    "planned": ("no claim yet", "dim"),
    "claimed": ("waits for its box to read the sheet", "yellow"),
    "testing": ("box is here; an engineer has to accept it", "cyan"),
    "accepted": ("stands", "green"),
}


@fleet.command()
def board(
    once: Annotated[bool, typer.Option("--once", help="One look.")] = False,
    core: Core = CORE,
    key_file: KeyFile = KEY,
    as_json: AsJson = False,
) -> None:
    """How far each place has come, live: planned, has a claim, its box tests itself, accepted. It ends when all stand.

    \b
      tillbox fleet board                   for a bench full of boxes; Ctrl-C ends it
      tillbox fleet board --once --json     one look, for scripts
    """
    from rich.console import Console

    from .client import Api, ApiRefused

    try:
        api = Api.at(core, key_file)
        found = _ask(api)
        if as_json:
            print(json.dumps(found))
        elif once or not sys.stdout.isatty():
            Console(highlight=False).print(drawn(found))
        else:
            _live(api, found)
    except ApiRefused as why:
        sys.exit(f"tillbox fleet: {why}")


def _ask(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.ask("provisioning", most=ROWS_MAX)
    return found


def _live(api: Api, found: dict[str, Any]) -> None:
    from rich.live import Live

    from .client import ApiRefused

    trouble = ""
    with Live(auto_refresh=False) as live:
        try:
            while True:
                live.update(drawn(found, lines=live.console.size.height, trouble=trouble), refresh=True)
                if not found["places"] and not trouble:
                    return
                time.sleep(EVERY_S)
                try:
                    found, trouble = _ask(api), ""
                except ApiRefused as why:
                    trouble = f"{why}. What is shown is old."
        except KeyboardInterrupt:
            return


def drawn(found: dict[str, Any], *, lines: int = ROWS_MAX, trouble: str = "") -> Group:
    """The board as a terminal shows it: sums, a bar, and every place that does not stand yet, as far as there are lines."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    counts: dict[str, int] = found["counts"]
    total = sum(counts.values())
    sums = "   ".join(f"{name} {counts[name]}" for name in STAGES)
    table = Table(box=None, pad_edge=False)
    for column in ("place", "shop", "how far", "box", "self-test", "since"):
        table.add_column(column, no_wrap=column != "shop")
    shown = found["places"][: max(1, lines - 6)]
    for row in shown:
        says, style = STAGES[row["stage"]]
        test = ("reported" if row["tested"] else "under way") if row["device"] else ""
        since = age(found["now_ms"] - row["since_ms"])
        cells = (row["place"], row["title"], says, row["device"], test, since)
        table.add_row(*(Text(visible(cell), style=style if cell is says else "") for cell in cells))
    left = len(found["places"]) - len(shown)
    return Group(
        Text(sums, style="bold"),
        ProgressBar(total=max(1, total), completed=counts["accepted"], width=60),
        Text(trouble, style="bold red"),
        table if shown else Text("Every place that was planned has its box.", style="green"),
        Text(f"… and {left} more" if left > 0 else "", style="dim"),
    )
