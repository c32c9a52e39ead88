"""One till's visit at the printer: bytes there, answers back, as they come."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import stat
import threading
import time
from collections.abc import Callable

from .inject import HOLD_MS, Injector

CHUNK_BYTES = 65_536
BACKLOG_BYTES_MAX = 1_000_000  # what a till may be ahead of a printer that takes its time
TURN_S = 0.5
LINGER_S = 30.0  # after a till has hung up, the printer may have so long to take the rest


class Pump:
    """One till's visit: bytes there, answers back."""

    def __init__(
        self,
        till: int,
        printer: int,
        ended: threading.Event,
        copy: Callable[[bytes], None],
        injector: Injector | None,
    ) -> None:
        self._till, self._printer, self._ended = till, printer, ended
        self._copy, self._injector = copy, injector
        self._to_printer, self._to_till = b"", b""
        self._till_done = False
        for end in (till, printer):
            os.set_blocking(end, False)

    def run(self) -> None:
        heard_s = time.monotonic()
        while not self._ended.is_set():
            readable, writable, _ = select.select(self._listening(), self._writing(), [], self._wait_s())
            if readable or writable:
                heard_s = time.monotonic()
            if self._printer in readable and not self._answer():
                return
            if self._till in readable:
                self._job()
            elif self._injector and self._injector.holds and time.monotonic() - heard_s >= HOLD_MS / 1000:
                self._to_printer += self._injector.quiet()
            self._push()
            if self._till_done and not self._to_printer and time.monotonic() - heard_s > TURN_S:
                return
            if time.monotonic() - heard_s > LINGER_S and (self._gone or self._to_printer):
                return

    @property
    def _gone(self) -> bool:
        """Whether the till has left; one on a serial line has when it says nothing for long."""
        return self._till_done or not _is_socket(self._till)

    def _listening(self) -> list[int]:
        ahead = len(self._to_printer) >= BACKLOG_BYTES_MAX
        return [self._printer] if self._till_done or ahead else [self._printer, self._till]

    def _writing(self) -> list[int]:
        return [end for end, data in ((self._printer, self._to_printer), (self._till, self._to_till)) if data]

    def _wait_s(self) -> float:
        return HOLD_MS / 1000 if self._injector and self._injector.holds else TURN_S

    def _job(self) -> None:
        """From the till: on at once; the copy afterwards."""
        data = _read(self._till)
        if data is None:
            self._till_done = True
            self._to_printer += self._injector.end() if self._injector else b""
            self._push()
            if not self._to_printer:
                _half_close(self._printer)
            return
        self._to_printer += self._injector.feed(data) if self._injector else data
        self._push()
        self._copy(data)

    def _answer(self) -> bool:
        """From the printer: back at once. False when it has hung up."""
        data = _read(self._printer)
        if data is None:
            return False
        self._to_till += data
        return True

    def _push(self) -> None:
        self._to_printer = self._to_printer[_write(self._printer, self._to_printer) :]
        self._to_till = self._to_till[_write(self._till, self._to_till) :]
        if self._till_done and not self._to_printer:
            _half_close(self._printer)


def _read(end: int) -> bytes | None:
    """What is there; None when the other side has hung up. A device may be ready and bring nothing."""
    try:
        return os.read(end, CHUNK_BYTES) or (None if _is_socket(end) else b"")
    except BlockingIOError:
        return b""


def _is_socket(end: int) -> bool:
    return stat.S_ISSOCK(os.fstat(end).st_mode)


def _write(end: int, data: bytes) -> int:
    if not data:
        return 0
    try:
        return os.write(end, data)
    except BlockingIOError:
        return 0


def _half_close(end: int) -> None:
    """Say that nothing more comes, and go on listening; only sockets can."""
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(end)) as line:
        line.shutdown(socket.SHUT_WR)
