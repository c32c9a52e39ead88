"""The engineer's page of one box: what the slip's code opens. It says whether the paper is the box's own, how its
self-test went, and has one large button."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.console.pages.checks import Check, checks_of
from tillbox.cloud_bridge.fleet.acts import is_own_slip
from tillbox.cloud_bridge.store import fleet_lists, registry
from tillbox.cloud_bridge.store.fleet_lists import BoxStory
from tillbox.contracts.verdicts import Reason

PHOTO_WHY = (Reason.NO_PICTURE, Reason.PICTURE_TOO_LARGE, Reason.PICTURE_BUSY, Reason.SLIP_OF_ANOTHER)
"""Why a photograph was not kept, where another try may help."""


@dataclass(frozen=True, slots=True)
class FieldPage:
    """One box before its engineer. `own_slip` is whether the code that was scanned bears this box's signature."""

    story: BoxStory
    position: str
    epoch: int
    online: bool
    own_slip: bool
    proof: str
    checks: tuple[Check, ...]
    accepted_ms: int | None
    accepted_by: str
    path: str
    photo_ms: int | None = None
    """When the photograph was taken that is kept of it here."""
    photo_said: str = ""
    """What became of a photograph just now: `kept`, the reason why not, or empty."""

    @property
    def lights(self) -> str:
        """The worst of the checks."""
        return next(
            (one for one in ("red", "yellow") if any(light == one for _, light, _ in self.checks)), "green"
        )


def show(connection: Connection, asked: Asked) -> FieldPage | None:
    """The box of that name, if it stands somewhere."""
    name = asked.names["device"][:32]
    story = fleet_lists.box_story(connection, name)
    bound = registry.bound(connection, name)
    if story is None or bound is None or bound.fenced_ms is not None:
        return None
    photo, told = fleet_lists.photo_row(connection, name), asked.query.get("photo", "")
    proof = asked.query.get("s", "")[:100]
    return FieldPage(
        story=story,
        position=bound.position,
        epoch=bound.epoch,
        online=registry.is_online(connection, name),
        own_slip=is_own_slip(connection, name, proof),
        proof=proof,
        checks=checks_of(json.loads(bound.birth) if bound.birth else None),
        accepted_ms=bound.accepted_ms,
        accepted_by=bound.accepted_by or "",
        path=f"/field/{quote(name)}?s={quote(proof)}",
        photo_ms=photo.at_ms if photo and photo.position == bound.position else None,
        photo_said=told if told == "kept" or told in set(Reason) else "",
    )
