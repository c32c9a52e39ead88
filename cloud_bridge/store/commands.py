"""Commands in the database: made, sent, heard of, and over. What was heard is only ever added; how a command stands is
derived from it. It decides nothing that the table in contracts/commands.py does not say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, or_, select, update

from tillbox.contracts.commands import ENDS, MANY, NEXT, State
from tillbox.contracts.messages import CommandState
from tillbox.contracts.verdicts import Reason

from .tables import PRESENT, box, bulk, command, command_event


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the core is with a box that says nothing: a record is back within seconds, and a box that does not answer
    has a reason. One that is there says itself that a command has expired (`grace_ms`); its word is better than a guess."""

    again_ms: int = 15_000
    again_max_ms: int = 600_000
    grace_ms: int = 60_000


PACE = Pace()
SENT_AT_ONCE = 500
UNHEARD = "The box did not say in time that it had it."


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """New commands. `due_ms` is None where their turn has not come."""
    given = {"state": State.INIT.value, "reason": "", "sends": 0, "guessed": 0}
    if rows:
        connection.execute(insert(command), [{**given, **row} for row in rows])


def commanded(connection: Connection, who: str, since_ms: int) -> set[str]:
    """The boxes that a person commanded since then on their own word: what a second person approved is not counted, nor
    who is only watched."""
    query = (
        select(command.c.device)
        .distinct()
        .outerjoin(bulk, bulk.c.id == command.c.bulk)
        .where(command.c.made_by == who, command.c.made_ms > since_ms, bulk.c.approved_by.is_(None))
        .where(command.c.verb.in_(MANY))
    )
    return set(connection.execute(query).scalars())


def heard(connection: Connection, device: str, said: CommandState, now_ms: int) -> Reason | None:
    """What a box's own journal says of a command; why not, where it was none of its own."""
    row = connection.execute(_MEANT, {"id": said.command, "device": device}).one_or_none()
    if row is None:
        return Reason.COMMAND_UNKNOWN
    _note(connection, device, said, "box", now_ms)
    state = State(said.state)
    # Where the core only thought that it was over, the box knows better.
    before = State.INIT if row.guessed else State(row.state)
    if state not in NEXT[before] and not (state is before is State.INIT):
        return Reason.NOT_NOW
    columns: dict[str, Any] = {"state": state.value, "reason": said.reason, "guessed": 0}
    if state in ENDS:
        columns |= {"due_ms": None, "ended_ms": now_ms}
    elif row.guessed:
        columns |= {"ended_ms": None}
    connection.execute(update(command).where(command.c.id == said.command).values(**columns))
    return None


def due(connection: Connection, now_ms: int) -> list[Row[Any]]:
    """Commands to be sent now: to boxes that are there, when their wait is over, or they came up since the last time."""
    return list(connection.execute(_DUE, {"now": now_ms}))


def sent(connection: Connection, rows: Sequence[Row[Any]], now_ms: int, pace: Pace = PACE) -> None:
    """They are on their way; if nothing is heard they go again, ever more seldom."""
    values = [
        {
            "_id": row.id,
            "_sends": row.sends + 1,
            "_due": now_ms + min(pace.again_max_ms, pace.again_ms * 2 ** min(row.sends, 10)),
            "_now": now_ms,
        }
        for row in rows
    ]
    if values:
        connection.execute(_SENT, values)


def expire(connection: Connection, now_ms: int, pace: Pace = PACE) -> int:
    """Commands whose box said nothing of them in time are over, as far as the core can know. How many that are."""
    rows = connection.execute(_UNHEARD, {"end": now_ms - pace.grace_ms}).all()
    _end(connection, rows, UNHEARD, now_ms)
    return len(rows)


def call_off(connection: Connection, bulk_id: str, why: str, now_ms: int) -> int:
    """End what of a bulk was not sent yet, also what is due for a box that is off; what was sent is not sent again. How many
    were ended."""
    open_ = (command.c.bulk == bulk_id) & command.c.ended_ms.is_(None)
    rows = connection.execute(select(command).where(open_, command.c.sends == 0)).all()
    _end(connection, rows, why, now_ms)
    unheard = open_ & (command.c.state == State.INIT.value)
    connection.execute(update(command).where(unheard).values(due_ms=None))
    return len(rows)


def _end(connection: Connection, rows: Sequence[Row[Any]], why: str, now_ms: int) -> None:
    for row in rows:
        said = CommandState(command=row.id, verb=row.verb, state="expired", reason=why[:160])
        _note(connection, row.device, said, "core", now_ms)
        columns = {
            "state": "expired",
            "reason": said.reason,
            "guessed": 1,
            "due_ms": None,
            "ended_ms": now_ms,
        }
        connection.execute(update(command).where(command.c.id == row.id).values(**columns))


def _note(connection: Connection, device: str, said: CommandState, told_by: str, now_ms: int) -> None:
    row = {
        "command": said.command,
        "device": device,
        "told_by": told_by,
        "state": said.state,
        "reason": said.reason,
        "result": said.result.encode(),
        "part": said.part,
        "at_ms": now_ms,
    }
    connection.execute(insert(command_event), row)


# bulks


def running(connection: Connection) -> list[Row[Any]]:
    """Bulks that are under way."""
    return list(connection.execute(_RUNNING))


def tally(connection: Connection, bulks: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many of each bulk's commands stand how, as far as its waves were let go; `open` are those that have not ended."""
    is_open = command.c.ended_ms.is_(None)
    query = (
        select(command.c.bulk, command.c.state, is_open, func.count())
        .join(bulk, bulk.c.id == command.c.bulk)
        .where(command.c.bulk.in_(bulks), command.c.wave <= bulk.c.wave)
        .group_by(command.c.bulk, command.c.state, is_open)
    )
    found: dict[str, dict[str, int]] = {name: {"open": 0} for name in bulks}
    for name, state, is_so, count in connection.execute(query):
        found[name][state] = found[name].get(state, 0) + count
        found[name]["open"] += count if is_so else 0
    return found


def release(connection: Connection, bulk_id: str, wave: int, now_ms: int) -> int:
    """Let a wave go. How many boxes it has."""
    held = command.c.due_ms.is_(None) & command.c.ended_ms.is_(None)
    mine = (command.c.bulk == bulk_id) & (command.c.wave == wave) & held
    count = connection.execute(update(command).where(mine).values(due_ms=now_ms)).rowcount
    change_bulk(connection, bulk_id, wave=wave, wave_ms=now_ms)
    return count


def change_bulk(connection: Connection, bulk_id: str, **columns: Any) -> None:
    """How a bulk stands now."""
    connection.execute(update(bulk).where(bulk.c.id == bulk_id).values(**columns))


_MEANT = select(command.c.state, command.c.guessed).where(
    command.c.id == bindparam("id"), command.c.device == bindparam("device")
)
# The core looks every round: these are put together once.
_DUE = (
    select(command.c.id, command.c.device, command.c.sealed, command.c.sends)
    .join(box, and_(box.c.device == command.c.device, box.c.state.in_(PRESENT)))
    .where(
        command.c.due_ms.is_not(None),
        command.c.expires_ms > bindparam("now"),
        or_(
            command.c.due_ms <= bindparam("now"),
            command.c.sent_ms.is_(None),
            # Hours that are still to come are of a clock that was set back since.
            and_(command.c.sent_ms < box.c.since_ms, box.c.since_ms <= bindparam("now")),
            command.c.sent_ms > bindparam("now"),
        ),
        command.c.state != State.EXECUTING.value,
    )
    .order_by(command.c.made_ms, command.c.id)
    .limit(SENT_AT_ONCE)
)
_UNHEARD = (
    select(command)
    .where(
        command.c.state.in_((State.INIT.value, State.BLOCKED.value)),
        command.c.ended_ms.is_(None),
        command.c.expires_ms < bindparam("end"),
    )
    .limit(SENT_AT_ONCE)
)
_RUNNING = select(bulk).where(bulk.c.state == "running").order_by(bulk.c.made_ms)
_SENT = (
    update(command)
    .where(command.c.id == bindparam("_id"), command.c.due_ms.is_not(None))
    .values(sends=bindparam("_sends"), due_ms=bindparam("_due"), sent_ms=bindparam("_now"))
)
