"""One till's visit at the printer: bytes there, answers back, as they come."""

from __future__ import annotations

import contextlib
import math
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
LINGER_S = (
    30.0  # after a till has hung up, the printer may have so long to take the rest, or to answer a question
)
ANSWERS_BYTES_MAX = 4_096  # what a till has not read of its printer's answers; older ones are stale
EMPTY_MAX, EMPTY_S = 100, 0.01  # a device that is ready and brings nothing so often is a line that has ended
QUESTIONS = (b"\x1dr", b"\x10\x04")


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
        self._till_done = self._till_gone = self._half_closed = False
        self._last = b""  # the end of what the till sent: a question there may still be answered
        self._empty = 0
        for end in (till, printer):
            os.set_blocking(end, False)

    def run(self) -> None:
        """Until one of them has left."""
        moved_s = till_s = time.monotonic()
        while not self._ended.is_set():
            readable, writable, _ = select.select(self._listening(), self._writing(), [], self._wait_s())
            now_s = time.monotonic()
            moved_s = now_s if readable or writable else moved_s
            till_s = now_s if self._till in readable else till_s
            if self._printer in readable and not self._answer():
                return
            if self._till in readable:
                self._job()
            elif self._injector and self._injector.holds and now_s - till_s >= HOLD_MS / 1000:
                self._to_printer += self._injector.quiet()
            self._push()
            if now_s - moved_s > self._patience_s():
                return

    def _patience_s(self) -> float:
        """How long nothing may move before the visit is over. A till that stays and is silent is in its right; one on a
        serial line never says that it leaves."""
        if self._to_printer:
            return LINGER_S
        if self._till_done:
            asks = not self._till_gone and any(question in self._last for question in QUESTIONS)
            return LINGER_S if asks else TURN_S
        return math.inf if _is_socket(self._till) else LINGER_S

    def _listening(self) -> list[int]:
        ahead = len(self._to_printer) >= BACKLOG_BYTES_MAX
        return [self._printer] if self._till_done or ahead else [self._printer, self._till]

    def _writing(self) -> list[int]:
        to_till = [self._till] if self._to_till and not self._till_gone else []
        return [self._printer, *to_till] if self._to_printer else to_till

    def _wait_s(self) -> float:
        return HOLD_MS / 1000 if self._injector and self._injector.holds else TURN_S

    def _job(self) -> None:
        """From the till: on at once; the copy afterwards."""
        try:
            data = _read(self._till)
        except OSError:
            data, self._till_gone = None, True  # it is gone; what it has sent is still the shop's
        if data is None:
            self._till_done = True
            self._to_printer += self._injector.end() if self._injector else b""
            return
        self._last = (self._last + data)[-16:]
        self._to_printer += self._injector.feed(data) if self._injector else data
        self._push()
        self._copy(data)

    def _answer(self) -> bool:
        """From the printer: back at once. False when it has hung up."""
        data = _read(self._printer)
        if data is None:
            return False
        if not data:
            self._empty += 1
            if self._empty > EMPTY_MAX:
                raise OSError("the printer's line has ended")
            time.sleep(EMPTY_S)
            return True
        self._empty = 0
        self._last = b""
        self._to_till = (self._to_till + data)[-ANSWERS_BYTES_MAX:]
        return True

    def _push(self) -> None:
        self._to_printer = self._to_printer[_write(self._printer, self._to_printer) :]
        try:
            self._to_till = self._to_till[_write(self._till, self._to_till) :]
        except OSError:
            self._till_gone, self._to_till = True, b""
        if self._till_done and not self._to_printer and not self._half_closed:
            self._half_closed = True
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
    if not _is_socket(end):
        return
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(end)) as line:
        line.shutdown(socket.SHUT_WR)
