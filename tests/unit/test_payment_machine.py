"""Every pair has a row, and no sequence of answers ends with the customer charged and nobody knowing."""

from __future__ import annotations

import typing

from hypothesis import given
from hypothesis import strategies as st

from tillbox.cloud_bridge.payments import machine
from tillbox.cloud_bridge.payments.channels.port import Outcome
from tillbox.cloud_bridge.payments.machine import Payment, Schedule, State, step

SCHEDULE = Schedule()


def _walk(*events: tuple[int, machine.Event]) -> tuple[Payment, list[machine.Effect]]:
    payment, done = Payment("a", 100), []
    for now_ms, event in events:
        payment, effects = step(payment, event, now_ms, SCHEDULE)
        done += effects
    return payment, done


def test_every_pair_of_state_and_event_has_a_row() -> None:
    assert set(machine.TABLE) == {
        (state, event) for state in State for event in typing.get_args(machine.Event)
    }


def test_paid_at_once() -> None:
    payment, done = _walk((0, machine.Submitted()), (300, machine.Told(Outcome.PAID)))
    assert payment.state is State.PAID
    assert done == [machine.CallPay(), machine.BookPaid(), machine.Tell()]


def test_no_answer_is_not_a_no_and_is_asked_again_until_the_window_is_over() -> None:
    payment, _ = _walk((0, machine.Submitted()), (300, machine.Told(Outcome.UNKNOWN)))
    assert payment.state is State.UNKNOWN
    payment, done = step(payment, machine.Told(Outcome.USER_PAYING), 46_000, SCHEDULE)
    assert payment.state is State.REVERSING
    assert machine.CallReverse() in done


def test_a_clock_set_back_does_not_keep_a_payment_open() -> None:
    payment = Payment("a", 100, State.UNKNOWN, created_ms=10**9)
    for _ in range(20):
        payment, _ = step(payment, machine.Due(), 0, SCHEDULE)
        payment, _ = step(payment, machine.Told(Outcome.UNKNOWN), 0, SCHEDULE)
    assert payment.state is State.REVERSING
    assert SCHEDULE.is_due(10**9, 0)


def test_late_success_is_paid_back_and_shouted_about() -> None:
    payment = Payment("a", 100, State.REVERSED)
    payment, done = step(payment, machine.Told(Outcome.PAID), 0, SCHEDULE)
    assert payment.state is State.REVERSING
    assert machine.Shout("late_success") in done
    payment, done = step(payment, machine.ReverseAnswered(Outcome.CLOSED), 1, SCHEDULE)
    assert payment.state is State.REVERSING, "closed says nothing was paid, and we know better"
    payment, done = step(payment, machine.ReverseAnswered(Outcome.REVERSED), 2, SCHEDULE)
    assert (payment.state, payment.owed) == (State.REVERSED, False)
    assert machine.BookBack() in done


EVENTS = st.one_of(
    st.just(machine.Due()),
    st.just(machine.GivenUp()),
    st.sampled_from([machine.Told(outcome) for outcome in Outcome]),
    st.sampled_from([machine.ReverseAnswered(outcome) for outcome in Outcome]),
)


@given(st.lists(st.tuples(st.integers(0, 100_000), EVENTS), max_size=40))
def test_the_book_owes_exactly_while_the_machine_says_so(happened: list[tuple[int, machine.Event]]) -> None:
    payment, owed = Payment("a", 100, State.SUBMITTED), 0
    for now_ms, event in happened:
        payment, effects = step(payment, event, now_ms, SCHEDULE)
        owed += effects.count(machine.BookPaid()) - effects.count(machine.BookBack())
        assert owed == int(payment.owed)
        assert payment.state is not State.REVERSED or not payment.owed
        assert payment.state is not State.PAID or payment.owed
