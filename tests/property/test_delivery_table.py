"""Delivery over a line that loses, doubles, delays and breaks, to a core that takes whole prefixes only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tillbox.broker import delivery as courier
from tillbox.broker.delivery import (
    RESEND_MAX_MS,
    RESEND_MS,
    SILENT_ROUNDS,
    TABLE,
    WINDOW,
    Committed,
    Delivery,
    Effect,
    Event,
    Forgotten,
    LineDown,
    LineUp,
    Phase,
    Publish,
    Reconnect,
    Settled,
    Ticked,
    Unheard,
    step,
)

TICK_MS = 1_000
CALM_TICKS = RESEND_MAX_MS // TICK_MS + 2
"""The longest wait between two rounds, and one tick on either side."""


def test_every_phase_has_an_answer_to_every_event() -> None:
    assert set(TABLE) == set(product(Phase, get_args(Event)))


# single rounds


def up(committed: int, settled: int = 0, credit: int = WINDOW) -> tuple[Delivery, tuple[Effect, ...]]:
    return step(Delivery(committed=committed, settled=settled, sent=settled, credit=credit), LineUp(), 0)


def test_a_line_that_comes_up_sends_what_waits_up_to_the_window() -> None:
    delivery, effects = up(committed=1_000, settled=100)
    assert effects == (Publish(100, 100 + WINDOW),)
    assert delivery.phase is Phase.SENDING


def test_with_nothing_to_send_it_is_calm_and_a_sale_is_sent_at_once() -> None:
    delivery, effects = up(committed=5, settled=5)
    assert (delivery.phase, effects) == (Phase.CALM, ())
    delivery, effects = step(delivery, Committed(6), 10)
    assert effects == (Publish(5, 6),)
    delivery, effects = step(delivery, Settled(6, WINDOW), 60)
    assert (delivery.phase, effects) == (Phase.CALM, ())


def test_while_the_line_is_down_sales_are_noted_and_nothing_is_sent() -> None:
    delivery = Delivery()
    for event in (Committed(1), Ticked(), Unheard(), LineDown(), Committed(2)):
        delivery, effects = step(delivery, event, 1_000_000)
        assert effects == ()
    assert (delivery.committed, delivery.phase) == (2, Phase.DOWN)


def test_an_ack_that_comes_after_the_line_went_down_still_counts() -> None:
    delivery, _ = up(committed=10)
    delivery, _ = step(delivery, LineDown(), 5)
    delivery, _ = step(delivery, Settled(10, WINDOW), 6)
    assert step(delivery, LineUp(), 7) == (replace(delivery, phase=Phase.CALM), ())


def test_a_round_without_an_answer_is_sent_again_later_and_later_and_then_the_line_is_suspected() -> None:
    delivery, _ = up(committed=10)
    now_ms, waits, effects = 0, [], ()
    while effects != (Reconnect(),):
        due_ms = delivery.due_ms
        assert step(delivery, Ticked(), due_ms - 1) == (delivery, ())
        delivery, effects = step(delivery, Ticked(), due_ms)
        waits.append(due_ms - now_ms)
        now_ms = due_ms
        assert effects in ((Publish(0, 10),), (Reconnect(),))
    assert waits == [min(RESEND_MAX_MS, RESEND_MS << number) for number in range(SILENT_ROUNDS)]
    assert delivery.due_ms == now_ms + RESEND_MAX_MS


def again_and_again(rounds: int) -> Delivery:
    """Ten records that were sent so often again."""
    delivery, _ = up(committed=10)
    for _ in range(rounds):
        delivery, _ = step(delivery, Ticked(), delivery.due_ms)
    return delivery


def wait_of_the_next(delivery: Delivery, now_ms: int) -> int:
    """How long the next record is waited for."""
    after, effects = step(delivery, Committed(delivery.committed + 1), now_ms)
    assert effects == (Publish(delivery.committed, delivery.committed + 1),)
    return after.due_ms - now_ms


def test_after_a_slow_answer_the_next_record_is_waited_for_as_long() -> None:
    delivery = again_and_again(2)
    now_ms = delivery.due_ms - RESEND_MAX_MS + 10  # quick, but perhaps the answer to what was sent first
    delivery, _ = step(delivery, Settled(10, WINDOW), now_ms)
    assert wait_of_the_next(delivery, now_ms) == RESEND_MAX_MS


@pytest.mark.parametrize(
    ("took_ms", "then_ms"), [(RESEND_MAX_MS // 4, 2 * RESEND_MS), (RESEND_MAX_MS // 4 + 1, RESEND_MAX_MS)]
)
def test_a_quick_answer_to_what_was_sent_once_shortens_the_wait(took_ms: int, then_ms: int) -> None:
    delivery, _ = step(again_and_again(2), Settled(10, WINDOW), 60_000)
    delivery, _ = step(delivery, Committed(11), 60_000)
    delivery, _ = step(delivery, Settled(11, WINDOW), 60_000 + took_ms)
    assert wait_of_the_next(delivery, 70_000) == then_ms


def test_a_new_connection_does_not_end_the_patience_with_a_busy_core() -> None:
    delivery = again_and_again(2)
    delivery, _ = step(delivery, LineDown(), delivery.due_ms - 1)
    delivery, effects = step(delivery, LineUp(), 90_000)
    assert (delivery.due_ms, effects) == (90_000 + RESEND_MAX_MS, (Publish(0, 10),))


def test_a_line_that_comes_up_again_sends_again_what_was_under_way() -> None:
    delivery, _ = up(committed=10)
    _, effects = step(delivery, LineUp(), 5)
    assert effects == (Publish(0, 10),)


@pytest.mark.parametrize("phase", list(Phase))
def test_what_the_core_has_lost_is_sent_again(phase: Phase) -> None:
    delivery = Delivery(phase=phase, committed=50, settled=40, sent=45)
    after, effects = step(delivery, Forgotten(7), 0)
    assert after.settled == 7
    assert effects == (() if phase is Phase.DOWN else (Publish(7, 50),))
    assert step(after, Forgotten(30), 0)[0].settled == 7, "it never settles anything"


def test_an_answer_without_progress_does_not_end_the_wait() -> None:
    delivery, _ = up(committed=10)
    again, effects = step(delivery, Settled(0, WINDOW), 1_500)
    assert (again.due_ms, effects) == (delivery.due_ms, ())


def test_when_nobody_listens_the_round_waits() -> None:
    delivery, _ = up(committed=10)
    now_ms, waits = 0, []
    for _ in range(2 * SILENT_ROUNDS):
        delivery, effects = step(delivery, Unheard(), now_ms + 50)
        assert effects == ()
        waits.append(delivery.due_ms - now_ms - 50)
        now_ms = delivery.due_ms
        delivery, effects = step(delivery, Ticked(), now_ms)
        assert effects == (Publish(0, 10),), "a broker that answers is no dead line"
    assert waits[:6] == [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
    assert delivery.due_ms == now_ms + RESEND_MS, "and nothing is under way that patience is for"


@given(credit=st.integers(0, 10_000), settled=st.integers(0, 50), waiting=st.integers(1, 5_000))
def test_the_credit_is_kept_and_one_record_always_goes(credit: int, settled: int, waiting: int) -> None:
    _, (sent,) = up(committed=settled + waiting, settled=settled, credit=credit)
    assert isinstance(sent, Publish)
    assert 1 <= sent.through - sent.after <= max(1, min(credit, WINDOW))


# the whole story


@dataclass
class Core:
    """Takes a record only after the one before it, and says how far it is."""

    has: int = 0
    credit: int = WINDOW

    def take(self, sent: Publish) -> Settled:
        if sent.after <= self.has:
            self.has = max(self.has, sent.through)
        return Settled(self.has, self.credit)


@dataclass
class World:
    """A box, a core, and what is under way between them."""

    delivery: Delivery = field(default_factory=Delivery)
    core: Core = field(default_factory=Core)
    now_ms: int = 0
    line_up: bool = False
    up: list[Publish] = field(default_factory=list)
    down: list[Settled] = field(default_factory=list)
    reconnects: int = 0

    def happen(self, event: Event) -> None:
        before = self.delivery
        if isinstance(event, Settled):
            # The journal goes by its own watermark, which never goes back, whatever comes late.
            event = replace(event, through=max(before.settled, event.through))
        self.delivery, effects = step(before, event, self.now_ms)
        after = self.delivery
        assert before.settled <= after.settled <= self.core.has
        assert before.committed <= after.committed
        assert self.line_up or not effects
        for effect in effects:
            if isinstance(effect, Publish):
                self._publish(effect)
            else:
                self.reconnects += 1
                self.happen(LineDown())
                self.happen(LineUp())

    def _publish(self, sent: Publish) -> None:
        allowed = max(1, min(WINDOW, self.delivery.credit))
        assert self.delivery.settled <= sent.after < sent.through <= self.delivery.committed
        assert sent.through - self.delivery.settled <= allowed
        self.up.append(sent)

    def calm(self) -> int:
        """Everything works from now on: ticks until all that was committed is settled."""
        self.up.clear()
        self.down.clear()
        if not self.line_up:
            self.line_up = True
            self.happen(LineUp())
        for tick in range(CALM_TICKS):
            while self.up:
                self.happen(self.core.take(self.up.pop(0)))
            if self.delivery.settled == self.delivery.committed:
                return tick
            self.now_ms += TICK_MS
            self.happen(Ticked())
        raise AssertionError(f"not settled after {CALM_TICKS} calm ticks: {self.delivery}, {self.core}")


class Shop(RuleBasedStateMachine):
    """A shop sells while its line does what lines do. Whatever happened, in the end everything is settled."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @initialize(pending=st.integers(0, 500), settled=st.integers(0, 500))
    def a_box_is_switched_on(self, pending: int, settled: int) -> None:
        self.world.core.has = settled
        self.world.delivery = Delivery(committed=settled + pending, settled=settled, sent=settled)

    @rule(sales=st.integers(1, 300))
    def sell(self, sales: int) -> None:
        self.world.happen(Committed(self.world.delivery.committed + sales))

    @rule(ms=st.integers(1, 40_000))
    def time_passes(self, ms: int) -> None:
        self.world.now_ms += ms
        self.world.happen(Ticked())

    @rule()
    def the_line_comes_up(self) -> None:
        self.world.line_up = True
        self.world.happen(LineUp())

    @rule()
    def the_line_goes_down(self) -> None:
        self.world.line_up = False
        self.world.happen(LineDown())

    @precondition(lambda self: self.world.up)
    @rule(data=st.data(), keeps=st.booleans())
    def the_core_gets_one(self, data: st.DataObject, keeps: bool) -> None:
        """Any of those under way, and perhaps not for the last time."""
        place = data.draw(st.integers(0, len(self.world.up) - 1))
        sent = self.world.up[place] if keeps else self.world.up.pop(place)
        self.world.down.append(self.world.core.take(sent))

    @precondition(lambda self: self.world.down)
    @rule(data=st.data(), keeps=st.booleans())
    def the_box_gets_one(self, data: st.DataObject, keeps: bool) -> None:
        place = data.draw(st.integers(0, len(self.world.down) - 1))
        self.world.happen(self.world.down[place] if keeps else self.world.down.pop(place))

    @precondition(lambda self: self.world.up or self.world.down)
    @rule(data=st.data())
    def one_is_lost(self, data: st.DataObject) -> None:
        under_way = data.draw(st.sampled_from([way for way in (self.world.up, self.world.down) if way]))
        under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))

    @precondition(lambda self: self.world.up)
    @rule()
    def nobody_listens(self) -> None:
        self.world.up.pop(0)
        self.world.happen(Unheard())

    @rule(credit=st.sampled_from([0, 1, 7, WINDOW, 10_000]))
    def the_core_gives_another_credit(self, credit: int) -> None:
        self.world.core.credit = credit

    @invariant()
    def the_box_never_settles_what_the_core_lacks(self) -> None:
        assert self.world.delivery.settled <= self.world.core.has

    @invariant()
    def down_means_that_nothing_is_under_way(self) -> None:
        delivery = self.world.delivery
        assert (delivery.phase is Phase.DOWN) != self.world.line_up
        if delivery.phase is not Phase.SENDING:
            assert delivery.sent == delivery.settled

    def teardown(self) -> None:
        self.world.calm()
        assert self.world.delivery.settled == self.world.delivery.committed == self.world.core.has
        assert self.world.delivery.phase is Phase.CALM


Shop.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestShop = Shop.TestCase


@pytest.mark.parametrize("credit", [0, 1, 3, WINDOW])
def test_thirty_days_of_records_are_handed_in_without_a_gap(credit: int) -> None:
    world = World(core=Core(credit=credit))
    world.happen(Committed(5_000))
    assert world.calm() == 0
    assert world.reconnects == 0


def test_a_core_that_says_nothing_gets_a_new_connection_after_so_many_rounds() -> None:
    world = World()
    world.happen(Committed(10))
    world.line_up = True
    world.happen(LineUp())
    first_ms = sum(min(RESEND_MAX_MS, RESEND_MS << n) for n in range(SILENT_ROUNDS))
    second_ms = SILENT_ROUNDS * RESEND_MAX_MS
    for _ in range((first_ms + second_ms) // TICK_MS):
        world.now_ms += TICK_MS
        world.happen(Ticked())
    assert world.reconnects == 2
    assert courier.Phase.SENDING is world.delivery.phase
    assert world.calm() < CALM_TICKS
