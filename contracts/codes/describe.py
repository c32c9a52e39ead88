"""A code in a few words that may be logged and shown: every secret and every person masked."""

from __future__ import annotations

from tillbox.contracts.verdicts import Refused

from .classify import Code
from .emv import ConsumerPresented, MerchantPresented
from .goods import GoodsCode
from .link import LinkCode
from .member import MemberCode, PhoneNumber
from .payment import PaymentCode
from .signed import SignedEnvelope

Summary = dict[str, str | int | bool | None]


def describe(code: Code | Refused) -> Summary:
    """A flat document for JSON; `family` says what else is in it."""
    match code:
        case PaymentCode():
            return {"family": "payment", "wallet": str(code.wallet), "digits": code.masked}
        case SignedEnvelope():
            return {
                "family": "coupon_or_signed",
                "kid": code.kid.hex(),
                "payload_bytes": len(code.payload),
                "verified": False,
            }
        case GoodsCode():
            return {"family": "goods", "gtin": code.gtin}
        case MerchantPresented():
            return _merchant(code)
        case ConsumerPresented():
            return _consumer(code)
        case LinkCode():
            return {"family": "link", "url": code.url, "host": code.host}
        case PhoneNumber():
            return {"family": "phone", "digits": code.masked}
        case MemberCode():
            return {"family": "member", "tenant": code.tenant, "digits": code.masked}
        case Refused():
            return {"family": "refused", "reason": str(code.reason), "detail": code.detail}


def _merchant(code: MerchantPresented) -> Summary:
    return {
        "family": "emv_merchant",
        "merchant": code.merchant_name,
        "city": code.merchant_city,
        "country": code.country,
        "currency": code.currency,
        "amount": code.amount_shown,
        "dynamic": code.is_dynamic,
    }


def _consumer(code: ConsumerPresented) -> Summary:
    return {
        "family": "emv_consumer",
        "applications": ", ".join(code.applications),
        "card": code.masked_card,
        "transaction_count": code.transaction_count,
    }
