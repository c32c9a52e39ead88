"""What a claim sheet says, as bytes: which position a new box may take, where it asks, and until when.

The token is the only secret in it, and good for as many boxes as the core allows (one, mostly). Typed by hand it is
sixteen letters without the ones that look alike (Crockford's base 32). It refuses a payload that is not exactly what
it would write itself, as every signed payload here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import cbor2

from tillbox.contracts.verdicts import Reason, Refused

from .characters import carries_control
from .coupon import TIME_MS_END

KIND, TOKEN, POSITION, TITLE, TENANT, HOST, PORT, NOT_AFTER, SALE_MAX, TOTAL_MAX = range(10)
CLAIM = 2
"""A coupon is 1: nothing that the same key signs can be taken for the other."""
TOKEN_BYTES = 10
"""80 bits: nobody guesses one in the weeks that a claim lives, however many he may try."""
TITLE_CHARACTERS_MAX = 40
POSITION_PATTERN = r"[a-z0-9][a-z0-9_-]{0,23}(?:/[a-z0-9][a-z0-9_-]{0,23})?"

_POSITION = re.compile(POSITION_PATTERN)
_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_HOST = re.compile(r"[A-Za-z0-9.:-]{1,64}")
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE = str.maketrans("OIL", "011")


@dataclass(frozen=True, slots=True, repr=False)
class ClaimCode:
    """A claim, as printed. `position` is `store/lane`, or a store alone where the core chooses the lane. Until the core
    has been reached a box takes single sales up to `sale_max` and `total_max` in all, in fen.

    ValueError for what no claim has."""

    token: bytes
    position: str
    title: str
    tenant: str
    host: str
    port: int
    not_after_ms: int
    sale_max: int
    total_max: int

    def __repr__(self) -> str:
        return f"ClaimCode({self.position})"  # the token is worth a box: it stays out of logs

    def __post_init__(self) -> None:
        if len(self.token) != TOKEN_BYTES:
            raise ValueError(f"a claim's token has {TOKEN_BYTES} bytes")
        if not _POSITION.fullmatch(self.position):
            raise ValueError(
                f"{self.position!r} is no position: write store/lane, in small letters, digits, - and _"
            )
        if not _TENANT.fullmatch(self.tenant):
            raise ValueError("a tenant is up to 32 small letters, digits, - and _")
        if len(self.title) > TITLE_CHARACTERS_MAX or carries_control(self.title):
            raise ValueError(f"a title is one line of at most {TITLE_CHARACTERS_MAX} characters")
        if not _HOST.fullmatch(self.host) or not 1 <= self.port <= 65_535:
            raise ValueError("a claim names a host and a port")
        if not 0 <= self.not_after_ms < TIME_MS_END or not 0 <= self.sale_max <= self.total_max < 2**40:
            raise ValueError("a claim ends some day, and its bounds are amounts")


def claim_payload(claim: ClaimCode) -> bytes:
    """The claim as canonical CBOR; its end in whole seconds, rounded up."""
    document: dict[int, Any] = {
        KIND: CLAIM,
        TOKEN: claim.token,
        POSITION: claim.position,
        TITLE: claim.title,
        TENANT: claim.tenant,
        HOST: claim.host,
        PORT: claim.port,
        NOT_AFTER: -(-claim.not_after_ms // 1000),
        SALE_MAX: claim.sale_max,
        TOTAL_MAX: claim.total_max,
    }
    return cbor2.dumps(document, canonical=True)


def claim_in(payload: bytes) -> ClaimCode | Refused:
    """The claim in a payload, or why there is none. Only for bytes whose signature holds."""
    try:
        document = cbor2.loads(payload)
        if not isinstance(document, dict):
            return Refused(Reason.CODE_DAMAGED)
        if document[KIND] != CLAIM:
            return Refused(Reason.NOT_A_CLAIM)
        if set(document) - set(range(TOTAL_MAX + 1)):
            return Refused(Reason.FUTURE_VERSION)
        claim = ClaimCode(
            token=document[TOKEN],
            position=document[POSITION],
            title=document[TITLE],
            tenant=document[TENANT],
            host=document[HOST],
            port=document[PORT],
            not_after_ms=document[NOT_AFTER] * 1000,
            sale_max=document[SALE_MAX],
            total_max=document[TOTAL_MAX],
        )
        return claim if claim_payload(claim) == payload else Refused(Reason.CODE_DAMAGED)
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, cbor2.CBORError):
        return Refused(Reason.CODE_DAMAGED)


def typed_token(token: bytes) -> str:
    """A token as it is printed for typing: `7K3D-9QXF-02AB-MNPQ`."""
    number = int.from_bytes(token, "big")
    letters = "".join(_LETTERS[number >> shift & 31] for shift in range(TOKEN_BYTES * 8 - 5, -5, -5))
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def token_typed(text: str) -> bytes | None:
    """What a person typed, in any case, with any dashes and spaces, O for 0 and I or L for 1; None for anything else."""
    letters = re.sub(r"[\s-]", "", text.upper()).translate(_ALIKE)
    if len(letters) != TOKEN_BYTES * 8 // 5 or set(letters) - set(_LETTERS):
        return None
    number = 0
    for letter in letters:
        number = number << 5 | _LETTERS.index(letter)
    return number.to_bytes(TOKEN_BYTES, "big")
