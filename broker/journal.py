"""The journal: what a box did, in one append-only file, committed before anything visible happens.

A record is numbered (device, incarnation, seq), named for ever by its transaction id, and chained by
hash. The bytes that are stored are the bytes that travel. "Pending" is not a second table that could
disagree: a record is pending until its incarnation's watermark has passed it.

This file refuses to decide what to send (delivery.py), and to know what a sale is. It runs on any SQLite
that offers `Connection`: the standard library's on a box, and the simulator's on a disk that loses power.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from tillbox.contracts.clock import TimeInterval
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

LOW_WATER_BYTES = 64 * 1024 * 1024
"""Below this much free disk a box stops selling while it can still settle and checkpoint (a full disk
cannot even delete): 64 MB is some 60,000 records, so the warning comes months before the wall."""

PRAGMAS = (
    # EXTRA before WAL: set later, the unlink of the rollback journal is not synced, and a power cut may
    # take the whole database with it on a strictly POSIX directory.
    "PRAGMA synchronous=EXTRA",
    "PRAGMA journal_mode=WAL",
    "PRAGMA mmap_size=0",
    "PRAGMA trusted_schema=OFF",
    # 4 MB of log keeps the checkpoint's pause short and a card's writes few.
    "PRAGMA wal_autocheckpoint=1000",
)

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS incarnation (
         position INTEGER PRIMARY KEY, inc TEXT NOT NULL UNIQUE, first INTEGER NOT NULL,
         watermark INTEGER NOT NULL DEFAULT 0, settled TEXT NOT NULL DEFAULT '')""",
    """CREATE TABLE IF NOT EXISTS journal (
         position INTEGER PRIMARY KEY, tid TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, bytes BLOB NOT NULL)""",
    """CREATE TRIGGER IF NOT EXISTS journal_keeps BEFORE DELETE ON journal
         BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    """CREATE TRIGGER IF NOT EXISTS journal_stays BEFORE UPDATE ON journal
         BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
)


class Cursor(Protocol):
    """What the journal needs of an answer."""

    def fetchone(self) -> Any: ...
    def fetchall(self) -> Sequence[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """What the journal needs of a SQLite: the standard library's connection in autocommit mode has it."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor: ...
    def close(self) -> None: ...


class Medium(Protocol):
    """Where a journal lives. `connect` may be called again after a fault; there is one at a time."""

    def connect(self) -> Connection: ...
    def free_bytes(self) -> int: ...
    def is_full(self, fault: BaseException) -> bool: ...
    def is_fault(self, fault: BaseException) -> bool: ...
    def is_damage(self, fault: BaseException) -> bool: ...


class JournalFull(Exception):
    """The disk is below its low water. Nothing was recorded; earlier records are safe."""


class JournalBroken(Exception):
    """The journal cannot be reached, or nobody knows what a failed write left of it. Stop selling, and open
    it again."""


class JournalDamaged(JournalBroken):
    """What stands in the file is not what was written. Keep it for rescue, and begin another."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it stands in the journal. `position` counts from 1 over all incarnations."""

    position: int
    inc: str
    seq: int
    tid: str
    hash: str
    bytes: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be recorded: everything of a record but its place in the journal."""

    tid: str
    kind: str
    body: BaseModel
    at: TimeInterval


@dataclass(frozen=True, slots=True)
class Opening:
    """How an opened journal found itself: what the core is told in the hello."""

    inc: str
    prior: str | None
    prior_seq: int
    prior_head: str | None


class Journal:
    """One box's journal. `open_journal` makes one; it must be used by one thread only."""

    def __init__(self, connection: Connection, medium: Medium, device: str, incarnation: str) -> None:
        self._connection = connection
        self._medium = medium
        self._device = device
        self._inc = incarnation
        self._watermarks: dict[str, int] = {}
        self._firsts: dict[str, int] = {}
        self._order: list[str] = []
        self._starts: list[int] = []
        self._position, self._seq, self._head = 0, 0, ""
        self._load()

    @property
    def incarnation(self) -> str:
        """The 64 random bits of this opening."""
        return self._inc

    @property
    def position(self) -> int:
        """The position of the newest record, 0 where there is none."""
        return self._position

    @property
    def seq(self) -> int:
        """The newest record's number in this incarnation."""
        return self._seq

    @property
    def head(self) -> str:
        """The newest record's hash; what the next one will commit to."""
        return self._head

    def record(self, drafts: Sequence[Draft]) -> tuple[Entry, ...]:
        """Append records in one commit. When this returns they survive a power cut.

        Raises JournalFull (nothing recorded, go on later) or JournalBroken (open it again: after a failed
        sync nobody knows what is on the disk).
        """
        if not self.has_room():
            raise JournalFull(f"less than {LOW_WATER_BYTES >> 20} MB are free")
        entries = self._place(drafts)
        self._commit([(_INSERT, (e.position, e.tid, e.hash, e.bytes)) for e in entries])
        if entries:
            self._position, self._seq, self._head = entries[-1].position, entries[-1].seq, entries[-1].hash
        return entries

    def settle(self, ack: Ack) -> int:
        """Mark what the core holds as settled, if it holds our bytes. Returns `settled_through`.

        The watermark counts only where our record at that number has the core's hash. A box restored from
        an old card may not have that record any more; then the echoed record speaks for all before it, as
        its hash commits to them.

        A core that misses a record which it held once was put back from an older copy. Then what it has lost
        is pending again: it is in this journal for ever, and what the core has after all is dropped there.
        """
        for seq, found in ((ack.wm, ack.head), (ack.echo_seq, ack.echo_hash)):
            if seq and found and self._hash_of(ack.inc, seq) == found:
                if seq > self._watermarks[ack.inc]:
                    self._mark(ack.inc, seq, found)
                break
        misses = ack.refused == Reason.SEQUENCE_GAP and ack.wm < self._watermarks.get(ack.inc, 0)
        if misses and (ack.wm == 0 or self._hash_of(ack.inc, ack.wm) == ack.head):
            self._mark(ack.inc, ack.wm, ack.head)
        return self.settled_through

    @property
    def settled_through(self) -> int:
        """The last position of which it and all before it are with the core."""
        for inc, first in self._firsts.items():
            if first + self._watermarks[inc] <= self._last_of(inc):
                return first + self._watermarks[inc] - 1
        return self._position

    def pending(self, after: int, limit: int) -> list[Entry]:
        """Up to `limit` records after a position, all of one incarnation, oldest first."""
        rows = self._rows(after, limit)
        entries = [self._entry(*row) for row in rows]
        return [entry for entry in entries if entry.inc == entries[0].inc]

    def entries(self) -> Iterator[Entry]:
        """Every record from the first on: what a till remembers is folded from these."""
        after = 0
        while rows := self._rows(after, 500):
            for row in rows:
                yield self._entry(*row)
            after = rows[-1][0]

    def find(self, tid: str) -> Entry | None:
        """The record of that id, or None. Raises JournalBroken."""
        try:
            row = self._connection.execute(_BY_TID, (tid,)).fetchone()
        except Exception as fault:
            if not self._medium.is_fault(fault):
                raise
            raise JournalBroken(f"the journal cannot be read: {fault}") from fault
        return self._entry(*row) if row is not None else None

    def has_room(self) -> bool:
        """Whether the disk is above its low water."""
        return self._medium.free_bytes() >= LOW_WATER_BYTES

    def oldest_pending_ms(self) -> int | None:
        """When the oldest record that the core lacks was made (the earliest it can have been)."""
        entries = self.pending(self.settled_through, 1)
        return Record.model_validate_json(entries[0].bytes).at[0] if entries else None

    def close(self) -> None:
        """Close the file. Nothing is flushed here that was not already safe."""
        self._connection.close()

    def _place(self, drafts: Sequence[Draft]) -> tuple[Entry, ...]:
        entries: list[Entry] = []
        head = self._head
        for offset, draft in enumerate(drafts, start=1):
            data = serialise(self._device, self._inc, self._seq + offset, head, draft)
            assert len(data) <= RECORD_BYTES_MAX, (
                f"a {draft.kind} of {len(data)} bytes: bound it where it is made"
            )
            head = digest(data)
            entries.append(
                Entry(self._position + offset, self._inc, self._seq + offset, draft.tid, head, data)
            )
        return tuple(entries)

    def _commit(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> None:
        committing = False
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for sql, parameters in statements:
                self._connection.execute(sql, parameters)
            committing = True
            self._connection.execute("COMMIT")
        except Exception as fault:
            if not self._medium.is_fault(fault):
                raise
            self._undo()
            # A commit that failed may have left its frames on the disk all the same. Whoever numbered on
            # in the same incarnation would give two records one number, once a copy of this moment's card
            # is put back. Before the commit nothing was promised to the log, and the number is free again.
            if self._medium.is_full(fault) and not committing:
                raise JournalFull("the disk is full") from fault
            raise JournalBroken(f"the journal could not be written: {fault}") from fault

    def _mark(self, inc: str, seq: int, found: str) -> None:
        self._commit([(_SETTLE, (seq, found, inc))])
        self._watermarks[inc] = seq

    def _undo(self) -> None:
        try:
            self._connection.execute("ROLLBACK")
        except Exception as fault:
            # SQLite has already rolled back by itself, or the file is gone: both are said by the caller.
            if not self._medium.is_fault(fault):
                raise

    def _load(self) -> None:
        known = list(self._connection.execute(_INCARNATIONS))
        for inc, first, _, _ in known:
            self._firsts[inc] = first
            self._order.append(inc)
            self._starts.append(first)
        row = self._connection.execute(_NEWEST).fetchone()
        if row is not None:
            self._position, self._head = row[0], row[1]
            self._seq = self._position - self._firsts[self._inc] + 1
        for inc, _, watermark, settled in known:
            # A watermark that does not stand on the record it was set for was changed by nobody of ours:
            # then all of the incarnation is sent again, and the core knows what it has.
            sound = watermark > 0 and self._hash_of(inc, watermark) == settled
            self._watermarks[inc] = watermark if sound else 0

    def _rows(self, after: int, limit: int) -> Sequence[Any]:
        try:
            return self._connection.execute(_PENDING, (after, limit)).fetchall()
        except Exception as fault:
            if not self._medium.is_fault(fault):
                raise
            raise JournalBroken(f"the journal cannot be read: {fault}") from fault

    def _last_of(self, inc: str) -> int:
        after = bisect_right(self._starts, self._firsts[inc])
        return self._starts[after] - 1 if after < len(self._starts) else self._position

    def _hash_of(self, inc: str, seq: int) -> str | None:
        first = self._firsts.get(inc)
        if first is None or first + seq - 1 > self._last_of(inc):
            return None
        rows = self._rows(first + seq - 2, 1)
        return rows[0][2] if rows and rows[0][0] == first + seq - 1 else None

    def _entry(self, position: int, tid: str, digest_: str, data: bytes) -> Entry:
        at = bisect_right(self._starts, position) - 1
        inc = self._order[at]
        return Entry(position, inc, position - self._firsts[inc] + 1, tid, digest_, bytes(data))


_INSERT = "INSERT INTO journal(position, tid, hash, bytes) VALUES (?, ?, ?, ?)"
_PENDING = "SELECT position, tid, hash, bytes FROM journal WHERE position>? ORDER BY position LIMIT ?"
_BY_TID = "SELECT position, tid, hash, bytes FROM journal WHERE tid=?"
_SETTLE = "UPDATE incarnation SET watermark=?, settled=? WHERE inc=?"
_INCARNATIONS = "SELECT inc, first, watermark, settled FROM incarnation ORDER BY position"
_NEWEST = "SELECT position, hash FROM journal ORDER BY position DESC LIMIT 1"


def serialise(device: str, inc: str, seq: int, prev: str, draft: Draft) -> bytes:
    """The bytes of a record: stored, hashed, sent, and never made a second time."""
    return canonical(
        {
            "v": VERSION,
            "dev": device,
            "inc": inc,
            "seq": seq,
            "tid": draft.tid,
            "kind": draft.kind,
            "at": [draft.at.lo_ms, draft.at.hi_ms],
            "prev": prev,
            "body": draft.body.model_dump(mode="json", exclude_none=True),
        }
    )


def open_journal(
    medium: Medium,
    *,
    device: str,
    incarnation: str,
    tid: str,
    at: TimeInterval,
    software: str = "",
    check: Callable[[Connection, str], None] | None = None,
) -> tuple[Journal, Opening]:
    """Open or make a journal, verify it, and begin a new incarnation with an `opened` record.

    `incarnation` must be drawn afresh at every opening: a restored old card then never numbers two
    different records alike. Raises JournalDamaged (set the file aside, keep it), JournalFull where there is
    no room for the opening record, and JournalBroken where the file cannot be reached: try again later.
    """
    connection = None
    try:
        connection = medium.connect()
        for statement in (*PRAGMAS, *SCHEMA):
            connection.execute(statement).fetchall()
        (check or verify)(connection, device)
        prior, first = _prior(connection)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO incarnation(inc, first) VALUES (?, ?)", (incarnation, first))
        draft = Draft(tid, "opened", prior.model_copy(update={"software": software}), at)
        data = serialise(device, incarnation, 1, genesis(device, incarnation, prior.prior_head), draft)
        connection.execute(_INSERT, (first, tid, digest(data), data))
        connection.execute("COMMIT")
    except Exception as fault:
        if connection is not None:
            with suppress(Exception):
                connection.close()
        if not medium.is_fault(fault):
            raise
        if medium.is_full(fault):
            raise JournalFull("there is no room to open the journal") from fault
        if medium.is_damage(fault):
            raise JournalDamaged(f"the journal is damaged: {fault}") from fault
        raise JournalBroken(f"the journal cannot be opened: {fault}") from fault
    opening = Opening(incarnation, prior.prior, prior.prior_seq, prior.prior_head)
    return Journal(connection, medium, device, incarnation), opening


def _prior(connection: Connection) -> tuple[Opened, int]:
    """What the new incarnation commits to, and its first position."""
    newest = connection.execute(_NEWEST).fetchone()
    last = connection.execute("SELECT inc, first FROM incarnation ORDER BY position DESC LIMIT 1").fetchone()
    if newest is None or last is None:
        return Opened(), 1
    return Opened(prior=last[0], prior_seq=newest[0] - last[1] + 1, prior_head=newest[1]), newest[0] + 1


def verify(connection: Connection, device: str) -> None:
    """Boot checks: SQLite's own, then the hash chain, which sees what they miss. Raises JournalDamaged.

    Measured on damaged files, quick_check alone saw 8 % of flipped bits, integrity_check 48 %, and
    integrity_check with the chain 95 % (the rest lay in free bytes).
    """
    answer = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if answer is None or answer[0] != "ok":
        raise JournalDamaged(f"SQLite's own check found: {answer and answer[0]}")
    try:
        _verify_chain(connection, device)
    except (TypeError, ValueError, OverflowError, MemoryError) as nonsense:
        # A flipped bit may make text of a number, or a gigabyte of a hash: no value is what it was.
        raise JournalDamaged(f"a value in it is nonsense: {nonsense}") from nonsense


def _verify_chain(connection: Connection, device: str) -> None:
    firsts = {first: inc for inc, first, _, _ in connection.execute(_INCARNATIONS)}
    unseen = set(firsts)
    head, expected = None, 1
    for position, _, stored, data in connection.execute(_PENDING, (0, -1)):
        unseen.discard(position)
        if position in firsts:
            prev = genesis(device, firsts[position], head)
        elif head is None:
            raise JournalDamaged("the first record belongs to no incarnation")
        else:
            prev = head
        if (
            position != expected
            or not isinstance(data, bytes)
            or digest(data) != stored
            or f'"prev":"{prev}"'.encode() not in data
        ):
            raise JournalDamaged(f"the chain breaks at position {position}")
        head, expected = stored, position + 1
    if unseen:
        raise JournalDamaged(f"{len(unseen)} starts of the box have lost their first record")
