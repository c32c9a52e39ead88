"""What a code is: bytes from a device become one `Code`, or a refusal with its reason. Never raises."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from tillbox.contracts.verdicts import Reason, Refused

from .goods import GoodsCode, goods_code
from .payment import PaymentCode, payment_code
from .reads import CodeRead, ScannerMode, Symbology
from .signed import PREFIX, SignedEnvelope, open_envelope

CODE_BYTES_MAX = 4_096
"""A QR code holds 2,953 bytes at most; what is longer came from something else."""

Code = PaymentCode | SignedEnvelope | GoodsCode


def classify(read: CodeRead, mode: ScannerMode = ScannerMode.TILL) -> Code | Refused:
    """What was shown. The mode decides where bare digits could be two things."""
    text = _text(read)
    if isinstance(text, Refused):
        return text
    for family in _ORDER[mode]:
        found = family(text, read.symbology)
        if found is not None:
            return found
    return Refused(Reason.UNKNOWN_CODE)


def _text(read: CodeRead) -> str | Refused:
    if len(read.raw) > CODE_BYTES_MAX:
        return Refused(Reason.CODE_TOO_LONG)
    try:
        text = read.raw.decode("utf-8").strip("\r\n")
    except UnicodeDecodeError:
        return Refused(Reason.UNREADABLE)
    if not text:
        return Refused(Reason.UNREADABLE)
    if any(unicodedata.category(character) in _CONTROL for character in text):
        return Refused(Reason.CONTROL_CHARACTERS)
    return text


_CONTROL = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co"})


def _payment(text: str, symbology: Symbology) -> Code | Refused | None:
    return None if symbology in _GOODS_ONLY else payment_code(text)


def _signed(text: str, _: Symbology) -> Code | Refused | None:
    return open_envelope(text) if text.startswith(PREFIX) else None


def _goods(text: str, symbology: Symbology) -> Code | Refused | None:
    return goods_code(text, symbology)


_GOODS_ONLY = frozenset(
    {Symbology.EAN_13, Symbology.EAN_8, Symbology.UPC_A, Symbology.UPC_E, Symbology.DATABAR}
)

Family = Callable[[str, Symbology], Code | Refused | None]

_ORDER: dict[ScannerMode, tuple[Family, ...]] = {
    ScannerMode.TILL: (_payment, _signed, _goods),
    ScannerMode.PAYMENT: (_payment, _signed, _goods),
    ScannerMode.MEMBER: (_signed, _payment, _goods),
    ScannerMode.GOODS: (_goods, _signed, _payment),
}
