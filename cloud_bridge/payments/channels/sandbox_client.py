"""The core's adapter to the sandbox wallet: asks, and believes only what makes sense as an answer.

A channel that is silent, broken or strange is UNKNOWN, never an exception and never a failure: the
customer may have paid. It repeats nothing by itself; when to ask again is the payment machine's matter.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx
from pydantic import ValidationError

from tillbox.contracts.money import CNY, Amount

from .port import SAYS, Answer, Outcome
from .sandbox_line import PATIENCE_MS, Line, Nothing, first_line, trouble_of
from .sandbox_wire import (
    ANSWER_BYTES_MAX,
    AnswerMessage,
    Message,
    PayMessage,
    QueryMessage,
    RefundMessage,
    RefundQueryMessage,
    ReverseMessage,
)


class SandboxChannel:
    """The `Channel` of one merchant at the sandbox wallet. May be used from several threads."""

    def __init__(
        self,
        base_url: str,
        merchant: str,
        secret: bytes,
        *,
        now_ms: Callable[[], int],
        chance: Callable[[int], bytes],
        patience_ms: int = PATIENCE_MS,
    ) -> None:
        self._line = Line(base_url, merchant, secret, now_ms=now_ms, chance=chance, patience_ms=patience_ms)

    def pay(self, *, attempt_no: str, auth_code: str, amount: Amount, subject: str) -> Answer:
        """Charge a code once."""
        return self._ask(
            "pay",
            "/v1/pay",
            attempt_no,
            lambda: PayMessage(
                attempt_no=attempt_no, auth_code=auth_code, minor=_yuan(amount), subject=subject[:80]
            ),
            amount,
        )

    def query(self, *, attempt_no: str) -> Answer:
        """Where the trade stands."""
        return self._ask("query", "/v1/query", attempt_no, lambda: QueryMessage(attempt_no=attempt_no))

    def reverse(self, *, attempt_no: str) -> Answer:
        """Close it if unpaid, pay it back if paid."""
        return self._ask("reverse", "/v1/reverse", attempt_no, lambda: ReverseMessage(attempt_no=attempt_no))

    def refund(self, *, attempt_no: str, refund_no: str, amount: Amount) -> Answer:
        """Pay a part back, once for each refund number."""
        return self._ask(
            "refund",
            "/v1/refund",
            refund_no,
            lambda: RefundMessage(attempt_no=attempt_no, refund_no=refund_no, minor=_yuan(amount)),
            amount,
        )

    def query_refund(self, *, refund_no: str) -> Answer:
        """Whether a refund was done."""
        return self._ask(
            "query_refund", "/v1/refund/query", refund_no, lambda: RefundQueryMessage(refund_no=refund_no)
        )

    def close(self) -> None:
        """Let the connections go."""
        self._line.close()

    def _ask(
        self, verb: str, path: str, number: str, write: Callable[[], Message], amount: Amount | None = None
    ) -> Answer:
        try:
            message = write()
        except ValueError as trouble:
            return Answer(Outcome.REFUSED, detail=f"not sent: {first_line(trouble)}")
        heard = self._line.ask("POST", path, message.model_dump_json().encode(), ANSWER_BYTES_MAX)
        if isinstance(heard, Nothing):
            return Answer(Outcome.UNKNOWN, detail=heard.why)
        if heard.status != httpx.codes.OK:
            return Answer(Outcome.UNKNOWN, detail=trouble_of(heard))
        return _believe(verb, number, amount, heard.body)


def _believe(verb: str, number: str, amount: Amount | None, body: bytes) -> Answer:
    """A signed answer as the port says it; UNKNOWN where it does not fit what was asked."""
    try:
        told = AnswerMessage.model_validate_json(body)
    except ValidationError:
        return Answer(Outcome.UNKNOWN, detail="a signed answer that cannot be read")
    if told.number != number or told.outcome not in SAYS[verb]:
        return Answer(Outcome.UNKNOWN, detail="a signed answer that does not fit the question")
    if amount is not None and told.minor is not None and told.amount != amount:
        return Answer(Outcome.UNKNOWN, detail=f"a signed answer about {told.amount} instead of {amount}")
    return Answer(told.outcome, told.channel_no, told.amount, told.payer, told.detail)


def _yuan(amount: Amount) -> int:
    if amount.unit != CNY:
        raise ValueError(f"the wallet pays in {CNY}, not in {amount.unit}")
    return amount.minor
