"""The printer's twin: a socket that takes ESC/POS like a real one, answers for its state, and keeps the paper.

The paper belongs to the customer: it lies in the process that plays the shop, and survives the box.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

PAPERS_MAX = 200  # the newest papers that lie on the counter
JOB_BYTES_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Slip:
    """One paper: everything up to a cut."""

    number: int
    data: bytes


class SimulatedPrinter:
    """A network printer on loopback. Faults on command; `mend` ends them all."""

    def __init__(self, *, port: int = 0, on_paper: Callable[[Slip], None] = lambda _: None) -> None:
        self._server = socket.create_server(("127.0.0.1", port))
        self._server.settimeout(0.2)
        self.port: int = self._server.getsockname()[1]
        self.papers: deque[Slip] = deque(maxlen=PAPERS_MAX)
        self.kicks = 0
        self.on_paper = on_paper
        self._number = 0
        self._ended = threading.Event()
        self._fault = ""
        self._thread = threading.Thread(target=self._serve, name="printer", daemon=True)
        self._thread.start()

    def paper_out(self) -> None:
        """The roll is at its end."""
        self._fault = "paper"

    def cover_open(self) -> None:
        """Somebody opened the cover."""
        self._fault = "cover"

    def jam(self) -> None:
        """The cutter is stuck."""
        self._fault = "jam"

    def near_end(self) -> None:
        """The roll is near its end; it still prints."""
        self._fault = "near"

    def silent(self) -> None:
        """It takes bytes, prints, and answers nothing after a job."""
        self._fault = "silent"

    def dead(self) -> None:
        """It takes the connection and answers nothing at all."""
        self._fault = "dead"

    def garbage(self) -> None:
        """Something that is no printer answers."""
        self._fault = "garbage"

    def hang_up(self) -> None:
        """It prints, and ends the connection instead of an answer."""
        self._fault = "hang up"

    def slow(self) -> None:
        """It takes a second for a job."""
        self._fault = "slow"

    def mend(self) -> None:
        """Everything is well again."""
        self._fault = ""

    def close(self) -> None:
        """Switch it off."""
        self._ended.set()
        self._thread.join(5.0)
        self._server.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                line, _ = self._server.accept()
            except TimeoutError:
                continue
            with line:
                line.settimeout(0.2)
                self._job(line)

    def _job(self, line: socket.socket) -> None:
        """One connection: real-time questions are answered at once, the rest is paper."""
        held = bytearray()
        while not self._ended.is_set() and len(held) < JOB_BYTES_MAX:
            try:
                data = line.recv(65_536)
            except TimeoutError:
                continue
            except OSError:
                break
            if not data:
                break
            held += data
            held = self._answer(line, held)
        self._print(bytes(held))

    def _answer(self, line: socket.socket, held: bytearray) -> bytearray:
        while (at := held.find(b"\x10\x04")) >= 0 and len(held) > at + 2:
            number = held[at + 2]
            del held[at : at + 3]
            if self._fault != "dead":
                line.sendall(bytes([self._status(number)]))
        if held.endswith(b"\x1dr\x01"):
            del held[-3:]
            if self._fault == "slow":
                time.sleep(1.0)
            self._print(bytes(held))
            held.clear()
            if self._fault == "hang up":
                line.close()
            elif self._fault != "silent":
                line.sendall(b"\x00")
        return held

    def _status(self, number: int) -> int:
        faults = {("paper", 4): 0x60, ("near", 4): 0x0C, ("cover", 2): 0x04, ("jam", 3): 0x08}
        if self._fault == "garbage":
            return ord("H")  # as in "HTTP/1.1 400 Bad Request"
        return 0x12 | faults.get((self._fault, number), 0)

    def _print(self, data: bytes) -> None:
        if not data or self._fault in ("paper", "cover", "jam", "dead", "garbage"):
            return
        self.kicks += data.count(b"\x1bp")
        if len(data) <= 8 and data.startswith(b"\x1bp"):
            return
        self._number += 1
        slip = Slip(self._number, data)
        self.papers.append(slip)
        self.on_paper(slip)
