"""What to do about a command at this moment: begin, wait, or leave it. Pure."""

from __future__ import annotations

from tillbox.agent.outcomes import Move
from tillbox.agent.updates.gate import Now, blocked_by
from tillbox.agent.updates.machine import PASSING, Stand, Steady, Waiting
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.commands import Command, State, Verb, params_of
from tillbox.contracts.updates import BLOCKER_TEXTS, Blocker
from tillbox.contracts.verdicts import TEXTS, Refused

_MONEY = frozenset({Blocker.PAYMENT, Blocker.DOUBT})
HINDERS: dict[Verb, frozenset[Blocker]] = {
    Verb.RESTART: _MONEY | {Blocker.CUSTOMER},
    Verb.DRAIN: _MONEY | {Blocker.CUSTOMER},
    # Goods on the counter wait in a quarantine; money on its way is not left alone for it.
    Verb.QUARANTINE: _MONEY,
}
"""Of all that an update waits for, what these wait for. The others disturb nobody."""


def judge(command: Command, now: Now, at: TimeInterval) -> Move:
    """What becomes of a command that has not begun."""
    params = params_of(command.verb, command.params)
    if isinstance(params, Refused):
        return Move(State.FAILED, f"{TEXTS[params.reason].en} ({params.detail})"[:160])
    if at.lo_ms >= command.expires_ms:
        return Move(State.EXPIRED, "Its time was over before this box could begin.")
    if not at.is_known or at.hi_ms >= command.expires_ms:
        # Whether its time is over cannot be told; the core says the hour as soon as it hears the box.
        return Move(State.BLOCKED, BLOCKER_TEXTS[Blocker.CLOCK].en)
    hinders = hindrance(Verb(command.verb), now)
    if hinders is not None:
        return Move(State.BLOCKED, BLOCKER_TEXTS[hinders].en)
    return Move(State.EXECUTING, str(getattr(params, "why", "")))


def judge_update(release: str, stand: Stand | None) -> Move | None:
    """What becomes of a command for a release that this box could begin; None: it is on its way there, and nobody need know.

    It *begins* with the restart into it, which the box's own update room does when nobody is disturbed."""
    if stand is None:
        return Move(State.FAILED, "This box takes no releases: its configuration has no `updates`.")
    if stand.runs == release:
        return Move(State.EXECUTING, release)
    match stand.state:
        case _ if not stand.asked:
            return None
        case Steady(refusal) if refusal is not None:
            return Move(State.BLOCKED if refusal.why in PASSING else State.FAILED, refusal.text.en[:160])
        case Waiting(_, (first, *_)):
            return Move(State.BLOCKED, BLOCKER_TEXTS[first].en)
        case _:
            return None


def hindrance(verb: Verb, now: Now) -> Blocker | None:
    """What such a command waits for now."""
    if verb is Verb.QUARANTINE and now.phase == "Checking":
        return Blocker.CUSTOMER
    return next((one for one in blocked_by(now, quiet_ms=0) if one in HINDERS.get(verb, ())), None)
