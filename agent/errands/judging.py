"""What to do about a command at this moment: begin, wait, or leave it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tillbox.agent.updates.gate import WORDS, Blocker, Now, blocked_by
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.commands import Command, State, Verb, params_of
from tillbox.contracts.verdicts import TEXTS, Refused

_MONEY = frozenset({Blocker.PAYMENT, Blocker.DOUBT})
HINDERS: dict[Verb, frozenset[Blocker]] = {
    Verb.RESTART: _MONEY | {Blocker.CUSTOMER},
    Verb.DRAIN: _MONEY | {Blocker.CUSTOMER},
    # Goods on the counter wait in a quarantine; money on its way is not left alone for it.
    Verb.QUARANTINE: _MONEY,
}
"""Of all that an update waits for, what these wait for. The others disturb nobody."""


@dataclass(frozen=True, slots=True)
class Move:
    """The next state of a command, and why."""

    state: State
    reason: str = ""


def judge(command: Command, now: Now, at: TimeInterval) -> Move:
    """What becomes of a command that has not begun."""
    params = params_of(command.verb, command.params)
    if isinstance(params, Refused):
        return Move(State.FAILED, f"{TEXTS[params.reason].en} ({params.detail})"[:160])
    if at.lo_ms >= command.expires_ms:
        return Move(State.EXPIRED, "Its time was over before this box could begin.")
    if not at.is_known or at.hi_ms >= command.expires_ms:
        # Whether its time is over cannot be told; the core says the hour as soon as it hears the box.
        return Move(State.BLOCKED, WORDS[Blocker.CLOCK].en)
    hinders = hindrance(Verb(command.verb), now)
    if hinders is not None:
        return Move(State.BLOCKED, WORDS[hinders].en)
    return Move(State.EXECUTING, str(getattr(params, "why", "")))


def hindrance(verb: Verb, now: Now) -> Blocker | None:
    """What such a command waits for now."""
    if verb is Verb.QUARANTINE and now.phase == "Checking":
        return Blocker.CUSTOMER
    return next((one for one in blocked_by(now, quiet_ms=0) if one in HINDERS.get(verb, ())), None)
