"""The one owner of the receipt printer: a thread that prints the jobs in order and opens the drawer between them.

What surely failed is tried again for as long as it takes; what may be on paper waits for a person's word and keeps
nobody else waiting. A drawer that opens long after its sale opens for nobody, so a kick has an end and is not kept.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from tillbox.hardware.ports import DeviceLost, Drawer, PrintEnd, Printer, PrinterState

from .prints import STEP_OF, Prints, PrintsFull, PrintState, Step

KICK_MS = 5_000  # as long as a cashier waits before a shut drawer
KICKS_MAX = 4
TURN_S = 0.5
ASK_MS = 20_000
"""How often a printer is asked how it is while it has nothing to print: an empty roll is found before a customer waits."""
AGAIN_S = 1.0  # between two tries at a printer that does not print

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Perhaps:
    """A job that may be on paper: a person is asked."""

    number: int
    kind: str
    ref: str


class PrintRoom:
    """Prints for one box.

    room = PrintRoom(path, printer, drawer=..., clock_ms=..., tell=...)
    room.print("receipt", "42", data); room.kick("cash sale")
    room.perhaps                     # jobs that a person has to look for
    room.answer(7, printed=False)    # it is not there: print it again
    """

    def __init__(
        self,
        path: Path,
        printer: Printer,
        *,
        drawer: Drawer,
        clock_ms: Callable[[], int],
        tell: Callable[[PrinterState, str], None],
        drawer_shut: Callable[[], None],
    ) -> None:
        self.state = PrinterState.READY
        self.perhaps: tuple[Perhaps, ...] = ()
        self._prints = Prints(path)
        self._printer, self._drawer = printer, drawer
        self._clock_ms, self._tell, self._drawer_shut = clock_ms, tell, drawer_shut
        self._owed: tuple[int, Step] | None = None  # how a job ended, while the disk does not know it
        self._asked_ms: int | None = (
            None  # None until it has said something about itself, which not every printer does
        )
        self._kicks: queue.Queue[tuple[int, str]] = queue.Queue(KICKS_MAX)
        self._lock = threading.Lock()  # the till's thread adds jobs, the screen's answers, this one's prints
        self._awake = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)
        self._look()

    def start(self) -> None:
        """Begin to print what waits."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more; what waits is kept. A job in hand is not waited for to its end."""
        self._ended.set()
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join(2 * TURN_S)

    def print(self, kind: str, ref: str, data: bytes) -> bool:
        """Queue a job, and have it on the disk. False where that is not possible, or where another paper was ordered under
        this id."""
        try:
            with self._lock:
                queued = self._prints.add(kind, ref, data)
        except (PrintsFull, sqlite3.Error) as why:
            log.warning("print.not_queued", kind=kind, ref=ref, why=repr(why))
            return False
        self._awake.set()
        return queued

    def find(self, ref: str) -> PrintState | None:
        """Where what another program ordered under this id is."""
        with self._lock:
            return self._prints.state_of(ref)

    def kick(self, reason: str) -> None:
        """Open the drawer, soon or not at all."""
        try:
            self._kicks.put_nowait((self._clock_ms() + KICK_MS, reason))
        except queue.Full:
            self._drawer_shut()
        self._awake.set()

    def answer(self, number: int, *, printed: bool) -> bool:
        """A person looked for a job. False if nobody asked for that one (any more)."""
        with self._lock:
            job = self._prints.find(number)
            if job is None or number not in {one.number for one in self.perhaps}:
                return False
            self._prints.step(job, Step.SEEN if printed else Step.MISSING)
        log.info("print.answered", job=number, kind=job.kind, ref=job.ref, printed=printed)
        self._look()
        self._awake.set()
        return True

    # the printer's thread

    def _run(self) -> None:
        while not self._ended.is_set():
            self._awake.wait(TURN_S)
            self._awake.clear()
            try:
                self._open_drawer()
                while not self._ended.is_set() and self._print_next():
                    self._open_drawer()
                self._ask()
            except sqlite3.Error as why:
                log.warning("print.disk", why=str(why), hint="the jobs cannot be read; look at the card")

    def _open_drawer(self) -> None:
        while not self._ended.is_set():
            try:
                until_ms, reason = self._kicks.get_nowait()
            except queue.Empty:
                return
            while not self._kicked(until_ms, reason):
                self._ended.wait(AGAIN_S)

    def _kicked(self, until_ms: int, reason: str) -> bool:
        """Whether this kick is over, one way or the other."""
        if self._ended.is_set() or self._clock_ms() > until_ms:
            self._drawer_shut()
            return True
        try:
            self._drawer.kick(reason)
        except DeviceLost:
            return False
        return True

    def _print_next(self) -> bool:
        """Print the oldest job; False when there is none, or when the printer does not print now."""
        with self._lock:
            self._pay_owed()
            job = self._prints.next()
            if job is None:
                return False
            self._prints.step(job, Step.BEGIN)
        outcome = self._printer.print(job.data)
        self._owed = (job.number, STEP_OF[outcome.end])
        with self._lock:
            self._pay_owed()
        self._heard(outcome.state, outcome.hint)
        if outcome.end is PrintEnd.CONFIRMED or self._asked_ms is not None:
            self._asked_ms = self._clock_ms()
        self._look()
        if outcome.end is PrintEnd.FAILED:
            self._ended.wait(AGAIN_S)
            self._awake.set()
            return False
        return True

    def _ask(self) -> None:
        now_ms = self._clock_ms()
        if self._asked_ms is not None and now_ms - self._asked_ms >= ASK_MS:
            self._asked_ms = now_ms
            self._heard(self._printer.state(), "")

    def _pay_owed(self) -> None:
        """Write down how the last job ended. A disk that did not take it is asked again before anything else is printed: a job
        that failed must not be left as one that has begun."""
        if self._owed is not None:
            number, step = self._owed
            begun = self._prints.find(number)
            if begun is not None:
                self._prints.step(begun, step)
            self._owed = None

    def _heard(self, state: PrinterState, hint: str) -> None:
        if state is not self.state:
            self.state = state
            self._tell(state, hint)

    def _look(self) -> None:
        with self._lock, suppress(sqlite3.Error):
            self.perhaps = tuple(Perhaps(job.number, job.kind, job.ref) for job in self._prints.unknown())
