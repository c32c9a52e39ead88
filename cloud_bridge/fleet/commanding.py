"""Commanding boxes: one, or many by a scope with a preview, a budget, waves and a second person. The acts' part of it.

It only writes down what is to be sent; `dispatch.py` sends, and lets the waves go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, field_validator
from sqlalchemy import Connection, Row, func, insert, select

from tillbox.cloud_bridge.store import commands
from tillbox.cloud_bridge.store.tables import PRESENT, binding, box, bulk, device, position
from tillbox.contracts.commands import MANY, WATCH_MINUTES_MAX, Command, Verb, params_of, seal_command
from tillbox.contracts.ids import CHANCE_BYTES, uuid7
from tillbox.contracts.messages import Id, canonical
from tillbox.contracts.settings import Strict
from tillbox.contracts.shells import MINUTES_MAX
from tillbox.contracts.verdicts import Reason, Refused

from . import audit
from .waves import WAVES, sizes_of, waves_of

if TYPE_CHECKING:
    from .acts import Doing

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
SHELL_WAITS_MINUTES = 5  # for its box, and for a cashier; who wants in sits there and waits
APPROVE_MS = 24 * 60 * MINUTE_MS  # who is asked tomorrow looks at another fleet

OneBox = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_/-]{0,49}$")]
Scope = Annotated[str, StringConstraints(pattern=r"^(?:\*|(?:group:)?[a-z0-9][a-z0-9_-]{0,23}(?:/[a-z0-9][a-z0-9_-]{0,23})?)$")]  # fmt: skip


class _Wanted(Strict):
    """What is wanted of a box; a verb takes the words that it needs."""

    verb: Verb
    why: Annotated[str, StringConstraints(max_length=80)] = Field(
        default="", description="For drain and quarantine: what the cashier reads."
    )
    sale: Annotated[str, StringConstraints(max_length=36)] = Field(
        default="", description="For reprint: whose receipt; the last one, if none is named."
    )
    release: Annotated[str, StringConstraints(max_length=32)] = Field(
        default="", description="For update: the release to run from now on, e.g. 0.2.0."
    )

    @property
    def params(self) -> dict[str, Any]:
        """As the verb takes them."""
        told = {"why": self.why, "sale": self.sale, "release": self.release}
        return {name: value for name, value in told.items() if value}


class SendCommand(_Wanted):
    """One command for one box."""

    box: OneBox = Field(description="The box's name, or its place: store/lane.")
    minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = Field(
        default=60,
        description="So long it may wait for its box, and for a customer to leave. To watch: so long it shows.",
    )
    what: Annotated[str, StringConstraints(max_length=16)] = Field(
        default="", description="For watch: screen, log, or nothing any more."
    )

    @property
    def lasts(self) -> int:
        """Minutes. Where none are given, a box is not asked to show itself for longer than it would."""
        given = self.verb is not Verb.WATCH or "minutes" in self.model_fields_set
        return self.minutes if given else min(self.minutes, WATCH_MINUTES_MAX)

    @property
    def params(self) -> dict[str, Any]:
        """A box that hears late that it is watched ends with its command all the same."""
        watched = {"minutes": self.lasts} if self.what not in ("", "nothing") else {}
        return super().params | ({"what": self.what} if self.what else {}) | watched


class OpenShell(Strict):
    """A remote shell on one box, if its own configuration and its cashier let anybody in."""

    box: OneBox = Field(description="The box's name, or its place: store/lane.")
    why: Annotated[str, StringConstraints(min_length=1, max_length=80)] = Field(
        description="What the cashier reads."
    )
    minutes: Annotated[int, Field(ge=1, le=MINUTES_MAX)] = 10


class OfShell(Strict):
    """One remote shell, by its command."""

    shell: Id


class CommandMade(BaseModel):
    """A command on its way."""

    id: str
    device: str
    position: str
    verb: str
    expires_ms: int


class SendCommands(_Wanted):
    """One command for many boxes. Without `preview: false` it only says who would be reached."""

    scope: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=10_000)] = Field(
        description="Places (store/lane), stores, groups (group:NAME); * for all."
    )
    preview: bool = True
    id: Id | None = Field(
        default=None,
        description="That of the preview: its waves, and sent once however often it is asked for.",
    )
    max_percent: Annotated[int, Field(ge=1, le=100)] = Field(
        default=10, description="Of the boxes in service."
    )
    max_boxes: Annotated[int, Field(ge=1, le=100_000)] = 50
    stop_if_failed: Annotated[int, Field(ge=0, le=100_000)] = Field(
        default=0, description="So many boxes may fail; one more stops it."
    )
    waves: Annotated[tuple[Annotated[int, Field(ge=1, le=100)], ...], Field(min_length=1, max_length=10)] = (
        Field(default=WAVES, description="Percent of the boxes, ever more; the last is 100.")
    )
    patience_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = Field(
        default=10, description="So long a wave waits for boxes that say nothing."
    )
    rest_minutes: Annotated[int, Field(ge=0, le=7 * 24 * 60)] = Field(
        default=0, description="So long at least between two waves; a release needs a day."
    )
    minutes: Annotated[int, Field(ge=1, le=90 * 24 * 60)] = Field(
        default=24 * 60, description="So long it may wait for its box, and for a customer to leave."
    )

    @field_validator("scope", mode="before")
    @classmethod
    def _listed(cls, scope: object) -> object:
        """A form has one field for it."""
        return tuple(scope.replace(",", " ").split()) if isinstance(scope, str) else scope

    @field_validator("waves")
    @classmethod
    def _grows(cls, waves: tuple[int, ...]) -> tuple[int, ...]:
        if list(waves) != sorted(set(waves)) or waves[-1] != 100:
            raise ValueError("each wave is larger than the one before, and the last is 100")
        return waves


class Reached(BaseModel):
    """A box that a bulk reaches."""

    device: str
    position: str
    online: bool


class BulkStands(BaseModel):
    """A bulk: `preview` while nothing was sent, `awaiting` a second person, `running`, `stopped` or `done`."""

    id: str
    state: str
    verb: str
    count: int
    percent: float
    """Of all boxes in service."""
    within_budget: bool
    needs_second_person: bool
    """With what whoever asks commanded within the hour, it is more boxes than one person commands alone."""
    waves: list[int]
    """How many boxes each wave has."""
    boxes: list[Reached]


class OfBulk(Strict):
    """One bulk."""

    bulk: Id


def send_command(doing: Doing, wanted: SendCommand) -> CommandMade | Refused:
    """Send one command."""
    wrong = params_of(wanted.verb, wanted.params)
    if isinstance(wrong, Refused):
        return wrong
    found = _one_box(doing, wanted.box)
    if isinstance(found, Refused):
        return found
    name, place, epoch = found
    if wanted.verb in MANY and (alone := beyond_one(doing, {name})):
        return alone
    row = _made(doing, wanted.verb, wanted.params, name, place, epoch, wanted.lasts, made_by=doing.who)
    commands.add(doing.connection, [row | {"due_ms": doing.now_ms, "bulk": None, "wave": 0}])
    return CommandMade(
        id=row["id"], device=name, position=place, verb=wanted.verb, expires_ms=row["expires_ms"]
    )


def send_commands(doing: Doing, wanted: SendCommands) -> BulkStands | Refused:
    """Preview a bulk, or begin it."""
    wrong = params_of(wanted.verb, wanted.params)
    if isinstance(wrong, Refused):
        return wrong
    found = _boxes(doing.connection, wanted.scope)
    if not found:
        return Refused(Reason.NO_BOX_THERE, ", ".join(wanted.scope)[:100])
    name = wanted.id or uuid7(doing.now_ms, doing.chance(CHANCE_BYTES))
    stands = _stands(doing, wanted, name, found, doing.who)
    if wanted.preview:
        return stands
    asked = canonical(wanted.model_dump(mode="json"))
    known = doing.connection.execute(select(bulk).where(bulk.c.id == name)).one_or_none()
    if known is not None:
        mine = (known.asked, known.made_by) == (asked, doing.who)
        return (
            stands.model_copy(update={"state": known.state})
            if mine
            else Refused(Reason.BULK_OVER, known.state)
        )
    if not stands.within_budget:
        budget = f"at most {wanted.max_boxes} and {wanted.max_percent} %"
        return Refused(Reason.OVER_BUDGET, f"{stands.count} boxes, {stands.percent} %; {budget}")
    state = "awaiting" if stands.needs_second_person else "running"
    row = {
        "id": name,
        "verb": wanted.verb.value,
        "asked": asked,
        "boxes": canonical({"boxes": sorted(found)}),
        "made_by": doing.who,
        "state": state,
        "why": "",
        "wave": 0,
        "made_ms": doing.now_ms,
    }
    doing.connection.execute(insert(bulk), row)
    if state == "running":
        _begin(doing, name, wanted, found, doing.who)
    return stands.model_copy(update={"state": state})


def approve_bulk(doing: Doing, wanted: OfBulk) -> BulkStands | Refused:
    """A second person lets a bulk go."""
    row = doing.connection.execute(select(bulk).where(bulk.c.id == wanted.bulk)).one_or_none()
    if row is None:
        return Refused(Reason.BULK_UNKNOWN, wanted.bulk)
    if row.state != "awaiting" or doing.now_ms - row.made_ms > APPROVE_MS:
        return Refused(Reason.BULK_OVER, row.state)
    if row.made_by == doing.who:
        return Refused(Reason.SAME_PERSON, doing.who)
    asked, found = _meant(doing, row)
    commands.change_bulk(doing.connection, row.id, state="running", approved_by=doing.who)
    _begin(doing, row.id, asked, found, row.made_by)
    return _stands(doing, asked, row.id, found, row.made_by).model_copy(update={"state": "running"})


def stop_bulk(doing: Doing, wanted: OfBulk) -> BulkStands | Refused:
    """Send nothing more of it. What was sent is with its boxes."""
    row = doing.connection.execute(select(bulk).where(bulk.c.id == wanted.bulk)).one_or_none()
    if row is None:
        return Refused(Reason.BULK_UNKNOWN, wanted.bulk)
    if row.state not in ("awaiting", "running"):
        return Refused(Reason.BULK_OVER, row.state)
    why = f"{doing.who} stopped it."
    commands.change_bulk(doing.connection, row.id, state="stopped", why=why)
    commands.call_off(doing.connection, row.id, why, doing.now_ms)
    asked, found = _meant(doing, row)
    return _stands(doing, asked, row.id, found, row.made_by).model_copy(update={"state": "stopped"})


def _meant(doing: Doing, row: Row[Any]) -> tuple[SendCommands, dict[str, tuple[str, int]]]:
    """What was asked, and the boxes that were in it then and still are: nobody has seen any other."""
    asked = SendCommands.model_validate_json(row.asked)
    meant = set(json.loads(row.boxes)["boxes"])
    return asked, {name: at for name, at in _boxes(doing.connection, asked.scope).items() if name in meant}


def beyond_one(doing: Doing, devices: Set[str]) -> Refused | None:
    """Why a person may not do it to these boxes too: they would be more than one person reaches alone."""
    reached, most = _reached(doing, doing.who, devices), doing.fleet.second_person_above
    return Refused(Reason.SECOND_PERSON, f"{reached} boxes, {most} may be") if reached > most else None


def _reached(doing: Doing, who: str, devices: Set[str]) -> int:
    """How many boxes somebody would have commanded or put out within the hour, these among them. Many small bulks are one large."""
    since_ms = doing.now_ms - HOUR_MS
    alone = commands.commanded(doing.connection, who, since_ms)
    return len(alone | audit.put_out_by(doing.connection, who, since_ms) | devices)


def _begin(
    doing: Doing, name: str, wanted: SendCommands, found: Mapping[str, tuple[str, int]], made_by: str
) -> None:
    waves = waves_of(name, list(found), wanted.waves)
    rows = [
        _made(doing, wanted.verb, wanted.params, one, place, epoch, wanted.minutes, made_by=made_by)
        | {"bulk": name, "wave": waves[one], "due_ms": None}
        for one, (place, epoch) in found.items()
    ]
    commands.add(doing.connection, rows)
    commands.release(doing.connection, name, 0, doing.now_ms)


def open_shell(doing: Doing, wanted: OpenShell) -> CommandMade | Refused:
    """Ask a box to let somebody in. Nobody else can: the key of the session is drawn here."""
    found = _one_box(doing, wanted.box)
    if isinstance(found, Refused):
        return found
    name, place, epoch = found
    shells, shell = doing.fleet.shells, uuid7(doing.now_ms, doing.chance(CHANCE_BYTES))
    key = shells.begin(shell, device=name, who=doing.who) if shells else Refused(Reason.SHELL_BUSY)
    if isinstance(key, Refused):
        return key
    params = {
        "who": doing.who[:48],
        "why": wanted.why,
        "minutes": wanted.minutes,
        "key": key.hex(),
    }
    row = _made(
        doing,
        Verb.SHELL,
        params,
        name,
        place,
        epoch,
        SHELL_WAITS_MINUTES,
        made_by=doing.who,
        command_id=shell,
    )
    commands.add(doing.connection, [row | {"due_ms": doing.now_ms, "bulk": None, "wave": 0}])
    return CommandMade(id=shell, device=name, position=place, verb=Verb.SHELL, expires_ms=row["expires_ms"])


def end_shell(doing: Doing, wanted: OfShell) -> OfShell | Refused:
    """End a remote shell, whoever opened it."""
    shells = doing.fleet.shells
    return (shells.close(wanted.shell) if shells else Refused(Reason.SHELL_UNKNOWN, wanted.shell)) or wanted


def _one_box(doing: Doing, box: str) -> tuple[str, str, int] | Refused:
    """A box in service with its place and epoch, by either name."""
    found = _boxes(doing.connection, (box,) if "/" in box else (), device_name=box)
    return next(
        ((name, place, epoch) for name, (place, epoch) in found.items()), Refused(Reason.NO_BOX_THERE, box)
    )


def _made(
    doing: Doing,
    verb: Verb,
    params: Mapping[str, Any],
    name: str,
    place: str,
    epoch: int,
    minutes: int,
    *,
    made_by: str,
    command_id: str = "",
) -> dict[str, Any]:
    made = Command(
        id=command_id or uuid7(doing.now_ms, doing.chance(CHANCE_BYTES)),
        device=name,
        epoch=epoch,
        verb=verb.value,
        params=dict(params),
        made_ms=doing.now_ms,
        expires_ms=doing.now_ms + minutes * MINUTE_MS,
    )
    return {
        "id": made.id,
        "device": name,
        "position": place,
        "verb": made.verb,
        "sealed": seal_command(made, private_key=doing.fleet.key).encode(),
        "made_by": made_by,
        "made_ms": made.made_ms,
        "expires_ms": made.expires_ms,
    }


def _stands(
    doing: Doing, wanted: SendCommands, name: str, found: Mapping[str, tuple[str, int]], made_by: str
) -> BulkStands:
    everybody = select(func.count()).select_from(binding).where(binding.c.fenced_ms.is_(None))
    total = doing.connection.execute(everybody).scalar_one()
    there = select(box.c.device).where(box.c.state.in_(PRESENT))
    online = set(doing.connection.execute(there).scalars())
    percent = round(len(found) * 100 / max(1, total), 1)
    return BulkStands(
        id=name,
        state="preview",
        verb=wanted.verb,
        count=len(found),
        percent=percent,
        within_budget=percent <= wanted.max_percent and len(found) <= wanted.max_boxes,
        needs_second_person=_reached(doing, made_by, found.keys()) > doing.fleet.second_person_above,
        waves=sizes_of(waves_of(name, list(found), wanted.waves), len(wanted.waves)),
        boxes=[
            Reached(device=one, position=place, online=one in online)
            for one, (place, _) in sorted(found.items(), key=lambda item: item[1])
        ],
    )


def _boxes(
    connection: Connection, scope: tuple[str, ...], *, device_name: str = ""
) -> dict[str, tuple[str, int]]:
    """The boxes in service that a scope means, with their places and epochs."""
    live = (
        select(
            binding.c.device, binding.c.position, binding.c.epoch, position.c.store, position.c.store_group
        )
        .join(position, position.c.name == binding.c.position)
        .join(device, device.c.device == binding.c.device)
        .where(binding.c.fenced_ms.is_(None), device.c.state == "live")
    )
    wanted = set(scope)
    found = {}
    for row in connection.execute(live):
        names = {row.position, row.store, f"group:{row.store_group}", "*"}
        if names & wanted or row.device == device_name:
            found[row.device] = (row.position, row.epoch)
    return found
