"""The lists of the twin: the levels that decide something, one level and its versions, and how a box stands to what it is
to have. Reads only."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, case, func, or_, select

from tillbox.cloud_bridge.fleet import settings as levels_of
from tillbox.cloud_bridge.fleet.twin import Change, difference

from .reading import bounded
from .tables import binding, desired, position, reported, setting

NARROWER_MOST = 20


class LevelRow(BaseModel):
    """A level that decided something, by its newest version."""

    scope: str
    version: int
    made_by: str
    made_ms: int
    decides: list[str]


class VersionRow(BaseModel):
    """What a level decided once, and what that changed to the version before."""

    version: int
    made_by: str
    made_ms: int
    settings: dict[str, Any]
    changes: list[Change]


class Level(BaseModel):
    """One level of the fleet. `wider` are the levels that count where it decides nothing, the widest first; `title` is a
    shop's name where the level has one."""

    scope: str
    title: str
    places: int
    wider: list[str]
    version: int
    made_by: str
    made_ms: int | None
    settings: dict[str, Any]


class FoundLevel(BaseModel):
    """A level that a search found."""

    scope: str
    title: str


class TwinRow(BaseModel):
    """A box and its settings: the version that it is to have and the one that it says it uses."""

    device: str
    position: str
    version: int
    made_ms: int
    used_version: int | None
    """None where it never said."""
    reported_ms: int | None
    refused: str
    refused_version: int
    pinned: bool
    decides: list[str]
    """What its own level decides."""
    changes: list[Change]
    """What the newer version changes for it; empty also where what it uses is not kept any more."""
    patch: str
    """The same as text: from what it uses to what it is to have."""

    @property
    def stands(self) -> str:
        """`same`, `refused`, `unheard`, or `behind`."""
        if self.used_version == self.version:
            return "same"
        if self.refused and self.refused_version == self.version:
            return "refused"
        return "unheard" if self.used_version is None else "behind"


_level_rank = case(
    (setting.c.scope == "operator", 0), (setting.c.scope == "tenant", 1), (setting.c.scope.startswith("group:"), 2),
    (setting.c.scope.startswith("store:"), 3), else_=4,
)  # fmt: skip
"""The widest level first."""
_RANKS = ("operator", "tenant", "group", "store", "box")


def levels(connection: Connection, *, after: str = "", most: int = 100) -> list[LevelRow]:
    """The levels that ever decided something, the widest first; `after` is the last one that was seen."""
    newest = select(setting.c.scope, func.max(setting.c.version).label("version")).group_by(setting.c.scope)
    counts = newest.subquery()
    query = (
        select(setting)
        .join(counts, (counts.c.scope == setting.c.scope) & (counts.c.version == setting.c.version))
        .order_by(_level_rank, setting.c.scope)
        .limit(bounded(most))
    )
    level = after.partition(":")[0]
    if level in _RANKS:
        rank = _RANKS.index(level)
        query = query.where(or_(_level_rank > rank, (_level_rank == rank) & (setting.c.scope > after)))
    return [
        LevelRow(
            scope=row.scope,
            version=row.version,
            made_by=row.made_by,
            made_ms=row.made_ms,
            decides=sorted(json.loads(row.settings)),
        )
        for row in connection.execute(query)
    ]


def versions(
    connection: Connection, scope: str, *, before: int | None = None, most: int = 20
) -> list[VersionRow]:
    """What a level decided, the newest first; `before` is the last version that was seen."""
    most = bounded(most)
    query = select(setting).where(setting.c.scope == scope).order_by(setting.c.version.desc())
    if before is not None:
        query = query.where(setting.c.version < before)
    rows = connection.execute(query.limit(most + 1)).all()
    told = [json.loads(row.settings) for row in rows] + [{}]
    return [
        VersionRow(
            version=row.version,
            made_by=row.made_by,
            made_ms=row.made_ms,
            settings=told[number],
            changes=difference(told[number + 1], told[number]),
        )
        for number, row in enumerate(rows[:most])
    ]


def level(connection: Connection, scope: str) -> Level:
    """One level as it stands. One that nobody planned a place for has none."""
    kind, _, name = scope.partition(":")
    where = {"group": position.c.store_group, "store": position.c.store, "box": position.c.name}
    count = select(
        func.count(), func.min(position.c.title), func.min(position.c.store), func.min(position.c.store_group),
        func.max(position.c.store_group),
    )  # fmt: skip
    mine = count.where(where[kind] == name) if kind in where else count
    places, title, store, group, other = connection.execute(mine).one()
    # Lanes of one store may be in several groups: then none of these is the store's.
    middle = [f"group:{group}"] if kind in ("store", "box") and group and group == other else []
    wider = [*_RANKS[: min(_RANKS.index(kind), 2)], *middle]
    if kind == "box" and store:
        wider.append(f"store:{store}")
    newest = levels_of.newest(connection, scope)
    return Level(
        scope=scope,
        title=title or "" if kind in ("store", "box") else "",
        places=places,
        wider=wider,
        version=newest.version if newest else 0,
        made_by=newest.made_by if newest else "",
        made_ms=newest.made_ms if newest else None,
        settings=json.loads(newest.settings) if newest else {},
    )


def find_levels(connection: Connection, search: str, *, most: int = NARROWER_MOST) -> list[FoundLevel]:
    """Groups, stores and places whose name or shop's name has these letters, the wider first."""
    column = position.c
    found: list[FoundLevel] = []
    for kind, name in (("group", column.store_group), ("store", column.store), ("box", column.name)):
        said = or_(*(one.icontains(search, autoescape=True) for one in (name, column.title)))
        match = name.icontains(search, autoescape=True) if kind == "group" else said
        query = select(name, func.min(column.title)).where(match, name != "").group_by(name).order_by(name)
        for one, title in connection.execute(query.limit(most)):
            found.append(FoundLevel(scope=f"{kind}:{one}", title="" if kind == "group" else title))
    return found


def twin(connection: Connection, device: str) -> TwinRow | None:
    """How a box stands to its settings; None where none were ever made for it."""
    columns = select(
        desired, reported.c.version.label("told"), reported.c.at_ms, reported.c.refused, reported.c.refused_version,
        binding.c.position,
    )  # fmt: skip
    query = (
        columns.select_from(desired)
        .outerjoin(reported, reported.c.device == desired.c.device)
        .outerjoin(binding, (binding.c.device == desired.c.device) & binding.c.fenced_ms.is_(None))
        .where(desired.c.device == device)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    wanted = json.loads(row.settings)
    used = _used(row, wanted)
    own = levels_of.by_scope(connection, [f"box:{row.position}"]) if row.position else {}
    mine = next(iter(own.values()), {})
    return TwinRow(
        device=device,
        position=row.position or "",
        version=row.version,
        made_ms=row.made_ms,
        used_version=row.told,
        reported_ms=row.at_ms,
        refused=row.refused or "",
        refused_version=row.refused_version or 0,
        pinned=levels_of.is_pinned(mine),
        decides=sorted(mine),
        changes=difference(used, wanted) if used is not None else [],
        patch=patch(device, used, row.told, wanted, row.version) if used is not None else "",
    )


def _used(row: Any, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """The settings that a box says it uses, where they are kept."""
    if row.told == row.version:
        return wanted
    if row.used is None or row.told != row.used_version:
        return None
    found: dict[str, Any] = json.loads(row.used)
    return found


def patch(
    device: str, used: Mapping[str, Any], used_version: int, wanted: Mapping[str, Any], version: int
) -> str:
    """Two versions of a box's settings as a unified diff of BOX.json, as `patch` and `git apply -p0` take it; empty where they are the same."""
    before, after = (
        [f"{line}\n" for line in json.dumps(one, ensure_ascii=False, indent=1, sort_keys=True).splitlines()]
        for one in (used, wanted)
    )
    name = f"{device}.json"
    return "".join(
        difflib.unified_diff(before, after, name, name, f"version {used_version}", f"version {version}")
    )
