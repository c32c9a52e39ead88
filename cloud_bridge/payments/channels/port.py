"""The port to a wallet company. Synchronous; silence is an answer, never an exception.

Every verb may be repeated with the same number and does its work once. An outcome speaks of the trade
(or of the refund), with one exception: REFUSED speaks of the request. It moved no money and changed
nothing, but what an earlier request did under the same number still stands.
"""

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
    """One wallet company. Money moves at most once per number, however often it is asked for."""

    def pay(self, *, attempt_no: str, auth_code: str, amount: Amount, subject: str) -> Answer:
        """Charge a code. The same number with other content is REFUSED; a closed number stays CLOSED."""
        ...

    def query(self, *, attempt_no: str) -> Answer:
        """Where the trade stands now. NOT_FOUND may still become PAID until the number is reversed."""
        ...

    def reverse(self, *, attempt_no: str) -> Answer:
        """Paid: pay it back (REVERSED). Unpaid or never heard of: close the number for good (CLOSED)."""
        ...

    def refund(self, *, attempt_no: str, refund_no: str, amount: Amount) -> Answer:
        """Pay a part back. REVERSED where a reversal was first and all is back, REFUSED where too little is left."""
        ...

    def query_refund(self, *, refund_no: str) -> Answer:
        """Whether a refund was done: REFUNDED or NOT_FOUND."""
        ...


SAYS: dict[str, frozenset[Outcome]] = {
    "pay": frozenset(Outcome) - {Outcome.NOT_FOUND},
    "query": frozenset(Outcome) - {Outcome.REFUSED},
    "reverse": frozenset({Outcome.REVERSED, Outcome.REFUNDED, Outcome.CLOSED, Outcome.UNKNOWN}),
    "refund": frozenset(
        {Outcome.REFUNDED, Outcome.REVERSED, Outcome.REFUSED, Outcome.NOT_FOUND, Outcome.UNKNOWN}
    ),
    "query_refund": frozenset({Outcome.REFUNDED, Outcome.NOT_FOUND, Outcome.UNKNOWN}),
}
"""The words that make sense after each verb. An adapter takes any other word as UNKNOWN."""
