"""What each level of the fleet decides about its boxes, and what follows for one of them. Merging is pure.

operator < tenant < store group < store < box: the narrower word counts, setting by setting. A list counts whole: two
shops' goods are not mixed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, func, insert, select

from tillbox.cloud_bridge.store.database import upsert
from tillbox.cloud_bridge.store.tables import desired, position, setting
from tillbox.contracts.desired import Desired, seal_desired
from tillbox.contracts.shop import ShopSettings

NAMES = tuple(ShopSettings.model_fields)
"""Every setting that a level may decide."""


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
    try:
        ShopSettings.model_validate_json(json.dumps(settings))
    except ValidationError as fault:
        return Wrong("; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in fault.errors()))
    return None


def scopes_of(place: str, store: str, group: str) -> tuple[str, ...]:
    """The levels of a place, the widest first."""
    middle = (f"group:{group}",) if group else ()
    return ("operator", "tenant", *middle, f"store:{store}", f"box:{place}")


def layers(connection: Connection, scopes: Iterable[str]) -> list[dict[str, Any]]:
    """What each of these levels decides today."""
    wanted = list(scopes)
    newest = (
        select(setting.c.scope, func.max(setting.c.version).label("version"))
        .where(setting.c.scope.in_(wanted))
        .group_by(setting.c.scope)
        .subquery()
    )
    rows = connection.execute(
        select(setting.c.scope, setting.c.settings).join(
            newest, (setting.c.scope == newest.c.scope) & (setting.c.version == newest.c.version)
        )
    )
    found = {scope: json.loads(settings) for scope, settings in rows}
    return [found[scope] for scope in wanted if scope in found]


def decide(connection: Connection, scope: str, settings: Mapping[str, Any], *, who: str, now_ms: int) -> int:
    """A level decides anew, whole; the version that this is."""
    newest = (
        connection.execute(select(func.max(setting.c.version)).where(setting.c.scope == scope)).scalar() or 0
    )
    row = {
        "scope": scope,
        "version": newest + 1,
        "settings": json.dumps(settings, ensure_ascii=False, sort_keys=True).encode(),
        "made_by": who,
        "made_ms": now_ms,
    }
    connection.execute(insert(setting), row)
    return int(newest) + 1


def for_box(
    connection: Connection, name: str, place: str, epoch: int, *, key: bytes, now_ms: int
) -> tuple[str, bool] | Wrong:
    """The signed settings of a box, and whether they are new."""
    row = connection.execute(select(position).where(position.c.name == place)).one()
    settings = merged(layers(connection, scopes_of(place, row.store, row.store_group)))
    settings.setdefault("shop", row.title)
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
    fresh = {
        "device": name,
        "version": version,
        "settings": data,
        "sealed": sealed.encode(),
        "made_ms": now_ms,
    }
    upsert(connection, desired, [fresh], "device")
    return sealed, True
