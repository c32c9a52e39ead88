"""What a decision would change, box by box, before it is made; with the button that makes it and the way back to the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from tillbox.cloud_bridge.console.settings_form import Difference, differences
from tillbox.cloud_bridge.fleet.acts import Preview
from tillbox.cloud_bridge.store.setting_lists import Level

SHOWN_LINES = 8  # of what goes and of what comes, at each box


@dataclass(frozen=True, slots=True)
class BoxView:
    """What would change at some places: those that change alike are shown together."""

    places: tuple[tuple[str, str], ...]
    """Each with the box that stands there, if there is one."""
    changes: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """`hidden` is what was typed, for the next form. `boxes` places of `of` would change; the first are shown."""

    level: Level
    boxes: int
    of: int
    groups: tuple[BoxView, ...]
    hidden: Mapping[str, str]
    is_undo: bool

    @property
    def path(self) -> str:
        """The page of the level."""
        return "/settings?" + urlencode({"scope": self.level.scope})

    @property
    def shown(self) -> int:
        """How many places are shown."""
        return sum(len(one.places) for one in self.groups)


def previewed(
    level: Level, found: Preview, *, hidden: Mapping[str, str], is_undo: bool = False
) -> PreviewPage:
    """The page of what `preview-settings` gave."""
    alike: dict[str, list[tuple[str, str]]] = {}
    changes = {}
    for one in found.listed:
        key = "".join(change.model_dump_json() for change in one.changes)
        alike.setdefault(key, []).append((one.position, one.device))
        changes[key] = differences((change.setting, change.before, change.after) for change in one.changes)
    groups = tuple(BoxView(tuple(places), changes[key]) for key, places in alike.items())
    return PreviewPage(level, found.boxes, found.of, groups, hidden, is_undo)
