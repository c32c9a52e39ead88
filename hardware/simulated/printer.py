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
    """A twin's end of the cable."""

    port: int
    path: str

    def accept(self, wait_s: float) -> bool: ...
    def receive(self, wait_s: float) -> bytes | None: ...
    def send(self, data: bytes) -> None: ...
    def hang_up(self) -> None: ...
    def close(self) -> None: ...


class SimulatedPrinter:
    """A printer on loopback, or on a pseudo-terminal. Faults on command; `mend` ends them all.

    printer = SimulatedPrinter()                                # NetworkWire("127.0.0.1", printer.port)
    printer = SimulatedPrinter(line="terminal", language="star")   # SerialWire(printer.path, 115200)
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
        self._language = language
        self._tongue = tongue(language)
        self._number = 0
        self._ended = threading.Event()
        self._fault: Condition = Condition.WELL
        self._mute = False
        if isinstance(line, str):
            line = _Network(port) if line == "network" else _Terminal()
        self._line = line
        self.port: int = self._line.port
        self.path: str = self._line.path
        self._thread = threading.Thread(target=self._serve, name="printer", daemon=True)
        self._thread.start()

    def paper_out(self) -> None:
        """The roll is at its end."""
        self._fault = Condition.PAPER_OUT

    def cover_open(self) -> None:
        """Somebody opened the cover."""
        self._fault = Condition.COVER_OPEN

    def jam(self) -> None:
        """The cutter is stuck."""
        self._fault = Condition.JAM

    def near_end(self) -> None:
        """The roll is near its end; it still prints."""
        self._fault = Condition.NEAR_END

    def silent(self) -> None:
        """It takes bytes, prints, and answers nothing after a job."""
        self._fault = Condition.SILENT

    def dead(self) -> None:
        """It is there and answers nothing at all."""
        self._fault = Condition.DEAD

    def stuck(self) -> None:
        """It answers, and stops taking a job after its first bytes."""
        self._fault = Condition.STUCK

    def garbage(self) -> None:
        """Something that is no printer answers."""
        self._fault = Condition.GARBAGE

    def hang_up(self) -> None:
        """It prints, and ends the connection instead of an answer."""
        self._fault = Condition.HANG_UP

    def slow(self) -> None:
        """It takes its time for a job, and answers nothing meanwhile."""
        self._fault = Condition.SLOW

    def chatty(self) -> None:
        """Another till switched automatic status on: it is pushed before every answer (ESC/POS)."""
        self._fault = Condition.CHATTY

    def mend(self) -> None:
        """Everything is well again."""
        self._fault = Condition.WELL

    def close(self) -> None:
        """Switch it off, and pull its cable."""
        self._ended.set()
        self._thread.join(5.0)
        self._line.close()

    unplug = close

    @property
    def plugged(self) -> bool:
        """Whether it is there at all."""
        return not self._ended.is_set()

    def _serve(self) -> None:
        while not self._ended.is_set():
            if self._line.accept(TURN_S):
                self._tongue = tongue(self._language, after=self._tongue)
                self._job()
                self._line.hang_up()

    def _job(self) -> None:
        """One connection: questions are answered at once, the rest becomes paper."""
        taken, self._mute = 0, False
        while not self._ended.is_set() and taken < JOB_BYTES_MAX:
            if self._fault is Condition.STUCK and taken > 64:
                self._ended.wait(TURN_S)
                continue
            data = self._line.receive(TURN_S)
            if data is None:
                break
            taken += len(data)
            for happened in self._tongue.hear(data, self._fault):
                self._do(happened)
        self._print(self._tongue.rest())

    def _do(self, happened: Answer | Paper | Kick) -> None:
        match happened:
            case Paper(data):
                if self._fault is Condition.SLOW:
                    time.sleep(SLOW_S)
                self._print(data)
                self._mute = self._fault in (Condition.SILENT, Condition.HANG_UP)
                if self._fault is Condition.HANG_UP:
                    self._line.hang_up()
            case Kick():
                self.kicks += 1
            case Answer(data):
                if self._mute or self._fault is Condition.DEAD:
                    return
                if self._fault is Condition.CHATTY:
                    self._line.send(b"\x10\x00\x00\x0f")
                self._line.send(b"HTTP/1.1 400 Bad Request" if self._fault is Condition.GARBAGE else data)

    def _print(self, data: bytes) -> None:
        if not data or not self._fault.prints:
            return
        self._number += 1
        slip = Slip(self._number, data)
        self.papers.append(slip)
        self.on_paper(slip)


class _Network:
    """Port 9100's manners: one connection at a time."""

    path = ""

    def __init__(self, port: int) -> None:
        self._server = socket.create_server(("127.0.0.1", port))
        self._server.settimeout(TURN_S)
        self.port: int = self._server.getsockname()[1]
        self._line: socket.socket | None = None

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
        self.hang_up()
        self._server.close()


class _Terminal:
    """A serial or USB printer as a pseudo-terminal: the driver opens `path`; nobody ever hangs up."""

    port = 0

    def __init__(self) -> None:
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        self._folder = tempfile.TemporaryDirectory(prefix="printer-")
        link = Path(self._folder.name) / "printer"
        link.symlink_to(os.ttyname(self._theirs))
        self.path = str(link)

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
        for end in (self._ours, self._theirs):
            os.close(end)
        self._folder.cleanup()
