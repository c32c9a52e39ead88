"""The sandbox wallet: its money survives everything, and its bad manners are exactly the ones asked for."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.patience import eventually

from tillbox.cloud_bridge.payments.channels.port import Outcome
from tillbox.cloud_bridge.payments.channels.sandbox_book import Book, BookTrouble
from tillbox.cloud_bridge.payments.channels.sandbox_client import SandboxChannel
from tillbox.cloud_bridge.payments.channels.sandbox_config import Merchant, SandboxConfig
from tillbox.cloud_bridge.payments.channels.sandbox_customers import Terms
from tillbox.cloud_bridge.payments.channels.sandbox_ledger import Ledger, Reply
from tillbox.cloud_bridge.payments.channels.sandbox_manners import (
    MANNERS,
    ROUGH,
    MannerName,
    Says,
    draw,
    read_code,
    write_code,
)
from tillbox.cloud_bridge.payments.channels.sandbox_office import OfficeSilent, SandboxOffice
from tillbox.cloud_bridge.payments.channels.sandbox_seal import (
    NONCES_MAX,
    WINDOW_MS,
    Gate,
    Proven,
    SecretUnsafe,
    Unproven,
    answer_headers,
    make_secret,
    notification_headers,
    read_secret,
    request_headers,
)
from tillbox.cloud_bridge.payments.channels.sandbox_server import build, serving, wall_ms
from tillbox.cloud_bridge.payments.channels.sandbox_wire import (
    AnswerMessage,
    Mood,
    Notification,
    PayMessage,
    QueryMessage,
    RefundMessage,
    ReverseMessage,
    Statement,
    verify_notification,
)
from tillbox.contracts.money import CNY, Amount

TEA = Amount(1_800, CNY)
SECRET = bytes(range(32))
NOW_MS = 1_800_000_000_000
NONCE = "0123456789abcdef" * 2


def code(manner: MannerName | None = MannerName.GOOD, *, serial: int = 1, payer: int = 12_345_678) -> str:
    return write_code(wallet="wechat", payer=payer, serial=serial, manner=manner)


# the counter, with a clock that only we turn


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    book = Book(tmp_path / "wallet.db")
    yield Ledger(book, Terms())
    book.close()


def pay(
    ledger: Ledger,
    attempt_no: str,
    auth_code: str,
    now_ms: int = NOW_MS,
    minor: int = TEA.minor,
    merchant: str = "shop",
) -> Reply:
    return ledger.pay(merchant, PayMessage(attempt_no=attempt_no, auth_code=auth_code, minor=minor), now_ms)


def query(ledger: Ledger, attempt_no: str, now_ms: int) -> Outcome:
    return ledger.query("shop", QueryMessage(attempt_no=attempt_no), now_ms).answer.outcome


def reverse(ledger: Ledger, attempt_no: str, now_ms: int) -> Reply:
    return ledger.reverse("shop", ReverseMessage(attempt_no=attempt_no), now_ms)


def money_is_conserved(statement: Statement) -> None:
    accounts, lines = statement.accounts, statement.lines
    assert sum(accounts.values()) == 0, accounts
    assert all(minor >= 0 for name, minor in accounts.items() if name != "bank"), accounts
    for line in lines:
        assert 0 <= line.refunded_minor <= line.paid_minor <= line.minor, line
        assert (line.paid_minor > 0) == (line.state in (Outcome.PAID, Outcome.REFUNDED, Outcome.REVERSED)), (
            line
        )
    held = {f"merchant:{line.merchant}": 0 for line in lines if line.paid_minor}
    for line in lines:
        if line.paid_minor:
            held[f"merchant:{line.merchant}"] += line.paid_minor - line.refunded_minor
    assert held == {name: minor for name, minor in accounts.items() if name.startswith("merchant:")}


LATER_MS = 30_000
STORIES = [
    # the manner, what the caller hears, the pay's answer, a query at once, a query 30 s later
    ("good", "truth", "paid", "paid", "paid"),
    ("declined", "truth", "declined", "declined", "declined"),
    ("user_paying", "truth", "user_paying", "user_paying", "paid"),
    ("error_paid", "error", "paid", "paid", "paid"),
    ("silent_paid", "nothing", "paid", "paid", "paid"),
    ("silent_unpaid", "nothing", "unknown", "not_found", "not_found"),
    ("late_success", "error", "not_found", "not_found", "paid"),
    ("told_twice", "truth", "paid", "paid", "paid"),
    ("expired", "truth", "declined", "declined", "declined"),
    ("poor", "truth", "declined", "declined", "declined"),
    ("late_answer", "truth", "paid", "paid", "paid"),
    ("too_late_answer", "truth", "paid", "paid", "paid"),
    ("notice_first", "truth", "paid", "paid", "paid"),
    ("stale_query", "error", "paid", "user_paying", "paid"),
    ("error_unpaid", "error", "unknown", "not_found", "not_found"),
    ("dropped_paid", "nothing", "paid", "paid", "paid"),
    ("cancelled", "truth", "user_paying", "user_paying", "declined"),
    ("walked_away", "truth", "user_paying", "user_paying", "user_paying"),
    ("reverse_deaf", "truth", "user_paying", "user_paying", "user_paying"),
    ("reverse_mute", "nothing", "paid", "paid", "paid"),
    ("refund_deaf", "truth", "paid", "paid", "paid"),
    ("refund_mute", "truth", "paid", "paid", "paid"),
    ("query_mute", "error", "paid", "paid", "paid"),
    ("paid_after_close", "truth", "user_paying", "user_paying", "paid"),
    ("paid_after_decline", "truth", "declined", "declined", "paid"),
]


def test_every_manner_has_a_story() -> None:
    assert [story[0] for story in STORIES] == list(MannerName)


@pytest.mark.parametrize(("manner", "says", "answer", "at_once", "later"), STORIES)
def test_a_code_behaves_as_its_last_two_digits_ask(
    ledger: Ledger, manner: str, says: str, answer: str, at_once: str, later: str
) -> None:
    reply = pay(ledger, "a", code(MannerName(manner)))
    assert (reply.says, reply.answer.outcome) == (says, answer)
    assert query(ledger, "a", NOW_MS) == at_once
    assert query(ledger, "a", NOW_MS + LATER_MS) == later
    money_is_conserved(ledger.statement(0))


def test_the_digits_that_the_demo_shows_mean_what_the_card_says() -> None:
    shown = {digits: read_code(f"1312345678000001{digits}") for digits in ("00", "01", "04", "06", "77")}
    asked = {digits: code and code.manner for digits, code in shown.items()}
    assert asked == {
        "00": MannerName.GOOD,
        "01": MannerName.DECLINED,
        "04": MannerName.SILENT_PAID,
        "06": MannerName.LATE_SUCCESS,
        "77": None,
    }
    assert len({manner.digits for manner in MANNERS.values()}) == len(MANNERS)


@pytest.mark.parametrize(
    "text", ["", "6901234567892", "62" + "0" * 17, "09" + "0" * 16, "28" + "0" * 15, "13" + "٣" * 16]
)
def test_what_is_no_code_of_this_wallet_is_declined(ledger: Ledger, text: str) -> None:
    assert read_code(text) is None
    if text.isascii() and text:
        assert pay(ledger, "a", text).answer.detail.startswith("AUTH_CODE_INVALID")


def test_much_money_waits_for_the_password(ledger: Ledger) -> None:
    assert pay(ledger, "a", code(), minor=100_001).answer.outcome is Outcome.USER_PAYING
    assert query(ledger, "a", NOW_MS + 2_999) is Outcome.USER_PAYING
    assert query(ledger, "a", NOW_MS + 3_000) is Outcome.PAID


def test_a_thousand_yuan_go_without_a_password(ledger: Ledger) -> None:
    assert pay(ledger, "a", code(), minor=100_000).answer.outcome is Outcome.PAID


def test_an_empty_wallet_pays_nothing_more(ledger: Ledger) -> None:
    opening = Terms().opening_minor
    pay(ledger, "a", code(serial=1), minor=opening)
    assert query(ledger, "a", NOW_MS + 3_000) is Outcome.PAID
    second = pay(ledger, "b", code(serial=2), now_ms=NOW_MS + 4_000, minor=1).answer
    assert second.detail.startswith("NOT_ENOUGH")
    money_is_conserved(ledger.statement(0))


def test_a_late_success_is_stopped_by_a_reversal_in_time(ledger: Ledger) -> None:
    pay(ledger, "a", code(MannerName.LATE_SUCCESS))
    assert reverse(ledger, "a", NOW_MS + 11_000).answer.outcome is Outcome.CLOSED
    assert query(ledger, "a", NOW_MS + 60_000) is Outcome.CLOSED


def test_money_may_come_after_the_close_and_can_then_be_refunded_or_reversed(ledger: Ledger) -> None:
    for attempt, serial in (("a", 1), ("b", 2)):
        pay(ledger, attempt, code(MannerName.PAID_AFTER_CLOSE, serial=serial))
        assert reverse(ledger, attempt, NOW_MS + 15_000).answer.outcome is Outcome.CLOSED
        assert query(ledger, attempt, NOW_MS + 16_000) is Outcome.CLOSED
        assert query(ledger, attempt, NOW_MS + 20_000) is Outcome.PAID
    message = RefundMessage(attempt_no="a", refund_no="late-a", minor=TEA.minor)
    assert ledger.refund("shop", message, NOW_MS + 21_000).answer.outcome is Outcome.REFUNDED
    assert reverse(ledger, "b", NOW_MS + 21_000).answer.outcome is Outcome.REVERSED
    assert ledger.statement(0).accounts["merchant:shop"] == 0


def test_two_lost_reversals_and_a_third_that_is_heard(ledger: Ledger) -> None:
    pay(ledger, "a", code(MannerName.REVERSE_DEAF))
    replies = [reverse(ledger, "a", NOW_MS + 15_000) for _ in range(3)]
    assert [reply.says for reply in replies] == [Says.NOTHING, Says.NOTHING, Says.TRUTH]
    assert replies[-1].answer.outcome is Outcome.CLOSED


def test_a_reversal_that_is_done_and_not_said_gives_the_money_back_once(ledger: Ledger) -> None:
    pay(ledger, "a", code(MannerName.REVERSE_MUTE))
    replies = [reverse(ledger, "a", NOW_MS + 15_000) for _ in range(3)]
    assert [reply.says for reply in replies] == [Says.ERROR, Says.ERROR, Says.TRUTH]
    assert replies[-1].answer.outcome is Outcome.REVERSED
    assert ledger.statement(0).lines[0].refunded_minor == TEA.minor


@pytest.mark.parametrize(("manner", "after_first"), [("refund_deaf", 0), ("refund_mute", 500)])
def test_refunds_whose_answer_is_lost_are_paid_once(ledger: Ledger, manner: str, after_first: int) -> None:
    pay(ledger, "a", code(MannerName(manner)))
    message = RefundMessage(attempt_no="a", refund_no="r", minor=500)
    replies = [ledger.refund("shop", message, NOW_MS)]
    assert ledger.statement(0).lines[0].refunded_minor == after_first
    replies += [ledger.refund("shop", message, NOW_MS) for _ in range(2)]
    assert [reply.says is Says.TRUTH for reply in replies] == [False, False, True]
    assert ledger.statement(0).lines[0].refunded_minor == 500


def test_a_trade_has_fifty_refunds_and_no_more(ledger: Ledger) -> None:
    pay(ledger, "a", code())
    outcomes = [
        ledger.refund(
            "shop", RefundMessage(attempt_no="a", refund_no=f"r{n}", minor=1), NOW_MS
        ).answer.outcome
        for n in range(51)
    ]
    assert outcomes == [Outcome.REFUNDED] * 50 + [Outcome.REFUSED]


def test_two_merchants_may_use_the_same_number_but_not_the_same_code(ledger: Ledger) -> None:
    assert pay(ledger, "a", code(serial=1)).answer.outcome is Outcome.PAID
    assert pay(ledger, "a", code(serial=2), merchant="other").answer.outcome is Outcome.PAID
    assert pay(ledger, "b", code(serial=2), merchant="other").answer.detail.startswith("AUTH_CODE_USED")
    assert reverse(ledger, "a", NOW_MS).answer.outcome is Outcome.REVERSED
    assert ledger.statement(0).accounts["merchant:other"] == TEA.minor


def test_a_script_is_played_line_by_line_and_magic_codes_do_not_use_it_up(ledger: Ledger) -> None:
    ledger.set_mood(Mood(script=(MannerName.DECLINED, MannerName.ERROR_UNPAID)))
    assert pay(ledger, "a", code(MannerName.GOOD, serial=1)).answer.outcome is Outcome.PAID
    assert pay(ledger, "b", code(None, serial=2)).answer.outcome is Outcome.DECLINED
    assert pay(ledger, "b", code(None, serial=2)).answer.outcome is Outcome.DECLINED
    assert pay(ledger, "c", code(None, serial=3)).says is Says.ERROR
    assert pay(ledger, "d", code(None, serial=4)).answer.outcome is Outcome.PAID


def test_a_mood_by_chance_is_the_same_for_the_same_seed_and_keeps_its_shares() -> None:
    numbers = [f"attempt-{n}" for n in range(2_000)]
    drawn = [draw(ROUGH, 7, number) for number in numbers]
    assert drawn == [draw(ROUGH, 7, number) for number in numbers]
    assert drawn != [draw(ROUGH, 8, number) for number in numbers]
    assert set(drawn) == set(MannerName)
    assert 900 < drawn.count(MannerName.GOOD) < 1_200


def test_shares_of_more_than_a_thousand_are_no_mood() -> None:
    with pytest.raises(ValueError, match="shares in a thousand"):
        Mood(chances={MannerName.GOOD: 600, MannerName.POOR: 500})


def test_the_pace_shortens_every_wait(ledger: Ledger) -> None:
    ledger.set_mood(Mood(pace_percent=10))
    assert pay(ledger, "a", code(MannerName.SILENT_PAID, serial=1)).wait_ms == 2_000
    pay(ledger, "b", code(MannerName.LATE_SUCCESS, serial=2))
    assert query(ledger, "b", NOW_MS + 1_199) is Outcome.NOT_FOUND
    assert query(ledger, "b", NOW_MS + 1_200) is Outcome.PAID


class AnyDayAtTheWallet(RuleBasedStateMachine):
    """Whatever merchants ask for and customers do: no money appears, none is lost, no number counts twice."""

    attempts = st.sampled_from(["a", "b"])
    merchants = st.sampled_from(["shop", "other"])

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.now_ms = NOW_MS
        self.paid: dict[tuple[str, str], int] = {}
        self._open()

    def _open(self) -> None:
        self.book = Book(Path(self.folder.name) / "wallet.db")
        self.ledger = Ledger(self.book, Terms(opening_minor=5_000, free_minor=2_000))

    @rule(
        merchant=merchants,
        attempt=attempts,
        manner=st.just(MannerName.GOOD) | st.sampled_from(MannerName),
        serial=st.integers(1, 6),
        minor=st.integers(1, 3_000),
    )
    def someone_pays(self, merchant: str, attempt: str, manner: MannerName, serial: int, minor: int) -> None:
        pay(self.ledger, attempt, code(manner, serial=serial, payer=serial % 2), self.now_ms, minor, merchant)

    @rule(merchant=merchants, attempt=attempts)
    def someone_reverses(self, merchant: str, attempt: str) -> None:
        self.ledger.reverse(merchant, ReverseMessage(attempt_no=attempt), self.now_ms)

    @rule(pick=st.integers(0, 7), refund=st.sampled_from(["r", "s", "t"]), percent=st.integers(1, 120))
    def someone_refunds(self, pick: int, refund: str, percent: int) -> None:
        lines = self.ledger.statement(0).lines
        if lines:
            line = lines[pick % len(lines)]
            message = RefundMessage(
                attempt_no=line.attempt_no,
                refund_no=f"{line.attempt_no}-{refund}",
                minor=line.minor * percent // 100 + 1,
            )
            self.ledger.refund(line.merchant, message, self.now_ms)

    @rule(passed_ms=st.integers(1, 30_000))
    def time_passes(self, passed_ms: int) -> None:
        self.now_ms += passed_ms
        self.ledger.decide_due(self.now_ms)

    @rule()
    def the_wallet_is_restarted(self) -> None:
        self.book.close()
        self._open()

    @invariant()
    def money_stays(self) -> None:
        statement = self.ledger.statement(0)
        money_is_conserved(statement)
        for line in statement.lines:
            key = (line.merchant, line.attempt_no)
            assert line.paid_minor >= self.paid.get(key, 0), "a payment was forgotten"
            self.paid[key] = line.paid_minor

    def teardown(self) -> None:
        self.book.close()
        self.folder.cleanup()


AnyDayAtTheWallet.TestCase.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyDayAtTheWallet = AnyDayAtTheWallet.TestCase


# the seal


def headers_of_a_request(now_ms: int = NOW_MS, nonce: str = NONCE, path: str = "/v1/pay") -> dict[str, str]:
    return request_headers(
        SECRET, merchant="shop", method="POST", path=path, now_ms=now_ms, nonce=nonce, body=b"{}"
    )


def admit(gate: Gate, headers: dict[str, str], **changes: object) -> Proven | Unproven:
    asked: dict[str, object] = {"method": "POST", "path": "/v1/pay", "body": b"{}", "now_ms": NOW_MS}
    return gate.admit(headers, **(asked | changes))  # type: ignore[arg-type]


def test_a_signed_request_gets_in_once() -> None:
    gate = Gate({"shop": SECRET}, began_ms=NOW_MS - 1_000)
    assert admit(gate, headers_of_a_request()) == Proven("shop", NONCE)
    assert isinstance(admit(gate, headers_of_a_request()), Unproven)
    assert isinstance(admit(gate, headers_of_a_request(nonce="f" * 32)), Proven)


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "PUT"},
        {"path": "/v1/refund"},
        {"path": "/v1/pay?x=1"},
        {"body": b"{ }"},
        {"now_ms": NOW_MS + WINDOW_MS + 1},
        {"now_ms": NOW_MS - WINDOW_MS - 1},
    ],
)
def test_a_request_that_was_changed_or_is_old_does_not_get_in(changes: dict[str, object]) -> None:
    gate = Gate({"shop": SECRET}, began_ms=0)
    assert isinstance(admit(gate, headers_of_a_request(), **changes), Unproven)
    assert isinstance(admit(gate, headers_of_a_request()), Proven), "the true one still does"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("wallet-merchant", "other"),
        ("wallet-merchant", "shop\n"),
        ("wallet-timestamp", str(NOW_MS + 1)),
        ("wallet-timestamp", "٣" * 13),
        ("wallet-timestamp", "9" * 400),
        ("wallet-nonce", "f" * 32),
        ("wallet-nonce", "short"),
        ("wallet-signature", ""),
        ("wallet-signature", "é" * 64),
        ("wallet-signature", "0" * 64),
    ],
)
def test_headers_that_were_changed_do_not_get_in(name: str, text: str) -> None:
    gate = Gate({"shop": SECRET, "other": b"o" * 32}, began_ms=0)
    assert isinstance(admit(gate, headers_of_a_request() | {name: text}), Unproven)


def test_a_request_from_before_the_start_is_not_taken_since_it_may_have_been_here() -> None:
    gate = Gate({"shop": SECRET}, began_ms=NOW_MS + 1)
    refused = admit(gate, headers_of_a_request())
    assert isinstance(refused, Unproven)
    assert "before the wallet came up" in refused.why


def test_a_flood_of_requests_fills_the_memory_to_its_bound_and_drains_with_time() -> None:
    gate = Gate({"shop": SECRET}, began_ms=0)
    for n in range(NONCES_MAX):
        gate._once("shop", f"{n:032x}", NOW_MS)
    assert isinstance(admit(gate, headers_of_a_request()), Unproven)
    later_ms = NOW_MS + 2 * WINDOW_MS + 1
    fresh = headers_of_a_request(now_ms=later_ms)
    assert isinstance(admit(gate, fresh, now_ms=later_ms), Proven)


NOTICE = Notification(
    notice_no="N1",
    attempt_no="a",
    state=Outcome.PAID,
    minor=TEA.minor,
    channel_no="SW1",
    payer="12****78",
    at_ms=NOW_MS,
)


def signed_notice(body: bytes) -> dict[str, str]:
    return notification_headers(SECRET, merchant="shop", now_ms=NOW_MS, nonce=NONCE, body=body)


def test_a_true_notification_is_read_whatever_the_case_of_its_headers() -> None:
    body = NOTICE.model_dump_json().encode()
    headers = {name.title(): text for name, text in signed_notice(body).items()}
    assert verify_notification(headers, body, SECRET, NOW_MS) == NOTICE
    assert NOTICE.amount == TEA


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"minor": 1e400}', b"x" * 9_000])
def test_a_signed_notification_that_says_nothing_is_a_value_and_no_traceback(body: bytes) -> None:
    assert isinstance(verify_notification(signed_notice(body), body, SECRET, NOW_MS), Unproven)


def test_a_forged_an_old_and_a_borrowed_seal_prove_no_notification() -> None:
    body = NOTICE.model_dump_json().encode()
    forged = body.replace(b"1800", b"9999")
    assert isinstance(verify_notification(signed_notice(body), forged, SECRET, NOW_MS), Unproven)
    assert isinstance(verify_notification(signed_notice(body), body, b"x" * 32, NOW_MS), Unproven)
    assert isinstance(
        verify_notification(signed_notice(body), body, SECRET, NOW_MS + WINDOW_MS + 1), Unproven
    )
    assert isinstance(verify_notification({}, body, SECRET, NOW_MS), Unproven)
    borrowed = request_headers(
        SECRET, merchant="shop", method="POST", path="/v1/pay", now_ms=NOW_MS, nonce=NONCE, body=body
    )
    assert isinstance(verify_notification(borrowed, body, SECRET, NOW_MS), Unproven)


def test_a_secret_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    make_secret(path, SECRET)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_secret(path) == SECRET
    with pytest.raises(FileExistsError):
        make_secret(path, bytes(32))
    path.chmod(0o640)
    with pytest.raises(SecretUnsafe, match="chmod 600"):
        read_secret(path)


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 64, b"0" * 63])
def test_a_file_without_a_secret_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(SecretUnsafe, match=re.escape(str(path))):
        read_secret(path)


def test_a_missing_secret_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SecretUnsafe, match="nowhere"):
        read_secret(tmp_path / "nowhere")


# the company over HTTP


class Wallet:
    """A running wallet and those who talk to it."""

    def __init__(self, folder: Path, url: str, patience_ms: int = 8_000) -> None:
        self.url = url
        self.secret = read_secret(folder / "shop")
        self.channel = SandboxChannel(
            url, "shop", self.secret, now_ms=wall_ms, chance=os.urandom, patience_ms=patience_ms
        )
        self.office = SandboxOffice(
            url, read_secret(folder / "office"), now_ms=wall_ms, chance=os.urandom, patience_ms=patience_ms
        )

    def pay(self, attempt_no: str, auth_code: str, amount: Amount = TEA) -> Outcome:
        return self.channel.pay(
            attempt_no=attempt_no, auth_code=auth_code, amount=amount, subject="tea"
        ).outcome

    def query(self, attempt_no: str) -> Outcome:
        return self.channel.query(attempt_no=attempt_no).outcome

    def close(self) -> None:
        self.channel.close()
        self.office.close()


def config_in(folder: Path, notify_url: str | None = None, **terms: int) -> SandboxConfig:
    for name in ("shop", "office"):
        if not (folder / name).exists():
            make_secret(folder / name, os.urandom(32))
    return SandboxConfig(
        state_path=folder / "wallet.db",
        merchants=(Merchant(name="shop", secret_path=folder / "shop", notify_url=notify_url),),
        office_secret_path=folder / "office",
        **terms,
    )


@contextmanager
def running(folder: Path, notify_url: str | None = None, patience_ms: int = 8_000) -> Iterator[Wallet]:
    with serving(config_in(folder, notify_url, password_ms=50)) as url:
        wallet = Wallet(folder, url, patience_ms)
        yield wallet
        wallet.close()


@pytest.fixture
def wallet(tmp_path: Path) -> Iterator[Wallet]:
    with running(tmp_path) as wallet:
        wallet.office.set_mood(Mood(pace_percent=1))
        yield wallet


@pytest.mark.parametrize("manner", ["error_paid", "silent_paid", "dropped_paid", "query_mute"])
def test_a_payment_whose_answer_is_lost_is_unknown_and_then_found_paid(wallet: Wallet, manner: str) -> None:
    assert wallet.pay("a", code(MannerName(manner))) is Outcome.UNKNOWN
    assert eventually(lambda: wallet.query("a") is Outcome.PAID)
    assert wallet.office.statement().lines[0].paid_minor == TEA.minor


@pytest.mark.parametrize("manner", ["silent_unpaid", "error_unpaid"])
def test_a_payment_that_never_arrived_is_unknown_and_then_closed(wallet: Wallet, manner: str) -> None:
    assert wallet.pay("a", code(MannerName(manner))) is Outcome.UNKNOWN
    assert wallet.query("a") is Outcome.NOT_FOUND
    assert wallet.channel.reverse(attempt_no="a").outcome is Outcome.CLOSED
    assert wallet.pay("a", code(serial=2)) is Outcome.CLOSED
    assert wallet.office.statement().accounts == {}


def test_an_answer_that_comes_after_our_patience_is_unknown(tmp_path: Path) -> None:
    with running(tmp_path, patience_ms=200) as wallet:
        assert wallet.pay("a", code(MannerName.LATE_ANSWER)) is Outcome.UNKNOWN
        assert wallet.query("a") is Outcome.PAID


def test_a_password_comes_though_nobody_asks_for_it(wallet: Wallet) -> None:
    assert wallet.pay("a", code(MannerName.USER_PAYING)) is Outcome.USER_PAYING
    assert eventually(lambda: wallet.office.statement().lines[0].state is Outcome.PAID)


def test_a_reversal_that_is_lost_twice_is_heard_the_third_time(wallet: Wallet) -> None:
    wallet.pay("a", code(MannerName.REVERSE_DEAF))
    outcomes = [wallet.channel.reverse(attempt_no="a").outcome for _ in range(3)]
    assert outcomes == [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.CLOSED]


def test_eight_tills_with_one_number_charge_once(wallet: Wallet) -> None:
    outcomes = at_once(8, lambda _: wallet.pay("a", code()))
    assert outcomes == [Outcome.PAID] * 8
    assert wallet.office.statement().accounts["merchant:shop"] == TEA.minor


def test_eight_tills_with_one_code_charge_once(wallet: Wallet) -> None:
    outcomes = at_once(8, lambda till: wallet.pay(f"attempt-{till}", code()))
    assert sorted(outcomes) == [Outcome.DECLINED] * 7 + [Outcome.PAID]
    assert wallet.office.statement().accounts["merchant:shop"] == TEA.minor


def at_once(tills: int, do: Callable[[int], Outcome]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    threads = [threading.Thread(target=lambda till=till: outcomes.append(do(till))) for till in range(tills)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_a_merchant_sets_no_mood_and_the_office_charges_nobody(wallet: Wallet) -> None:
    for name, secret, method, path in (
        ("shop", wallet.secret, "POST", "/v1/admin/mood"),
        ("shop", wallet.secret, "GET", "/v1/statement"),
    ):
        headers = request_headers(
            secret, merchant=name, method=method, path=path, now_ms=wall_ms(), nonce=NONCE, body=b""
        )
        assert httpx.request(method, wallet.url + path, headers=headers).status_code in (401, 403)
    thief = SandboxOffice(wallet.url, wallet.secret, now_ms=wall_ms, chance=os.urandom)
    with pytest.raises(OfficeSilent):
        thief.set_mood(Mood())
    thief.close()


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"attempt_no": 5}', b"[" * 4_000, b"x" * 9_000])
def test_a_body_that_says_nothing_gets_a_reason_and_the_wallet_goes_on(wallet: Wallet, body: bytes) -> None:
    headers = request_headers(
        wallet.secret,
        merchant="shop",
        method="POST",
        path="/v1/pay",
        now_ms=wall_ms(),
        nonce=os.urandom(16).hex(),
        body=body,
    )
    answer = httpx.post(wallet.url + "/v1/pay", content=body, headers=headers)
    assert answer.status_code in (400, 413)
    assert set(answer.json()) >= {"what", "why", "advice"}
    assert wallet.pay("a", code()) is Outcome.PAID


def test_a_wrong_secret_is_unknown_and_not_a_refusal(wallet: Wallet) -> None:
    stranger = SandboxChannel(wallet.url, "shop", b"x" * 32, now_ms=wall_ms, chance=os.urandom)
    answer = stranger.pay(attempt_no="a", auth_code=code(), amount=TEA, subject="tea")
    stranger.close()
    assert answer.outcome is Outcome.UNKNOWN
    assert wallet.query("a") is Outcome.NOT_FOUND


# wallets that are none


@contextmanager
def stranger(answer: Callable[[httpx.Headers], bytes]) -> Iterator[str]:
    """Something on a port that answers each request with whatever bytes it likes."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            line, _ = door.accept()
            with line:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += line.recv(65_536)
                head = request.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
                line.sendall(answer(httpx.Headers(dict(field.split(b": ", 1) for field in head))))

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
        thread.join()


def http(body: bytes, **headers: str) -> bytes:
    lines = [
        "HTTP/1.1 200 OK",
        f"content-length: {len(body)}",
        *(f"{name.replace('_', '-')}: {text}" for name, text in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def signed(message: AnswerMessage, nonce: str) -> bytes:
    body = message.model_dump_json().encode()
    return http(body, **answer_headers(SECRET, status=200, nonce=nonce, body=body))


PAID = AnswerMessage(number="a", outcome=Outcome.PAID, minor=TEA.minor)
STRANGE: dict[str, Callable[[httpx.Headers], bytes]] = {
    "hangs up": lambda _: b"",
    "noise": lambda _: b"\x00\xff\x16\x03" * 10,
    "unsigned": lambda _: http(PAID.model_dump_json().encode()),
    "signed for another request": lambda _: signed(PAID, NONCE),
    "endless": lambda _: http(b"x" * 100_000),
    "redirect": lambda _: b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n",
    "about another number": lambda asked: signed(
        PAID.model_copy(update={"number": "b"}), asked["wallet-nonce"]
    ),
    "about another amount": lambda asked: signed(PAID.model_copy(update={"minor": 1}), asked["wallet-nonce"]),
    "a word that does not fit": lambda asked: signed(
        PAID.model_copy(update={"outcome": Outcome.NOT_FOUND}), asked["wallet-nonce"]
    ),
}


@pytest.mark.parametrize("kind", sorted(STRANGE))
def test_an_answer_that_proves_nothing_is_unknown(kind: str) -> None:
    with stranger(STRANGE[kind]) as url:
        channel = SandboxChannel(url, "shop", SECRET, now_ms=wall_ms, chance=os.urandom)
        answer = channel.pay(attempt_no="a", auth_code=code(), amount=TEA, subject="tea")
        channel.close()
    assert answer.outcome is Outcome.UNKNOWN
    assert answer.detail


def test_the_same_answer_is_believed_when_it_is_proven() -> None:
    with stranger(lambda asked: signed(PAID, asked["wallet-nonce"])) as url:
        channel = SandboxChannel(url, "shop", SECRET, now_ms=wall_ms, chance=os.urandom)
        answer = channel.pay(attempt_no="a", auth_code=code(), amount=TEA, subject="tea")
        channel.close()
    assert answer.outcome is Outcome.PAID


# notifications


class Ear:
    """A merchant's notify address. It is deaf to the first `deaf` notices."""

    def __init__(self, deaf: int = 0) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.deaf = deaf
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                ear.heard.append((dict(self.headers), body))
                self.send_response(500 if len(ear.heard) <= ear.deaf else 204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/notify"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Ear:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def notices(self, secret: bytes) -> list[Notification]:
        found = [verify_notification(headers, body, secret, wall_ms()) for headers, body in self.heard]
        assert all(isinstance(notice, Notification) for notice in found), found
        return [notice for notice in found if isinstance(notice, Notification)]


def test_the_core_is_told_of_a_payment_and_can_prove_who_told_it(tmp_path: Path) -> None:
    with Ear() as ear, running(tmp_path, ear.url) as wallet:
        answer = wallet.channel.pay(attempt_no="a", auth_code=code(), amount=TEA, subject="tea")
        assert eventually(lambda: wallet.office.statement().notices_open == 0)
        (notice,) = ear.notices(wallet.secret)
    assert (notice.attempt_no, notice.state, notice.amount) == ("a", Outcome.PAID, TEA)
    assert notice.channel_no == answer.channel_no


def test_a_notice_that_may_come_twice_comes_twice(tmp_path: Path) -> None:
    with Ear() as ear, running(tmp_path, ear.url) as wallet:
        wallet.office.set_mood(Mood(pace_percent=1))
        wallet.pay("a", code(MannerName.TOLD_TWICE))
        assert eventually(lambda: wallet.office.statement().notices_open == 0)
        first, second = ear.notices(wallet.secret)
    assert first == second


def test_a_notice_that_is_not_heard_comes_again(tmp_path: Path) -> None:
    with Ear(deaf=1) as ear, running(tmp_path, ear.url) as wallet:
        wallet.pay("a", code())
        assert eventually(lambda: wallet.office.statement().notices_open == 0)
        first, second = ear.notices(wallet.secret)
    assert first == second


def test_the_notice_may_be_there_before_the_answer(tmp_path: Path) -> None:
    with Ear() as ear, running(tmp_path, ear.url) as wallet:
        assert wallet.pay("a", code(MannerName.NOTICE_FIRST)) is Outcome.PAID
        assert len(ear.notices(wallet.secret)) == 1


def test_a_query_may_lag_behind_the_notice(tmp_path: Path) -> None:
    with Ear() as ear, running(tmp_path, ear.url) as wallet:
        wallet.pay("a", code(MannerName.STALE_QUERY))
        assert eventually(lambda: [notice.state for notice in ear.notices(wallet.secret)] == [Outcome.PAID])
        assert wallet.query("a") is Outcome.USER_PAYING


def test_a_customer_who_cancels_is_told_of_as_well(tmp_path: Path) -> None:
    with Ear() as ear, running(tmp_path, ear.url) as wallet:
        wallet.office.set_mood(Mood(pace_percent=1))
        wallet.pay("a", code(MannerName.CANCELLED))
        assert eventually(
            lambda: [notice.state for notice in ear.notices(wallet.secret)] == [Outcome.DECLINED]
        )


def test_a_notice_waits_while_nobody_listens_and_survives_a_restart(tmp_path: Path) -> None:
    with Ear() as ear:
        url = ear.url
    with running(tmp_path, url) as wallet:
        wallet.pay("a", code())
        assert wallet.office.statement().notices_open == 1
    with Ear() as ear, running(tmp_path, ear.url) as wallet:
        assert eventually(lambda: [notice.attempt_no for notice in ear.notices(wallet.secret)] == ["a"])


# the process dies


@contextmanager
def process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Wallet]]:
    program = (
        "import sys; from pathlib import Path\n"
        "from tillbox.cloud_bridge.payments.channels.sandbox_config import SandboxConfig\n"
        "from tillbox.cloud_bridge.payments.channels.sandbox_server import run\n"
        "run('127.0.0.1', 0, SandboxConfig.model_validate_json(sys.argv[1]))\n"
    )
    config = config_in(folder).model_dump_json()
    with subprocess.Popen(
        [sys.executable, "-c", program, config], stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout
            url = child.stdout.readline().split()[-1]
            wallet = Wallet(folder, url)
            yield child, wallet
            wallet.close()
        finally:
            child.kill()


def test_a_wallet_that_is_killed_forgets_nothing_that_it_said(tmp_path: Path) -> None:
    with process(tmp_path) as (child, wallet):
        wallet.office.set_mood(Mood(script=(MannerName.DECLINED,), pace_percent=10))
        for serial, attempt in enumerate("abc"):
            assert wallet.pay(attempt, code(serial=serial)) is Outcome.PAID
        assert wallet.channel.reverse(attempt_no="b").outcome is Outcome.REVERSED
        assert wallet.channel.reverse(attempt_no="never-seen").outcome is Outcome.CLOSED
        assert wallet.channel.refund(
            attempt_no="c", refund_no="r", amount=Amount(300, CNY)
        ).outcome is Outcome.REFUNDED  # fmt: skip
        wallet.pay("d", code(MannerName.LATE_SUCCESS, serial=4))
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert wallet.query("a") is Outcome.UNKNOWN
    with process(tmp_path) as (_, wallet):
        assert wallet.query("a") is Outcome.PAID
        assert wallet.query("b") is Outcome.REVERSED
        assert wallet.query("never-seen") is Outcome.CLOSED
        assert wallet.channel.query_refund(refund_no="r").outcome is Outcome.REFUNDED
        assert eventually(lambda: wallet.query("d") is Outcome.PAID)
        assert wallet.pay("e", code(None, serial=5)) is Outcome.DECLINED
        money_is_conserved(wallet.office.statement())


def test_a_full_disk_claims_nothing_and_is_over_when_there_is_room_again(tmp_path: Path) -> None:
    app = build(config_in(tmp_path))
    book = app.state.shop.book
    secret = read_secret(tmp_path / "shop")

    async def charge(client: httpx.AsyncClient, n: int) -> int:
        body = PayMessage(attempt_no=f"a{n}", auth_code=code(serial=n), minor=1).model_dump_json().encode()
        nonce = os.urandom(16).hex()
        headers = request_headers(
            secret, merchant="shop", method="POST", path="/v1/pay", now_ms=wall_ms(), nonce=nonce, body=body
        )
        return (await client.post("/v1/pay", content=body, headers=headers)).status_code

    async def story() -> tuple[list[int], int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://wallet") as client:
            book._db.execute("PRAGMA max_page_count=25").fetchall()
            statuses = [await charge(client, n) for n in range(200)]
            book._db.execute("PRAGMA max_page_count=100000").fetchall()
            return statuses, await charge(client, statuses.index(500))

    statuses, afterwards = asyncio.run(story())
    assert set(statuses) == {200, 500}
    assert afterwards == 200
    statement = app.state.shop.ledger.statement(0)
    assert len(statement.lines) == statuses.count(200) + 1
    money_is_conserved(statement)
    book.close()


def test_a_second_wallet_on_the_same_money_is_refused(tmp_path: Path) -> None:
    first = Book(tmp_path / "wallet.db")
    with pytest.raises(BookTrouble, match="another wallet"):
        Book(tmp_path / "wallet.db")
    first.close()


def test_a_file_that_is_no_book_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "wallet.db").write_bytes(b"these are not the accounts" * 100)
    with pytest.raises(BookTrouble, match=r"wallet\.db"):
        Book(tmp_path / "wallet.db")


def test_no_merchant_is_called_like_the_office(tmp_path: Path) -> None:
    shop = Merchant(name="office", secret_path=tmp_path / "s")
    with pytest.raises(ValueError, match="names of their own"):
        SandboxConfig(state_path=tmp_path / "w", merchants=(shop,), office_secret_path=tmp_path / "o")
