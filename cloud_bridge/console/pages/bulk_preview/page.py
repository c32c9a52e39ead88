"""Whom a bulk would reach, looked at before anything is sent; and from there it is sent, or its form is filled in anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from tillbox.cloud_bridge.console.pages.bulks.page import form_address
from tillbox.cloud_bridge.fleet.commanding import BulkStands, Reached
from tillbox.contracts.commands import PARAMS, Verb

LISTED = 100


@dataclass(frozen=True, slots=True)
class BulkPreviewPage:
    """`said` is what the form said, word for word: just that is sent."""

    stands: BulkStands
    said: Mapping[str, str]

    @property
    def online(self) -> int:
        """How many of them are there now."""
        return sum(one.online for one in self.stands.boxes)

    @property
    def listed(self) -> tuple[Reached, ...]:
        """The first of them; those that are away before the others, for nobody expects those."""
        return tuple(sorted(self.stands.boxes, key=lambda one: one.online)[:LISTED])

    @property
    def words(self) -> dict[str, str]:
        """What the verb was given."""
        names = PARAMS[Verb(self.stands.verb)].model_fields
        return {name: self.said[name] for name in names if self.said.get(name)}

    @property
    def to_send(self) -> dict[str, str]:
        """The form that sends it, once however often it is pressed."""
        return {**self.said, "preview": "false", "id": self.stands.id}

    @property
    def form(self) -> str:
        """The address of the form as it was filled in."""
        return form_address({name: word for name, word in self.said.items() if name not in ("preview", "id")})


def show(found: BaseModel, _: str, said: Mapping[str, str]) -> BulkPreviewPage | str:
    """What `send-commands` gave: the preview, or the address of the bulk that is on its way."""
    assert isinstance(found, BulkStands), found
    return BulkPreviewPage(found, said) if found.state == "preview" else f"/bulks/{found.id}"
