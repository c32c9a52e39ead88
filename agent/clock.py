"""The one place on a box that asks what time it is."""

from __future__ import annotations

import time
from datetime import datetime

from tillbox.contracts.clock import TimeInterval


class BootClock:
    """Milliseconds since this machine booted: it goes on in sleep, never jumps and never goes back."""

    def boot_ms(self) -> int:
        """The clock's reading."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def wall_ms() -> int:
    """What the machine believes the hour to be. Only a floor, never a truth."""
    return time.time_ns() // 1_000_000


def shown(at: TimeInterval) -> str:
    """A time as a person reads it, in the machine's own zone; empty while the hour is not known."""
    if not at.is_known:
        return ""
    return datetime.fromtimestamp(at.lo_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M")
