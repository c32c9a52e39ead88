"""Wallet payment codes: the digits that a customer's phone shows for about a minute.

Lengths and prefixes are the wallets' published ones (WeChat Pay 18 digits from 10 to 15, Alipay 16 to 24
digits from 25 to 30, UnionPay 19 digits from 62, digital RMB 19 digits from 01). The digits are money: no
repr shows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Wallet(StrEnum):
    """Whose code it is."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    UNIONPAY = "unionpay"
    DIGITAL_RMB = "digital_rmb"


@dataclass(frozen=True, slots=True)
class PaymentCode:
    """A code that takes money once."""

    wallet: Wallet
    digits: str = field(repr=False)

    @property
    def masked(self) -> str:
        """The first two and the last four digits, for screens and records."""
        return f"{self.digits[:2]}****{self.digits[-4:]}"


_RULES: tuple[tuple[Wallet, range, range], ...] = (
    (Wallet.WECHAT, range(18, 19), range(10, 16)),
    (Wallet.ALIPAY, range(16, 25), range(25, 31)),
    (Wallet.UNIONPAY, range(19, 20), range(62, 63)),
    (Wallet.DIGITAL_RMB, range(19, 20), range(1, 2)),
)


def payment_code(text: str) -> PaymentCode | None:
    """Digits as a payment code, by exact length and prefix; None where no wallet makes such digits."""
    if not (text.isascii() and text.isdecimal() and 16 <= len(text) <= 24):
        return None
    prefix = int(text[:2])
    for wallet, lengths, prefixes in _RULES:
        if len(text) in lengths and prefix in prefixes:
            return PaymentCode(wallet, text)
    return None
