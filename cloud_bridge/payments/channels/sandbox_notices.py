"""Tells the merchants what became of their trades: at least once, with a growing wait, and not for ever.

One thread. It also lets due trades be decided when nobody asks, since a password comes when it comes. A
merchant that is down costs a refused connection; one that hangs costs `PATIENCE_S`, and the trades do not
wait for it: every verb decides what is due by itself.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from .sandbox_book import Book
from .sandbox_ledger import Ledger
from .sandbox_seal import notification_headers

PATIENCE_S = 3.0
BATCH = 16
"""Notices in a row before trades are looked at again."""

AGAIN_MS = 500
AGAIN_MAX_MS = 30_000
TRIES_MAX = 60
"""0.5 s, 1 s, 2 s … 30 s: the last try is after some 27 minutes. A core that is down longer has its bill."""

IDLE_MS = 2_000
"""The longest sleep, for the case that the clock was set."""

log = logging.getLogger("tillbox.sandbox")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a merchant listens, and the secret shared with it."""

    url: str
    secret: bytes


class Notifier(threading.Thread):
    """The thread. `wake` it when there is something new; `stop` ends it."""

    def __init__(
        self,
        book: Book,
        ledger: Ledger,
        addresses: Mapping[str, Address],
        *,
        now_ms: Callable[[], int],
        chance: Callable[[int], bytes],
    ) -> None:
        super().__init__(name="sandbox-notices", daemon=True)
        self._book = book
        self._ledger = ledger
        self._addresses = addresses
        self._now_ms = now_ms
        self._chance = chance
        self._bell = threading.Event()
        self._stopping = False

    def wake(self) -> None:
        """There may be something to do."""
        self._bell.set()

    def stop(self) -> None:
        """Finish the notice under way, and end."""
        self._stopping = True
        self._bell.set()
        self.join(2 * PATIENCE_S)

    def run(self) -> None:
        """Until stopped: decide what is due, tell what is to be told, sleep until the next."""
        with httpx.Client(timeout=PATIENCE_S, trust_env=False) as client:
            while not self._stopping:
                self._bell.clear()
                try:
                    self._round(client)
                    pause_ms = self._pause_ms()
                except sqlite3.Error as trouble:
                    log.warning("the wallet's book does not answer, notices wait: %s", trouble)
                    pause_ms = IDLE_MS
                self._bell.wait(pause_ms / 1_000)

    def _round(self, client: httpx.Client) -> None:
        self._ledger.decide_due(self._now_ms())
        with self._book.transaction():
            notices = self._book.notices_due(self._now_ms(), BATCH)
        for no, merchant, body, tries in notices:
            if self._stopping:
                return
            heard = self._send(client, merchant, body)
            with self._book.transaction():
                if heard:
                    self._book.drop_notice(no)
                else:
                    self._book.put_off_notice(no, self._again_ms(tries))

    def _send(self, client: httpx.Client, merchant: str, body: bytes) -> bool:
        """Whether the merchant took it. Only a 2xx says so."""
        address = self._addresses.get(merchant)
        if address is None:
            return True  # nobody listens for this merchant, and nobody ever will
        headers = notification_headers(
            address.secret, merchant=merchant, now_ms=self._now_ms(), nonce=self._chance(16).hex(), body=body
        )
        headers["content-type"] = "application/json"
        try:
            # The answer's body is not read: its status says everything, and its length is anybody's.
            with client.stream("POST", address.url, content=body, headers=headers) as answer:
                return answer.is_success
        except (httpx.HTTPError, httpx.InvalidURL):
            return False

    def _again_ms(self, tries: int) -> int | None:
        if tries + 1 >= TRIES_MAX:
            return None
        return self._now_ms() + min(AGAIN_MAX_MS, AGAIN_MS << min(tries, 10))

    def _pause_ms(self) -> int:
        with self._book.transaction():
            due_ms = self._book.next_due_ms()
        return IDLE_MS if due_ms is None else max(0, min(IDLE_MS, due_ms - self._now_ms()))
