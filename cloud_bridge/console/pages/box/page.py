"""One box: how it is, where it stands and stood, what it sold last, what is wrong with it, and what can be done."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.fields import VerbForm
from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.console.pages.checks import Check, checks_of
from tillbox.cloud_bridge.console.pages.commands.page import FORMS
from tillbox.cloud_bridge.console.settings_form import Difference, differences
from tillbox.cloud_bridge.store import (
    command_lists,
    fleet_lists,
    health_lists,
    reading,
    setting_lists,
    shells,
)
from tillbox.cloud_bridge.store.command_lists import CommandRow
from tillbox.cloud_bridge.store.fleet_lists import AuditRow, BindingRow, BoxStory, PhotoRow
from tillbox.cloud_bridge.store.health_lists import AlertRow
from tillbox.cloud_bridge.store.reading import BoxDetail
from tillbox.cloud_bridge.store.setting_lists import TwinRow
from tillbox.cloud_bridge.store.shells import ShellRow

EVENTS = 20
COMMANDS = 5
SHELLS = 10


@dataclass(frozen=True, slots=True)
class BoxPage:
    """One box: `box` is what was heard of it, `story` what the registry knows. One of them may be missing."""

    device: str
    box: BoxDetail | None
    story: BoxStory | None
    events: tuple[AuditRow, ...]
    twin: TwinRow | None = None
    photo: PhotoRow | None = None
    alerts: tuple[AlertRow, ...] = ()
    commands: tuple[CommandRow, ...] = ()
    shells: tuple[ShellRow, ...] = ()
    """The newest remote shells that were recorded."""

    @property
    def path(self) -> str:
        """Its own address."""
        return f"/boxes/{quote(self.device)}"

    @property
    def bound(self) -> BindingRow | None:
        """Where it stands, or stood last."""
        return self.story.bindings[0] if self.story and self.story.bindings else None

    @property
    def stands(self) -> bool:
        """Whether it is of a place now."""
        return self.bound is not None and self.bound.fenced_ms is None

    @property
    def owes(self) -> bool:
        """Whether it was put out and is not closed yet."""
        return self.bound is not None and self.bound.fenced_ms is not None and self.bound.closed_ms is None

    @property
    def forms(self) -> tuple[VerbForm, ...]:
        """What it can be commanded."""
        return FORMS if self.stands else ()

    @property
    def between(self) -> tuple[Difference, ...]:
        """What lies between the settings that it uses and those that it is to have."""
        changes = self.twin.changes if self.twin else []
        return differences((one.setting, one.before, one.after) for one in changes)

    @property
    def checks(self) -> tuple[Check, ...]:
        """Its self-test as it was born."""
        return checks_of(self.story.birth) if self.story else ()


def show(connection: Connection, asked: Asked) -> BoxPage | None:
    """The box of that name, if anybody ever heard of it or let it in."""
    device = asked.names["device"][:32]
    heard, story = reading.box(connection, device), fleet_lists.box_story(connection, device)
    if heard is None and story is None:
        return None
    places = [one.position for one in story.bindings] if story else []
    events = fleet_lists.audit_rows(connection, subject=[device, *places[:EVENTS]], most=EVENTS)
    twin, photo = setting_lists.twin(connection, device), fleet_lists.photo_row(connection, device)
    alerts = health_lists.alerts_of(connection, device)
    sent = command_lists.commands(connection, device=device, most=COMMANDS)
    visits = shells.last_of(connection, device, most=SHELLS)
    return BoxPage(
        device, heard, story, tuple(events), twin, photo, tuple(alerts), tuple(sent), tuple(visits)
    )
