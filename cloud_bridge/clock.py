"""The one place in the core that asks what time it is."""

from __future__ import annotations

import time


def wall_ms() -> int:
    """Unix milliseconds by the machine's clock. It may be set back: what depends on it must bear that."""
    return time.time_ns() // 1_000_000


def steady_s() -> float:
    """Seconds of a clock that never jumps: for how long something waits."""
    return time.monotonic()


def steady_ms() -> int:
    """The same, in milliseconds."""
    return time.monotonic_ns() // 1_000_000
