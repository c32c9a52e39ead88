"""Between a foreign till and its printer: every byte both ways, at once; a copy for whoever reads receipts.

Forward first, look later. The copy goes into a queue that is never waited for: if the reader is behind, it loses a
receipt and says so, and the shop's paper comes out all the same. If the printer is not there the till is told by a closed
line, never by a made-up answer. One till at a time, as at the printer itself.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from .doors import Door, OpenPrinter
from .inject import CodeFor, Injector
from .pump import Pump
from .stream import Papers, Settings, Tapped

log = structlog.get_logger(__name__)

COPIES_MAX = 1_000  # of at most 64 kB: a reader that is so far behind is dead
TURN_S = 0.5
IDLE_PAPER_S = 2.0  # a till that says nothing for so long has ended its paper, cut or not


@dataclass(frozen=True, slots=True)
class _Copy:
    """What a till sent, and where in all that it ever sent; nothing where it hung up."""

    at: int
    data: bytes


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
        self._copies: queue.Queue[_Copy] = queue.Queue(COPIES_MAX)
        self._sent = 0
        self._ended = threading.Event()
        self._told = {"printer": False, "reader": False}
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
            except Exception:
                # A fault of ours in one till's visit must not shut the door to all later ones.
                log.exception("tap.visit")
            finally:
                os.close(till)
                self._copy(b"")

    def _visit(self, till: int) -> None:
        try:
            printer = self._printer()
        except OSError as why:
            if not self._told["printer"]:
                log.warning("tap.no_printer", why=str(why), hint="the till is told by a closed line")
            self._told["printer"] = True
            if not self._door.closes:
                self._ended.wait(TURN_S)  # nothing tells that till; what it sent waits at the door
            return
        self._told["printer"] = False
        try:
            Pump(till, printer, self._ended, self._copy, self._injector()).run()
        finally:
            os.close(printer)

    def _injector(self) -> Injector | None:
        return Injector(self._code_for, self._settings, self._sent) if self._code_for else None

    def _copy(self, data: bytes) -> None:
        try:
            self._copies.put_nowait(_Copy(self._sent, data))
            self._told["reader"] = False
        except queue.Full:
            if not self._told["reader"]:
                log.warning(
                    "tap.behind", hint="receipts are passed on and not read until the reader has caught up"
                )
            self._told["reader"] = True
        self._sent += len(data)

    # the reader's thread

    def _read(self) -> None:
        papers = Papers(self._settings)
        while not self._ended.is_set():
            try:
                papers = self._read_on(papers)
            except Exception:
                # A stranger's bytes, or a paper that somebody cannot take, must not end the reading of all later ones.
                log.exception("tap.reader")
                papers = Papers(self._settings)

    def _read_on(self, papers: Papers) -> Papers:
        try:
            copy = self._copies.get(timeout=IDLE_PAPER_S)
        except queue.Empty:
            found = papers.end()
        else:
            if copy.at != papers.position:
                papers = Papers(self._settings, copy.at)  # something between was not read
            found = papers.feed(copy.data) if copy.data else papers.end()
        for paper in found:
            self._on_paper(paper)
        return papers
