"""Who gets a shell on a box, as a table; and when it is over."""

from __future__ import annotations

import pytest

from tillbox.agent.shell.consent import ANSWER_MS, REFUSED_MS, Policy, Question, Standing, consent, over
from tillbox.contracts.commands import Shell
from tillbox.contracts.shells import SILENT_MS, End

NEVER, ASK, ALWAYS = Policy
YES, NO, OPEN = Question(0, True), Question(0, False), Question(0)


@pytest.mark.parametrize(
    ("policy", "minutes", "is_open", "question", "now_ms", "state", "reason"),
    [
        (NEVER, 1, False, None, 0, "failed", "lets nobody in"),
        (NEVER, 1, False, YES, 0, "failed", "lets nobody in"),
        (ALWAYS, 15, False, None, 0, "executing", "the disk"),
        (ALWAYS, 16, False, None, 0, "failed", "15 minutes at the most"),
        (ALWAYS, 1, True, None, 0, "failed", "one at a time"),
        (ASK, 16, False, None, 0, "failed", "15 minutes at the most"),
        (ASK, 15, True, None, 0, "failed", "one at a time"),
        (ASK, 15, False, None, 0, "blocked", "is asked"),
        (ASK, 15, False, OPEN, ANSWER_MS - 1, "blocked", "is asked"),
        (ASK, 15, False, OPEN, ANSWER_MS, "failed", "Nobody at the till answered"),
        (ASK, 15, False, NO, 5, "failed", "The cashier refused"),
        (ASK, 15, False, YES, 5, "executing", "the disk"),
    ],
)
def test_who_gets_in(
    policy: Policy,
    minutes: int,
    is_open: bool,
    question: Question | None,
    now_ms: int,
    state: str,
    reason: str,
) -> None:
    wanted = Shell(who="ann", why="the disk", minutes=minutes, key="0" * 64)
    move = consent(policy, 15, wanted, is_open=is_open, question=question, now_ms=now_ms)
    assert move.state == state
    assert reason in move.reason


def test_a_no_holds_for_a_minute() -> None:
    wanted = Shell(who="ann", why="the disk", minutes=1, key="0" * 64)

    def asks(now_ms: int, policy: Policy = ASK, question: Question | None = None) -> str:
        told = {"is_open": False, "question": question, "now_ms": now_ms, "refused_ms": 1_000}
        return consent(policy, 15, wanted, **told).reason  # type: ignore[arg-type]

    assert "a moment ago" in asks(1_000 + REFUSED_MS - 1)
    assert "is asked" in asks(1_000 + REFUSED_MS)
    assert asks(2_000, question=NO) == "The cashier refused.", "of the question itself nothing else is said"
    assert asks(2_000, ALWAYS) == "the disk"


@pytest.mark.parametrize(
    ("now_ms", "more", "end"),
    [
        (59_999, {"heard_ms": 59_999}, None),
        (60_000, {"heard_ms": 59_999}, End.TIME_OVER),
        (60_000, {"heard_ms": 60_000, "exited": True}, End.TIME_OVER),
        (1, {"exited": True}, End.EXITED),
        (1, {"closed": True}, End.CLOSED),
        (1, {"fault": End.UNRECORDED, "exited": True}, End.UNRECORDED),
        (1, {"ended_at_till": True, "exited": True, "closed": True}, End.TILL),
    ],
)
def test_when_it_is_over(now_ms: int, more: dict[str, int | End], end: End | None) -> None:
    assert over(Standing(**({"opened_ms": 0, "minutes": 1, "heard_ms": 0} | more)), now_ms) is end  # type: ignore[arg-type]


def test_a_line_that_is_silent_for_a_minute_ends_it() -> None:
    standing = Standing(opened_ms=0, minutes=60, heard_ms=5)
    assert over(standing, SILENT_MS + 4) is None
    assert over(standing, SILENT_MS + 5) is End.SILENT
