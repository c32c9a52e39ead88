"""What systemd is told: that the process is ready, that its loop still turns, and how it stands, in one line.

It is the loop itself that says so, not a thread beside it: a watchdog that is fed by a thread of its own keeps a
till alive that hangs. Without systemd nothing is said to anybody.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

SAY_S = 10.0  # how often at the most, where no watchdog waits: a status line is for people
FEEDS = 3  # words in one watchdog's time: two may be lost to a slow disk


class Supervisor:
    """The way to systemd. `alive` may be called as often as the loop turns; little of it is sent."""

    def __init__(
        self, environment: Mapping[str, str] = os.environ, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # An address that begins with @ lies in no folder: the kernel wants a zero byte there.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        limit_s = int(environment.get("WATCHDOG_USEC") or 0) / 1_000_000
        self._every_s = limit_s / FEEDS if limit_s else SAY_S
        self._now_s = now_s
        self._said_s: float | None = None

    def alive(self, status: str = "") -> None:
        """The loop has turned. The first word says that the process is ready; `systemctl status` shows the status."""
        now_s = self._now_s()
        if not self._address or (self._said_s is not None and now_s < self._said_s + self._every_s):
            return
        first = self._said_s is None
        self._said_s = now_s
        # A line's end would begin another word to systemd.
        lines = [*(["READY=1"] if first else []), "WATCHDOG=1", f"STATUS={' '.join(status.split())}"]
        # A supervisor that is not there, or does not read, is no trouble of ours.
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as way,
        ):
            way.sendto("\n".join(lines).encode(), self._address)
