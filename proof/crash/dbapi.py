"""A small PEP 249 module over apsw, so that SQLAlchemy's SQLite dialect can run on a CrashDisk.

It offers what that dialect uses with transactions begun explicitly, and not a line more.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import apsw

apilevel = "2.0"
threadsafety = 1
paramstyle = "qmark"
sqlite_version = apsw.sqlite_lib_version()
sqlite_version_info = tuple(int(part) for part in sqlite_version.split("."))
PARSE_DECLTYPES = sqlite3.PARSE_DECLTYPES
PARSE_COLNAMES = sqlite3.PARSE_COLNAMES
Binary = memoryview

Error = apsw.Error
DatabaseError = apsw.Error
InterfaceError = apsw.Error
OperationalError = apsw.Error
IntegrityError = apsw.ConstraintError
InternalError = apsw.Error
ProgrammingError = apsw.Error
NotSupportedError = apsw.Error
DataError = apsw.Error


class Connection:
    """A connection in autocommit mode: whoever wants a transaction says BEGIN."""

    isolation_level: str | None = None

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def cursor(self, *_: Any) -> Cursor:
        return Cursor(self._connection)

    def commit(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")

    def rollback(self) -> None:
        # After a power cut there is nothing left to roll back.
        with contextlib.suppress(apsw.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        with contextlib.suppress(apsw.Error):
            self._connection.close(True)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        return self.cursor().execute(sql, parameters)

    def create_function(self, name: str, narg: int, func: Any, **_: Any) -> None:
        self._connection.create_scalar_function(name, func, narg)


class Cursor:
    """A cursor that reads its rows at once."""

    arraysize = 1
    lastrowid: int | None = None
    rowcount = -1

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Sequence[Any] | None = None

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        described: Sequence[Any] = ()

        def look(running: apsw.Cursor, _: str, __: Any) -> bool:
            # The columns of an answer without rows can be asked for only before the first step.
            nonlocal described
            described = running.get_description()
            return True

        cursor = self._connection.cursor()
        cursor.exec_trace = look
        cursor.execute(sql, tuple(parameters))
        self.description = [(name, *(None,) * 6) for name, _ in described] if described else None
        self._rows = cursor.fetchall()
        if not described:
            self.lastrowid = self._connection.last_insert_rowid()
            self.rowcount = self._connection.changes()
        return self

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> Cursor:
        self._connection.cursor().executemany(sql, [tuple(row) for row in rows])
        self._rows, self.description = [], None
        return self

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        some, self._rows = self._rows[: size or self.arraysize], self._rows[size or self.arraysize :]
        return some

    def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    def close(self) -> None:
        self._rows = []
