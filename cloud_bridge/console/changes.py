"""Tells open pages that something changed. A page then fetches what it shows; nothing is polled."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress


class Changes:
    """A counter that any thread moves and that open pages wait for. A page that waits costs no thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self.count = 0

    def happened(self) -> None:
        """Something committed."""
        with self._lock:
            self.count += 1
            waiting = list(self._waiting)
        for loop, woken in waiting:
            with suppress(RuntimeError):  # its server has stopped meanwhile
                loop.call_soon_threadsafe(woken.set)

    async def after(self, count: int, longest_s: float) -> int:
        """The count once it is beyond `count`, or after the longest wait."""
        me = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            if self.count > count:
                return self.count
            self._waiting.add(me)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(me[1].wait(), longest_s)
        finally:
            with self._lock:
                self._waiting.discard(me)
        return self.count
