"""What a customer showed: bytes from a device become one typed code, or a refusal with its reason.

Start with `classify.py`: the table of families and the order in which they are asked. `reads.py` is what a
device hands over; `describe.py` says a code in a few words, masked. Then a file per family: `payment.py`,
`goods.py`, `member.py`, `link.py`, `emv.py`, and `signed.py`, the envelope of our own codes (`base45.py`),
with `coupon.py` and `claim.py`, what is in it. `characters.py` says which characters no code may carry.
"""

from .claim import ClaimCode, claim_in, claim_payload, token_typed, typed_token
from .classify import CODE_BYTES_MAX, Code, classify
from .coupon import CouponClaims
from .describe import describe
from .emv import ConsumerPresented, MerchantPresented
from .goods import GoodsCode, normal_gtin
from .link import LinkCode
from .member import MemberCode, PhoneNumber, totp
from .payment import PaymentCode, Wallet, wallet_of
from .reads import CodeRead, ScannerMode, Symbology
from .signed import (
    PREFIX,
    SignedEnvelope,
    by_kid,
    kid_of,
    not_signed,
    open_envelope,
    seal,
    seal_coupon,
    verify_coupon,
)

__all__ = [
    "CODE_BYTES_MAX",
    "PREFIX",
    "ClaimCode",
    "Code",
    "CodeRead",
    "ConsumerPresented",
    "CouponClaims",
    "GoodsCode",
    "LinkCode",
    "MemberCode",
    "MerchantPresented",
    "PaymentCode",
    "PhoneNumber",
    "ScannerMode",
    "SignedEnvelope",
    "Symbology",
    "Wallet",
    "by_kid",
    "claim_in",
    "claim_payload",
    "classify",
    "describe",
    "kid_of",
    "normal_gtin",
    "not_signed",
    "open_envelope",
    "seal",
    "seal_coupon",
    "token_typed",
    "totp",
    "typed_token",
    "verify_coupon",
    "wallet_of",
]
