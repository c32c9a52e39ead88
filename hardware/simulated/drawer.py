"""A cash drawer without a drawer: it counts the pulses and remembers why, and its lock can jam."""

from __future__ import annotations

from collections import deque

from tillbox.hardware.ports import DeviceLost

KICKS_KEPT = 100  # the last ones, for a person who looks; `kicks` counts them all


class SimulatedDrawer:
    """The twin of a drawer on a printer's plug.

    A jammed drawer takes the pulse and stays shut, and nobody can tell from the pulse: that is what the
    real one does too.
    """

    def __init__(self, name: str = "drawer") -> None:
        self.name = name
        self.kicks = 0
        self.reasons: deque[str] = deque(maxlen=KICKS_KEPT)
        self.jammed = False
        self.plugged = True
        self.is_open = False

    def kick(self, reason: str) -> None:
        """Send the pulse."""
        if not self.plugged:
            raise DeviceLost(self.name, "Is the drawer's plug in the printer?")
        self.kicks += 1
        self.reasons.append(reason)
        self.is_open = self.is_open or not self.jammed

    def shut(self) -> None:
        """Push it shut."""
        self.is_open = False
