"""How every bench speaks: a table for a person, then one JSON line; with --json the line alone."""

from __future__ import annotations

import json
import sys
from typing import Any


def say(name: str, figures: dict[str, Any]) -> None:
    """Print one bench's figures."""
    if "--json" not in sys.argv:
        print(f"\n{name}")
        for what, figure in figures.items():
            print(f"  {what.replace('_', ' '):<32} {figure:>12}")
    print(json.dumps({"bench": name, **figures}))
