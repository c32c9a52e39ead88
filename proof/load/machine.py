"""What this machine is, how far it lets us go, and who used how much of it. Read from /proc."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OWN_FILES = 200  # what broker or crowd open beside their connections: logs, lists, libraries
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Use:
    """What one process has used so far, and holds now."""

    cpu_s: float
    resident: int


def use_of(pid: int | None) -> Use:
    """One process, or nothing where it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return Use(0.0, 0)
    return Use((int(stat[11]) + int(stat[12])) / TICKS, pages * PAGE)


def shares(before: Mapping[str, Use], after: Mapping[str, Use], seconds: float) -> dict[str, int]:
    """Percent of one processor that each process used meanwhile."""
    return {
        name: round(100 * max(0.0, after[name].cpu_s - before[name].cpu_s) / max(seconds, 0.001))
        for name in after
    }


def most_files() -> int:
    """Raise the number of open files to what is allowed; how many that is. Our children inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def most_boxes(files: int) -> int:
    """How many boxes one broker process can hold connections for."""
    return max(0, files - OWN_FILES)


def describe() -> dict[str, Any]:
    """The machine, for whoever reads the figures."""
    memory = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    models = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    ]
    return {
        "system": _system(),
        "processors": os.cpu_count(),
        "processor": models[0].partition(":")[2].strip() if models else platform.machine(),
        "memory_mb": int(memory["MemTotal"].split()[0]) // 1024,
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "open_files_max": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    }


def _system() -> str:
    names = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line
    )
    return names.get("PRETTY_NAME", platform.system()).strip('"')
