"""`tillbox prove pipeline`: many histories, one verdict, and a count of the faults that really fired."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .checkers import CHECKERS
from .world import History, live

FAULTS_PER_SEED = {
    # a run in which these hardly happen proves nothing; half of what 1,000 seeds showed per seed
    "power_cuts": 5.0,
    "line_lost": 15.0,
    "line_doubled": 10.0,
    "line_reordered": 10.0,
    "line_cut": 2.0,
    "line_amnesias": 0.8,
    "disk_torn": 2.0,
    "disk_dropped": 2.0,
    "disks_filled": 0.4,
    "clock_jumps": 0.8,
    "restored": 0.15,
    "wiped": 0.03,
    "wallet_unanswered": 0.5,
    "duplicates": 15.0,
    "lies": 2.0,
    "refused": 2.0,
    "commands_given": 2.0,
    "commands_ended": 0.7,
    "commands_unheard": 0.5,
    "commands_corrected": 0.05,
    "core_noted_and_unsent": 0.1,
    "box_command_steps_cut": 0.02,
    "replaced": 0.12,
    "sold_after_end": 0.03,
    "papers_brought": 0.3,
    "papers_bad": 0.2,
    "records_carried": 0.1,
    "records_forged": 0.12,
    "alerts_raised": 0.6,
    "alerts_cleared": 0.2,
}


@dataclass(slots=True)
class PipelineReport:
    """What came of a run."""

    seeds: int
    seconds: float
    receipts: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    failing: list[tuple[int, str]] = field(default_factory=list)

    @property
    def too_few(self) -> list[str]:
        """Faults that fired less often than a run of this size must show. Small runs are not judged."""
        if self.seeds < 50:
            return []
        return [name for name, least in FAULTS_PER_SEED.items() if self.counts[name] < least * self.seeds]

    @property
    def ok(self) -> bool:
        """No complaint, and enough trouble to have earned one."""
        return not self.failing and not self.too_few

    def as_json(self) -> dict[str, Any]:
        """One line for machines."""
        return {
            "seeds": self.seeds,
            "receipts": self.receipts,
            "power_cuts": self.counts["power_cuts"],
            "duplicates_dropped": self.counts["duplicates"],
            **{name: self.failures[name] for name in CHECKERS},
            "seconds": round(self.seconds, 1),
            "ok": self.ok,
            "faults": {name: self.counts[name] for name in FAULTS_PER_SEED},
            "faults_too_few": self.too_few,
            "failing": [
                {"seed": seed, "why": why, "replay": replay(seed)} for seed, why in self.failing[:10]
            ],
        }


def replay(seed: int) -> str:
    """The command that lives one history again."""
    return f"tillbox prove pipeline --first {seed} --seeds 1"


def run(first: int, seeds: int, progress: Callable[[History], None] | None = None) -> PipelineReport:
    """Live through histories `first` to `first + seeds - 1`."""
    # What is loaded stays, and a history makes few rings: the collector need not look so often (an eighth).
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    began = time.perf_counter()  # the one real clock here: it only says how long it took
    report = PipelineReport(seeds, 0.0)
    for seed in range(first, first + seeds):
        history = live(seed)
        report.receipts += history.receipts
        report.counts.update(history.counts)
        report.counts["power_cuts"] += history.counts["box_power_cuts"] + history.counts["core_power_cuts"]
        for name, complaints in history.complaints.items():
            report.failures[name] += len(complaints)
            report.failing += [(seed, complaints[0])] if complaints else []
        if progress is not None:
            progress(history)
    report.seconds = time.perf_counter() - began
    return report
