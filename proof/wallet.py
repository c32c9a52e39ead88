"""A wallet company in memory: the customer's truth. It answers late, never, twice and out of order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

from tillbox.cloud_bridge.payments.cashier import Call
from tillbox.cloud_bridge.payments.channels.port import Outcome

from .checkers import Trade


@dataclass(slots=True)
class Account:
    """One attempt in the company's own books."""

    amount: int
    state: str
    paid_at_ms: int | None = None
    refunded: int = 0
    refunds: tuple[str, ...] = ()


class Wallet:
    """The company. `decide_ms` is when a customer who types a password is done."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.accounts: dict[str, Account] = {}
        self.counts: Counter[str] = Counter()
        self.mute = 0.0
        """How often an answer gets lost on its way back."""

    def call(self, call: Call, now_ms: int) -> Outcome:
        """Do what is asked, and answer; or do it and not answer."""
        outcome = getattr(self, f"_{call.verb}")(call, now_ms)
        if self.random.random() < self.mute:
            self.counts["unanswered"] += 1
            return Outcome.UNKNOWN
        assert isinstance(outcome, Outcome)
        return outcome

    def statement(self) -> list[Trade]:
        """What the customers' own statements say."""
        return [
            Trade(attempt, account.amount if account.state == "paid" else 0, account.refunded)
            for attempt, account in self.accounts.items()
        ]

    def _pay(self, call: Call, now_ms: int) -> Outcome:
        known = self.accounts.get(call.attempt)
        if known is not None:
            return self._query(call, now_ms)
        fate = self.random.random()
        if fate < 0.05:
            self.counts["never_arrived"] += 1
            return Outcome.UNKNOWN
        if fate < 0.15:
            self.accounts[call.attempt] = Account(call.amount, "declined")
            return Outcome.DECLINED
        if fate < 0.40:
            late_ms = self.random.choice((500, 2_000, 6_000, 14_000, 40_000))
            self.counts["user_paying"] += 1
            self.accounts[call.attempt] = Account(call.amount, "paying", now_ms + late_ms)
            return Outcome.USER_PAYING if self.random.random() < 0.7 else Outcome.UNKNOWN
        self.accounts[call.attempt] = Account(call.amount, "paid", now_ms)
        if fate < 0.50:
            self.counts["paid_unanswered"] += 1
            return Outcome.UNKNOWN
        return Outcome.PAID

    def _query(self, call: Call, now_ms: int) -> Outcome:
        account = self.accounts.get(call.attempt)
        if account is None:
            return Outcome.NOT_FOUND
        self._settle(account, now_ms)
        known = {"paid": Outcome.PAID, "declined": Outcome.DECLINED, "closed": Outcome.CLOSED}
        if account.state == "paid" and account.refunded >= account.amount:
            return Outcome.REVERSED
        return known.get(account.state, Outcome.USER_PAYING)

    def _reverse(self, call: Call, now_ms: int) -> Outcome:
        account = self.accounts.setdefault(call.attempt, Account(call.amount, "closed"))
        self._settle(account, now_ms)
        if account.state == "paying":
            account.state = "closed"
        if account.state == "paid":
            account.refunded = account.amount
        return Outcome.REVERSED

    def _refund(self, call: Call, now_ms: int) -> Outcome:
        account = self.accounts.get(call.attempt)
        if account is None:
            return Outcome.REFUSED
        self._settle(account, now_ms)
        if call.refund_no in account.refunds:
            return Outcome.REFUNDED
        if account.state != "paid" or account.refunded + call.amount > account.amount:
            return Outcome.REFUSED
        account.refunded += call.amount
        account.refunds += (call.refund_no,)
        return Outcome.REFUNDED

    def _settle(self, account: Account, now_ms: int) -> None:
        """A customer who was typing may be done by now."""
        if account.state == "paying" and account.paid_at_ms is not None and now_ms >= account.paid_at_ms:
            account.state = "paid"
