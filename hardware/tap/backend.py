"""A CUPS backend: a program's print queue ends at the tap's port. Run by the spooler, for one job, and then over.

    lpadmin -p receipts -E -v tillbox://127.0.0.1:9100 -m raw
    /usr/lib/cups/backend/tillbox:   #!/bin/sh
                                     exec /opt/tillbox/.venv/bin/python -m tillbox.hardware.tap.backend "$@"

It passes a job on as it is, what the printer answers goes back to the spooler, and it reads nothing. A job of which no byte
has left is tried again; one that broke off is not, because half a receipt and a whole one are two papers. Source of the
arguments, descriptor 3 and the exit codes: backend(7) of CUPS 2.4.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import time
from collections.abc import Sequence
from enum import IntEnum
from io import BufferedReader
from urllib.parse import urlsplit

from tillbox.hardware.commands import harmless

PORT = 9100
CHUNK_BYTES = 65_536
BACK_CHANNEL = 3
CONNECT_S = 10.0
HESITATE_S = (
    0.2  # a relay without a printer hangs up at once; then nothing has been sent and the job can wait
)
STALL_S = 60.0  # a printer whose paper is being changed takes no byte for so long; longer is a fault
LINGER_S = 10.0  # after the last byte, for answers and for the relay to hang up
COPIES_MAX = 100


class Exit(IntEnum):
    """What the spooler is told; its numbers."""

    OK = 0
    FAILED = 1
    STOP = 4
    CANCEL = 5
    RETRY = 6


class _Broken(Exception):
    """The job ended before its end; the message is for the person at the queue."""


def main(arguments: Sequence[str]) -> Exit:
    """The spooler's call: nothing asks what there is, six or seven words are a job."""
    if len(arguments) == 1:
        print('network tillbox "Unknown" "Tillbox receipt tap"')
        return Exit.OK
    if len(arguments) not in (6, 7):
        _say("ERROR", "Usage: tillbox job-id user title copies options [file]")
        return Exit.FAILED
    place = _place(os.environ.get("DEVICE_URI") or arguments[0])
    if place is None:
        _say("ERROR", "The queue's address is not right; set it with lpadmin -v tillbox://127.0.0.1:9100")
        return Exit.STOP
    try:
        with _source(arguments) as job:
            return _print(job, place, _copies(arguments))
    except OSError as why:
        _say("ERROR", f"The job cannot be read: {why.strerror or why}")
        return Exit.CANCEL


def _place(uri: str) -> tuple[str, int] | None:
    """Host and port; `tillbox:///127.0.0.1:9100` is understood too."""
    try:
        parts = urlsplit(uri)
        if parts.scheme == "tillbox" and not parts.netloc:
            parts = urlsplit(f"tillbox://{parts.path.lstrip('/')}")
        if parts.scheme != "tillbox" or not parts.hostname:
            return None
        return parts.hostname, PORT if parts.port is None else parts.port
    except ValueError:
        return None


def _source(arguments: Sequence[str]) -> BufferedReader:
    if len(arguments) == 7:
        return open(arguments[6], "rb")
    return os.fdopen(os.dup(0), "rb")


def _copies(arguments: Sequence[str]) -> int:
    """A job from a filter holds its copies already; of a file the backend makes them."""
    if len(arguments) == 6:
        return 1
    said = arguments[4]
    return min(COPIES_MAX, max(1, int(said))) if said.isascii() and said.isdecimal() else 1


def _print(job: BufferedReader, place: tuple[str, int], copies: int) -> Exit:
    where = f"{place[0]}:{place[1]}"
    try:
        line = socket.create_connection(place, CONNECT_S)
    except OSError as why:
        _say("ERROR", f"The tap at {where} does not answer ({why.strerror or why}); the job is kept")
        return Exit.RETRY
    with line:
        if _hung_up(line):
            _say("ERROR", f"The tap at {where} has no printer; is it on and its cable in? The job is kept")
            return Exit.RETRY
        try:
            for number in range(copies):
                if number:
                    job.seek(0)
                while data := job.read1(CHUNK_BYTES):
                    _send(line, data)
            _linger(line)
        except (_Broken, ConnectionError) as why:
            _say(
                "ERROR",
                f"The printer broke off in the middle of a job ({why}); look at the paper, then print it again",
            )
            return Exit.FAILED
    _say("INFO", "Printed through the tap")
    return Exit.OK


def _hung_up(line: socket.socket) -> bool:
    """Whether the other side is gone before anything was sent."""
    if not select.select([line], [], [], HESITATE_S)[0]:
        return False
    try:
        return not line.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


def _send(line: socket.socket, data: bytes) -> None:
    """All of it, while what the printer says goes back."""
    line.setblocking(False)
    moved_s = time.monotonic()
    while data:
        readable, writable, _ = select.select([line], [line], [], 1.0)
        if readable and not _answer(line):
            raise _Broken("the line was closed")
        if writable:
            sent = line.send(data)
            data, moved_s = data[sent:], time.monotonic()
        elif time.monotonic() - moved_s > STALL_S:
            raise _Broken(f"it took no byte for {STALL_S:g} seconds")


def _linger(line: socket.socket) -> None:
    """Say that this was all, and pass on answers until the tap hangs up."""
    line.shutdown(socket.SHUT_WR)
    end_s = time.monotonic() + LINGER_S
    while (left_s := end_s - time.monotonic()) > 0:
        if select.select([line], [], [], left_s)[0] and not _answer(line):
            return


def _answer(line: socket.socket) -> bool:
    """From the printer to the spooler, which may have no ear for it. False at the end."""
    try:
        data = line.recv(CHUNK_BYTES)
    except BlockingIOError:
        return True
    with contextlib.suppress(OSError):
        if data and select.select([], [BACK_CHANNEL], [], 0)[1]:
            os.write(BACK_CHANNEL, data)
    return bool(data)


def _say(kind: str, words: str) -> None:
    """A line for the spooler's log, which shows it at the queue."""
    print(f"{kind}: {harmless(words)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
