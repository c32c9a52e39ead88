"""Whether somebody gets a shell on this box, and when it is over. Pure.

Nothing that happens at the till hinders it: a shell is opened just when the till is stuck, and it disturbs no sale.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tillbox.agent.outcomes import Move
from tillbox.contracts.commands import Shell, State
from tillbox.contracts.shells import SILENT_MS, End

ANSWER_MS = (
    120_000  # a cashier who serves somebody looks up within two minutes; who does not look does not agree
)
MINUTE_MS = 60_000
EARLY_MS = 2_000  # a question comes up by itself, perhaps under a finger that meant the sale
REFUSED_MS = 60_000  # a no is not worn down


class Policy(StrEnum):
    """The box's own word."""

    NEVER = "never"
    ASK = "ask"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Question:
    """The cashier is being asked; `answer` is None until a button was pressed."""

    since_ms: int
    answer: bool | None = None


def consent(
    policy: Policy,
    minutes_max: int,
    wanted: Shell,
    *,
    is_open: bool,
    question: Question | None,
    now_ms: int,
    refused_ms: int | None = None,
) -> Move:
    """What becomes of it at this moment. `refused_ms` is when the cashier last said no to this person."""
    if policy is Policy.NEVER:
        return Move(State.FAILED, "This box lets nobody in: its own configuration says never.")
    if wanted.minutes > minutes_max:
        return Move(State.FAILED, f"This box allows {minutes_max} minutes at the most.")
    if is_open:
        return Move(State.FAILED, "Somebody is in already; one at a time.")
    if policy is Policy.ALWAYS:
        return Move(State.EXECUTING, wanted.why)
    if question is None and refused_ms is not None and now_ms - refused_ms < REFUSED_MS:
        return Move(State.FAILED, "The cashier refused a moment ago: ask again in a minute.")
    if question is None:
        return Move(State.BLOCKED, "The cashier is asked.")
    if question.answer is None:
        over = now_ms - question.since_ms >= ANSWER_MS
        return (
            Move(State.FAILED, "Nobody at the till answered.")
            if over
            else Move(State.BLOCKED, "The cashier is asked.")
        )
    return (
        Move(State.EXECUTING, wanted.why) if question.answer else Move(State.FAILED, "The cashier refused.")
    )


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who wants in, or is in, as the till's page says it."""

    shell: str
    who: str
    why: str
    minutes: int
    asking: bool
    left_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """A session at a moment. Times are of a clock that never jumps."""

    opened_ms: int
    minutes: int
    heard_ms: int
    ended_at_till: bool = False
    closed: bool = False
    exited: bool = False
    fault: End | None = None
    """What went wrong on the way."""


def over(standing: Standing, now_ms: int) -> End | None:
    """Why it is over, the gravest first; None while it goes on."""
    ends = (
        (End.TILL, standing.ended_at_till),
        (End.TIME_OVER, now_ms - standing.opened_ms >= standing.minutes * MINUTE_MS),
        (standing.fault, standing.fault is not None),
        (End.EXITED, standing.exited),
        (End.CLOSED, standing.closed),
        (End.SILENT, now_ms - standing.heard_ms >= SILENT_MS),
    )
    return next((end for end, true in ends if true), None)
