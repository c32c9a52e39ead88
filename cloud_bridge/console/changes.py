"""Tells open pages that something changed. A page then fetches what it shows; nothing is polled."""

from __future__ import annotations

import threading


class Changes:
    """A counter that can be waited for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.count = 0

    def happened(self) -> None:
        """Something committed."""
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def wait(self, after: int, longest_s: float) -> int:
        """The count once it is beyond `after`, or after the longest wait."""
        with self._changed:
            if self.count <= after:
                self._changed.wait(longest_s)
            return self.count
