"""Figures as a table for the documentation, with the day and the machine they were taken on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import Any


def markdown(rows: list[dict[str, Any]], readers: list[str]) -> str:
    """The rows of `decoding.run`: right reads of each reader, wrong ones in brackets, and times."""
    head = ["set", "pictures", *readers, *(f"{name} median / p95 ms" for name in readers)]
    lines = [
        "# How well codes are read",
        "",
        f"On {datetime.now(UTC):%Y-%m-%d}, {_machine()}, one core, Python {platform.python_version()}: pictures read "
        "right, and in brackets pictures with wrong reads only. Written by `make bench-decode`.",
        "",
        _line(head),
        _line(["---"] * len(head)),
    ]
    for row in rows:
        scores = [row[name] for name in readers]
        right = [f"{one['right']} ({one['wrong']})" if one["wrong"] else f"{one['right']}" for one in scores]
        times = [f"{one['median_ms']} / {one['p95_ms']}" for one in scores]
        lines.append(_line([row["name"], str(row["pictures"]), *right, *times]))
    for name in ("wrong_ones", "beside"):
        pictures = rows[-1]["tillbox"][name]
        if pictures:
            said = "Read wrong by tillbox" if name == "wrong_ones" else "Read by tillbox beside the truth"
            lines += ["", f"{said}: {', '.join(pictures)}."]
    return "\n".join(lines) + "\n"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
