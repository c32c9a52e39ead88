"""The box's own disk: a SQLite file by the standard library, with a reserve for the day it is full."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import sqlite3
from pathlib import Path

from .journal import Connection, JournalBroken, JournalDamaged

RESERVE_BYTES = 1024 * 1024
"""Kept aside beside the journal and given back on a full disk, so that settling and checkpoints go on."""
CRAMPED_BYTES = 256 * 1024
"""Less than a log and its index need to begin with."""


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
        if not self.path.exists():
            # What a quarantine left that was cut short: it has these under its own name already, and SQLite
            # would read an old log into a new file.
            for ending in ("-wal", "-shm"):
                Path(f"{self.path}{ending}").unlink(missing_ok=True)
        self._keep_reserve()
        return sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)

    def free_bytes(self) -> int:
        """What the file system still has for this user."""
        room = os.statvfs(self._folder)
        return room.f_bavail * room.f_frsize

    def is_full(self, fault: BaseException) -> bool:
        """Whether a fault means a full disk. The reserve is given up then.

        SQLite says "full" only of the files it writes. Where it cannot make its log or its index for want of
        room it says that it cannot open, or that the disk has a fault.
        """
        code = _code(fault)
        full = code == sqlite3.SQLITE_FULL or (
            code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and self.free_bytes() < CRAMPED_BYTES
        )
        if full or getattr(fault, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            self._reserve.unlink(missing_ok=True)
            return True
        return False

    def is_fault(self, fault: BaseException) -> bool:
        """Whether a fault comes from the file and not from our own code (a name that is no text any more, too)."""
        return isinstance(fault, (sqlite3.Error, OSError, UnicodeDecodeError, JournalBroken))

    def is_damage(self, fault: BaseException) -> bool:
        """Whether what stands in the file is wrong, and not only out of reach."""
        damaged = sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB
        return isinstance(fault, (JournalDamaged, UnicodeDecodeError)) or _code(fault) in damaged

    def quarantine(self, stamp: str) -> Path:
        """Set a damaged journal aside for rescue; a new one may then be begun. Nothing is deleted, and a power
        cut in the middle leaves the journal where it was, or whole under its new name."""
        aside = self._free_name(stamp)
        log = Path(f"{self.path}-wal")
        if log.exists():
            try:
                os.link(log, f"{aside}-wal")
            except OSError:  # a file system that knows no links
                shutil.copyfile(log, f"{aside}-wal")
        self.path.rename(aside)
        log.unlink(missing_ok=True)
        Path(f"{self.path}-shm").unlink(missing_ok=True)
        return aside

    def _free_name(self, stamp: str) -> Path:
        """A box without a battery may bear one hour twice."""
        for number in itertools.count():
            name = f"{self.path.name}.{stamp}{f'-{number}' if number else ''}.quarantine"
            aside = self.path.with_name(name)
            if not aside.exists() and not Path(f"{aside}-wal").exists():
                return aside
        raise AssertionError("there is always another number")

    def _keep_reserve(self) -> None:
        if self._reserve.exists() or self.free_bytes() < 4 * RESERVE_BYTES:
            return
        with self._reserve.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)


def _code(fault: BaseException) -> int | None:
    """The primary result code of a SQLite fault (the extended ones share its lowest byte)."""
    code = getattr(fault, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
