"""Between a foreign till and its printer: every byte both ways, at once; a copy for whoever reads receipts.

Forward first, look later. The copy goes into a queue that is never waited for: if the reader is behind, it loses a
receipt and says so, and the shop's paper comes out all the same. If the printer is not there the till is told by a closed
line, never by a made-up answer. One till at a time, as at the printer itself.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import socket
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from tillbox.hardware.addresses import endpoint

from .inject import HOLD_MS, CodeFor, Injector
from .stream import Papers, Settings, Tapped

log = structlog.get_logger(__name__)

CHUNK_BYTES = 65_536
COPIES_MAX = 1_000  # of at most 64 kB: a reader that is so far behind is dead
BACKLOG_BYTES_MAX = 1_000_000  # what a till may be ahead of a printer that takes its time
CONNECT_S = 3.0
TURN_S = 0.5
IDLE_PAPER_S = 2.0  # a till that says nothing for so long has ended its paper, cut or not
LINGER_S = 30.0  # after a till has hung up, the printer may have so long to take the rest


class Door(Protocol):
    """Where a till comes in: a port, or a pseudo-terminal."""

    def accept(self, wait_s: float) -> int | None:
        """A file descriptor of one till, or None if nobody came."""

    def close(self) -> None: ...


class NetworkDoor:
    """A port, as a network printer has."""

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

    def __init__(self, path: Path) -> None:
        import tty

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


@dataclass(frozen=True, slots=True)
class _End:
    """A till has hung up."""


class Relay:
    """Runs between one door and one printer, until it is stopped.

    relay = Relay(NetworkDoor("0.0.0.0", 9100), network_printer("192.168.1.50", 9100), on_paper=..., settings=Settings())
    relay.start(); ...; relay.stop()

    `on_paper` is called on a thread of its own with each paper that was read. `code_for` is asked on the relay's thread
    while a cut is held, and must answer within `HOLD_MS` or so.
    """

    def __init__(
        self,
        door: Door,
        printer: OpenPrinter,
        *,
        on_paper: Callable[[Tapped], None],
        settings: Settings | None = None,
        code_for: CodeFor | None = None,
    ) -> None:
        self._door, self._printer = door, printer
        self._on_paper, self._settings = on_paper, settings or Settings()
        self._code_for = code_for
        self._copies: queue.Queue[bytes | _End] = queue.Queue(COPIES_MAX)
        self._ended = threading.Event()
        self.lost_copies = 0
        self._threads = [
            threading.Thread(target=self._serve, name="tap", daemon=True),
            threading.Thread(target=self._read, name="tap-reader", daemon=True),
        ]

    def start(self) -> None:
        """Let tills in."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End promptly; a job that is on its way is cut off as if a cable were pulled."""
        self._ended.set()
        for thread in self._threads:
            thread.join(5.0)
        self._door.close()

    # the relay's thread

    def _serve(self) -> None:
        while not self._ended.is_set():
            till = self._door.accept(TURN_S)
            if till is None:
                continue
            try:
                self._visit(till)
            except OSError as why:
                log.info("tap.cut_off", why=str(why))
            finally:
                os.close(till)
                self._copy(_End())

    def _visit(self, till: int) -> None:
        try:
            printer = self._printer()
        except OSError as why:
            log.warning("tap.no_printer", why=str(why), hint="the till is told by a closed line")
            return
        try:
            _Pump(till, printer, self._ended, self._copy, self._injector()).run()
        finally:
            os.close(printer)

    def _injector(self) -> Injector | None:
        return Injector(self._code_for, self._settings) if self._code_for else None

    def _copy(self, data: bytes | _End) -> None:
        try:
            self._copies.put_nowait(data)
        except queue.Full:
            self.lost_copies += 1

    # the reader's thread

    def _read(self) -> None:
        papers = Papers(self._settings)
        while not self._ended.is_set():
            try:
                data = self._copies.get(timeout=IDLE_PAPER_S)
                found = papers.end() if isinstance(data, _End) else papers.feed(data)
            except queue.Empty:
                found = papers.end()
            except Exception:
                # A stranger's bytes must not end the reading of all later ones.
                log.exception("tap.reader")
                papers, found = Papers(self._settings), []
            for paper in found:
                self._on_paper(paper)


class _Pump:
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
