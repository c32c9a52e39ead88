"""Where a trade of the sandbox wallet stands: pure, over the facts that the book holds of it.

A state is never stored. What happened is (paid at, closed, why declined, how much went back), and what
that amounts to is derived here, so that no two fields can disagree.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .port import Outcome
from .sandbox_manners import MANNERS, Manner, MannerName
from .sandbox_words import Word

REFUNDS_MAX = 50
"""As many partial refunds as WeChat allows for one trade."""


@dataclass(frozen=True, slots=True)
class Trade:
    """The facts of one trade. `due_ms` is when the customer's side decides; None when it has."""

    no: int
    merchant: str
    attempt_no: str
    fingerprint: str
    payer: str
    minor: int
    manner_name: str
    pace_percent: int
    made_ms: int
    due_ms: int | None
    why: str | None
    paid_ms: int | None
    closed: bool
    refunded_minor: int
    refunds: int
    reversed: bool

    @property
    def manner(self) -> Manner:
        """How this trade behaves."""
        return MANNERS[MannerName(self.manner_name)]

    @property
    def channel_no(self) -> str:
        """The wallet's own number for it."""
        return f"SW{self.made_ms:013d}{self.no:08d}"

    @property
    def left_minor(self) -> int:
        """What can still be paid back."""
        return self.minor - self.refunded_minor if self.paid_ms is not None else 0

    def wait_ms(self, manner_ms: int) -> int:
        """A time of the manner's table at the pace of this trade."""
        return paced(manner_ms, self.pace_percent)


Standing = tuple[Outcome, Word]


def paced(manner_ms: int, pace_percent: int) -> int:
    """A time of the manners' table at a pace: 10 per cent is ten times as fast."""
    return manner_ms * pace_percent // 100


def standing(trade: Trade) -> Standing:
    """What the wallet says of a trade to whoever asks."""
    if trade.paid_ms is None and trade.due_ms is not None:
        return _CLOSED if trade.closed else _MEANWHILE[trade.manner.meanwhile]
    return truth(trade)


def truth(trade: Trade) -> Standing:
    """What the money says of a trade. Paid outranks closed: money may come after the end."""
    if trade.paid_ms is not None:
        if trade.reversed and not trade.left_minor:
            return Outcome.REVERSED, Word.ORDER_REVERSED
        return (Outcome.PAID, Word.OK) if trade.left_minor else (Outcome.REFUNDED, Word.ORDER_REFUNDED)
    if trade.why is not None:
        return Outcome.DECLINED, Word(trade.why)
    if trade.closed and (trade.due_ms is None or trade.manner.closable):
        return _CLOSED
    return _PAYING


def queried(trade: Trade, now_ms: int) -> Standing:
    """What a query says: the standing, or what it was, where the manner lets queries lag behind."""
    if trade.paid_ms is not None and now_ms < trade.paid_ms + trade.wait_ms(trade.manner.stale_ms):
        return _PAYING
    return standing(trade)


def refundable(trade: Trade, minor: int) -> Standing:
    """Whether a new refund is done. Never more than what is left."""
    outcome, word = truth(trade)
    if outcome is Outcome.REVERSED:
        return outcome, word
    if trade.paid_ms is None:
        return Outcome.REFUSED, Word.ORDER_NOT_PAID
    if minor > trade.left_minor:
        return Outcome.REFUSED, Word.REFUND_TOO_LARGE
    if trade.refunds >= REFUNDS_MAX:
        return Outcome.REFUSED, Word.TOO_MANY_REFUNDS
    return Outcome.REFUNDED, Word.OK


def fingerprint(*parts: object) -> str:
    """What a number was used for. The same number with another fingerprint is refused."""
    return hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()


def masked(payer: str) -> str:
    """A payer as others may see it: `12****78`."""
    return f"{payer[:2]}****{payer[-2:]}"


_CLOSED: Standing = (Outcome.CLOSED, Word.ORDER_CLOSED)
_PAYING: Standing = (Outcome.USER_PAYING, Word.USER_PAYING)
_MEANWHILE: dict[Outcome, Standing] = {
    Outcome.USER_PAYING: _PAYING,
    Outcome.NOT_FOUND: (Outcome.NOT_FOUND, Word.ORDER_NOT_EXIST),
    Outcome.DECLINED: (Outcome.DECLINED, Word.BANK_REFUSED),
}
