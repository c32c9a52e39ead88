"""Payment codes: the digits a wallet shows for a minute so that a shop may charge them once.

They are a secret of the customer: whoever holds the digits can take money. So they are masked wherever
they are printed, and only `digits` gives them away. This file refuses to know how a code is charged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Wallet(StrEnum):
    """Whose code it is."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    UNIONPAY = "unionpay"
    DIGITAL_RMB = "digital_rmb"


_RULES: tuple[tuple[Wallet, re.Pattern[str]], ...] = (
    (Wallet.WECHAT, re.compile(r"1[0-5][0-9]{16}")),
    (Wallet.ALIPAY, re.compile(r"(?:2[5-9]|30)[0-9]{14,22}")),
    (Wallet.UNIONPAY, re.compile(r"62[0-9]{17}")),
    (Wallet.DIGITAL_RMB, re.compile(r"01[0-9]{17}")),
)
"""Exact length and prefix of each wallet. No two rules overlap; a test proves it."""


@dataclass(frozen=True, slots=True, repr=False)
class PaymentCode:
    """A wallet's code. ValueError if the digits are not that wallet's."""

    wallet: Wallet
    digits: str

    def __post_init__(self) -> None:
        if wallet_of(self.digits) is not self.wallet:
            raise ValueError(f"these {len(self.digits)} characters are no payment code of {self.wallet}")

    def __repr__(self) -> str:
        return f"PaymentCode({self.wallet}, {self.masked})"

    @property
    def masked(self) -> str:
        """What may be shown and logged: the first two and the last four digits."""
        return f"{self.digits[:2]}****{self.digits[-4:]}"

    @property
    def text(self) -> str:
        """What the symbol carries."""
        return self.digits


def wallet_of(digits: str) -> Wallet | None:
    """The wallet to which a row of digits belongs by length and prefix."""
    return next((wallet for wallet, rule in _RULES if rule.fullmatch(digits)), None)


def payment_code(text: str) -> PaymentCode | None:
    """A payment code, or None. There is no check digit: a wrong digit shows only when it is charged."""
    wallet = wallet_of(text)
    return PaymentCode(wallet, text) if wallet else None
