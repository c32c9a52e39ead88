"""A release on its way to a fleet: more and more boxes, and it stops by itself."""

from __future__ import annotations

import typing
from dataclasses import replace

import pytest

from tillbox.cloud_bridge import rollouts
from tillbox.cloud_bridge.rollouts import (
    Begun,
    Looked,
    Outcome,
    Phase,
    Reported,
    Rollout,
    Rules,
    StopPressed,
    WithdrawPressed,
    share,
    step,
)

FLEET = tuple(f"box-{number}" for number in range(1_000))
RULES = Rules(waves=(1, 10, 50, 100), rest_ms=1_000)
DAY_MS = 86_400_000


def begun(rules: Rules = RULES) -> Rollout:
    return step(Rollout("0.2.0", rules), Begun(), 0)


def report(rollout: Rollout, outcome: Outcome, *devices: str) -> Rollout:
    for device in devices:
        rollout = step(rollout, Reported(device, outcome), 0)
    return rollout


def having(rollout: Rollout) -> tuple[str, ...]:
    return tuple(device for device in FLEET if rollout.may_have(device))


def test_every_event_has_a_row_with_a_handler_for_every_phase() -> None:
    assert set(rollouts.TRANSITIONS) == set(typing.get_args(rollouts.Event))
    assert {len(row) for row in rollouts.TRANSITIONS.values()} == {len(Phase)}


def test_nobody_has_a_release_before_somebody_sets_it_going() -> None:
    assert having(Rollout("0.2.0")) == ()


def test_waves_only_grow_and_the_next_release_begins_elsewhere() -> None:
    seen: list[set[str]] = []
    for wave in range(4):
        seen.append(set(having(replace(begun(), wave=wave))))
    assert seen[0] < seen[1] < seen[2] < seen[3] == set(FLEET)
    assert 1 <= len(seen[0]) <= 30
    other = {device for device in FLEET if share("0.3.0", device) < 1}
    assert other != seen[0]


def test_a_wave_goes_on_when_its_boxes_have_kept_it_and_it_has_rested() -> None:
    rollout = begun()
    first = having(rollout)
    rollout = step(rollout, Looked(FLEET), 10)
    assert (rollout.wave, rollout.full_since_ms) == (0, None), "nobody has said anything yet"
    rollout = step(report(rollout, Outcome.KEPT, *first), Looked(FLEET), 20)
    assert (rollout.wave, rollout.full_since_ms) == (0, 20)
    assert step(rollout, Looked(FLEET), 1_019).wave == 0
    assert step(rollout, Looked(FLEET), 1_020).wave == 1


def test_boxes_that_wait_for_their_customers_are_no_fault_and_no_success() -> None:
    rollout = begun()
    waits = report(rollout, Outcome.WAITING, *having(rollout))
    later = step(waits, Looked(FLEET), DAY_MS)
    assert (later.phase, later.wave, later.faults) == (Phase.ROLLING, 0, frozenset())


def test_the_last_wave_ends_it() -> None:
    rollout = replace(begun(), wave=3)
    rollout = report(rollout, Outcome.KEPT, *FLEET[:950])
    rollout = step(step(rollout, Looked(FLEET), 0), Looked(FLEET), 1_000)
    assert rollout.phase is Phase.DONE
    assert rollout.may_have(FLEET[-1]), "a box that was switched off gets it when it comes back"


@pytest.mark.parametrize("fault", [Outcome.ROLLED_BACK, Outcome.REFUSED])
def test_one_fault_too_many_stops_it_and_says_so(fault: Outcome) -> None:
    rollout = report(begun(), fault, "box-1")
    assert rollout.phase is Phase.ROLLING
    assert report(rollout, fault, "box-1").phase is Phase.ROLLING, "the same box says it again"
    rollout = report(rollout, fault, "box-2")
    assert rollout.phase is Phase.STOPPED
    assert rollout.why is not None
    assert rollout.why.en == "2 boxes failed; 1 may. It stopped by itself."
    assert having(rollout) == (), "nobody else gets it"


def test_a_share_of_faults_stops_it_where_the_number_alone_would_not() -> None:
    rules = replace(RULES, faults_max=100, faults_percent_max=5, judged_min=20)
    rollout = report(begun(rules), Outcome.KEPT, *FLEET[:30])
    rollout = report(rollout, Outcome.ROLLED_BACK, "box-100")
    assert rollout.phase is Phase.ROLLING, "1 of 31"
    rollout = report(rollout, Outcome.ROLLED_BACK, "box-101")
    assert rollout.phase is Phase.STOPPED, "2 of 32 are more than 5 %"


def test_two_boxes_are_no_statistics() -> None:
    rules = replace(RULES, faults_max=100)
    assert report(begun(rules), Outcome.ROLLED_BACK, "box-1", "box-2").phase is Phase.ROLLING


def test_only_a_person_sets_it_going_again_and_what_was_looked_at_does_not_count_twice() -> None:
    stopped = report(begun(), Outcome.ROLLED_BACK, "box-1", "box-2")
    assert step(stopped, Looked(FLEET), DAY_MS) == stopped
    again = step(stopped, Begun(), DAY_MS)
    assert (again.phase, again.faults, again.why) == (Phase.ROLLING, frozenset(), None)
    assert report(again, Outcome.ROLLED_BACK, "box-3", "box-4").phase is Phase.STOPPED


def test_a_person_stops_it_and_a_withdrawn_release_stays_withdrawn() -> None:
    stopped = step(begun(), StopPressed("alice"), 0)
    assert stopped.why is not None
    assert stopped.why.en == "alice stopped it."
    withdrawn = step(stopped, WithdrawPressed(), 0)
    assert step(withdrawn, Begun(), 0).phase is Phase.WITHDRAWN
    assert having(withdrawn) == ()


def test_in_a_shop_of_two_boxes_empty_waves_cost_no_days() -> None:
    rollout, two = begun(), ("box-1", "box-2")
    for _ in range(len(RULES.waves)):
        rollout = step(rollout, Looked(two), 0)
    assert any(rollout.may_have(device) for device in two)
    assert rollout.phase is not Phase.DONE
