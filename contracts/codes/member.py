"""Who a customer says to be: a phone number, or the dynamic code of a member card.

Both identify and neither proves: no money is ever spent on the strength of one. They are personal, so
they are masked wherever they are printed. The dynamic code is `98 | tenant 2 | handle 8 | totp 8`, twenty
digits that no wallet uses; the handle is a rotating pseudonym and not the member's number.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import Literal

STEP_SECONDS = 30
"""How long one code lives (RFC 6238, section 5.2)."""

_PHONE = re.compile(r"1[3-9][0-9]{9}")
_PHONE_SHOWN = re.compile(r"(?:tel:)?(?:\+86)?(1[3-9][0-9]{9})", re.IGNORECASE)
_MEMBER = re.compile(r"98([0-9]{2})([0-9]{8})([0-9]{8})")


@dataclass(frozen=True, slots=True, repr=False)
class PhoneNumber:
    """A mobile number of mainland China, eleven digits. ValueError otherwise."""

    digits: str

    def __post_init__(self) -> None:
        if not _PHONE.fullmatch(self.digits):
            raise ValueError("a mobile number has eleven digits and begins with 13 to 19")

    def __repr__(self) -> str:
        return f"PhoneNumber({self.masked})"

    @property
    def masked(self) -> str:
        """What may be shown: 138****1234."""
        return f"{self.digits[:3]}****{self.digits[-4:]}"

    @property
    def text(self) -> str:
        """What the symbol carries."""
        return self.digits


@dataclass(frozen=True, slots=True, repr=False)
class MemberCode:
    """A dynamic member code, taken apart. ValueError unless each part is its number of digits."""

    tenant: str
    handle: str
    totp: str

    def __post_init__(self) -> None:
        found = _MEMBER.fullmatch(self.text)
        if not found or found.groups() != (self.tenant, self.handle, self.totp):
            raise ValueError("a member code is 2 digits of tenant, 8 of handle and 8 of a one-time number")

    def __repr__(self) -> str:
        return f"MemberCode({self.masked})"

    @property
    def masked(self) -> str:
        """What may be shown: the tenant and the end of the handle, nothing of the one-time number."""
        return f"98{self.tenant}{'*' * 6}{self.handle[-2:]}{'*' * 8}"

    @property
    def text(self) -> str:
        """What the symbol carries."""
        return f"98{self.tenant}{self.handle}{self.totp}"


def phone_number(text: str) -> PhoneNumber | None:
    """A mobile number, bare or as `+86...` or `tel:...`. A bare 86 in front is not taken: it may be an EAN."""
    found = _PHONE_SHOWN.fullmatch(text)
    return PhoneNumber(found[1]) if found else None


def member_code(text: str) -> MemberCode | None:
    """A dynamic member code, or None. Whether it is fresh, and whose, only the core can say."""
    found = _MEMBER.fullmatch(text)
    return MemberCode(*found.groups()) if found else None


def totp(
    secret: bytes,
    unix_seconds: int,
    digits: int = 8,
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha1",
) -> str:
    """The one-time number of RFC 6238 for the step in which `unix_seconds` falls."""
    step = (unix_seconds // STEP_SECONDS).to_bytes(8, "big")
    mac = hmac.digest(secret, step, algorithm)
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}}"
