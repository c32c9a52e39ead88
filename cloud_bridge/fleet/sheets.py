"""Claim sheets on paper: an A4 sheet of them, or labels, each read back before it goes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tillbox.hardware.labels.going import Files, to_files
from tillbox.hardware.labels.making import Format, Made, no_renderer
from tillbox.hardware.printing.labels.designs import Paper, sheet_of_place
from tillbox.hardware.printing.labels.label import Unfit
from tillbox.hardware.printing.labels.typeface import system_typeface

WIDTH_MM, HEIGHT_MM = 60, 80


def write_sheets(
    claims: Sequence[dict[str, Any]], how: Format, path: Path, step: Callable[[], None] = lambda: None
) -> str:
    """Write the sheets of claims as the API gave them; empty, or why there are none."""
    unfit = no_renderer() if how == "pdf" else None
    if unfit is not None:
        return unfit.why
    paper = Paper(WIDTH_MM, HEIGHT_MM, system_typeface())
    made = []
    for claim in claims:
        until = datetime.fromtimestamp(claim["not_after_ms"] / 1000, UTC).strftime("%Y-%m-%d")
        label = sheet_of_place(
            paper,
            title=claim["title"],
            position=claim["position"],
            typed=claim["typed"],
            until=until,
            text=claim["code"],
        )
        if isinstance(label, Unfit):
            return f"{claim['position']}: {label.why}"
        made.append(Made(claim["position"], label))
    files = Files(how, path, path.is_dir() or not path.suffix)
    ended = to_files(made, files, paper.typeface, 1, skip_bad=False, step=step)
    return ended.trouble or "; ".join(f"{one.where}: {one.why}" for one in ended.bad)
