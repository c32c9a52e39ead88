"""The recordings of remote shells: written as they happen, read as a whole. It knows nothing of terminals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from .tables import command, command_event, shell_chunk

READ_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a recording; `way` as in contracts/casts.py, `at_ms` by the core's clock."""

    way: str
    data: bytes
    at_ms: int


@dataclass(frozen=True, slots=True)
class Stands:
    """How the command of a shell stands. `answer` is what its box said when it began."""

    state: str
    reason: str
    answer: str


@dataclass(frozen=True, slots=True)
class ShellRow:
    """A shell that was recorded: its command, when it was asked for, and by whom."""

    shell: str
    made_ms: int
    made_by: str


def add(connection: Connection, shell: str, chunks: Sequence[Chunk]) -> None:
    """More of a recording."""
    rows = [{"shell": shell, "way": one.way, "data": one.data, "at_ms": one.at_ms} for one in chunks]
    if rows:
        connection.execute(insert(shell_chunk), rows)


def chunks(connection: Connection, shell: str) -> Iterator[Chunk]:
    """A recording from its beginning."""
    query = select(shell_chunk.c.way, shell_chunk.c.data, shell_chunk.c.at_ms)
    of_it = query.where(shell_chunk.c.shell == shell).order_by(shell_chunk.c.id)
    for row in connection.execution_options(yield_per=READ_AT_ONCE).execute(of_it):
        yield Chunk(row.way, row.data, row.at_ms)


def stands(connection: Connection, shell: str) -> Stands | None:
    """How it stands by what was heard of it; None where nobody commanded it."""
    row = connection.execute(
        select(command.c.state, command.c.reason).where(command.c.id == shell)
    ).one_or_none()
    if row is None:
        return None
    began = (command_event.c.command == shell) & (command_event.c.state == "executing")
    first = select(command_event.c.result).where(began).order_by(command_event.c.id).limit(1)
    answer = connection.execute(first).scalar()
    return Stands(row.state, row.reason, answer.decode() if answer else "")


def last_of(connection: Connection, device: str, *, most: int) -> list[ShellRow]:
    """The newest shells of a box that were recorded."""
    recorded = select(shell_chunk.c.id).where(shell_chunk.c.shell == command.c.id).exists()
    query = (
        select(command.c.id, command.c.made_ms, command.c.made_by)
        .where(command.c.device == device, command.c.verb == "shell", recorded)
        .order_by(command.c.made_ms.desc(), command.c.id.desc())
        .limit(most)
    )
    return [ShellRow(row.id, row.made_ms, row.made_by) for row in connection.execute(query)]
