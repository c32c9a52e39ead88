"""Print jobs, kept on the disk: in order, none lost, and none printed twice without a person's word.

A job is marked before its first byte goes out. If the power is cut then, nobody knows whether it is on paper; after
the boot it is *unknown*, and a person looks. This file holds the jobs and the table of their states; who prints them is
`printing.py`.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlite_utils import Database

from tillbox.broker.journal import PRAGMAS
from tillbox.hardware.ports import PrintEnd

WAITING_MAX = 100  # a printer that is a hundred slips behind is out of paper since an hour, and said so
KEPT_MAX = 200  # finished jobs that support can look at


class PrintState(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    BEGUN = "begun"  # its bytes may be on their way
    SENT = "sent"  # taken by a printer that cannot say more
    CONFIRMED = "confirmed"  # on paper, by the printer's word or a person's
    UNKNOWN = "unknown"  # perhaps on paper: a person has to look


class Step(StrEnum):
    """What happens to a job."""

    BEGIN = "begin"
    FAILED = "failed"
    SENT = "sent"
    CONFIRMED = "confirmed"
    UNKNOWN = "unknown"
    POWER_CUT = "power_cut"
    SEEN = "seen"  # a person: it is on paper
    MISSING = "missing"  # a person: it is not


STEPS: dict[tuple[PrintState, Step], PrintState] = {
    (PrintState.QUEUED, Step.BEGIN): PrintState.BEGUN,
    (PrintState.BEGUN, Step.FAILED): PrintState.QUEUED,
    (PrintState.BEGUN, Step.SENT): PrintState.SENT,
    (PrintState.BEGUN, Step.CONFIRMED): PrintState.CONFIRMED,
    (PrintState.BEGUN, Step.UNKNOWN): PrintState.UNKNOWN,
    (PrintState.BEGUN, Step.POWER_CUT): PrintState.UNKNOWN,
    (PrintState.UNKNOWN, Step.SEEN): PrintState.CONFIRMED,
    (PrintState.UNKNOWN, Step.MISSING): PrintState.QUEUED,
}
"""A job's whole life. What has no row does not happen: a job that is on paper is never printed again."""

STEP_OF: dict[PrintEnd, Step] = {
    PrintEnd.SENT: Step.SENT,
    PrintEnd.CONFIRMED: Step.CONFIRMED,
    PrintEnd.UNKNOWN: Step.UNKNOWN,
    PrintEnd.FAILED: Step.FAILED,
}


class PrintsFull(Exception):
    """Too many jobs wait; the printer has been out of order for long."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `kind` and `ref` name it: receipt 42, void 42; `ordered` is another program's, by its own id."""

    number: int
    kind: str
    ref: str
    data: bytes
    state: PrintState


class Prints:
    """The jobs of one printer, in one file. Raises `sqlite3.Error` where the disk does."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = Database(sqlite3.connect(path, isolation_level=None, check_same_thread=False))
        for pragma in PRAGMAS:
            self._db.execute(pragma)
        with self._db.atomic():
            self._make()
        for job in self._where(PrintState.BEGUN):
            self.step(job, Step.POWER_CUT)

    def _make(self) -> None:
        """The table, and in it what an older version, which kept kind and reference in one word, had left waiting."""
        older = "what" in {row[1] for row in self._db.execute("PRAGMA table_info(job)").fetchall()}
        if older:
            self._db.execute("ALTER TABLE job RENAME TO job_before")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS job (number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, "
            "ref TEXT NOT NULL, hash TEXT NOT NULL, data BLOB NOT NULL, state TEXT NOT NULL)"
        )
        # What another program ordered is printed once for its id, however often and however fast it is asked for.
        self._db.execute("CREATE UNIQUE INDEX IF NOT EXISTS ordered ON job (ref) WHERE kind = 'ordered'")
        if older:
            for number, what, data, state in self._db.execute(
                "SELECT * FROM job_before ORDER BY number"
            ).fetchall():
                kind, _, ref = what.partition(" ")
                self._db.execute(
                    "INSERT OR IGNORE INTO job (number, kind, ref, hash, data, state) VALUES (?, ?, ?, ?, ?, ?)",
                    [number, kind, ref, hashlib.sha256(data).hexdigest(), data, state],
                )
            self._db.execute("DROP TABLE job_before")

    def add(self, kind: str, ref: str, data: bytes) -> bool:
        """Queue a job; it is on the disk when this returns. False for what was ordered before under this id, as other bytes;
        as the same bytes it is there already. `PrintsFull` when too many wait."""
        digest = hashlib.sha256(data).hexdigest()
        with self._db.atomic():
            before = self._db.execute(
                "SELECT hash FROM job WHERE kind = 'ordered' AND kind = ? AND ref = ?", [kind, ref]
            ).fetchone()
            if before is not None:
                return bool(before[0] == digest)
            if len(self._where(PrintState.QUEUED)) >= WAITING_MAX:
                raise PrintsFull
            self._db.execute(
                "INSERT INTO job (kind, ref, hash, data, state) VALUES (?, ?, ?, ?, ?)",
                [kind, ref, digest, data, PrintState.QUEUED],
            )
            done = [PrintState.SENT, PrintState.CONFIRMED, KEPT_MAX]
            old = "state IN (?, ?) AND number <= (SELECT max(number) FROM job) - ?"
            self._db.execute(f"DELETE FROM job WHERE kind != 'ordered' AND {old}", done)  # noqa: S608 - our own words
            self._db.execute(f"UPDATE job SET data = x'' WHERE {old}", done)  # noqa: S608
        return True

    def next(self) -> Job | None:
        """The oldest job that waits."""
        return next(iter(self._where(PrintState.QUEUED, 1)), None)

    def unknown(self) -> tuple[Job, ...]:
        """Jobs that a person has to look for."""
        return self._where(PrintState.UNKNOWN)

    def step(self, job: Job, step: Step) -> None:
        """Take a job one step on. What the table does not know is not done."""
        after = STEPS.get((job.state, step))
        if after is not None:
            self._db.execute(
                "UPDATE job SET state = ? WHERE number = ? AND state = ?", [after, job.number, job.state]
            )

    def find(self, number: int) -> Job | None:
        """One job by its number."""
        row = self._db.execute(f"{_JOB} WHERE number = ?", [number]).fetchone()
        return _job(row) if row else None

    def state_of(self, ref: str) -> PrintState | None:
        """Where what another program ordered under this id is; None if nothing was."""
        row = self._db.execute("SELECT state FROM job WHERE kind = 'ordered' AND ref = ?", [ref]).fetchone()
        return PrintState(row[0]) if row else None

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _where(self, state: PrintState, most: int = -1) -> tuple[Job, ...]:
        rows = self._db.execute(f"{_JOB} WHERE state = ? ORDER BY number LIMIT ?", [state, most])
        return tuple(_job(row) for row in rows.fetchall())


_JOB = "SELECT number, kind, ref, data, state FROM job"


def _job(row: tuple[int, str, str, bytes, str]) -> Job:
    number, kind, ref, data, state = row
    return Job(number, kind, ref, data, PrintState(state))
