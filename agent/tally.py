"""What a journal's records add up to: the money that the core lacks, and how many bytes a day they are. Incremental.

It reads the bytes that the journal stored and trusts them: they were verified when it was opened. It refuses to know
what becomes of the figures; `promise.py` makes a sentence of them.
"""

from __future__ import annotations

import json
from collections import deque

from tillbox.broker.journal import Entry

DAY_MS = 86_400_000
DAYS_KEPT = 14  # the last two weeks say how busy this counter is; a year ago it was another shop
MONEY = {b"sale", b"void", b"refund"}
FIRST = b'{"at":['


class Tally:
    """One journal's sums. Use it from the journal's thread."""

    def __init__(self) -> None:
        self._unsynced: deque[tuple[int, int, int]] = deque()
        self.unsynced = 0
        """The sum of the sales that the core lacks, in fen; what was taken back counts in the queue and not in the sum."""
        self.bytes_by_day: dict[int, int] = {}

    def add(self, entry: Entry, *, settled_through: int) -> None:
        """One more record, in the journal's order."""
        at_ms = made_ms(entry.bytes)
        if at_ms:  # else the hour was not known, and nobody can say which day it was
            day = at_ms // DAY_MS
            self.bytes_by_day[day] = self.bytes_by_day.get(day, 0) + len(entry.bytes)
        while len(self.bytes_by_day) > DAYS_KEPT:
            del self.bytes_by_day[min(self.bytes_by_day)]
        if entry.position > settled_through:
            self._note(entry, at_ms)

    def settled(self, through: int) -> None:
        """The core holds everything up to a position."""
        while self._unsynced and self._unsynced[0][0] <= through:
            self.unsynced -= self._unsynced.popleft()[2]

    @property
    def unsynced_count(self) -> int:
        """How many records with money the core lacks."""
        return len(self._unsynced)

    @property
    def oldest_money_ms(self) -> int | None:
        """When the oldest of them was made; None where there is none, or it was made before the hour was known."""
        return self._unsynced[0][1] or None if self._unsynced else None

    def _note(self, entry: Entry, at_ms: int) -> None:
        if kind_of(entry.bytes) in MONEY:
            self._unsynced.append((entry.position, at_ms, _amount(entry.bytes)))
            self.unsynced += self._unsynced[-1][2]


def made_ms(data: bytes) -> int:
    """The earliest moment a record can have been made at. Canonical JSON begins with it, so nothing is parsed: a boot
    reads every record there is. Newer software that ran here before may have put something in front of it."""
    if data.startswith(FIRST):
        return int(data[len(FIRST) : data.index(b",", len(FIRST))])
    made: int = json.loads(data)["at"][0]
    return made


def kind_of(data: bytes) -> bytes:
    """Of which kind a record is; its envelope's `kind` is the last of that name, for `prev`, `seq` and `tid` follow it."""
    return data.rpartition(b'"kind":"')[2].partition(b'"')[0]


def _amount(data: bytes) -> int:
    """What a sale took in. One that newer software wrote in another form counts in the queue and not in the sum."""
    record = json.loads(data)
    amount = record["body"].get("tender", {}).get("amount", 0) if record["kind"] == "sale" else 0
    return amount if isinstance(amount, int) else 0
