"""The figures of a run beside the goals, for people and for the documentation. Every goal says whether it was met."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.table import Table

STORM_S = 60.0
RATE = 1_000.0
PAGE_MS = 300.0
LOSS_S = 45.0
RETURN_S = 2.0
BOXES = 10_000

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """One promise: what was wanted, what was seen, and whether that will do."""

    what: str
    wanted: str
    seen: Callable[[Figures], Any]
    met: Callable[[Any], bool]


def _below(most: float) -> Callable[[Any], bool]:
    return lambda seen: seen is not None and seen <= most


_NOT_LOOKED: Figures = {"boxes": 0, "false_deaths": 0, "cut": {}, "vanished": {}}


def _presence(how: str, what: str) -> Callable[[Figures], Any]:
    return lambda figures: figures.get("presence", _NOT_LOOKED)[how].get(what)


GOALS = (
    Goal("boxes on one core", f"{BOXES:,}", lambda f: f["boxes"], lambda seen: seen >= BOXES),
    Goal("connect storm: all up, registered, believed, s", f"{STORM_S:.0f}",
         lambda f: _slowest(f["connect_storm"]), _below(STORM_S)),
    Goal("broker restart: all back, s", f"{STORM_S:.0f}", lambda f: _slowest(f["broker_restart"]), _below(STORM_S)),
    Goal("records a second, sustained", f"{RATE:,.0f}",
         lambda f: f["steady"]["ingested_per_s"] if f["steady"]["sustained"] else 0.0, lambda seen: seen >= 0.95 * RATE),
    Goal("core restart: what waited is in, s", f"{STORM_S:.0f}", lambda f: f["core_restart"]["drained_s"], _below(STORM_S)),
    Goal("list of all boxes, median ms at the server", f"{PAGE_MS:.0f}",
         lambda f: f["pages"]["/boxes"]["median_ms"], _below(PAGE_MS)),
    Goal("loss noticed, connection closed, slowest s", f"{LOSS_S:.0f}", _presence("cut", "lost_s_max"), _below(LOSS_S)),
    Goal("loss noticed, box vanished, slowest s", f"{LOSS_S:.0f}", _presence("vanished", "lost_s_max"), _below(LOSS_S)),
    Goal("return of the cut noticed, slowest s", f"{RETURN_S:.0f}", _presence("cut", "back_s_max"), _below(RETURN_S)),
    Goal("return of the vanished noticed, slowest s", f"{RETURN_S:.0f}", _presence("vanished", "back_s_max"), _below(RETURN_S)),
    Goal("false deaths", "0", lambda f: f["steady"]["false_deaths"] + f.get("presence", _NOT_LOOKED)["false_deaths"], _below(0)),
    Goal("records lost", "0", lambda f: f["verdict"]["lost"], _below(0)),
    Goal("records doubled", "0", lambda f: f["verdict"]["doubled"], _below(0)),
)  # fmt: skip
"""What a fleet of this size is to do on one machine. A run of fewer boxes is judged by the same goals."""


def judged(figures: Figures) -> list[dict[str, Any]]:
    """Every goal with what was seen."""
    rows = []
    for goal in GOALS:
        seen = goal.seen(figures)
        rows.append({"what": goal.what, "wanted": goal.wanted, "seen": seen, "met": goal.met(seen)})
    return rows


def is_true(figures: Figures) -> bool:
    """Nothing lost, doubled, changed or unbalanced, everything handed in, and nobody falsely dead or alive."""
    presence = figures.get("presence", _NOT_LOOKED)
    seen = all(
        presence[how].get(what, 0) == presence["boxes"]
        for how in ("cut", "vanished")
        for what in ("noticed", "back")
    )
    no_false = not (figures["steady"]["false_deaths"] or presence["false_deaths"])
    verdict = figures["verdict"]
    return bool(
        verdict["ok"]
        and verdict["pending"] == 0
        and verdict["made"] == verdict["settled"]
        and seen
        and no_false
    )


def table(figures: Figures) -> Table:
    """Goals and figures for a terminal."""
    shown = Table("", "goal", "seen", "", title=f"{figures['boxes']:,} boxes on one machine")
    for row in judged(figures):
        shown.add_row(row["what"], row["wanted"], _said(row["seen"]), "met" if row["met"] else "missed")
    shown.add_section()
    for name, seen in _beside(figures):
        shown.add_row(name, "", seen, "")
    return shown


def _beside(figures: Figures) -> list[tuple[str, str]]:
    storm, steady = figures["connect_storm"], figures["steady"]
    rows = [
        ("certificates", f"{figures['certificates']['seconds']} s"),
        ("broker, MB (KB a box)", f"{storm['broker_mb']} ({storm['broker_kb_per_box']})"),
        ("core, MB", f"{storm['core_mb']}"),
        ("answer to a record, ms p50 / p99", f"{steady['ack_p50_ms']} / {steady['ack_p99_ms']}"),
        ("telemetry a second, besides", f"{steady['telemetry_per_s']}"),
    ]
    rows += [
        (f"page {path}, ms median / p95", f"{one['median_ms']} / {one['p95_ms']}")
        for path, one in figures["pages"].items()
    ]
    for phase in ("connect_storm", "steady", "broker_restart", "core_restart"):
        used = ", ".join(f"{name} {share}" for name, share in figures[phase]["cpu_percent"].items())
        rows.append((f"{phase.replace('_', ' ')}: % of a processor", used))
    return rows


def _slowest(storm: Figures) -> float | None:
    return _most(storm[name] for name in ("all_up_s", "all_registered_s", "all_online_s"))


def _most(some: Any) -> float | None:
    found = list(some)
    return None if None in found else max(found)


def _said(seen: Any) -> str:
    return "not reached" if seen is None else f"{seen:,}"
