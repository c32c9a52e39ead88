"""The journal's thin port over apsw, and a medium on a CrashDisk."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import apsw

from tillbox.broker.journal import LOW_WATER_BYTES, Connection, JournalBroken, JournalDamaged

from .disk import CrashDisk, PowerCut
from .vfs import CrashVfs

NAME = "journal.db"


class ApswConnection:
    """An apsw connection with the surface that the journal uses."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Answer:
        """Run one statement; its rows are read at once, as the standard library's cursor may be left."""
        return Answer(self._connection.execute(sql, tuple(parameters)).fetchall())

    def close(self) -> None:
        """Close, or what is left of it after a power cut."""
        with contextlib.suppress(apsw.Error):
            self._connection.close(True)


class Answer:
    """The rows of one statement."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def fetchone(self) -> Any:
        return self._rows[0] if self._rows else None

    def fetchall(self) -> Sequence[Any]:
        return self._rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)


def open_apsw(vfs: CrashVfs, name: str, pragmas: Sequence[str] = ()) -> apsw.Connection:
    """A connection on a crash disk. Exclusive locking comes first: it keeps the log's index on the heap."""
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(name, flags=flags, vfs=vfs.name)
    for pragma in ("PRAGMA locking_mode=EXCLUSIVE", *pragmas):
        connection.execute(pragma).fetchall()
    return connection


class CrashMedium:
    """A box's medium on a crash disk."""

    def __init__(self, disk: CrashDisk) -> None:
        self.disk = disk
        self._vfs = CrashVfs(disk)
        self._last: ApswConnection | None = None

    def connect(self) -> Connection:
        if self._last is not None:
            self._last.close()
        self._last = ApswConnection(open_apsw(self._vfs, NAME))
        return self._last

    def close(self) -> None:
        """Close what is open and forget the file system."""
        if self._last is not None:
            self._last.close()
        self._vfs.unregister()

    def free_bytes(self) -> int:
        return self.disk.free_bytes() + LOW_WATER_BYTES

    def is_full(self, fault: BaseException) -> bool:
        return isinstance(fault, apsw.FullError)

    def is_fault(self, fault: BaseException) -> bool:
        return isinstance(fault, (apsw.Error, PowerCut, JournalBroken))

    def is_damage(self, fault: BaseException) -> bool:
        return isinstance(fault, (apsw.CorruptError, apsw.NotADBError, JournalDamaged))
