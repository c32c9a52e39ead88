"""Everything that a person or a program can do to the fleet: one table, each with who may, what it takes and what it
gives. Console, API and command line go through `perform`, which is also where the audit log is written.

A refusal is a value with its reason; it is written down, too. What has to be done outside the database (keeping a box
out, sending settings) follows from what the database says, so that nothing is lost between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Base64Bytes, BaseModel, Field, StringConstraints, ValidationError
from sqlalchemy import Connection, Row, select, update

from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.store import coupons, registry, tables
from tillbox.cloud_bridge.store.database import Database, upsert
from tillbox.contracts.codes import ClaimCode, claim_payload, seal, typed_token
from tillbox.contracts.codes.claim import POSITION_PATTERN, TOKEN_BYTES
from tillbox.contracts.messages import Device
from tillbox.contracts.proofs import BIRTH, is_proven, unweb
from tillbox.contracts.settings import Strict
from tillbox.contracts.verdicts import Reason, Refused

from . import audit, papers, photographs, settings, views
from .commanding import (
    BulkStands,
    CommandMade,
    OfBulk,
    OfShell,
    OpenShell,
    SendCommand,
    SendCommands,
    approve_bulk,
    beyond_one,
    end_shell,
    open_shell,
    send_command,
    send_commands,
    stop_bulk,
)
from .missing import Gap, missing
from .plan import NAME, PlannedPlace
from .shells import Shells
from .twin import Change, difference
from .views import DropView, SaveView, Views

ROLES = ("viewer", "engineer", "operator", "admin")
"""Each may what the ones before it may."""
LISTED_MAX = 50  # boxes of a preview that are told one by one
PLACES_AT_ONCE = 500  # of a preview: their levels are asked for in one statement
DAY_MS = 24 * 3_600_000

Place = Annotated[str, StringConstraints(pattern=rf"^{POSITION_PATTERN}$")]
Lane = Annotated[str, StringConstraints(pattern=f"^{NAME}/{NAME}$")]


@dataclass(frozen=True, slots=True)
class Fleet:
    """What acts need to know of the fleet besides its registry."""

    key: bytes
    tenant: str
    host: str
    claim_port: int
    sale_max: int
    total_max: int
    schedule: Schedule
    second_person_above: int = 20
    """What one person commands or puts out within an hour may be so many boxes; more needs a second person's word."""
    shells: Shells | None = None
    """The remote shells of the running core."""


@dataclass(frozen=True, slots=True)
class Doing:
    """One act under way: in a transaction, by somebody, at a time. `who` is the person, also where a key of theirs acts."""

    connection: Connection
    fleet: Fleet
    who: str
    role: str
    now_ms: int
    chance: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that can be done. `least` is the least role that may."""

    least: str
    takes: type[Strict]
    gives: type[BaseModel]
    do: Callable[[Doing, Any], BaseModel | Refused]
    subject: Callable[[Any], str]
    says: str | Callable[[Any, Any], str]
    """For the audit log; where it depends on what was asked and what came of it, a function of these."""
    first: Callable[[Any], Any | Refused] = lambda wanted: wanted
    """Slow work on what was asked, outside of any transaction: what `do` gets, or why not."""
    judge: Callable[[Doing, Any], Refused | None] | None = None
    """Why somebody may not, before that slow work is done for them."""


def may(role: str, least: str) -> bool:
    """Whether a role may what needs at least that one. A role that nobody knows may nothing."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(least)


def perform(
    database: Database,
    fleet: Fleet,
    name: str,
    body: dict[str, Any],
    *,
    who: str,
    role: str,
    now_ms: int,
    chance: Callable[[int], bytes],
    key: str = "",
) -> BaseModel | Refused:
    """Do it, all or nothing, and write it down. `who` is the person, and `key` the program's by which they did it."""
    act = ACTS[name]
    if not may(role, act.least):
        return Refused(Reason.NOT_ALLOWED, f"{name} needs {act.least}")
    try:
        wanted = act.takes.model_validate(body)
    except ValidationError as fault:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or name}: {e['msg']}" for e in fault.errors()[:5])
        return Refused(Reason.NOT_UNDERSTOOD, wrong)
    barred = None
    if act.judge is not None:
        with database.reading() as connection:
            barred = act.judge(Doing(connection, fleet, who, role, now_ms, chance), wanted)
    ready = barred or act.first(wanted)
    with database.writing() as connection:
        doing = Doing(connection, fleet, who, role, now_ms, chance)
        done = ready if isinstance(ready, Refused) else act.do(doing, ready)
        said = (
            f"refused: {done.reason} {done.detail}" if isinstance(done, Refused) else _said(act, wanted, done)
        )
        both = f"key {key} of {who}" if key else who
        audit.note(connection, who=both, act=name, subject=act.subject(wanted), detail=said, at_ms=now_ms)
    return done


def _said(act: Act, wanted: Strict, done: BaseModel) -> str:
    return act.says if isinstance(act.says, str) else act.says(wanted, done)


# places and claims


class PlanPlaces(Strict):
    """Places that are to have a box."""

    places: Annotated[tuple[PlannedPlace, ...], Field(min_length=1, max_length=10_000)]


class Planned(BaseModel):
    """How many places there are now that were planned here."""

    places: int


def _plan(doing: Doing, wanted: PlanPlaces) -> Planned:
    rows = {
        one.place: {
            "name": one.place,
            "store": one.store,
            "lane": one.lane,
            "title": one.title,
            "store_group": one.group,
            "epoch": 0,
            "planned_ms": doing.now_ms,
        }
        for one in wanted.places
    }
    registry.plan(doing.connection, list(rows.values()))
    return Planned(places=len(rows))


class MakeClaims(Strict):
    """Claims for places, one each; or for a store as a whole, good for `uses` boxes."""

    places: Annotated[tuple[Place, ...], Field(min_length=1, max_length=10_000)]
    uses: Annotated[int, Field(ge=1, le=1_000)] = 1
    days: Annotated[int, Field(ge=1, le=365)] = 30


class ClaimMade(BaseModel):
    """A claim, this once: `code` is what its symbol carries, `typed` what a person types."""

    number: int
    position: str
    title: str
    code: str
    typed: str
    not_after_ms: int


class ClaimsMade(BaseModel):
    """In the order asked for."""

    claims: list[ClaimMade]


def _make_claims(doing: Doing, wanted: MakeClaims, *, replaces: bool = False) -> ClaimsMade | Refused:
    made = []
    for place in wanted.places:
        title = _title(doing.connection, place)
        if title is None:
            return Refused(Reason.POSITION_UNKNOWN, place)
        made.append(_make_claim(doing, place, title, wanted, replaces=replaces))
    return ClaimsMade(claims=made)


def _title(connection: Connection, place: str) -> str | None:
    column = tables.position.c
    where = column.name == place if "/" in place else column.store == place
    return connection.execute(select(column.title).where(where).limit(1)).scalar()


def _make_claim(doing: Doing, place: str, title: str, wanted: MakeClaims, *, replaces: bool) -> ClaimMade:
    token = doing.chance(TOKEN_BYTES)
    not_after_ms = doing.now_ms + wanted.days * DAY_MS
    number = registry.add_claim(
        doing.connection,
        token,
        position=place,
        uses_max=wanted.uses if "/" not in place else 1,
        replaces=int(replaces),
        made_by=doing.who,
        made_ms=doing.now_ms,
        not_after_ms=not_after_ms,
    )
    fleet = doing.fleet
    code = ClaimCode(
        token=token,
        position=place,
        title=title,
        tenant=fleet.tenant,
        host=fleet.host,
        port=fleet.claim_port,
        not_after_ms=not_after_ms,
        sale_max=fleet.sale_max,
        total_max=fleet.total_max,
    )
    return ClaimMade(
        number=number,
        position=place,
        title=title,
        code=seal(claim_payload(code), private_key=fleet.key),
        typed=typed_token(token),
        not_after_ms=not_after_ms,
    )


class ExtendClaim(Strict):
    """A claim that is to live longer, from now on."""

    number: Annotated[int, Field(ge=1)]
    days: Annotated[int, Field(ge=1, le=365)] = 30


class RevokeClaim(Strict):
    """A claim that is to let nobody in any more."""

    number: Annotated[int, Field(ge=1)]


class ClaimStands(BaseModel):
    """How a claim stands now. The sheet need not be printed again: the core's word about its end counts."""

    number: int
    not_after_ms: int
    revoked_ms: int | None


def _extend_claim(doing: Doing, wanted: ExtendClaim) -> ClaimStands | Refused:
    return _change_claim(doing, wanted.number, not_after_ms=doing.now_ms + wanted.days * DAY_MS)


def _revoke_claim(doing: Doing, wanted: RevokeClaim) -> ClaimStands | Refused:
    return _change_claim(doing, wanted.number, revoked_ms=doing.now_ms, revoked_by=doing.who)


def _change_claim(doing: Doing, number: int, **columns: Any) -> ClaimStands | Refused:
    claim = tables.claim
    changed = doing.connection.execute(update(claim).where(claim.c.number == number).values(**columns))
    if not changed.rowcount:
        return Refused(Reason.CLAIM_UNKNOWN, f"{number}")
    row = doing.connection.execute(select(claim).where(claim.c.number == number)).one()
    return ClaimStands(number=number, not_after_ms=row.not_after_ms, revoked_ms=row.revoked_ms)


# boxes


class ReplaceBox(Strict):
    """A place that is to get another box. The one that is there goes on until the new one has shown the claim."""

    place: Lane
    days: Annotated[int, Field(ge=1, le=365)] = 7


class OfBox(Strict):
    """One box."""

    device: Device


class AcceptBox(Strict):
    """An engineer says that a box stands where it should and works."""

    device: Device
    proof: Annotated[str, StringConstraints(max_length=100)] = Field(default="", description="From the birth slip; an engineer needs it.")  # fmt: skip
    note: Annotated[str, StringConstraints(max_length=120)] = ""
    place: Annotated[str, StringConstraints(max_length=60)] = Field(
        default="", description="Where the phone was."
    )


class BoxStands(BaseModel):
    """How a box stands now."""

    device: str
    state: str
    position: str
    accepted_ms: int | None = None
    written_off: str = ""
    """What was missing when somebody closed its range all the same, and why they did."""


def _replace_box(doing: Doing, wanted: ReplaceBox) -> ClaimsMade | Refused:
    if registry.holder(doing.connection, wanted.place) is None:
        return Refused(Reason.POSITION_EMPTY, wanted.place)
    return _make_claims(doing, MakeClaims(places=(wanted.place,), days=wanted.days), replaces=True)


def _revoke_box(doing: Doing, wanted: OfBox) -> BoxStands | Refused:
    standing = registry.standing(doing.connection, wanted.device)
    if standing is None:
        return Refused(Reason.BOX_UNKNOWN, wanted.device)
    if standing.state == "live":
        if alone := beyond_one(doing, {wanted.device}):
            return alone
        registry.put_out(doing.connection, wanted.device, "revoked", doing.now_ms)
    return _stands(doing.connection, wanted.device)


def _accept_box(doing: Doing, wanted: AcceptBox) -> BoxStands | Refused:
    bound = _at_the_box(doing, wanted)
    if isinstance(bound, Refused):
        return bound
    where = (tables.binding.c.position == bound.position) & (tables.binding.c.epoch == bound.epoch)
    accepted = {"accepted_ms": doing.now_ms, "accepted_by": doing.who}
    doing.connection.execute(update(tables.binding).where(where).values(**accepted))
    return _stands(doing.connection, wanted.device)


class AddPhoto(Strict):
    """How a box stands, for whoever has to find it later."""

    device: Device
    proof: Annotated[str, StringConstraints(max_length=100)] = Field(default="", description="From the birth slip; an engineer needs it.")  # fmt: skip
    picture: Base64Bytes = Field(description="A photograph (JPEG, PNG, WebP) in Base64; 8 MB at the most.")


class PhotoKept(BaseModel):
    """Where the box stood, and how large the picture is that was kept."""

    device: str
    position: str
    bytes: int


def _small(wanted: AddPhoto) -> AddPhoto | Refused:
    jpeg = photographs.small_jpeg(wanted.picture)
    return jpeg if isinstance(jpeg, Refused) else AddPhoto.model_construct(device=wanted.device, proof=wanted.proof, picture=jpeg)  # fmt: skip


def _at_the_box(doing: Doing, wanted: AcceptBox | AddPhoto) -> Row[Any] | Refused:
    """The place of a box in service, for an operator or whoever holds its slip."""
    bound = registry.bound(doing.connection, wanted.device)
    if bound is None or bound.fenced_ms is not None:
        return Refused(Reason.BOX_UNKNOWN, wanted.device)
    if not may(doing.role, "operator") and not is_own_slip(doing.connection, wanted.device, wanted.proof):
        return Refused(Reason.SLIP_OF_ANOTHER)
    return bound


def _may_photograph(doing: Doing, wanted: AddPhoto) -> Refused | None:
    found = _at_the_box(doing, wanted)
    return found if isinstance(found, Refused) else None


def _add_photo(doing: Doing, wanted: AddPhoto) -> PhotoKept | Refused:
    bound = _at_the_box(doing, wanted)
    if isinstance(bound, Refused):
        return bound
    row = {
        "position": bound.position, "epoch": bound.epoch, "device": wanted.device, "jpeg": wanted.picture,
        "taken_by": doing.who[:48], "at_ms": doing.now_ms,
    }  # fmt: skip
    upsert(doing.connection, tables.photo, [row], "position", "epoch")
    return PhotoKept(device=wanted.device, position=bound.position, bytes=len(wanted.picture))


def is_own_slip(connection: Connection, name: str, proof: str) -> bool:
    """Whether a proof is this box's signature under the self-test that it reported: whoever has it holds its paper."""
    row = connection.execute(
        select(tables.device.c.public_key).where(tables.device.c.device == name)
    ).one_or_none()
    bound = registry.bound(connection, name)
    if row is None or bound is None or bound.birth is None:
        return False
    return is_proven(row.public_key, BIRTH, bound.birth, unweb(proof))


def _stands(connection: Connection, name: str) -> BoxStands:
    state = connection.execute(
        select(tables.device.c.state).where(tables.device.c.device == name)
    ).scalar_one()
    bound = registry.bound(connection, name)
    return BoxStands(
        device=name,
        state=state,
        position=bound.position if bound else "",
        accepted_ms=bound.accepted_ms if bound else None,
    )


class CloseRange(Strict):
    """All that a box that was put out sold is in; or what is missing is written off, and why."""

    device: Device
    write_off: bool = False
    why: Annotated[str, StringConstraints(max_length=200)] = ""


class TakeSlips(Strict):
    """Codes of paper slips, as a scanner reads them."""

    codes: Annotated[
        tuple[Annotated[str, StringConstraints(max_length=1_000)], ...], Field(min_length=1, max_length=200)
    ]


class SlipsTaken(BaseModel):
    """What became of each, in the order given: `new`, `known`, or the reason why not; and what is missing now."""

    outcomes: list[str]
    missing: dict[str, list[Gap]]


def _close_range(doing: Doing, wanted: CloseRange) -> BoxStands | Refused:
    bound = registry.bound(doing.connection, wanted.device)
    if bound is None or bound.fenced_ms is None:
        return Refused(Reason.BOX_UNKNOWN, wanted.device)
    open_ = missing(doing.connection, wanted.device)
    if open_ and not (wanted.write_off and wanted.why):
        return Refused(Reason.RANGE_OPEN, said_of(open_))
    registry.close(doing.connection, wanted.device, doing.now_ms)
    # What it may still have redeemed in a drawer stays spent: nobody can say that it was not.
    coupons.lose(doing.connection, wanted.device)
    stands = _stands(doing.connection, wanted.device)
    if open_:
        stands.written_off = f"{sum(gap.count for gap in open_)} records, {said_of(open_)}: {wanted.why}"
    return stands


def said_of(gaps: list[Gap]) -> str:
    """Missing numbers for a person."""
    return ", ".join(f"{gap.inc[:4]}:{gap.first}-{gap.last}" for gap in gaps[:5]) + (
        "…" if len(gaps) > 5 else ""
    )


def _take_slips(doing: Doing, wanted: TakeSlips) -> SlipsTaken:
    outcomes, devices = [], set()
    for code in wanted.codes:
        found = papers.take(doing.connection, code, now_ms=doing.now_ms, schedule=doing.fleet.schedule)
        if isinstance(found, Refused):
            outcomes.append(str(found.reason))
        else:
            outcomes.append("new" if found.new else "known")
            devices.add(found.device)
    return SlipsTaken(
        outcomes=outcomes, missing={name: missing(doing.connection, name) for name in sorted(devices)}
    )


def _retire_box(doing: Doing, wanted: OfBox) -> BoxStands | Refused:
    """Only what is wholly in may go: the box is here, and says that nothing waits."""
    standing = registry.standing(doing.connection, wanted.device)
    if standing is None:
        return Refused(Reason.BOX_UNKNOWN, wanted.device)
    waiting = registry.pending(doing.connection, wanted.device)
    if standing.state == "live" and (waiting != 0 or missing(doing.connection, wanted.device)):
        return Refused(Reason.BOX_UNSYNCED, "" if waiting is None else f"{waiting}")
    if standing.state == "live":
        if alone := beyond_one(doing, {wanted.device}):
            return alone
        registry.put_out(doing.connection, wanted.device, "retired", doing.now_ms)
    return _stands(doing.connection, wanted.device)


# settings


class DecideSettings(Strict):
    """What a level decides, whole: `operator`, `tenant`, `group:NAME`, `store:NAME` or `box:STORE/LANE`."""

    scope: Annotated[
        str,
        StringConstraints(
            pattern=r"^(?:operator|tenant|(?:group|store):[a-z0-9_-]{1,24}|box:[a-z0-9_/-]{3,49})$"
        ),
    ]
    settings: dict[str, Any]
    based_on: Annotated[int | None, Field(ge=0)] = Field(default=None, description="The level's version that was looked at, 0 before the first: refused if there is a newer one.")  # fmt: skip


class Decided(BaseModel):
    """The version of that level that this is."""

    scope: str
    version: int


def _decide(doing: Doing, wanted: DecideSettings) -> Decided | Refused:
    wrong = _unusable(wanted.settings) or _outdated(doing.connection, wanted.scope, wanted.based_on)
    if wrong is not None:
        return wrong
    version = settings.decide(
        doing.connection, wanted.scope, wanted.settings, who=doing.who, now_ms=doing.now_ms
    )
    return Decided(scope=wanted.scope, version=version)


def _outdated(connection: Connection, scope: str, based_on: int | None) -> Refused | None:
    """Whether somebody decided a level after it was looked at."""
    newest = settings.newest(connection, scope)
    version = newest.version if newest else 0
    if based_on is None or based_on == version:
        return None
    return Refused(Reason.DECIDED_MEANWHILE, f"version {version}, {newest.made_by if newest else ''}")


class PreviewSettings(DecideSettings):
    """What a decision would change, box by box, before it is made."""


class BoxChanges(BaseModel):
    """What would change at one place."""

    position: str
    device: str
    changes: list[Change]


class Preview(BaseModel):
    """Every box that would get other settings; `boxes` is how many, and the first of them are listed."""

    boxes: int
    of: int
    listed: list[BoxChanges]


class OfScope(Strict):
    """A level of the fleet."""

    scope: Annotated[str, StringConstraints(max_length=80)]


class UndoSettings(OfScope):
    """A level that is to decide again what it decided before."""

    based_on: Annotated[int | None, Field(ge=0)] = Field(default=None, description="The version that is to be undone: refused if there is a newer one.")  # fmt: skip


class OfPlace(Strict):
    """A place."""

    place: Lane


def _preview(doing: Doing, wanted: PreviewSettings) -> Preview | Refused:
    wrong = _unusable(wanted.settings)
    if wrong is not None:
        return wrong
    listed: list[BoxChanges] = []
    changed = 0
    places = list(settings.places_in(doing.connection, wanted.scope))
    for start in range(0, len(places), PLACES_AT_ONCE):
        some = places[start : start + PLACES_AT_ONCE]
        held = settings.by_scope(doing.connection, {scope for place in some for scope in place.scopes})
        then = {**held, wanted.scope: wanted.settings}
        for place in some:
            changes = difference(settings.from_levels(place, held), settings.from_levels(place, then))
            changed += bool(changes)
            if changes and len(listed) < LISTED_MAX:
                listed.append(BoxChanges(position=place.name, device=place.device or "", changes=changes))
    return Preview(boxes=changed, of=len(places), listed=listed)


def _undo_settings(doing: Doing, wanted: UndoSettings) -> Decided | Refused:
    """What the level decided before counts again, as a new version."""
    outdated = _outdated(doing.connection, wanted.scope, wanted.based_on)
    if outdated is not None:
        return outdated
    before = settings.before(doing.connection, wanted.scope)
    if before is None:
        return Refused(Reason.NOTHING_TO_UNDO, wanted.scope)
    version = settings.decide(doing.connection, wanted.scope, before, who=doing.who, now_ms=doing.now_ms)
    return Decided(scope=wanted.scope, version=version)


def _pin_box(doing: Doing, wanted: OfPlace) -> Decided | Refused:
    """The box keeps what it has, whatever the wider levels decide from now on."""
    for place in settings.places_in(doing.connection, f"box:{wanted.place}"):
        scope = f"box:{wanted.place}"
        held = settings.DEFAULTS | settings.effective(doing.connection, place)
        version = settings.decide(doing.connection, scope, held, who=doing.who, now_ms=doing.now_ms)
        return Decided(scope=scope, version=version)
    return Refused(Reason.POSITION_UNKNOWN, wanted.place)


def _unusable(told: dict[str, Any]) -> Refused | None:
    unknown = sorted(set(told) - set(settings.NAMES))
    if unknown:
        return Refused(Reason.SETTINGS_WRONG, f"there is no setting {', '.join(unknown)[:100]}")
    wrong = settings.checked({"tenant": "t", "shop": "s"} | told)
    return Refused(Reason.SETTINGS_WRONG, wrong.why[:200]) if wrong is not None else None


# views


def _save_view(doing: Doing, wanted: SaveView) -> Views | Refused:
    return views.save(doing.connection, doing.who, wanted, doing.now_ms)


def _drop_view(doing: Doing, wanted: DropView) -> Views:
    return views.drop(doing.connection, doing.who, wanted)


ACTS: dict[str, Act] = {
    "plan-places": Act("operator", PlanPlaces, Planned, _plan, lambda w: w.places[0].store, "planned"),
    "make-claims": Act("operator", MakeClaims, ClaimsMade, _make_claims, lambda w: w.places[0], "made"),
    "extend-claim": Act("operator", ExtendClaim, ClaimStands, _extend_claim, lambda w: f"claim {w.number}", "extended"),
    "revoke-claim": Act("operator", RevokeClaim, ClaimStands, _revoke_claim, lambda w: f"claim {w.number}", "revoked"),
    "replace-box": Act("operator", ReplaceBox, ClaimsMade, _replace_box, lambda w: w.place, "claim made"),
    "revoke-box": Act("operator", OfBox, BoxStands, _revoke_box, lambda w: w.device, "revoked"),
    "accept-box": Act("engineer", AcceptBox, BoxStands, _accept_box, lambda w: w.device, lambda w, _: "; ".join(filter(None, ("accepted", w.note, w.place)))),
    "add-photo": Act("engineer", AddPhoto, PhotoKept, _add_photo, lambda w: w.device, lambda _, d: f"photo of {d.position}", _small, _may_photograph),
    "retire-box": Act("operator", OfBox, BoxStands, _retire_box, lambda w: w.device, "retired"),
    "close-range": Act("operator", CloseRange, BoxStands, _close_range, lambda w: w.device, lambda _, d: f"written off {d.written_off}" if d.written_off else "closed"),
    "take-slips": Act("engineer", TakeSlips, SlipsTaken, _take_slips, lambda w: f"{len(w.codes)} slips", "taken"),
    "decide-settings": Act("operator", DecideSettings, Decided, _decide, lambda w: w.scope, "decided"),
    "preview-settings": Act("operator", PreviewSettings, Preview, _preview, lambda w: w.scope, "previewed"),
    "undo-settings": Act("operator", UndoSettings, Decided, _undo_settings, lambda w: w.scope, "undone"),
    "pin-box": Act("operator", OfPlace, Decided, _pin_box, lambda w: w.place, "pinned"),
    "send-command": Act("operator", SendCommand, CommandMade, send_command, lambda w: w.box, lambda w, d: " ".join(filter(None, (d.verb, w.what, d.id)))),
    "send-commands": Act("operator", SendCommands, BulkStands, send_commands, lambda w: ",".join(w.scope), lambda _, d: f"{d.verb} {d.count} boxes: {d.state} {d.id}"),
    "approve-bulk": Act("operator", OfBulk, BulkStands, approve_bulk, lambda w: w.bulk, lambda _, d: f"{d.verb} {d.count} boxes"),
    "stop-bulk": Act("operator", OfBulk, BulkStands, stop_bulk, lambda w: w.bulk, lambda _, d: f"{d.verb} {d.count} boxes"),
    "open-shell": Act("admin", OpenShell, CommandMade, open_shell, lambda w: w.box, lambda w, d: f"{d.id} {w.minutes} min: {w.why}"),
    "end-shell": Act("admin", OfShell, OfShell, end_shell, lambda w: w.shell, "ended"),
    "save-view": Act("viewer", SaveView, Views, _save_view, lambda w: w.name, "saved"),
    "drop-view": Act("viewer", DropView, Views, _drop_view, lambda w: w.name, "dropped"),
}  # fmt: skip
"""Everything that can be done, by its name in the API."""
