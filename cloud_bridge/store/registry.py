"""The registry of the fleet in the database: places, claims, boxes, bindings and certificates. It decides nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from tillbox.cloud_bridge.fleet.admission import Claim, Known, Standing, Use

from .database import upsert
from .tables import PRESENT, binding, box, certificate, claim, claim_use, device, position


def token_hash(token: bytes) -> str:
    """A claim's key in the tables: a stolen database lets no box in."""
    return hashlib.sha256(token).hexdigest()


def known(connection: Connection, name: str, token: bytes | None) -> Known:
    """What is known of a box that asks, and of its claim."""
    found = _claim(connection, token_hash(token)) if token is not None else None
    lanes = found.lanes if found else ()
    held = select(binding.c.position, binding.c.device).where(
        binding.c.position.in_(lanes), binding.c.fenced_ms.is_(None)
    )
    holders: dict[str, str] = {key: value for key, value in connection.execute(held)}
    return Known(standing(connection, name), found, holders)


def standing(connection: Connection, name: str) -> Standing | None:
    """Where a box stands, or None where nobody knows it."""
    row = connection.execute(select(device.c.state).where(device.c.device == name)).one_or_none()
    if row is None:
        return None
    newest = bound(connection, name)
    return Standing(row.state, newest.position, newest.fenced_ms) if newest else Standing(row.state)


def bound(connection: Connection, name: str) -> Row[Any] | None:
    """The newest binding of a box."""
    query = select(binding).where(binding.c.device == name)
    return connection.execute(query.order_by(binding.c.since_ms.desc(), binding.c.epoch.desc())).first()


def is_online(connection: Connection, name: str) -> bool:
    """Whether a box is there, as far as anybody knows."""
    return connection.execute(select(box.c.state).where(box.c.device == name)).scalar() in PRESENT


def holder(connection: Connection, place: str) -> Row[Any] | None:
    """The binding that a place has now."""
    query = select(binding).where(binding.c.position == place, binding.c.fenced_ms.is_(None))
    return connection.execute(query).one_or_none()


def plan(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Places that are to be; those that are there get their title and group anew."""
    there = {
        row.name: row
        for row in connection.execute(
            select(position).where(position.c.name.in_([one["name"] for one in rows]))
        )
    }
    kept = [
        {**one, "epoch": there[one["name"]].epoch, "planned_ms": there[one["name"]].planned_ms}
        if one["name"] in there
        else one
        for one in rows
    ]
    upsert(connection, position, kept, "name")


def add_claim(connection: Connection, token: bytes, **columns: Any) -> int:
    """A new claim, and its number."""
    number: int = (connection.execute(select(func.max(claim.c.number))).scalar() or 0) + 1
    connection.execute(insert(claim), {"token_hash": token_hash(token), "number": number, **columns})
    return number


def use_claim(connection: Connection, token: bytes, name: str, at_ms: int) -> None:
    """A claim let a box in."""
    connection.execute(insert(claim_use), {"token_hash": token_hash(token), "device": name, "at_ms": at_ms})


def bind(connection: Connection, place: str, name: str, at_ms: int) -> int:
    """A new binding of a place; its epoch."""
    epoch: int = connection.execute(select(position.c.epoch).where(position.c.name == place)).scalar_one() + 1
    connection.execute(update(position).where(position.c.name == place).values(epoch=epoch))
    row = {"position": place, "epoch": epoch, "device": name, "since_ms": at_ms}
    connection.execute(insert(binding), row)
    return epoch


def born(connection: Connection, name: str, epoch: int, report: bytes) -> bool:
    """Keep a box's own report of its self-test; False where it does not stand anywhere in that epoch."""
    mine = (binding.c.device == name) & (binding.c.epoch == epoch) & binding.c.fenced_ms.is_(None)
    return connection.execute(update(binding).where(mine).values(birth=report)).rowcount > 0


def put_out(connection: Connection, name: str, state: str, at_ms: int) -> None:
    """A box is no longer of its place: its certificates are void, and its binding ends here."""
    connection.execute(update(device).where(device.c.device == name).values(state=state))
    live = (binding.c.device == name) & binding.c.fenced_ms.is_(None)
    connection.execute(update(binding).where(live).values(fenced_ms=at_ms, why_ended=state))
    mine = (certificate.c.device == name) & certificate.c.revoked_ms.is_(None)
    connection.execute(update(certificate).where(mine).values(revoked_ms=at_ms))


def close(connection: Connection, name: str, at_ms: int) -> None:
    """All of a box that was put out is in, or written off: nothing of it is taken any more."""
    mine = (binding.c.device == name) & binding.c.fenced_ms.is_not(None) & binding.c.closed_ms.is_(None)
    connection.execute(update(binding).where(mine).values(closed_ms=at_ms))


def pending(connection: Connection, name: str) -> int | None:
    """How many records a box that is here has to hand in; None where it is not here, and nobody knows."""
    row = connection.execute(select(box.c.state, box.c.telemetry).where(box.c.device == name)).one_or_none()
    waiting = json.loads(row.telemetry or b"{}").get("pending") if row and row.state in PRESENT else None
    return int(waiting) if waiting is not None else None


def enlist(
    connection: Connection, name: str, public_key: bytes, *, hardware: str, software: str, at_ms: int
) -> None:
    """A box in service, known from now on; or seen again, with the software that it has now."""
    row = {"device": name, "public_key": public_key, "hardware": hardware, "software": software}
    since = connection.execute(select(device.c.enrolled_ms).where(device.c.device == name)).scalar()
    enrolled_ms = at_ms if since is None else since
    upsert(connection, device, [{**row, "state": "live", "enrolled_ms": enrolled_ms}], "device")


def add_certificate(
    connection: Connection, serial: int, name: str, issued_ms: int, not_after_ms: int
) -> None:
    """A certificate that was signed."""
    row = {"serial": f"{serial:x}", "device": name, "issued_ms": issued_ms, "not_after_ms": not_after_ms}
    connection.execute(insert(certificate), row)


def revoked(connection: Connection, now_ms: int) -> list[Row[Any]]:
    """Certificates that are void before their end."""
    query = select(certificate).where(
        certificate.c.revoked_ms.is_not(None), certificate.c.not_after_ms > now_ms
    )
    return list(connection.execute(query))


def kicked(connection: Connection, name: str, at_ms: int) -> None:
    """A box was thrown out and did not come back."""
    mine = (certificate.c.device == name) & certificate.c.revoked_ms.is_not(None)
    connection.execute(
        update(certificate).where(mine, certificate.c.kicked_ms.is_(None)).values(kicked_ms=at_ms)
    )


def _claim(connection: Connection, hashed: str) -> Claim | None:
    row = connection.execute(select(claim).where(claim.c.token_hash == hashed)).one_or_none()
    if row is None:
        return None
    uses = connection.execute(
        select(claim_use).where(claim_use.c.token_hash == hashed).order_by(claim_use.c.at_ms)
    )
    return Claim(
        number=row.number,
        position=row.position,
        uses_max=row.uses_max,
        not_after_ms=row.not_after_ms,
        replaces=bool(row.replaces),
        revoked_ms=row.revoked_ms,
        revoked_by=row.revoked_by or "",
        uses=tuple(Use(use.device, use.at_ms) for use in uses),
        lanes=_lanes(connection, row.position),
    )


def _lanes(connection: Connection, place: str) -> tuple[str, ...]:
    """The place itself; or every lane of a store, in the order in which they were planned."""
    if "/" in place:
        return tuple(connection.execute(select(position.c.name).where(position.c.name == place)).scalars())
    query = select(position.c.name).where(position.c.store == place)
    return tuple(connection.execute(query.order_by(position.c.planned_ms, position.c.name)).scalars())
