"""Print jobs, kept on the disk: in order, none lost, and none printed twice without a person's word.

A job is marked before its first byte goes out. If the power is cut then, nobody knows whether it is on paper; after
the boot it is *unknown*, and a person looks. This file holds the jobs and the table of their states; who prints them is
`printing.py`.
"""

from __future__ import annotations

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
    """One job. `what` says it to a person: receipt 42."""

    number: int
    what: str
    data: bytes
    state: PrintState


class Prints:
    """The jobs of one printer, in one file. Raises `sqlite3.Error` where the disk does."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = Database(sqlite3.connect(path, isolation_level=None, check_same_thread=False))
        for pragma in PRAGMAS:
            self._db.execute(pragma)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS job (number INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT NOT NULL, "
            "data BLOB NOT NULL, state TEXT NOT NULL)"
        )
        for job in self._where(PrintState.BEGUN):
            self.step(job, Step.POWER_CUT)

    def add(self, what: str, data: bytes) -> None:
        """Queue a job; it is on the disk when this returns. `PrintsFull` when too many wait."""
        if len(self._where(PrintState.QUEUED)) >= WAITING_MAX:
            raise PrintsFull
        with self._db.atomic():
            self._db.execute(
                "INSERT INTO job (what, data, state) VALUES (?, ?, ?)", [what, data, PrintState.QUEUED]
            )
            self._db.execute(
                "DELETE FROM job WHERE state IN (?, ?) AND number <= (SELECT max(number) FROM job) - ?",
                [PrintState.SENT, PrintState.CONFIRMED, KEPT_MAX],
            )

    def next(self) -> Job | None:
        """The oldest job that waits."""
        return next(iter(self._where(PrintState.QUEUED, 1)), None)

    def unknown(self) -> tuple[Job, ...]:
        """Jobs that a person has to look for."""
        return self._where(PrintState.UNKNOWN)

    def step(self, job: Job, step: Step) -> None:
        """Take a job one step on. What the table does not know is not done, and says False by doing nothing."""
        after = STEPS.get((job.state, step))
        if after is not None:
            self._db.execute(
                "UPDATE job SET state = ? WHERE number = ? AND state = ?", [after, job.number, job.state]
            )

    def find(self, number: int) -> Job | None:
        """One job by its number."""
        row = self._db.execute("SELECT * FROM job WHERE number = ?", [number]).fetchone()
        return Job(row[0], row[1], row[2], PrintState(row[3])) if row else None

    def state_of(self, what: str) -> PrintState | None:
        """Where the newest job of this name is; None if it is not known (any more)."""
        row = self._db.execute(
            "SELECT state FROM job WHERE what = ? ORDER BY number DESC LIMIT 1", [what]
        ).fetchone()
        return PrintState(row[0]) if row else None

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _where(self, state: PrintState, most: int = -1) -> tuple[Job, ...]:
        rows = self._db.execute("SELECT * FROM job WHERE state = ? ORDER BY number LIMIT ?", [state, most])
        return tuple(
            Job(number, what, data, PrintState(state)) for number, what, data, state in rows.fetchall()
        )
