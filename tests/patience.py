"""Waiting for what another thread, program or kernel brings: until it is so, and never for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSE_S = 0.01


def eventually(true: Callable[[], object], seconds: float = 10.0) -> bool:
    """Whether it became true in time. The bound is for a test that fails; one that passes never sees it."""
    end = time.monotonic() + seconds
    while not (came := bool(true())) and time.monotonic() < end:
        time.sleep(PAUSE_S)
    return came
