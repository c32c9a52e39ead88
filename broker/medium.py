"""The box's own disk: a SQLite file by the standard library, with a reserve for the day it is full."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from .journal import Connection, JournalBroken

RESERVE_BYTES = 1024 * 1024
"""Kept aside beside the journal and given back on a full disk, so that settling and checkpoints go on."""


class FileMedium:
    """A journal file. The one connection both writes and checkpoints: SQLite before 3.51.3 can corrupt a
    write-ahead log that two connections reset (Debian 12 ships 3.40)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._folder = str(path.parent)
        self._reserve = path.with_suffix(".reserve")

    def connect(self) -> Connection:
        """Open the file, making its folder and its reserve where they are missing."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._keep_reserve()
        return sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)

    def free_bytes(self) -> int:
        """What the file system still has for this user."""
        room = os.statvfs(self._folder)
        return room.f_bavail * room.f_frsize

    def is_full(self, fault: BaseException) -> bool:
        """Whether a fault means a full disk. The reserve is given up then."""
        full = isinstance(fault, sqlite3.OperationalError) and fault.sqlite_errorcode == sqlite3.SQLITE_FULL
        if full:
            self._reserve.unlink(missing_ok=True)
        return full

    def is_fault(self, fault: BaseException) -> bool:
        """Whether a fault comes from the file and not from our own code."""
        return isinstance(fault, (sqlite3.Error, OSError, JournalBroken))

    def quarantine(self, stamp: str) -> Path:
        """Set a damaged journal aside for rescue; a new one may then be begun. Nothing is deleted."""
        aside = self.path.with_name(f"{self.path.name}.{stamp}.quarantine")
        for ending in ("", "-wal", "-shm"):
            part = Path(f"{self.path}{ending}")
            if part.exists():
                part.rename(f"{aside}{ending}")
        return aside

    def _keep_reserve(self) -> None:
        if self._reserve.exists() or self.free_bytes() < 4 * RESERVE_BYTES:
            return
        with self._reserve.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
