"""What a code is: bytes from a device become one `Code`, or a refusal with its reason. Never raises.

    bytes ─ length ─ UTF-8 ─ control characters ─> text ─> the families in the order of the mode ─> Code

The first family that recognises the text answers, also where it finds it damaged. It refuses to judge
whether a till can use a code: a phone number is a phone number, whatever the till makes of it.
"""

from __future__ import annotations

from collections.abc import Callable

from tillbox.contracts.verdicts import Reason, Refused

from .characters import carries_control
from .emv import ConsumerPresented, MerchantPresented, consumer_presented, merchant_presented
from .goods import RETAIL, GoodsCode, carton_code, goods_code, is_gs1_goods
from .link import LinkCode, link_code
from .member import MemberCode, PhoneNumber, member_code, phone_number
from .payment import PaymentCode, payment_code
from .reads import CodeRead, ScannerMode, Symbology
from .signed import SignedEnvelope, open_envelope

CODE_BYTES_MAX = 4_096
"""A QR code holds 2,953 bytes at most; what is longer came from something else."""

Code = (
    PaymentCode
    | SignedEnvelope
    | GoodsCode
    | MerchantPresented
    | ConsumerPresented
    | LinkCode
    | PhoneNumber
    | MemberCode
)
Recogniser = Callable[[str, Symbology], Code | Refused | None]

FAMILIES: dict[str, Recogniser] = {
    "payment": lambda text, _: payment_code(text),
    "member": lambda text, _: member_code(text),
    "signed": lambda text, _: open_envelope(text),
    "emv_merchant": lambda text, _: merchant_presented(text),
    "emv_consumer": lambda text, _: consumer_presented(text),
    "link": lambda text, _: link_code(text),
    "phone": lambda text, _: phone_number(text),
    "goods": goods_code,
    "carton": lambda text, _: carton_code(text),
}
_MONEY_FIRST = ("payment", "member", "signed", "emv_merchant", "emv_consumer", "link", "phone", "goods")
ORDER: dict[ScannerMode, tuple[str, ...]] = {
    ScannerMode.TILL: _MONEY_FIRST,
    ScannerMode.PAYMENT: _MONEY_FIRST,
    ScannerMode.MEMBER: ("member", "phone", "signed", "payment", "emv_merchant", "emv_consumer", "link", "goods"),
    # The 18 digits on a carton look like a payment code. Who scans goods does not mean to charge anybody.
    ScannerMode.GOODS: (
        "goods", "carton", "signed", "emv_merchant", "emv_consumer", "link", "member", "phone", "payment",
    ),
}  # fmt: skip
"""Which family is asked first where bare digits could be two things."""

GOODS_ONLY = RETAIL | {Symbology.ITF, Symbology.DATABAR}
"""No wallet draws these; and a half-read ITF is a shorter row of digits that still looks whole."""


def classify(read: CodeRead, mode: ScannerMode = ScannerMode.TILL) -> Code | Refused:
    """What was shown. The mode decides where bare digits are ambiguous; the drawing is a hint too."""
    text = _text(read)
    if isinstance(text, Refused):
        return text
    for name in ("goods",) if read.symbology in GOODS_ONLY else ORDER[mode]:
        found = FAMILIES[name](text, read.symbology)
        if found is not None:
            return found
    return Refused(Reason.UNKNOWN_CODE)


def _text(read: CodeRead) -> str | Refused:
    if len(read.raw) > CODE_BYTES_MAX:
        return Refused(Reason.CODE_TOO_LONG)
    try:
        text = _without_line_end(read.raw).decode("utf-8")
    except UnicodeDecodeError:
        return Refused(Reason.UNREADABLE)
    if not text:
        return Refused(Reason.UNREADABLE)
    if carries_control(text) and not is_gs1_goods(text):
        return Refused(Reason.CONTROL_CHARACTERS)
    return text


def _without_line_end(raw: bytes) -> bytes:
    """One line end may be the scanner's suffix; whatever else is there belongs to the code."""
    for end in (b"\r\n", b"\n", b"\r"):
        if raw.endswith(end):
            return raw[: -len(end)]
    return raw
