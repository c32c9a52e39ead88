"""An update's life by its table, and what it waits for."""

from __future__ import annotations

import typing
from dataclasses import replace

import pytest

from tillbox.agent.updates import gate, machine, words
from tillbox.agent.updates.gate import Now, blocked_by
from tillbox.agent.updates.words import Refusal, Why
from tillbox.contracts.updates import BLOCKER_TEXTS, Blocker

RELEASE = machine.Release("0.2.0", "tillbox-0.2.0-any.zip", "ab" * 32, 1_000, "cd" * 32)
NEWER = replace(RELEASE, version="0.3.0")
WRONG = Refusal(Why.SELLS_WRONGLY, "discount 4.99 ≠ 5.00")
QUIET = Now("Idle", 300_000, False, 0, None, True, True, 10**9)


def walk(*events: machine.Event) -> tuple[machine.State, list[machine.Effect]]:
    state: machine.State = machine.Steady()
    done: list[machine.Effect] = []
    for event in events:
        state, effects = machine.step(state, event)
        done += effects
    return state, done


def test_every_event_has_a_row_with_a_handler_for_every_state() -> None:
    assert set(machine.TRANSITIONS) == set(typing.get_args(machine.Event))
    assert set(machine.STATES) == set(typing.get_args(machine.State))
    assert {len(row) for row in machine.TRANSITIONS.values()} == {len(machine.STATES)}


def test_a_good_release_is_fetched_examined_waits_leaves_and_is_kept() -> None:
    state, done = walk(
        machine.Offered(RELEASE), machine.Fetched(), machine.Passed(), machine.Looked((Blocker.CUSTOMER,))
    )
    assert state == machine.Waiting(RELEASE, (Blocker.CUSTOMER,))
    assert done == [machine.Fetch(RELEASE), machine.Examine(RELEASE)], (
        "nothing happens while a customer is there"
    )
    assert machine.step(state, machine.Looked(())) == (machine.Leaving(RELEASE), (machine.Leave(RELEASE),))
    state, done = walk(machine.Started(RELEASE), machine.TillUp(), machine.Settled())
    assert (state, done) == (machine.Steady(), [machine.WaitForTill(), machine.SellCanary(), machine.Keep()])


def test_a_release_that_sells_wrongly_is_remembered_and_never_started() -> None:
    state, done = walk(machine.Offered(RELEASE), machine.Fetched(), machine.Refused(WRONG, lasting=True))
    assert state == machine.Steady(WRONG)
    assert done[-1] == machine.Remember(RELEASE, WRONG)
    assert not any(isinstance(effect, machine.Leave) for effect in done)


@pytest.mark.parametrize("before", [(), (machine.TillUp(),)])
def test_a_trial_that_fails_is_rolled_back_wherever_it_stands(before: tuple[machine.Event, ...]) -> None:
    state, done = walk(machine.Started(RELEASE), *before, machine.Failed(WRONG))
    assert state == machine.RollingBack(RELEASE, WRONG)
    assert done[-1] == machine.EndTrial(WRONG)
    assert machine.step(state, machine.Settled()) == (state, ()), "what comes too late changes nothing"
    assert machine.step(state, machine.Started(None))[0] == machine.Steady()


@pytest.mark.parametrize("state", [one for one in machine.STATES if one is not machine.Trying])
def test_only_a_till_that_came_up_is_asked_for_a_canary(state: type) -> None:
    handler = machine.TRANSITIONS[machine.TillUp][machine.STATES.index(state)]
    assert handler(machine.Steady(), machine.TillUp()) == (machine.Steady(), ())


def test_a_newer_release_overtakes_one_that_waits_and_the_same_one_does_not_begin_anew() -> None:
    waits, _ = walk(machine.Offered(RELEASE), machine.Fetched(), machine.Passed())
    assert machine.step(waits, machine.Offered(RELEASE)) == (waits, ())
    assert machine.step(waits, machine.Offered(NEWER)) == (machine.Fetching(NEWER), (machine.Fetch(NEWER),))


def test_a_line_that_is_down_says_nothing_against_a_release_that_waits_and_a_withdrawal_does() -> None:
    waits, _ = walk(machine.Offered(RELEASE), machine.Fetched(), machine.Passed())
    assert machine.step(waits, machine.Refused(Refusal(Why.UNREACHABLE)))[0] == waits
    assert machine.step(waits, machine.Refused(Refusal(Why.EXPIRED)))[0] == machine.Steady(
        Refusal(Why.EXPIRED)
    )
    assert machine.step(waits, machine.Withdrawn())[0] == machine.Steady()


def test_after_any_start_the_state_file_alone_says_where_an_update_stands() -> None:
    for row in machine.TRANSITIONS[machine.Started]:
        assert row(machine.Steady(), machine.Started(None))[0] == machine.Steady()
        assert row(machine.Steady(), machine.Started(RELEASE))[0] == machine.Trying(RELEASE)


def test_a_quiet_till_is_not_waited_for() -> None:
    assert blocked_by(QUIET, quiet_ms=120_000) == ()


@pytest.mark.parametrize(
    ("change", "first"),
    [
        ({"phase": "Ringing"}, Blocker.CUSTOMER),
        ({"phase": "Checking"}, Blocker.CUSTOMER),
        ({"phase": "Paying", "payment_open": True}, Blocker.PAYMENT),
        ({"phase": "InDoubt", "payment_open": True}, Blocker.DOUBT),
        ({"phase": "Stopped"}, Blocker.STOPPED),
        ({"phase": "APhaseOfTomorrow"}, Blocker.CUSTOMER),
        ({"payment_open": True}, Blocker.DOUBT),
        ({"pending": 1}, Blocker.QUEUE),
        ({"pending": 1, "redemption_ms": 59_999}, Blocker.QUEUE),
        ({"pending": 1, "redemption_ms": 60_000}, Blocker.REDEMPTION),
        ({"line_up": False}, Blocker.LINE),
        ({"clock_known": False}, Blocker.CLOCK),
        ({"free_bytes": gate.FREE_BYTES_MIN - 1}, Blocker.DISK),
        ({"papers_unanswered": 1}, Blocker.PAPER),
        ({"quiet_ms": 119_999}, Blocker.BUSY),
    ],
)
def test_nobody_is_disturbed_and_no_money_is_left_in_doubt(change: dict[str, object], first: Blocker) -> None:
    assert blocked_by(replace(QUIET, **change), quiet_ms=120_000)[0] is first  # type: ignore[arg-type]


def test_everything_that_is_waited_for_is_said_in_both_languages_and_so_is_every_reason() -> None:
    assert set(BLOCKER_TEXTS) == set(Blocker)
    assert set(words.WORDS) == set(Why)
    for text in (*BLOCKER_TEXTS.values(), *words.WORDS.values()):
        assert text.zh
        assert text.en
    assert "4.99" in WRONG.text.zh
    assert WRONG.back.en.endswith("back on the release before it.")
