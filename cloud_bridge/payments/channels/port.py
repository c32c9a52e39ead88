"""The port to a wallet company. Synchronous; silence is an answer, never an exception."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tillbox.contracts.money import Amount


class Outcome(StrEnum):
    """What a channel says. UNKNOWN is no answer, an invalid one, or trouble on its side: not a failure."""

    PAID = "paid"
    DECLINED = "declined"
    USER_PAYING = "user_paying"
    UNKNOWN = "unknown"
    NOT_FOUND = "not_found"
    REVERSED = "reversed"
    REFUNDED = "refunded"
    REFUSED = "refused"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `payer` is masked; `detail` is the channel's own word, for a person."""

    outcome: Outcome
    channel_no: str | None = None
    amount: Amount | None = None
    payer: str | None = None
    detail: str = ""


class Channel(Protocol):
    """One wallet company. Every verb may be repeated with the same number and does its work once."""

    def pay(self, *, attempt_no: str, auth_code: str, amount: Amount, subject: str) -> Answer: ...
    def query(self, *, attempt_no: str) -> Answer: ...
    def reverse(self, *, attempt_no: str) -> Answer: ...
    def refund(self, *, attempt_no: str, refund_no: str, amount: Amount) -> Answer: ...
    def query_refund(self, *, refund_no: str) -> Answer: ...
