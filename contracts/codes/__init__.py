"""What a customer showed: bytes from a device become one typed code, or a refusal with its reason.

Start with `classify.py`. `reads.py` is what a device hands over; then a file per family: `payment.py`,
`goods.py`, `signed.py` (our own coupons, with `base45.py`).
"""

from .classify import CODE_BYTES_MAX, Code, classify
from .goods import GoodsCode
from .payment import PaymentCode, Wallet
from .reads import CodeRead, ScannerMode, Symbology
from .signed import CouponClaims, SignedEnvelope, kid_of, open_envelope, seal_coupon, verify_coupon

__all__ = [
    "CODE_BYTES_MAX",
    "Code",
    "CodeRead",
    "CouponClaims",
    "GoodsCode",
    "PaymentCode",
    "ScannerMode",
    "SignedEnvelope",
    "Symbology",
    "Wallet",
    "classify",
    "kid_of",
    "open_envelope",
    "seal_coupon",
    "verify_coupon",
]
