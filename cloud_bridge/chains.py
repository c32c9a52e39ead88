"""Which records continue their box's chain, and how far each incarnation is held.

A record counts when it is the next of its incarnation and names the hash of the one before it. What came
before is a duplicate, what comes too early waits to be sent again, and what contradicts is shouted about.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, bindparam, select

from tillbox.contracts.messages import (
    RECORD_BYTES_MAX,
    VERSION,
    Ack,
    Opened,
    Record,
    canonical,
    digest,
    genesis,
)
from tillbox.contracts.verdicts import Reason

from .alarms import Alarm
from .complaints import Complaints, Counts
from .fleet.quota import Sort
from .store import coupons, tables

NOTHING = "0" * 64  # the head of an incarnation of which nothing is held


@dataclass(frozen=True, slots=True)
class Read:
    """One record that is well-formed and the device's own."""

    record: Record
    hash: str
    content: str
    """The hash of what it says, whatever its number and hour: the same id must say the same."""
    bytes: bytes


@dataclass(slots=True)
class Mark:
    """How far one incarnation of one box is held, while a batch is worked on."""

    watermark: int
    head: str
    standing: str
    number: int
    opened_ms: int
    changed: bool = False


def parse(device: str, line: bytes) -> Read | Reason:
    """One line as a record of this device, or why it is none."""
    if len(line) > RECORD_BYTES_MAX:
        return Reason.TOO_LARGE
    try:
        record = Record.model_validate_json(line)
        content = digest(record.kind.encode() + canonical(record.body))
    except ValueError:  # no record; or one with a number or a letter that JSON has no form for
        return Reason.FUTURE_VERSION if _is_newer(line) else Reason.NOT_UNDERSTOOD
    if record.dev != device:
        return Reason.FOREIGN_DEVICE
    return Read(record, digest(line), content, line)


def _is_newer(line: bytes) -> bool:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return False
    version = document.get("v") if isinstance(document, dict) else None
    return isinstance(version, int) and version > VERSION


class Chains:
    """The chains that one batch continues."""

    def __init__(
        self,
        connection: Connection,
        now_ms: int,
        counts: Counts,
        complaints: Complaints,
        reads: Sequence[Read],
        full: Mapping[str, set[Sort]] | None = None,
        sort_of: Callable[[Read], Sort] = lambda _: Sort.QUIET,
    ) -> None:
        self._connection, self._now_ms = connection, now_ms
        self._counts, self._complaints = counts, complaints
        self.marks: dict[tuple[str, str], Mark] = {}
        self._newest: dict[str, tuple[str, Mark]] = {}
        self._echo: dict[tuple[str, str], tuple[int, str]] = {}
        self._missed: set[tuple[str, str]] = set()
        """Incarnations of which something is missed that the box may think is here."""
        self._full = full or {}
        """Boxes of which no more of some sorts is taken today; `sort_of` is asked for theirs alone."""
        self._sort_of = sort_of
        self._reads = reads
        self._load_marks()
        self._held = self._load_held()

    def continues(self, read: Read) -> bool:
        """Whether a record is the next of its chain. Moves the mark where it is."""
        record = read.record
        key = record.dev, record.inc
        known = self.marks.get(key)
        if known is None and self._is_enough(read):
            return False
        mark = known or self._open(read)
        if mark is None:
            return False
        if record.seq <= mark.watermark:
            found = self._held.get((*key, record.seq))
            if found not in (None, read.hash):
                self._contradicts(read, Reason.ID_REUSED, Alarm.FORK, f"two records are number {record.seq}")
                return False
            self._counts.duplicates += 1
            self._echo[key] = max(self._echo.get(key, (0, "")), (record.seq, read.hash))
            return False
        self._echo.setdefault(key, (0, ""))
        if record.seq > mark.watermark + 1:
            self._counts.gaps += 1
            self._complaints.refused.setdefault(key, Reason.SEQUENCE_GAP)
            return False
        if record.prev != mark.head:
            self._contradicts(read, Reason.CHAIN_BROKEN, Alarm.CHAIN_BROKEN, f"at number {record.seq}")
            return False
        if known is not None and self._is_enough(read):
            return False
        mark.watermark, mark.head, mark.changed = record.seq, read.hash, True
        self._held[(*key, record.seq)] = read.hash
        self._echo[key] = record.seq, read.hash
        return True

    def _is_enough(self, read: Read) -> bool:
        """Whether its box has handed in enough of what a record is. The box hears of it, and keeps it until tomorrow."""
        record = read.record
        full = self._full.get(record.dev)
        if not full or self._sort_of(read) not in full:
            return False
        self._complaints.refuse(record.dev, Reason.ENOUGH_TODAY, read.bytes, inc=record.inc)
        self._missed.add((record.dev, record.inc))
        return True

    def _contradicts(self, read: Read, reason: Reason, alarm: Alarm, detail: str) -> None:
        """Shout about what continues no chain. Of a box that has brought too much of it, it is dropped, and nobody hears more."""
        record = read.record
        if Sort.UNKEPT in self._full.get(record.dev, ()):
            self._complaints.refuse(record.dev, Reason.ENOUGH_TODAY, read.bytes)
            return
        self._complaints.refuse(record.dev, reason, read.bytes, inc=record.inc)
        self._complaints.shout(alarm, record.dev, record.inc, detail)

    def _has_room(self, device: str) -> bool:
        return self._full.get(device, set()) <= {Sort.UNKEPT}

    def acks(self, credit: int) -> list[tuple[str, Ack]]:
        """What each box hears of each incarnation in this batch, once all of it is committed."""
        answers = []
        for (device, inc), (seq, found) in self._echo.items():
            mark = self.marks[device, inc]
            refused = self._complaints.refused.get((device, inc))
            says_more = (seq, found) != (
                mark.watermark,
                mark.head,
            )  # the same twice would be a third of an ack
            ack = Ack(
                inc=inc,
                wm=mark.watermark,
                head=mark.head,
                echo_seq=seq if says_more else 0,
                echo_hash=(found or None) if says_more else None,
                credit=credit if self._has_room(device) else 0,
                refused=refused,
            )
            answers.append((device, ack))
        return answers + [self._missing(*key, credit) for key in sorted(self._missed - self._echo.keys())]

    def _missing(self, device: str, inc: str, credit: int) -> tuple[str, Ack]:
        mark = self.marks.get((device, inc))
        held, head = (mark.watermark, mark.head) if mark else (0, NOTHING)
        if not self._has_room(device):
            # Without credit it asks with one record at a time, until the day is over.
            return device, Ack(inc=inc, wm=held, head=head, credit=0, refused=Reason.ENOUGH_TODAY)
        return device, Ack(inc=inc, wm=held, head=head, credit=credit, refused=Reason.SEQUENCE_GAP)

    def rows(self) -> list[dict[str, Any]]:
        """How far each incarnation is held now, where that changed."""
        return [
            {
                "device": device,
                "inc": inc,
                "number": mark.number,
                "watermark": mark.watermark,
                "head": mark.head,
                "standing": mark.standing,
                "opened_ms": mark.opened_ms,
            }
            for (device, inc), mark in self.marks.items()
            if mark.changed
        ]

    def is_rolled_back(self, record: Record) -> bool:
        """Whether a record's incarnation began on a medium older than what the core knew."""
        return self.marks[record.dev, record.inc].standing == "rolled_back"

    def _load_marks(self) -> None:
        devices = sorted({read.record.dev for read in self._reads})
        for row in self._connection.execute(_MARKS, {"devices": devices}):
            mark = Mark(row.watermark, row.head, row.standing, row.number, row.opened_ms)
            self.marks[row.device, row.inc] = mark
            self._newest[row.device] = row.inc, mark

    def _load_held(self) -> dict[tuple[str, str, int], str]:
        """The hashes of those numbers in this batch that are already in the inbox. The newest of a chain is its head, so
        what is sent again because its ack was late costs no query."""
        held = {(*key, mark.watermark): mark.head for key, mark in self.marks.items() if mark.watermark}
        spans: dict[tuple[str, str], list[int]] = {}
        for key, seq in [((read.record.dev, read.record.inc), read.record.seq) for read in self._reads]:
            if key in self.marks and seq < self.marks[key].watermark:
                spans.setdefault(key, []).append(seq)
        for (device, inc), seqs in spans.items():
            span = {"device": device, "inc": inc, "first": min(seqs), "last": max(seqs)}
            held.update({(device, inc, seq): found for seq, found in self._connection.execute(_HELD, span)})
        return held

    def _open(self, read: Read) -> Mark | None:
        """The first record of a new incarnation says what it continues; compare it with what we know."""
        record = read.record
        if record.seq != 1 or record.kind != "opened":
            self._counts.gaps += 1
            self._missed.add((record.dev, record.inc))
            return None
        try:
            opened = Opened.model_validate(record.body)
        except ValidationError:
            self._complaints.refuse(record.dev, Reason.NOT_UNDERSTOOD, read.bytes)
            return None
        start = genesis(record.dev, record.inc, opened.prior_head)
        if record.prev != start:
            self._complaints.refuse(record.dev, Reason.CHAIN_BROKEN, read.bytes)
            return None
        newest = self._newest.get(record.dev)
        number = newest[1].number + 1 if newest else 1
        prior = self.marks.get((record.dev, opened.prior)) if opened.prior else None
        if opened.prior is not None and (prior is None or prior.watermark < opened.prior_seq):
            # The line turned messages round, and the incarnation before this one is not all here yet; or this
            # core was put back from an older copy, and only the box knows what is missing.
            self._counts.gaps += 1
            self._missed.add((record.dev, opened.prior))
            return None
        standing = _standing(opened, newest)
        mark = Mark(0, start, standing, number, self._now_ms)
        self.marks[record.dev, record.inc] = mark
        self._newest[record.dev] = record.inc, mark
        if standing == "rolled_back":
            lost = coupons.lose(self._connection, record.dev)
            what = "an older medium" if opened.prior else "an empty medium"
            self._complaints.shout(
                Alarm.ROLLED_BACK, record.dev, record.inc, f"{what}; leases lost: {len(lost)}"
            )
        return mark


_HELD = select(tables.inbox.c.seq, tables.inbox.c.hash).where(
    tables.inbox.c.device == bindparam("device"),
    tables.inbox.c.inc == bindparam("inc"),
    tables.inbox.c.seq.between(bindparam("first"), bindparam("last")),
)
_MARKS = (
    select(tables.incarnation)
    .where(tables.incarnation.c.device.in_(bindparam("devices", expanding=True)))
    .order_by(tables.incarnation.c.number)
)


def _standing(opened: Opened, newest: tuple[str, Mark] | None) -> str:
    """A new incarnation must continue exactly what we hold of the one before it."""
    if newest is None:
        return "proven"
    inc, mark = newest
    same = (opened.prior, opened.prior_seq, opened.prior_head) == (inc, mark.watermark, mark.head)
    return "proven" if same else "rolled_back"
