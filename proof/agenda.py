"""The virtual clock of a simulated town: what happens when."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Agenda:
    """What happens when, in virtual milliseconds. Same seed, same order."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0

    def after(self, wait_ms: int, what: Callable[[], None]) -> None:
        """Do something later."""
        self._number += 1
        heapq.heappush(self._heap, (self.now_ms + max(0, wait_ms), self._number, what))

    def run_until(self, end_ms: int) -> None:
        """Let time pass."""
        while self._heap and self._heap[0][0] <= end_ms:
            self.now_ms, _, what = heapq.heappop(self._heap)
            what()
        self.now_ms = max(self.now_ms, end_ms)
