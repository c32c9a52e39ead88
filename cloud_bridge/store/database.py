"""Open the core's database and give transactions. One writer at a time, on either dialect.

SQLite has one writer by nature. On PostgreSQL an advisory lock gives the same, so that reading balances
and posting against them can never interleave with another writer; shards with a worker each come later.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import StaticPool

from .append_only import protect
from .tables import APPEND_ONLY, metadata
from .upgrade import upgrade

PRAGMAS = (
    # EXTRA before WAL, as in the box's journal and for the same reason.
    "PRAGMA synchronous=EXTRA",
    "PRAGMA journal_mode=WAL",
    "PRAGMA mmap_size=0",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA busy_timeout=5000",
)
_WRITER_LOCK = 0x7111B0  # the advisory lock of every writer of one database


class Database:
    """One core database: an engine that writes and, where there are several connections, one that reads."""

    def __init__(self, writer: Engine, reader: Engine | None = None) -> None:
        self._write, self._read = writer, reader
        self._writer = threading.RLock()
        if writer.dialect.name == "sqlite":
            event.listen(writer, "connect", _prepare_sqlite)
            event.listen(writer, "begin", _begin_sqlite)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._write.dialect.name

    def upgrade(self) -> None:
        """Bring the tables up to date. Raises StoreUnknown where newer software has been here."""
        with self.writing() as connection:
            upgrade(connection)

    def create(self) -> None:
        """Make today's tables at once in an empty database. What has a past is upgraded instead."""
        with self.writing() as connection:
            metadata.create_all(connection)
            for table in APPEND_ONLY:
                protect(connection, table.name)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write: committed at the end, rolled back by an exception."""
        with self._writer, self._write.begin() as connection:
            if self.dialect == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITER_LOCK})
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent snapshot to read from."""
        if self._read is None:
            with self.writing() as connection:
                yield connection
            return
        with self._read.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection, the writer last: SQLite then puts its log into the file, which is whole alone."""
        if self._read is not None:
            self._read.dispose()
        self._write.dispose()


def database_file(url: str | URL) -> Path | None:
    """The file of a SQLite database; None for one in memory or on a server."""
    address = make_url(url)
    named = address.get_backend_name() == "sqlite" and address.database not in (None, "", ":memory:")
    return Path(str(address.database)) if named else None


def open_database(url: str | URL) -> Database:
    """The database at `sqlite:///path` or `postgresql+psycopg://…`, made ready."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        database = _open_sqlite(address)
    else:
        # A server that was restarted is noticed before a transaction begins, not in the middle of one.
        engine = create_engine(address, pool_size=4, max_overflow=4, pool_pre_ping=True)
        database = Database(engine, engine.execution_options(isolation_level="REPEATABLE READ"))
    try:
        database.upgrade()
    except BaseException:
        database.close()
        raise
    return database


def _open_sqlite(address: URL) -> Database:
    """One connection writes and checkpoints; the others are read-only (SQLite before 3.51.3 may corrupt a
    write-ahead log that two connections reset)."""
    shared = {"check_same_thread": False}
    writer = create_engine(address, poolclass=StaticPool, connect_args=shared)
    if not address.database or address.database == ":memory:":
        return Database(writer)
    reader = create_engine(f"sqlite:///file:{address.database}?mode=ro&uri=true", connect_args=shared)
    event.listen(reader, "connect", _prepare_reader)
    event.listen(reader, "begin", _begin_reading)
    return Database(writer, reader)


def add(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all name the same columns."""
    _put(connection, table, rows, ())


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *keys: str) -> None:
    """Insert rows, or overwrite those with the same keys. For derived tables only."""
    _put(connection, table, rows, keys)


def _put(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], keys: tuple[str, ...]) -> None:
    """The driver gets the rows as they are: SQLAlchemy would look at every value of every row again, 10 to 14 % of what a
    record costs. So no column has a type or a default that is SQLAlchemy's own doing; a test looks."""
    if not rows:
        return
    sql, order = _statement(connection.dialect.name, table, tuple(rows[0]), keys)
    connection.exec_driver_sql(
        sql, [tuple(row[name] for name in order) for row in rows] if order else list(rows)
    )


_DIALECTS = {
    name: make_url(f"{driver}://").get_dialect()()
    for name, driver in (("sqlite", "sqlite"), ("postgresql", "postgresql+psycopg"))
}


@cache
def _statement(
    dialect: str, table: Table, columns: tuple[str, ...], keys: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """The SQL, and in which order its values go where they go by place."""
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    if keys:
        fresh = {name: statement.excluded[name] for name in columns if name not in keys}
        statement = statement.on_conflict_do_update(index_elements=list(keys), set_=fresh)
    compiled = statement.compile(dialect=_DIALECTS[dialect], column_keys=list(columns))
    return str(compiled), tuple(compiled.positiontup or ())


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # SQLAlchemy's "begin" below starts transactions; the driver must not start its own.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma).fetchall()
    cursor.close()


def _prepare_reader(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("PRAGMA mmap_size=0")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    # Without this every statement would see a database of its own, and a page might not add up.
    connection.exec_driver_sql("BEGIN")
