"""Looks at presence all the while, as the core believes it: when somebody was said to be lost, and when to be back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LOOK_S = 0.1


class Watch:
    """Notes from a thread of its own. Times are on the clock that never jumps."""

    def __init__(self, away: Callable[[], set[str]]) -> None:
        self._away = away
        self._lock = threading.Lock()
        self._now: set[str] = set()
        self._gone_at: dict[str, float] = {}
        self._back_at: dict[str, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(10.0)

    def forget(self) -> None:
        """Begin a new page: what was noted is told no more."""
        with self._lock:
            self._gone_at.clear()
            self._back_at.clear()

    def gone(self) -> dict[str, float]:
        """Who was said to be away since the last `forget`, and when first."""
        with self._lock:
            return dict(self._gone_at)

    def back(self) -> dict[str, float]:
        """Who was said to be back since the last `forget`, and when last."""
        with self._lock:
            return dict(self._back_at)

    def _look(self) -> None:
        while not self._over.wait(LOOK_S):
            away, now = self._away(), time.monotonic()
            with self._lock:
                for device in away - self._now:
                    self._gone_at.setdefault(device, now)
                for device in self._now - away:
                    self._back_at[device] = now
                self._now = away
