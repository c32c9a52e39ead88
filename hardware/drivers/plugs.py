"""What was plugged in: wakes a driver that lost its device, and knows the name that a device keeps.

The kernel says over netlink what came; no udevd is needed, and no thread: whoever waits listens meanwhile. It
only wakes. Whether the right device came is seen by opening it, and without pyudev or netlink the pauses of
`worker.py` go on as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

TURN_S = 0.05  # how long one look at the line takes; the bound of `stop`
EVENTS_MAX = 1_000  # of one plug there are ten or so; more are a device that comes and goes without end
KINDS = {"input", "tty", "usbmisc", "video4linux"}  # a keyboard, a serial line, a printer, a camera
FOLDERS = ("by-id", "by-path")  # by maker and number, which follows the device; else by the socket it is in


class _Monitor(Protocol):
    def start(self) -> None:
        """Begin to hear."""

    def poll(self, timeout: float) -> object | None:
        """One event, or None after `timeout` seconds."""


class Plugs:
    """Waits for a device to come, for one driver.

    plugs = Plugs()
    plugs.listen()                                   # it is lost
    came = plugs.wait(3.0, lambda: stopping)         # True as soon as something was plugged in
    plugs.close()                                    # it is back
    """

    def __init__(self) -> None:
        self._monitor: _Monitor | None = None

    def listen(self) -> None:
        """Begin to hear what is plugged in. Harmless when repeated; never raises."""
        if self._monitor is None:
            self._monitor = _monitor()

    def wait(self, patience_s: float, stopping: Callable[[], bool]) -> bool:
        """Wait until something was plugged in, or `patience_s` has passed, or `stopping` says so."""
        end = time.monotonic() + patience_s
        while not stopping() and (left_s := end - time.monotonic()) > 0:
            if self._came(min(left_s, TURN_S)):
                return True
        return False

    def close(self) -> None:
        """Hear no more."""
        self._monitor = None

    def _came(self, wait_s: float) -> bool:
        """Whether a device of ours came; takes all that the line holds, for one plug says it several times."""
        if self._monitor is None:
            time.sleep(wait_s)
            return False
        came = False
        try:
            for _ in range(EVENTS_MAX):
                event = self._monitor.poll(0 if came else wait_s)
                if event is None:
                    break
                came = came or _is_arrival(event)
        except OSError:  # more was said than the line holds; `listen` begins anew
            self._monitor = None
        return came


def _is_arrival(event: object) -> bool:
    return getattr(event, "action", "") == "add" and getattr(event, "subsystem", "") in KINDS


def _monitor() -> _Monitor | None:
    """The kernel's own announcements; None where there are none."""
    try:
        import pyudev

        monitor: _Monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="kernel")
        monitor.start()
    except (ImportError, OSError):  # not installed, no libudev, or no right to such a socket
        return None
    return monitor


def stable_name(path: str, devices: Path = Path("/dev")) -> str:
    """The link that a device keeps over a replug, if udev made one; `path` itself otherwise.

    stable_name("/dev/ttyACM0")   -> "/dev/serial/by-id/usb-Honeywell_1400g_1234-if00"

    Two scanners of one model without serial numbers share a `by-id` link, and the last one plugged in has it:
    there `by-path`, the socket, is the better name.
    """
    device = Path(path).resolve()
    for folder in FOLDERS:
        for link in sorted(devices.glob(f"*/{folder}/*")):
            if link.resolve() == device:
                return str(link)
    return path
