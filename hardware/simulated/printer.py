"""The printer's twin: it takes a real printer's bytes on a real wire, answers for its state, and keeps the paper.

The paper belongs to the customer: it lies in the process that plays the shop, and survives the box. What the
printer says and does in its language is in `tongues.py`; this file is its body, its wire and its faults.
"""

from __future__ import annotations

import os
import pty
import select
import socket
import tempfile
import threading
import time
import tty
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .tongues import Answer, Condition, Kick, Paper, tongue

PAPERS_MAX = 200  # the newest papers that lie on the counter
JOB_BYTES_MAX = 1_000_000
TURN_S = 0.05
SLOW_S = 0.4


@dataclass(frozen=True, slots=True)
class Slip:
    """One paper: everything up to a cut."""

    number: int
    data: bytes


class Line(Protocol):
    """A twin's end of the cable. `port` and `path` stay the same when it is pulled and put in again."""

    port: int
    path: str

    def plug(self) -> None: ...
    def unplug(self) -> None: ...
    def accept(self, wait_s: float) -> bool: ...
    def receive(self, wait_s: float) -> bytes | None: ...
    def send(self, data: bytes) -> None: ...
    def hang_up(self) -> None: ...
    def close(self) -> None: ...


class SimulatedPrinter:
    """A printer on loopback, or on a pseudo-terminal.

    printer = SimulatedPrinter()                                # NetworkWire("127.0.0.1", printer.port)
    printer = SimulatedPrinter(line="terminal", language="star")   # SerialWire(printer.path, 115200)
    printer.fault = Condition.PAPER_OUT; printer.mend()
    printer.unplug(); printer.plug()
    """

    def __init__(
        self,
        *,
        port: int = 0,
        line: str | Line = "network",
        language: str = "escpos",
        on_paper: Callable[[Slip], None] = lambda _: None,
    ) -> None:
        self.papers: deque[Slip] = deque(maxlen=PAPERS_MAX)
        self.kicks = 0
        self.on_paper = on_paper
        self.fault = Condition.WELL
        self._language = language
        self._tongue = tongue(language)
        self._number = 0
        self._mute = False
        if isinstance(line, str):
            line = _Network(port) if line == "network" else _Terminal()
        self._line = line
        self._out = threading.Event()  # its cable, and its power with it
        self._out.set()
        self.plug()

    @property
    def port(self) -> int:
        """Where it listens; 0 where it has a `path`."""
        return self._line.port

    @property
    def path(self) -> str:
        """What the driver opens; empty where it has a `port`."""
        return self._line.path

    @property
    def plugged(self) -> bool:
        """Whether it is there at all."""
        return not self._out.is_set()

    def mend(self) -> None:
        """Everything is well again."""
        self.fault = Condition.WELL

    def plug(self) -> None:
        """Put the cable in, and switch it on. Harmless when it is in."""
        if not self.plugged:
            self._line.plug()
            self._out.clear()
            self._thread = threading.Thread(target=self._serve, name="printer", daemon=True)
            self._thread.start()

    def unplug(self) -> None:
        """Switch it off, and pull its cable. Harmless when it is out."""
        if self.plugged:
            self._out.set()
            self._thread.join(5.0)
            self._line.unplug()

    def close(self) -> None:
        """Pull its cable for good, and leave nothing behind."""
        self.unplug()
        self._line.close()

    def _serve(self) -> None:
        while not self._out.is_set():
            if self._line.accept(TURN_S):
                self._tongue = tongue(self._language, after=self._tongue)
                self._job()
                self._line.hang_up()

    def _job(self) -> None:
        """One connection: questions are answered at once, the rest becomes paper."""
        taken, self._mute = 0, False
        while not self._out.is_set() and taken < JOB_BYTES_MAX:
            if self.fault is Condition.STUCK and taken > 64:
                self._out.wait(TURN_S)
                continue
            data = self._line.receive(TURN_S)
            if data is None:
                break
            taken += len(data)
            for happened in self._tongue.hear(data, self.fault):
                self._do(happened)
        self._print(self._tongue.rest())

    def _do(self, happened: Answer | Paper | Kick) -> None:
        match happened:
            case Paper(data):
                if self.fault is Condition.SLOW:
                    time.sleep(SLOW_S)
                self._print(data)
                self._mute = self.fault in (Condition.SILENT, Condition.HANG_UP)
                if self.fault is Condition.HANG_UP:
                    self._line.hang_up()
            case Kick():
                self.kicks += 1
            case Answer(data):
                if self._mute or self.fault is Condition.DEAD:
                    return
                if self.fault is Condition.CHATTY:
                    self._line.send(b"\x10\x00\x00\x0f")
                self._line.send(b"HTTP/1.1 400 Bad Request" if self.fault is Condition.GARBAGE else data)

    def _print(self, data: bytes) -> None:
        if not data or not self.fault.prints:
            return
        self._number += 1
        slip = Slip(self._number, data)
        self.papers.append(slip)
        self.on_paper(slip)


class _Network:
    """Port 9100's manners: one connection at a time."""

    path = ""

    def __init__(self, port: int) -> None:
        self.port = port
        self._line: socket.socket | None = None

    def plug(self) -> None:
        self._server = socket.create_server(("127.0.0.1", self.port))
        self.port = self._server.getsockname()[1]

    def unplug(self) -> None:
        self.hang_up()
        self._server.close()

    def accept(self, wait_s: float) -> bool:
        self._server.settimeout(wait_s)
        try:
            self._line, _ = self._server.accept()
        except TimeoutError:
            return False
        return True

    def receive(self, wait_s: float) -> bytes | None:
        if self._line is None:
            return None
        self._line.settimeout(wait_s)
        try:
            return self._line.recv(65_536) or None
        except TimeoutError:
            return b""
        except OSError:
            return None

    def send(self, data: bytes) -> None:
        if self._line is not None:
            try:
                self._line.sendall(data)
            except OSError:
                self.hang_up()

    def hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def close(self) -> None:
        return


class _Terminal:
    """A serial or USB printer as a pseudo-terminal: the driver opens `path`; nobody ever hangs up."""

    port = 0

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="printer-")
        self._link = Path(self._folder.name) / "printer"
        self.path = str(self._link)

    def plug(self) -> None:
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        self._link.symlink_to(os.ttyname(self._theirs))

    def unplug(self) -> None:
        self._link.unlink()
        for end in (self._ours, self._theirs):
            os.close(end)

    def accept(self, wait_s: float) -> bool:
        return bool(select.select([self._ours], [], [], wait_s)[0])

    def receive(self, wait_s: float) -> bytes | None:
        if not self.accept(wait_s):
            return b""
        try:
            return os.read(self._ours, 65_536)
        except OSError:
            return None

    def send(self, data: bytes) -> None:
        os.write(self._ours, data)

    def hang_up(self) -> None:
        return

    def close(self) -> None:
        self._folder.cleanup()
