"""How far the places of a fleet have come, and how its claims stand, as the board shows them. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, case, func, or_, select

from .fleet_board import HELD
from .fleet_lists import ClaimRow
from .reading import bounded
from .tables import binding, claim, claim_use, position

STAGES = ("planned", "claimed", "testing", "accepted")
"""A place has no claim yet; a claim and no box; a box that an engineer has not accepted; a box that stands."""


@dataclass(frozen=True, slots=True)
class StageRow:
    """One place on its way."""

    place: str
    title: str
    stage: str
    device: str
    tested: bool
    """Whether the box has reported its self-test."""
    since_ms: int


class Board(BaseModel):
    """How many places have come how far, and those that are not there yet."""

    now_ms: int
    counts: dict[str, int]
    places: list[StageRow]


def board(connection: Connection, now_ms: int, *, after: str = "", most: int = 100) -> Board:
    """The whole board, as programs get it."""
    rows = stage_rows(connection, now_ms, after=after, most=bounded(most))
    return Board(now_ms=now_ms, counts=stage_counts(connection, now_ms), places=rows)


def stage_counts(connection: Connection, now_ms: int) -> dict[str, int]:
    """How many places have come how far."""
    stage = _stage(now_ms).label("stage")
    places = select(stage).select_from(position.outerjoin(binding, HELD)).subquery()
    query = select(places.c.stage, func.count()).group_by(places.c.stage)
    found = {name: count for name, count in connection.execute(query)}
    return {name: found.get(name, 0) for name in STAGES}


def stage_rows(
    connection: Connection, now_ms: int, *, stage: str = "", after: str = "", most: int = 50
) -> list[StageRow]:
    """Places by name, of one stage or of all that are not there yet."""
    reached = _stage(now_ms)
    query = (
        select(
            position.c.name, position.c.title, reached, func.coalesce(binding.c.device, ""),
            binding.c.birth.is_not(None), func.coalesce(binding.c.since_ms, position.c.planned_ms),
        )
        .select_from(position.outerjoin(binding, HELD))
        .where(position.c.name > after, reached == stage if stage else reached != "accepted")
        .order_by(position.c.name)
        .limit(most)
    )  # fmt: skip
    return [StageRow(*row) for row in connection.execute(query)]


def claim_state(row: ClaimRow, now_ms: int) -> str:
    """How a claim stands: the first of these that is true is what a person wants to know."""
    if row.revoked_ms is not None:
        return "claim_revoked"
    if len(row.used_by) >= row.uses_max:
        return "claim_used"
    return "claim_expired" if row.not_after_ms < now_ms else "claim_open"


def _stage(now_ms: int) -> ColumnElement[Any]:
    uses = (
        select(func.count())
        .where(claim_use.c.token_hash == claim.c.token_hash)
        .correlate(claim)
        .scalar_subquery()
    )
    lets_in = (
        select(claim.c.number)
        .where(
            or_(claim.c.position == position.c.name, claim.c.position == position.c.store),
            claim.c.revoked_ms.is_(None),
            claim.c.not_after_ms >= now_ms,
            uses < claim.c.uses_max,
        )
        .correlate(position)
        .exists()
    )
    return case(
        (binding.c.accepted_ms.is_not(None), "accepted"),
        (binding.c.device.is_not(None), "testing"),
        (lets_in, "claimed"),
        else_="planned",
    )
