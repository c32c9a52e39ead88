"""Where a till comes in, and where its printer is. A door lets one till in at a time, as a printer does."""

from __future__ import annotations

import os
import select
import socket
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tillbox.hardware.addresses import endpoint

CONNECT_S = 3.0


class Door(Protocol):
    """Where a till comes in: a port, or a pseudo-terminal. `closes` if a till sees that its visit is over."""

    closes: bool

    def accept(self, wait_s: float) -> int | None:
        """A file descriptor of one till, or None if nobody came."""

    def close(self) -> None: ...


class NetworkDoor:
    """A port, as a network printer has."""

    closes = True

    def __init__(self, host: str, port: int) -> None:
        self._server = socket.create_server((host, port))
        self.port: int = self._server.getsockname()[1]

    def accept(self, wait_s: float) -> int | None:
        """The descriptor of a connection that somebody made."""
        self._server.settimeout(wait_s)
        try:
            line, _ = self._server.accept()
        except (TimeoutError, OSError):
            return None
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line.detach()

    def close(self) -> None:
        """Nobody comes in any more."""
        self._server.close()


class TerminalDoor:
    """A serial port that is none: a till on this machine prints to `path`."""

    closes = False

    def __init__(self, path: Path) -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        path.unlink(missing_ok=True)
        path.symlink_to(os.ttyname(self._theirs))
        self._path = path

    def accept(self, wait_s: float) -> int | None:
        """A descriptor as soon as somebody has written; a terminal knows no callers."""
        return os.dup(self._ours) if select.select([self._ours], [], [], wait_s)[0] else None

    def close(self) -> None:
        """Take the port away."""
        self._path.unlink(missing_ok=True)
        for end in (self._ours, self._theirs):
            os.close(end)


OpenPrinter = Callable[[], int]
"""Gives a descriptor of the printer, for one till's visit; raises OSError when it is not there."""


def network_printer(host: str, port: int) -> OpenPrinter:
    """A printer on the network."""

    def connect() -> int:
        line = socket.create_connection((host, port), CONNECT_S)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line.detach()

    return connect


def device_printer(path: str) -> OpenPrinter:
    """A printer at `/dev/usb/lp0` or on a serial line that is set up already."""
    return lambda: os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)


def door_at(address: str) -> NetworkDoor | TerminalDoor:
    """A door at host:port, or at the path of a serial port that is made. ValueError for what is no address, OSError for one
    that is taken."""
    where = endpoint(address)
    return TerminalDoor(where) if isinstance(where, Path) else NetworkDoor(*where)


def printer_at(address: str) -> OpenPrinter:
    """A printer at host:port, or a device. ValueError for what is no address."""
    where = endpoint(address)
    return device_printer(str(where)) if isinstance(where, Path) else network_printer(*where)
