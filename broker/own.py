"""What a process must have to itself: two boxes on one journal, or two cores on one file, would each go on as if
the other were not there."""

from __future__ import annotations

import fcntl
import socket
from contextlib import suppress
from pathlib import Path
from typing import IO


class TakenAlready(Exception):
    """Somebody else has it; the message says what to do."""


def own_file(path: Path) -> IO[bytes] | None:
    """Hold a lock beside a file until the process ends; keep what is returned. None where the medium is out of
    reach, which is for others to say. Raises TakenAlready."""
    lock = None
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f"{path.name}.lock").open("ab")
    if lock is not None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as taken:
            lock.close()
            raise TakenAlready(
                f"another process works on {path}: end it first, or give this one its own"
            ) from taken
    return lock


def own_port(port: int, host: str = "127.0.0.1") -> socket.socket:
    """A listening socket, on loopback unless another address is named. Raises TakenAlready."""
    try:
        door = socket.create_server((host, port))
    except OSError as taken:
        raise TakenAlready(f"port {port} is taken: end what uses it, or choose another") from taken
    # asyncio does this only for sockets that name their protocol. Whoever is let in inherits it; without it a page
    # that goes out in two pieces waits 40 ms for the visitor's delayed TCP acknowledgement.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return door
