"""What the issuer of a coupon signs, and its bytes: a CBOR map with small integers as keys.

It refuses a payload that is not exactly what it would write itself. A field it does not know may take
something away from the coupon, so a payload with one comes from a newer core and is not accepted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import cbor2

from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.verdicts import Reason, Refused

from .characters import carries_control

TITLE_CHARACTERS_MAX = 40
"""One line of a receipt; it keeps the longest envelope below its 512 bytes."""
SERIAL_MAX = 2**31
TIME_MS_END = 2**48

KIND, TENANT, TEMPLATE, SERIAL, NOT_BEFORE, NOT_AFTER, THRESHOLD, DISCOUNT, TITLE = range(9)
COUPON = 1
"""The kind keeps any other document that the same key signs from being taken for a coupon."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class CouponClaims:
    """What a coupon promises. Without a serial it is a poster's: the box takes a serial of its own right.

    ValueError for names, numbers or a title that no coupon has.
    """

    tenant: str
    template: str
    serial: int | None
    not_before_ms: int
    not_after_ms: int
    threshold: Amount
    discount: Amount
    title: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.tenant) or not _NAME.fullmatch(self.template):
            raise ValueError("tenant and template are up to 32 small letters, digits, - and _")
        if self.serial is not None and not (type(self.serial) is int and 1 <= self.serial <= SERIAL_MAX):
            raise ValueError("a serial is 1 to 2^31, or None on a poster")
        times = (self.not_before_ms, self.not_after_ms)
        if any(type(time) is not int for time in times) or not 0 <= times[0] <= times[1] < TIME_MS_END:
            raise ValueError("a coupon is valid from a time to a later one")
        if {self.threshold.unit, self.discount.unit} != {CNY} or min(self.threshold, self.discount).minor < 0:
            raise ValueError("threshold and discount are yuan, and neither is negative")
        if len(self.title) > TITLE_CHARACTERS_MAX or carries_control(self.title):
            raise ValueError(f"a title is one line of at most {TITLE_CHARACTERS_MAX} characters")


def payload_of(claims: CouponClaims) -> bytes:
    """The claims as canonical CBOR. Validity in whole seconds, rounded outwards: no promise is cut short."""
    document: dict[int, Any] = {
        KIND: COUPON,
        TENANT: claims.tenant,
        TEMPLATE: claims.template,
        NOT_BEFORE: claims.not_before_ms // 1000,
        NOT_AFTER: -(-claims.not_after_ms // 1000),
        THRESHOLD: claims.threshold.minor,
        DISCOUNT: claims.discount.minor,
        TITLE: claims.title,
    }
    if claims.serial is not None:
        document[SERIAL] = claims.serial
    return cbor2.dumps(document, canonical=True)


def claims_in(payload: bytes) -> CouponClaims | Refused:
    """The claims in a payload, or why there are none. Only for bytes whose signature holds."""
    try:
        document = cbor2.loads(payload)
        if not isinstance(document, dict):
            return Refused(Reason.CODE_DAMAGED)
        if document[KIND] != COUPON:
            return Refused(Reason.NOT_FOR_THIS_TILL)
        if set(document) - set(range(TITLE + 1)):
            return Refused(Reason.FUTURE_VERSION)
        claims = CouponClaims(
            tenant=document[TENANT],
            template=document[TEMPLATE],
            serial=document.get(SERIAL),
            not_before_ms=document[NOT_BEFORE] * 1000,
            not_after_ms=document[NOT_AFTER] * 1000,
            threshold=Amount(document[THRESHOLD], CNY),
            discount=Amount(document[DISCOUNT], CNY),
            title=document[TITLE],
        )
        # The same claims in other bytes (another order, a longer number, a 1.0 for a 1) were not written by us.
        return claims if payload_of(claims) == payload else Refused(Reason.CODE_DAMAGED)
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, cbor2.CBORError):
        return Refused(Reason.CODE_DAMAGED)
