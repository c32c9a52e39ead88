"""The lists of the fleet: places with their boxes, claims, one box's whole story, and who did what. Reads only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, Select, and_, func, or_, select

from tillbox.cloud_bridge.fleet.missing import Gap, missing

from .reading import bounded
from .tables import PRESENT, audit, binding, box, certificate, claim, claim_use, device, position
from .tables import photo as photo_table


class PlaceRow(BaseModel):
    """One place, and the box that stands there now."""

    position: str
    title: str
    group: str
    epoch: int
    device: str | None
    accepted_ms: int | None
    state: str | None
    heard_ms: int | None
    pending: int | None
    oldest_pending_ms: int | None


class ClaimRow(BaseModel):
    """One claim: who made it, for what, until when, and whom it let in."""

    number: int
    position: str
    uses_max: int
    used_by: list[str]
    replaces: bool
    made_by: str
    made_ms: int
    not_after_ms: int
    revoked_ms: int | None


class BindingRow(BaseModel):
    """One epoch of a place."""

    position: str
    epoch: int
    device: str
    since_ms: int
    accepted_ms: int | None
    accepted_by: str | None
    fenced_ms: int | None
    closed_ms: int | None
    why_ended: str


class BoxStory(BaseModel):
    """A box: what it is, where it stood, its certificate, and its self-test as it was born."""

    device: str
    state: str
    hardware: str
    software: str
    enrolled_ms: int
    certificate_until_ms: int | None
    bindings: list[BindingRow]
    birth: dict[str, Any] | None
    missing: list[Gap]
    """Records that are known to exist and are not here."""


class AuditRow(BaseModel):
    """Who did what."""

    id: int
    at_ms: int
    who: str
    act: str
    subject: str
    detail: str


_PLACES: Select[Any] = (
    select(
        position.c.name,
        position.c.title,
        position.c.store_group,
        position.c.epoch,
        binding.c.device,
        binding.c.accepted_ms,
        box.c.state,
        box.c.heard_ms,
        box.c.telemetry,
    )
    .outerjoin(binding, and_(binding.c.position == position.c.name, binding.c.fenced_ms.is_(None)))
    .outerjoin(box, box.c.device == binding.c.device)
)


def places(connection: Connection, *, search: str = "", after: str = "", most: int = 100) -> list[PlaceRow]:
    """Places by name, those after one that was seen; `search` is a part of a name, a title or a device."""
    query = _PLACES.where(position.c.name > after).order_by(position.c.name).limit(bounded(most))
    if search:
        columns = (position.c.name, position.c.title, binding.c.device)
        query = query.where(or_(*(one.icontains(search, autoescape=True) for one in columns)))
    return [_place(row) for row in connection.execute(query)]


def _place(row: Any) -> PlaceRow:
    health = json.loads(row.telemetry or b"{}")
    return PlaceRow(
        position=row.name,
        title=row.title,
        group=row.store_group,
        epoch=row.epoch,
        device=row.device,
        accepted_ms=row.accepted_ms,
        state="online" if row.state in PRESENT else row.state,
        heard_ms=row.heard_ms,
        pending=health.get("pending"),
        oldest_pending_ms=health.get("oldest_pending_ms"),
    )


def claims(connection: Connection, *, before: int | None = None, most: int = 100) -> list[ClaimRow]:
    """The newest first; `before` is the number of the last one that was seen."""
    query = select(claim).order_by(claim.c.number.desc()).limit(bounded(most))
    if before is not None:
        query = query.where(claim.c.number < before)
    rows = list(connection.execute(query))
    uses: dict[str, list[str]] = {}
    hashes = [row.token_hash for row in rows]
    for use in connection.execute(select(claim_use).where(claim_use.c.token_hash.in_(hashes))):
        uses.setdefault(use.token_hash, []).append(use.device)
    return [
        ClaimRow(
            number=row.number,
            position=row.position,
            uses_max=row.uses_max,
            used_by=uses.get(row.token_hash, []),
            replaces=bool(row.replaces),
            made_by=row.made_by,
            made_ms=row.made_ms,
            not_after_ms=row.not_after_ms,
            revoked_ms=row.revoked_ms,
        )
        for row in rows
    ]


def box_story(connection: Connection, name: str) -> BoxStory | None:
    """One box; None where it never enrolled."""
    row = connection.execute(select(device).where(device.c.device == name)).one_or_none()
    if row is None:
        return None
    bindings = list(
        connection.execute(
            select(binding).where(binding.c.device == name).order_by(binding.c.since_ms.desc())
        )
    )
    newest = select(func.max(certificate.c.not_after_ms)).where(
        certificate.c.device == name, certificate.c.revoked_ms.is_(None)
    )
    birth = next((one.birth for one in bindings if one.birth), None)
    return BoxStory(
        device=name,
        state=row.state,
        hardware=row.hardware,
        software=row.software,
        enrolled_ms=row.enrolled_ms,
        certificate_until_ms=connection.execute(newest).scalar(),
        bindings=[BindingRow.model_validate(one, from_attributes=True) for one in bindings],
        birth=json.loads(birth) if birth else None,
        missing=missing(connection, name),
    )


class PhotoRow(BaseModel):
    """How a box stood, and who took the picture."""

    position: str
    taken_by: str
    at_ms: int


def photo_row(connection: Connection, name: str) -> PhotoRow | None:
    """The newest photograph of a box, without the picture itself."""
    column = photo_table.c
    query = select(column.position, column.taken_by, column.at_ms).where(column.device == name)
    row = connection.execute(query.order_by(column.at_ms.desc()).limit(1)).first()
    return PhotoRow.model_validate(row, from_attributes=True) if row else None


def photo(connection: Connection, name: str) -> bytes | None:
    """The newest photograph of a box, as JPEG."""
    query = select(photo_table.c.jpeg).where(photo_table.c.device == name)
    return connection.execute(query.order_by(photo_table.c.at_ms.desc()).limit(1)).scalar()


def audit_rows(
    connection: Connection,
    *,
    before: int | None = None,
    subject: str | Sequence[str] = "",
    who: str = "",
    most: int = 100,
) -> list[AuditRow]:
    """The newest first, about one subject or several, by one person and keys of theirs; `before` is the last row that was seen."""
    query = select(audit).order_by(audit.c.id.desc()).limit(bounded(most))
    if before is not None:
        query = query.where(audit.c.id < before)
    if subject:
        query = query.where(audit.c.subject.in_([subject] if isinstance(subject, str) else subject))
    if who:
        query = query.where((audit.c.who == who) | audit.c.who.endswith(f" of {who}", autoescape=True))
    return [AuditRow.model_validate(row, from_attributes=True) for row in connection.execute(query)]
