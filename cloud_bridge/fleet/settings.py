"""What each level of the fleet decides about its boxes, and what follows for one of them. Merging is pure.

operator < tenant < store group < store < box: the narrower word counts, setting by setting. A list counts whole: two
shops' goods are not mixed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, func, insert, select

from tillbox.cloud_bridge.store.database import upsert
from tillbox.cloud_bridge.store.tables import binding, desired, position, reported, setting
from tillbox.contracts.desired import DESIRED_BYTES_MAX, Desired, seal_desired
from tillbox.contracts.shop import BoxSettings

NAMES = tuple(BoxSettings.model_fields)
"""Every setting that a level may decide."""
DEFAULTS: dict[str, Any] = BoxSettings(tenant="", shop="").model_dump(mode="json", exclude={"tenant", "shop"})
"""What holds where no level decides. A pinned box holds on to these, too."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Settings that no box could use, and why."""

    why: str


def merged(layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The widest first."""
    found: dict[str, Any] = {}
    for layer in layers:
        found.update(layer)
    return found


def checked(settings: Mapping[str, Any]) -> Wrong | None:
    """Whether a box could use these; the same model judges on the box."""
    size = len(json.dumps(settings, ensure_ascii=False).encode())
    if size > DESIRED_BYTES_MAX:
        return Wrong(f"these are {size} bytes; a box takes {DESIRED_BYTES_MAX}: list fewer goods")
    try:
        BoxSettings.model_validate_json(json.dumps(settings))
    except ValidationError as fault:
        return Wrong("; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in fault.errors()))
    return None


def scopes_of(place: str, store: str, group: str) -> tuple[str, ...]:
    """The levels of a place, the widest first."""
    middle = (f"group:{group}",) if group else ()
    return ("operator", "tenant", *middle, f"store:{store}", f"box:{place}")


@dataclass(frozen=True, slots=True)
class PlaceOf:
    """A place, as far as its settings go."""

    name: str
    title: str
    scopes: tuple[str, ...]
    device: str | None = None


def places_in(connection: Connection, scope: str) -> Iterator[PlaceOf]:
    """The places that a level speaks to, and the box of each."""
    level, _, name = scope.partition(":")
    where = {"group": position.c.store_group, "store": position.c.store, "box": position.c.name}
    query = select(position, binding.c.device.label("device")).outerjoin(
        binding, (binding.c.position == position.c.name) & binding.c.fenced_ms.is_(None)
    )
    query = query.where(where[level] == name) if level in where else query
    for row in connection.execute(query.order_by(position.c.name)):
        yield PlaceOf(row.name, row.title, scopes_of(row.name, row.store, row.store_group), row.device)


def from_levels(place: PlaceOf, found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What a place has, by what its levels decide."""
    return {"shop": place.title} | merged(found[scope] for scope in place.scopes if scope in found)


def effective(connection: Connection, place: PlaceOf) -> dict[str, Any]:
    """What a place has from all its levels today."""
    return from_levels(place, by_scope(connection, place.scopes))


def is_pinned(own: Mapping[str, Any]) -> bool:
    """Whether a box's own level decides everything that has a default, so that no wider level reaches it."""
    return own.keys() >= DEFAULTS.keys()


def newest(connection: Connection, scope: str) -> Row[Any] | None:
    """The version of a level that counts; None where it never decided anything."""
    query = select(setting).where(setting.c.scope == scope).order_by(setting.c.version.desc())
    return connection.execute(query.limit(1)).first()


def before(connection: Connection, scope: str) -> dict[str, Any] | None:
    """What a level decided before what it decides today; None where there is nothing before."""
    query = select(setting.c.settings).where(setting.c.scope == scope)
    found = list(connection.execute(query.order_by(setting.c.version.desc()).limit(2)).scalars())
    if not found:
        return None
    earlier: dict[str, Any] = json.loads(found[1]) if len(found) > 1 else {}
    return earlier


def by_scope(connection: Connection, scopes: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What each of these levels decides today."""
    wanted = list(scopes)
    counts = (
        select(setting.c.scope, func.max(setting.c.version).label("version"))
        .where(setting.c.scope.in_(wanted))
        .group_by(setting.c.scope)
        .subquery()
    )
    rows = connection.execute(
        select(setting.c.scope, setting.c.settings).join(
            counts, (setting.c.scope == counts.c.scope) & (setting.c.version == counts.c.version)
        )
    )
    return {scope: json.loads(settings) for scope, settings in rows}


def decide(connection: Connection, scope: str, settings: Mapping[str, Any], *, who: str, now_ms: int) -> int:
    """A level decides anew, whole; the version that this is."""
    last = newest(connection, scope)
    version: int = last.version + 1 if last else 1
    row = {
        "scope": scope,
        "version": version,
        "settings": json.dumps(settings, ensure_ascii=False, sort_keys=True).encode(),
        "made_by": who,
        "made_ms": now_ms,
    }
    connection.execute(insert(setting), row)
    return version


def for_box(
    connection: Connection, name: str, place: str, epoch: int, *, key: bytes, now_ms: int
) -> tuple[str, bool] | Wrong:
    """The signed settings of a box, and whether they are new."""
    row = connection.execute(select(position).where(position.c.name == place)).one()
    settings = effective(connection, PlaceOf(place, row.title, scopes_of(place, row.store, row.store_group)))
    wrong = checked(settings)
    if wrong is not None:
        return wrong
    data = json.dumps(settings, ensure_ascii=False, sort_keys=True).encode()
    last = connection.execute(select(desired).where(desired.c.device == name)).one_or_none()
    if last is not None and last.settings == data:
        return last.sealed.decode(), False
    version = last.version + 1 if last is not None else 1
    document = Desired(device=name, position=place, epoch=epoch, version=version, settings=settings)
    try:
        sealed = seal_desired(document, private_key=key)
    except ValueError as large:
        return Wrong(str(large))
    used_version, used = _used(connection, last) if last is not None else (None, None)
    fresh = {
        "device": name,
        "version": version,
        "settings": data,
        "sealed": sealed.encode(),
        "made_ms": now_ms,
        "used_version": used_version,
        "used": used,
    }
    upsert(connection, desired, [fresh], "device")
    return sealed, True


def _used(connection: Connection, last: Row[Any]) -> tuple[int, bytes]:
    """What a box goes by while it has not taken newer settings: what it says, if that is kept; else what was last made."""
    query = select(reported.c.version).where(reported.c.device == last.device)
    if last.used is not None and connection.execute(query).scalar() == last.used_version:
        return last.used_version, last.used
    return last.version, last.settings
