"""The customers' side of the sandbox wallet: who pays, who declines, who walks away, and whose money it is.

Every method runs inside the caller's transaction, so money moves, becomes true and is queued to be told in
one commit, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from .port import Outcome
from .sandbox_book import BANK, Book
from .sandbox_manners import Manner
from .sandbox_rules import Trade, masked
from .sandbox_wire import Notification
from .sandbox_words import Word

DUE_AT_ONCE = 100
"""Trades that are decided in one transaction: some 10 ms, so that nobody waits long for the lock."""

NOTICE_AGAIN_MS = 1_000
"""WeChat's second notice of the same payment was seen a second after the first."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The wallet's conditions: what a new customer has, what goes without a password, how long one takes."""

    opening_minor: int = 10_000_000
    free_minor: int = 100_000
    password_ms: int = 3_000


class Customers:
    """Everybody with a wallet."""

    def __init__(self, book: Book, terms: Terms) -> None:
        self._book = book
        self._terms = terms

    def takes_ms(self, manner: Manner, minor: int) -> int:
        """How long the customer's side takes: as the manner says, or a password for much money."""
        if manner.after_ms or manner.ends is not Outcome.PAID or minor <= self._terms.free_minor:
            return manner.after_ms
        return self._terms.password_ms

    def decide_due(self, now_ms: int) -> None:
        """Passwords come, banks answer, patience ends: whatever is due by now."""
        for trade in self._book.trades_due(now_ms, DUE_AT_ONCE):
            self._decide(trade, now_ms)

    def _decide(self, trade: Trade, now_ms: int) -> None:
        """The customer's side says yes, no, or nothing any more."""
        manner = trade.manner
        if manner.ends is Outcome.CLOSED:
            self.close(trade, now_ms)
        elif manner.ends is Outcome.DECLINED:
            self._decline(trade, manner.why, now_ms)
        elif self._wallet_holds(trade, now_ms) < trade.minor:
            self._decline(trade, Word.NOT_ENOUGH, now_ms)
        else:
            self._book.decide_trade(trade.no, paid_ms=now_ms)
            self._move(trade, trade.minor, now_ms)
            self._tell(trade, Outcome.PAID, now_ms)

    def _decline(self, trade: Trade, why: Word, now_ms: int) -> None:
        """No. Where the pay itself could not say so, a notice does."""
        self._book.decide_trade(trade.no, why=why)
        if trade.made_ms < now_ms:
            self._tell(trade, Outcome.DECLINED, now_ms)

    def _wallet_holds(self, trade: Trade, now_ms: int) -> int:
        """The payer's balance; a payer who was never here brings the opening balance along."""
        balance = self._book.balance(_wallet(trade))
        if balance is not None:
            return balance
        opening = self._terms.opening_minor
        self._book.move(source=BANK, target=_wallet(trade), minor=opening, why="opening", at_ms=now_ms)
        return opening

    def close(self, trade: Trade, now_ms: int) -> None:
        """Nobody will pay this any more, unless its manner is to pay all the same."""
        self._book.add_closing(trade.merchant, trade.attempt_no, now_ms)
        if trade.manner.closable and trade.why is None:
            self._book.decide_trade(trade.no)

    def pay_back(self, trade: Trade, refund_no: str, minor: int, *, reversal: bool, now_ms: int) -> None:
        """A part of what was paid goes back, never more than is left."""
        assert 0 < minor <= trade.left_minor, (trade, minor)
        self._book.add_refund(trade, refund_no, minor=minor, reversal=reversal, at_ms=now_ms)
        self._move(trade, -minor, now_ms)

    def _move(self, trade: Trade, minor: int, now_ms: int) -> None:
        """From the customer to the merchant, or back where it is negative."""
        sides = (_wallet(trade), f"merchant:{trade.merchant}")
        source, target = sides if minor > 0 else sides[::-1]
        why = f"{'pay' if minor > 0 else 'back'} {trade.attempt_no}"
        self._book.move(source=source, target=target, minor=abs(minor), why=why, at_ms=now_ms)

    def _tell(self, trade: Trade, state: Outcome, now_ms: int) -> None:
        """Queue what the merchant is to hear, in the transaction in which it became true."""
        notice = Notification(
            notice_no=f"N{trade.no:08d}-{state}",
            attempt_no=trade.attempt_no,
            state=state,
            minor=trade.minor,
            channel_no=trade.channel_no,
            payer=masked(trade.payer),
            at_ms=now_ms,
        )
        for again in range(trade.manner.notices):
            due_ms = now_ms + trade.wait_ms(NOTICE_AGAIN_MS) * again
            self._book.add_notice(trade.merchant, notice.model_dump_json().encode(), due_ms)


def _wallet(trade: Trade) -> str:
    return f"wallet:{trade.payer}"
