"""What the levels of the fleet decide about boxes: all levels; or one of them as a form, with its history.

The form is looked at before anything is decided, and comes back with what was typed: when something in it is wrong, when
somebody else was faster, and when whoever typed it wants to go on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel
from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.console.pages.audit.page import number_of
from tillbox.cloud_bridge.console.pages.preview.page import PreviewPage, previewed
from tillbox.cloud_bridge.console.settings_form import (
    DECIDED,
    SETTINGS,
    Difference,
    Setting,
    Typed,
    differences,
    is_begun,
    lines_of,
    read,
    rows_to_type,
    typed_of,
    value_typed,
)
from tillbox.cloud_bridge.fleet import settings
from tillbox.cloud_bridge.fleet.acts import Decided, Preview
from tillbox.cloud_bridge.store import fleet_board, setting_lists
from tillbox.cloud_bridge.store.database import Database
from tillbox.cloud_bridge.store.setting_lists import FoundLevel, Level, LevelRow
from tillbox.contracts.verdicts import Reason, Refused, Text

ROWS = 50
VERSIONS = 10
GROUPS = 12  # that are offered at once; the others are found by their letters
SHOWN_LINES = 6  # of a list that a level inherits
SCOPE = re.compile(r"operator|tenant|(?:group|store):[a-z0-9_-]{1,24}|box:[a-z0-9_/-]{3,49}")

Act = Callable[[str, dict[str, Any]], BaseModel | Refused]


@dataclass(frozen=True, slots=True)
class FieldView:
    """One setting on the form. `source` is the level that it has its value from while this one does not decide it: empty for
    the product's own, `place` for the name that each place was planned with."""

    setting: Setting
    decided: bool
    value: str
    rows: tuple[tuple[int, Mapping[str, str]], ...]
    source: str
    inherits: tuple[str, ...]
    more: int
    """So many lines more has what it inherits."""


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version of a level, and what it changed."""

    version: int
    made_by: str
    made_ms: int
    changes: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class LevelForm:
    """One level. `based_on` is the version that whoever fills in the form has seen."""

    level: Level
    fields: tuple[FieldView, ...]
    faults: Mapping[str, Text]
    based_on: int
    versions: tuple[VersionView, ...]
    older: str
    refused: Refused | None = None
    meanwhile: VersionView | None = None
    decided: int = 0
    """The version that was decided just now; 0 where none was."""
    shows: int = 0
    """The older version whose words the form shows; 0 for today's."""

    @property
    def pinned(self) -> bool:
        """Whether no wider level reaches this place."""
        return self.level.scope.startswith("box:") and settings.is_pinned(self.level.settings)

    @property
    def place(self) -> str:
        """The place, where the level is one."""
        return self.level.scope.removeprefix("box:") if self.level.scope.startswith("box:") else ""

    @property
    def path(self) -> str:
        """Its own address."""
        return address(scope=self.level.scope)


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """All levels that ever decided something, and those that a search found; or one level as a form."""

    rows: tuple[LevelRow, ...] = ()
    search: str = ""
    found: tuple[FoundLevel, ...] = ()
    more: str = ""
    groups: tuple[str, ...] = ()
    form: LevelForm | None = None

    def address(self, **said: str) -> str:
        """The page of a level, or of the levels after one."""
        return address(**said)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a form is answered with: a page by its name, or the way on."""

    page: SettingsPage | PreviewPage | None = None
    on: str = ""
    status: int = 200


def address(**said: str) -> str:
    """An address of this page."""
    return "/settings?" + urlencode(said)


def show(connection: Connection, asked: Asked) -> SettingsPage | None:
    """`?scope=` is one level, with `&version=` as it was once and `&before=` further back in its history; `?search=` finds one."""
    if scope := asked.query.get("scope", ""):
        if not SCOPE.fullmatch(scope):
            return None
        return SettingsPage(form=_as_it_stands(connection, scope, asked.query))
    search = "".join(one for one in asked.query.get("search", "") if one.isprintable()).strip()[:64]
    rows = setting_lists.levels(connection, after=asked.query.get("after", "")[:80], most=ROWS)
    found = setting_lists.find_levels(connection, search) if search else []
    more = rows[-1].scope if len(rows) == ROWS else ""
    groups = fleet_board.groups(connection)[:GROUPS]
    return SettingsPage(tuple(rows), search, tuple(found), more, tuple(groups))


def _as_it_stands(connection: Connection, scope: str, query: Mapping[str, str]) -> LevelForm:
    level = setting_lists.level(connection, scope)
    wanted = number_of(query.get("version", ""))
    old = setting_lists.versions(connection, scope, before=wanted + 1, most=1) if wanted else []
    shows = old[0].version if old and old[0].version == wanted != level.version else 0
    document = old[0].settings if shows else level.settings
    decided = number_of(query.get("decided", "")) or 0
    form = _form(connection, level, typed_of(document), before=number_of(query.get("before", "")))
    return replace(form, shows=shows, decided=decided if decided == level.version else 0)


def _form(
    connection: Connection,
    level: Level,
    typed: Typed,
    *,
    faults: Mapping[str, Text] | None = None,
    before: int | None = None,
) -> LevelForm:
    told = setting_lists.versions(connection, level.scope, before=before, most=VERSIONS)
    versions = tuple(
        VersionView(one.version, one.made_by, one.made_ms, _differences(one.changes)) for one in told
    )
    held = settings.by_scope(connection, level.wider)
    return LevelForm(
        level=level,
        fields=tuple(field_view(one, typed, level, held) for one in SETTINGS),
        faults=faults or {},
        based_on=level.version,
        versions=versions,
        older=f"{versions[-1].version}" if versions and versions[-1].version > 1 else "",
    )


def _differences(changes: list[Any]) -> tuple[Difference, ...]:
    return differences((one.setting, one.before, one.after) for one in changes)


def field_view(
    setting: Setting, typed: Typed, level: Level, held: Mapping[str, Mapping[str, Any]]
) -> FieldView:
    """A setting on the form of a level: what was typed, and what `held` (by the wider levels) gives it otherwise."""
    source = next((one for one in reversed(level.wider) if setting.name in held.get(one, {})), "")
    value = held[source][setting.name] if source else setting.default
    if not source and setting.name == "shop":
        source, value = "place", level.title or None
    decided = f"{DECIDED}{setting.name}" in typed
    # Whoever begins to decide begins with what holds until then.
    words = typed if decided or is_begun(setting, typed) else value_typed(setting, value)
    lines = lines_of(setting.name, value)
    return FieldView(
        setting=setting,
        decided=decided,
        value=words.get(setting.name, ""),
        rows=tuple(rows_to_type(setting, words)),
        source=source,
        inherits=tuple(lines[:SHOWN_LINES]),
        more=max(0, len(lines) - SHOWN_LINES),
    )


def answer(database: Database, typed: Typed, act: Act) -> Answered:
    """What a form is answered with: its `step` says what is wanted. What stands is read after the act, so that it is today's."""
    scope, step = typed.get("scope", ""), typed.get("step", "")
    if not SCOPE.fullmatch(scope):
        return Answered(status=404)
    based_on = number_of(typed.get("based_on", "")) or 0
    said, found = read(typed), None
    if step == "undo":
        return _undo(database, scope, act)
    if step in ("preview", "decide") and not said.faults:
        more = {"based_on": based_on} if step == "decide" else {}
        found = act(f"{step}-settings", {"scope": scope, "settings": said.document, **more})
    if isinstance(found, Decided):
        return Answered(on=address(scope=scope, decided=f"{found.version}"))
    with database.reading() as connection:
        level = setting_lists.level(connection, scope)
        if isinstance(found, Preview):
            return Answered(previewed(level, found, hidden=_kept(typed, based_on)))
        is_wrong = step in ("preview", "decide")
        form = _form(connection, level, typed, faults=said.faults if is_wrong else {})
        if not isinstance(found, Refused):
            form = replace(form, based_on=based_on)
            return Answered(SettingsPage(form=form), status=422 if is_wrong else 200)
        if found.reason is not Reason.DECIDED_MEANWHILE:
            return Answered(SettingsPage(form=replace(form, based_on=based_on, refused=found)), status=422)
        # It has seen what the other one did, so it goes by that version from now on.
        meanwhile = next((one for one in form.versions if one.version == level.version), None)
        return Answered(
            SettingsPage(form=replace(form, refused=found, meanwhile=meanwhile)),
            status=409,
        )


def _kept(typed: Typed, based_on: int) -> dict[str, str]:
    """What the next form must say again, so that nothing is lost on the way."""
    words = {name: word for name, word in typed.items() if name not in ("step", "csrf", "next", "scope")}
    return words | {"based_on": f"{based_on}"}


def _undo(database: Database, scope: str, act: Act) -> Answered:
    """What would change if the level decided again what it decided before."""
    with database.reading() as connection:
        before = settings.before(connection, scope)
        level = setting_lists.level(connection, scope)
    found: BaseModel | Refused = Refused(Reason.NOTHING_TO_UNDO, scope)
    if before is not None:
        found = act("preview-settings", {"scope": scope, "settings": before})
    if isinstance(found, Preview):
        return Answered(previewed(level, found, hidden={"based_on": f"{level.version}"}, is_undo=True))
    assert isinstance(found, Refused), found
    with database.reading() as connection:
        form = _form(connection, level, typed_of(level.settings))
    return Answered(SettingsPage(form=replace(form, refused=found)), status=409)
