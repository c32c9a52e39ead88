"""Figures as a table for the documentation, with the day and the machine they were taken on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import Any

from rich.table import Table


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


def decode_table(rows: list[dict[str, Any]], readers: list[str]) -> Table:
    """The same for a terminal, with the times of ours alone."""
    table = Table("pictures", "", *readers, "ours: median / p95 ms", title="read right (and wrong)")
    for row in rows:
        cells = [
            f"{row[name]['right']}" + (f" ({row[name]['wrong']})" if row[name]["wrong"] else "")
            for name in readers
        ]
        ours = row["tillbox"]
        table.add_row(row["name"], str(row["pictures"]), *cells, f"{ours['median_ms']} / {ours['p95_ms']}")
    return table


def camera_markdown(report: dict[str, Any]) -> str:
    """The report of `camera.run`."""
    head, *rows = camera_rows(report)
    lines = [
        "# What a camera costs, and how soon it reads",
        "",
        f"On {datetime.now(UTC):%Y-%m-%d}, {_machine()}, Python {platform.python_version()}: milliseconds of one core for "
        "grey frames of 1280x720, made from seeds; fifteen a second where codes are held there. Written by "
        "`make bench-decode`.",
        "",
        _line(head),
        _line(["---"] * len(head)),
        *(_line(row) for row in rows),
        "",
        f"Comparing a frame with the one before takes {report['motion_ms']} ms. With that gate an empty counter costs "
        f"{report['gated_core_percent']} % of a core.",
    ]
    return "\n".join(lines) + "\n"


def camera_rows(report: dict[str, Any]) -> list[list[str]]:
    """A head, and a row for each figure: what each reader took."""
    readers = list(report["empty_ms"])
    clean = [report["clean_payment_ms"][name] for name in readers]
    return [
        ["", *readers],
        ["an empty counter, ms a frame", *(f"{report['empty_ms'][name]}" for name in readers)],
        [
            "a clean payment code, median / p95 ms",
            *(f"{one['median_ms']} / {one['p95_ms']}" for one in clean),
        ],
        *([_held(row), *(_wait(row[name]) for name in readers)] for row in report["held"]),
    ]


def _held(row: dict[str, Any]) -> str:
    return f"{row['kind']} held {row['holds']} times: read, (wrong,) p50 / p95 ms until then"


def _wait(score: dict[str, Any]) -> str:
    wrong = f" ({score['wrong']})" if score["wrong"] else ""
    p50, p95 = ("never" if score[name] is None else score[name] for name in ("p50_ms", "p95_ms"))
    return f"{score['read']}{wrong}, {p50} / {p95}"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
