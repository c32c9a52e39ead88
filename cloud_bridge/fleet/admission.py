"""Who may become the box of a place, and who not: a pure decision over what the registry knows.

    asked with a claim ─┬─ the claim is good, the place free            a new binding
                        ├─ the claim is a replacement's, a box is there a new binding, and that box is fenced
                        ├─ this very box used it before                 its certificate once more
                        └─ anything else                                refused: who, when, and what now
    asked without one ──┬─ a box in service                             a fresh certificate
                        └─ anything else                                refused

It refuses to sign, to store and to know what time it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from tillbox.contracts.verdicts import Reason, Refused

GONE = {"fenced": Reason.BOX_REPLACED, "revoked": Reason.BOX_REVOKED, "retired": Reason.BOX_RETIRED}
"""Why a box is out, by the state of its registry."""


@dataclass(frozen=True, slots=True)
class Use:
    """A box that a claim let in."""

    device: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as the registry has it. `lanes` are the places it may still fill, best first: one of its own, or the free
    ones of its store."""

    number: int
    position: str
    uses_max: int
    not_after_ms: int
    replaces: bool = False
    revoked_ms: int | None = None
    revoked_by: str = ""
    uses: tuple[Use, ...] = ()
    lanes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a box stands, or stood last."""

    state: str
    position: str = ""
    fenced_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry knows of a request."""

    box: Standing | None = None
    claim: Claim | None = None
    holders: dict[str, str] = field(default_factory=dict)
    """Which box holds each of the claim's lanes now."""


@dataclass(frozen=True, slots=True)
class Bind:
    """A new binding of the place; the box that held it, if any, is fenced."""

    position: str
    fences: str = ""


@dataclass(frozen=True, slots=True)
class Renew:
    """The box is where it belongs: a fresh certificate."""

    position: str


def admit(device: str, known: Known, *, with_claim: bool, now_ms: int) -> Bind | Renew | Refused:
    """What becomes of a box that asks."""
    gone = _out_of_service(known.box)
    if gone is not None:
        return gone
    if not with_claim:
        in_service = known.box is not None and known.box.state == "live"
        return Renew(known.box.position) if known.box and in_service else Refused(Reason.BOX_UNKNOWN)
    if known.claim is None:
        return Refused(Reason.CLAIM_UNKNOWN)
    if any(use.device == device for use in known.claim.uses) and known.box and known.box.state == "live":
        return Renew(known.box.position)
    return _spent(known.claim, now_ms) or _place(known, known.claim)


def _out_of_service(box: Standing | None) -> Refused | None:
    """A key that was put out never comes back; its machine may, wiped, with a new one."""
    if box is None or box.state == "live":
        return None
    reason = GONE[box.state]
    since = f"{box.position} {_when(box.fenced_ms)}" if box.fenced_ms else box.position
    return Refused(reason, since)


def _spent(claim: Claim, now_ms: int) -> Refused | None:
    if claim.revoked_ms is not None:
        return Refused(Reason.CLAIM_REVOKED, f"{claim.revoked_by} {_when(claim.revoked_ms)}")
    if len(claim.uses) >= claim.uses_max:
        last = claim.uses[-1]
        return Refused(Reason.CLAIM_USED, f"{last.device} {_when(last.at_ms)}")
    if now_ms > claim.not_after_ms:
        return Refused(Reason.CLAIM_EXPIRED, _when(claim.not_after_ms))
    return None


def _place(known: Known, claim: Claim) -> Bind | Refused:
    if known.box is not None and known.box.state == "live":
        return Refused(Reason.BOX_ELSEWHERE, known.box.position)
    for lane in claim.lanes:
        if lane not in known.holders:
            return Bind(lane)
    if claim.replaces and claim.lanes:
        return Bind(claim.lanes[0], fences=known.holders[claim.lanes[0]])
    if claim.lanes and "/" in claim.position:
        return Refused(Reason.POSITION_HELD, f"{claim.position} {known.holders[claim.lanes[0]]}")
    return Refused(Reason.STORE_FULL, claim.position)


def _when(at_ms: int) -> str:
    """A time for a person, to the minute; the zone is said, as head office and shop may not share one."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
