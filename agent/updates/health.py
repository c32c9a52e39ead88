"""What a new release must answer, by the figures that this software knows. Pure.

The figures are written down, not computed: a judge that asked its own till would find every mistake right that it shares.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from tillbox.contracts.messages import Canary, Line, Minor, Wire
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.offers.threshold import ThresholdOffer

from .words import Refusal, Why


class Rehearsal(Wire):
    """A basket, an offer and cash, as a release is asked; prices in fen. An older judge asks a newer release in these words,
    so they only ever grow."""

    mark: str
    goods: Annotated[tuple[tuple[Minor, int], ...], Field(min_length=1, max_length=100, strict=False)]
    """Price and number of each."""
    threshold: Minor = 0
    discount: Minor = 0
    received: Minor

    def lines(self) -> tuple[Line, ...]:
        """What lies on the counter."""
        return tuple(Line(name=f"goods {n}", price=p, quantity=q) for n, (p, q) in enumerate(self.goods, 1))

    def offer(self) -> ThresholdOffer | None:
        """The coupon's offer; None for no coupon."""
        return (
            ThresholdOffer(Amount(self.threshold, CNY), Amount(self.discount, CNY)) if self.discount else None
        )


class Answer(Wire):
    """What a release says to a rehearsal: its figures, and the receipt as bytes for a printer, in base64."""

    canary: Canary
    receipt: str


def _asked(
    mark: str, goods: tuple[tuple[int, int], ...], received: int, *, off: tuple[int, int] = (0, 0)
) -> Rehearsal:
    return Rehearsal(mark=mark, goods=goods, threshold=off[0], discount=off[1], received=received)


def _answer(mark: str, total: int, discount: int, amount: int, received: int, change: int) -> Canary:
    return Canary(mark=mark, total=total, discount=discount, amount=amount, received=received, change=change)


GOLDEN: tuple[tuple[Rehearsal, Canary], ...] = (
    (_asked("00000001", ((1_200, 1),), 2_000), _answer("00000001", 1_200, 0, 1_200, 2_000, 800)),
    (_asked("00000002", ((1_200, 1), (1_800, 1)), 5_000, off=(2_000, 500)), _answer("00000002", 3_000, 500, 2_500, 5_000, 2_500)),
    (_asked("00000003", ((650, 3), (1, 1)), 1_951), _answer("00000003", 1_951, 0, 1_951, 1_951, 0)),
    (_asked("00000004", ((333, 7), (999, 2)), 10_000, off=(4_329, 329)), _answer("00000004", 4_329, 329, 4_000, 10_000, 6_000)),
    (_asked("00000005", ((400, 1),), 0, off=(400, 500)), _answer("00000005", 400, 400, 0, 0, 0)),
    (_asked("00000006", ((4_999_999, 1), (1, 1)), 5_000_000), _answer("00000006", 5_000_000, 0, 5_000_000, 5_000_000, 0)),
)  # fmt: skip
"""What is asked, and the only right answer. The second is the canary sale, too."""

CANARY = GOLDEN[1]


def judge_figures(found: Canary, right: Canary) -> Refusal | None:
    """Whether every figure is right; a difference of one fen is a difference."""
    for name in ("total", "discount", "amount", "received", "change"):
        said, must = getattr(found, name), getattr(right, name)
        if said != must:
            return Refusal(Why.SELLS_WRONGLY, f"{name} {_yuan(said)} ≠ {_yuan(must)}")
    return None


def judge_receipt(text: str, asked: Rehearsal, right: Canary) -> Refusal | None:
    """Whether the amounts stand on the receipt, in their order. A release may reword a receipt; it may not change a sum."""
    amounts = [line.amount for line in asked.lines()]
    if right.discount:
        amounts += [right.total, -right.discount]
    amounts += [right.amount, right.received or right.amount]
    if right.received:
        amounts.append(right.change)
    read = iter(re.findall(r"-?\d+\.\d\d", text))
    for amount in amounts:
        if _yuan(amount) not in read:  # goes on from where the last one was found
            return Refusal(Why.PRINTS_WRONGLY, _yuan(amount))
    return None


def _yuan(minor: int) -> str:
    return Amount(minor, CNY).decimal()
