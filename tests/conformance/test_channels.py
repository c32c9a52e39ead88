"""What every wallet company's adapter must do. A new adapter starts by failing this.

The suite knows the port alone. For what only the wallet can tell (a code that will be declined, the money
it really moved) each adapter brings a `Bench`.
"""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tillbox.cloud_bridge.payments.channels.port import Answer, Channel, Outcome
from tillbox.cloud_bridge.payments.channels.sandbox_client import SandboxChannel
from tillbox.cloud_bridge.payments.channels.sandbox_config import Merchant, SandboxConfig
from tillbox.cloud_bridge.payments.channels.sandbox_manners import MannerName, write_code
from tillbox.cloud_bridge.payments.channels.sandbox_office import SandboxOffice
from tillbox.cloud_bridge.payments.channels.sandbox_seal import make_secret, read_secret
from tillbox.cloud_bridge.payments.channels.sandbox_server import serving, wall_ms
from tillbox.contracts.money import CNY, POINT, Amount

TEA = Amount(1_800, CNY)
_serials = itertools.count(1)


@dataclass(frozen=True)
class Bench:
    """An adapter on the bench: `code` gives a fresh payment code, `held` what the merchant has of a trade."""

    channel: Channel
    silent: Channel
    code: Callable[[str], str]
    held: Callable[[str], int]


@contextmanager
def sandbox(folder: Path) -> Iterator[Bench]:
    for name in ("shop", "office"):
        make_secret(folder / name, os.urandom(32))
    shop = Merchant(name="shop", secret_path=folder / "shop")
    config = SandboxConfig(
        state_path=folder / "wallet.db", merchants=(shop,), office_secret_path=folder / "office"
    )
    secret = read_secret(folder / "shop")
    with serving(config) as url, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: whoever connects is refused
        dead_url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        channel = SandboxChannel(url, "shop", secret, now_ms=wall_ms, chance=os.urandom)
        silent = SandboxChannel(dead_url, "shop", secret, now_ms=wall_ms, chance=os.urandom)
        office = SandboxOffice(url, read_secret(folder / "office"), now_ms=wall_ms, chance=os.urandom)

        def code(kind: str) -> str:
            return write_code(wallet="alipay", payer=7, serial=next(_serials), manner=MannerName(kind))

        def held(attempt_no: str) -> int:
            lines = [line for line in office.statement().lines if line.attempt_no == attempt_no]
            return sum(line.paid_minor - line.refunded_minor for line in lines)

        yield Bench(channel, silent, code, held)
        for line in (channel, silent, office):
            line.close()


BENCHES: dict[str, Callable[[Path], AbstractContextManager[Bench]]] = {"sandbox": sandbox}


@pytest.fixture(scope="module", params=sorted(BENCHES))
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with BENCHES[request.param](tmp_path_factory.mktemp("wallet")) as bench:
        yield bench


@pytest.fixture
def number() -> str:
    return f"attempt-{next(_serials)}"


def pay(bench: Bench, number: str, kind: str = "good", amount: Amount = TEA) -> Answer:
    return bench.channel.pay(attempt_no=number, auth_code=bench.code(kind), amount=amount, subject="tea")


def test_a_good_code_is_paid_and_the_query_says_the_same(bench: Bench, number: str) -> None:
    answer = pay(bench, number)
    assert (answer.outcome, answer.amount) == (Outcome.PAID, TEA)
    again = bench.channel.query(attempt_no=number)
    assert (again.outcome, again.channel_no) == (Outcome.PAID, answer.channel_no)
    assert bench.held(number) == TEA.minor


def test_the_payer_is_named_only_behind_a_mask(bench: Bench, number: str) -> None:
    payer = pay(bench, number).payer
    assert payer
    assert "*" in payer


def test_the_same_payment_sent_three_times_is_charged_once(bench: Bench, number: str) -> None:
    code = bench.code("good")
    answers = {
        bench.channel.pay(attempt_no=number, auth_code=code, amount=TEA, subject="tea") for _ in range(3)
    }
    assert [answer.outcome for answer in answers] == [Outcome.PAID]
    assert bench.held(number) == TEA.minor


def test_a_number_used_with_another_amount_is_refused_and_the_first_payment_stands(
    bench: Bench, number: str
) -> None:
    pay(bench, number)
    assert pay(bench, number, amount=Amount(1, CNY)).outcome is Outcome.REFUSED
    assert bench.channel.query(attempt_no=number).outcome is Outcome.PAID
    assert bench.held(number) == TEA.minor


def test_a_code_shown_at_a_second_till_is_declined(bench: Bench, number: str) -> None:
    code = bench.code("good")
    bench.channel.pay(attempt_no=number, auth_code=code, amount=TEA, subject="tea")
    second = bench.channel.pay(attempt_no=f"{number}-b", auth_code=code, amount=TEA, subject="tea")
    assert second.outcome is Outcome.DECLINED
    assert bench.held(f"{number}-b") == 0


@pytest.mark.parametrize("kind", ["declined", "expired", "poor"])
def test_a_code_that_is_no_good_is_declined_with_a_word_why(bench: Bench, number: str, kind: str) -> None:
    answer = pay(bench, number, kind)
    assert answer.outcome is Outcome.DECLINED
    assert answer.detail
    assert bench.held(number) == 0


def test_something_that_is_no_payment_code_is_declined(bench: Bench, number: str) -> None:
    answer = bench.channel.pay(attempt_no=number, auth_code="6901234567892", amount=TEA, subject="tea")
    assert answer.outcome is Outcome.DECLINED


def test_a_number_that_nobody_used_is_not_found(bench: Bench, number: str) -> None:
    assert bench.channel.query(attempt_no=number).outcome is Outcome.NOT_FOUND


def test_a_paid_trade_is_reversed_once_however_often_it_is_asked_for(bench: Bench, number: str) -> None:
    pay(bench, number)
    outcomes = {bench.channel.reverse(attempt_no=number).outcome for _ in range(3)}
    assert outcomes == {Outcome.REVERSED}
    assert bench.channel.query(attempt_no=number).outcome is Outcome.REVERSED
    assert bench.held(number) == 0


def test_a_reversal_before_the_payment_arrives_closes_the_number_for_good(bench: Bench, number: str) -> None:
    assert bench.channel.reverse(attempt_no=number).outcome is Outcome.CLOSED
    assert pay(bench, number).outcome is Outcome.CLOSED
    assert bench.channel.query(attempt_no=number).outcome is Outcome.CLOSED
    assert bench.held(number) == 0


def test_a_customer_who_hesitates_is_reversed_and_the_number_stays_closed(bench: Bench, number: str) -> None:
    assert pay(bench, number, "walked_away").outcome is Outcome.USER_PAYING
    assert bench.channel.query(attempt_no=number).outcome is Outcome.USER_PAYING
    assert bench.channel.reverse(attempt_no=number).outcome is Outcome.CLOSED
    assert bench.channel.query(attempt_no=number).outcome is Outcome.CLOSED


def test_a_refund_asked_for_a_hundred_times_is_paid_once(bench: Bench, number: str) -> None:
    pay(bench, number)
    part = Amount(500, CNY)
    outcomes = {
        bench.channel.refund(attempt_no=number, refund_no=f"r-{number}", amount=part).outcome
        for _ in range(100)
    }
    assert outcomes == {Outcome.REFUNDED}
    assert bench.channel.query_refund(refund_no=f"r-{number}").outcome is Outcome.REFUNDED
    assert bench.held(number) == TEA.minor - part.minor


def test_refunds_end_exactly_at_zero_and_not_a_fen_below(bench: Bench, number: str) -> None:
    pay(bench, number)

    def refund(name: str, minor: int) -> Outcome:
        number_of_refund = f"{name}-{number}"
        return bench.channel.refund(
            attempt_no=number, refund_no=number_of_refund, amount=Amount(minor, CNY)
        ).outcome

    assert refund("a", 1_000) is Outcome.REFUNDED
    assert refund("b", 801) is Outcome.REFUSED
    assert bench.channel.query_refund(refund_no=f"b-{number}").outcome is Outcome.NOT_FOUND
    assert bench.channel.query(attempt_no=number).outcome is Outcome.PAID
    assert refund("c", 800) is Outcome.REFUNDED
    assert refund("d", 1) is Outcome.REFUSED
    assert bench.channel.query(attempt_no=number).outcome is Outcome.REFUNDED
    assert bench.held(number) == 0


def test_a_refund_number_with_another_amount_is_refused(bench: Bench, number: str) -> None:
    pay(bench, number)
    for minor, outcome in ((100, Outcome.REFUNDED), (200, Outcome.REFUSED)):
        answer = bench.channel.refund(attempt_no=number, refund_no=f"r-{number}", amount=Amount(minor, CNY))
        assert answer.outcome is outcome
    assert bench.held(number) == TEA.minor - 100


def test_a_reversal_after_a_partial_refund_gives_back_the_rest(bench: Bench, number: str) -> None:
    pay(bench, number)
    bench.channel.refund(attempt_no=number, refund_no=f"r-{number}", amount=Amount(300, CNY))
    assert bench.channel.reverse(attempt_no=number).outcome is Outcome.REVERSED
    assert bench.held(number) == 0


def test_a_refund_after_a_reversal_says_that_all_is_back_already(bench: Bench, number: str) -> None:
    pay(bench, number)
    bench.channel.reverse(attempt_no=number)
    answer = bench.channel.refund(attempt_no=number, refund_no=f"r-{number}", amount=TEA)
    assert answer.outcome is Outcome.REVERSED
    assert bench.held(number) == 0


def test_an_unpaid_trade_has_nothing_to_refund(bench: Bench, number: str) -> None:
    def refund() -> Outcome:
        return bench.channel.refund(attempt_no=number, refund_no=f"r-{number}", amount=TEA).outcome

    assert refund() is Outcome.NOT_FOUND
    pay(bench, number, "declined")
    assert refund() is Outcome.REFUSED


def test_a_wallet_that_is_not_there_is_unknown_to_every_verb(bench: Bench, number: str) -> None:
    silent = bench.silent
    answers = [
        silent.pay(attempt_no=number, auth_code=bench.code("good"), amount=TEA, subject="tea"),
        silent.query(attempt_no=number),
        silent.reverse(attempt_no=number),
        silent.refund(attempt_no=number, refund_no="r", amount=TEA),
        silent.query_refund(refund_no="r"),
    ]
    assert {answer.outcome for answer in answers} == {Outcome.UNKNOWN}
    assert all(answer.detail for answer in answers)


@pytest.mark.parametrize(
    ("attempt_no", "code", "amount", "subject"),
    [
        ("", "281234567800000100", TEA, "tea"),
        ("a number", "281234567800000100", TEA, "tea"),
        ("x" * 65, "281234567800000100", TEA, "tea"),
        ("odd-1", "", TEA, "tea"),
        ("odd-2", "28\n34", TEA, "tea"),
        ("odd-3", "9" * 5_000, TEA, "tea"),
        ("odd-4", "281234567800000100", Amount(0, CNY), "tea"),
        ("odd-5", "281234567800000100", Amount(-1, CNY), "tea"),
        ("odd-6", "281234567800000100", Amount(5, POINT), "tea"),
        ("odd-7", "281234567800000100", TEA, "\ud800"),
    ],
)
def test_nonsense_is_refused_with_a_reason_and_without_a_traceback(
    bench: Bench, attempt_no: str, code: str, amount: Amount, subject: str
) -> None:
    answer = bench.channel.pay(attempt_no=attempt_no, auth_code=code, amount=amount, subject=subject)
    assert answer.outcome is Outcome.REFUSED
    assert answer.detail
    assert code == "" or code not in answer.detail


def test_a_long_subject_is_cut_and_not_refused(bench: Bench, number: str) -> None:
    code = bench.code("good")
    answer = bench.channel.pay(attempt_no=number, auth_code=code, amount=TEA, subject="珍珠奶茶" * 100)
    assert answer.outcome is Outcome.PAID
