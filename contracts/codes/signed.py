"""Our own signed codes: `TB1:` and base45 of a COSE_Sign1 with Ed25519 (RFC 9052), never compressed.

The signature is verified before the payload is read. EdDSA is pinned, any other header is refused; a key
id may belong to several keys, so all are tried; the payload must be the canonical CBOR of what it says.
Base45 in a QR code costs nothing against raw bytes and survives scanners that mangle bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.verdicts import Reason, Refused

from . import base45

PREFIX = "TB1:"
ENVELOPE_BYTES_MAX = 512
_PROTECTED = cbor2.dumps({1: -8}, canonical=True)
_KID = 4


@dataclass(frozen=True, slots=True)
class SignedEnvelope:
    """A well-formed envelope. Nothing in it is trusted yet."""

    kid: bytes
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CouponClaims:
    """What a coupon's issuer signed. A coupon without a serial is a poster's: the box takes one of its own."""

    tenant: str
    template: str
    serial: int | None
    not_before_ms: int
    not_after_ms: int
    threshold: Amount
    discount: Amount
    title: str


def kid_of(public_key: bytes) -> bytes:
    """The short name of a key: the first 8 bytes of its SHA-256."""
    return hashlib.sha256(public_key).digest()[:8]


def seal_coupon(claims: CouponClaims, *, private_key: bytes) -> str:
    """The text of a coupon code, signed with a 32-byte Ed25519 seed."""
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    payload = _payload(claims)
    signature = key.sign(_to_be_signed(payload))
    kid = kid_of(key.public_key().public_bytes_raw())
    return PREFIX + base45.encode(cbor2.dumps([_PROTECTED, {_KID: kid}, payload, signature], canonical=True))


def open_envelope(text: str) -> SignedEnvelope | Refused:
    """`TB1:…` as an envelope, or CODE_DAMAGED. Never raises."""
    try:
        data = base45.decode(text.removeprefix(PREFIX))
        if len(data) > ENVELOPE_BYTES_MAX:
            return Refused(Reason.CODE_TOO_LONG)
        protected, unprotected, payload, signature = cbor2.loads(data)
        kid = unprotected[_KID]
    except (ValueError, TypeError, KeyError, EOFError, RecursionError, cbor2.CBORError):
        return Refused(Reason.CODE_DAMAGED)
    parts = (kid, payload, signature)
    if protected != _PROTECTED or not all(isinstance(part, bytes) for part in parts) or len(signature) != 64:
        return Refused(Reason.CODE_DAMAGED)
    return SignedEnvelope(kid, payload, signature)


def verify_coupon(
    envelope: SignedEnvelope, *, keys: Mapping[bytes, Sequence[bytes]], tenant: str, now: TimeInterval
) -> CouponClaims | Refused:
    """The claims of a genuine, valid coupon of this tenant, or why it is none.

    A box that does not know the hour passes an interval open to the future: such a coupon is refused only
    where it has certainly expired.
    """
    known = keys.get(envelope.kid, ())
    if not known:
        return Refused(Reason.SIGNER_UNKNOWN)
    if not any(_is_signed(envelope, key) for key in known):
        return Refused(Reason.SIGNATURE_WRONG)
    claims = _claims(envelope.payload)
    if claims is None:
        return Refused(Reason.CODE_DAMAGED)
    if claims.tenant != tenant:
        return Refused(Reason.FOREIGN_TENANT)
    if now.hi_ms < claims.not_before_ms:
        return Refused(Reason.NOT_YET_VALID)
    return Refused(Reason.EXPIRED) if now.lo_ms > claims.not_after_ms else claims


def _is_signed(envelope: SignedEnvelope, key: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(envelope.signature, _to_be_signed(envelope.payload))
    except (InvalidSignature, ValueError):
        return False
    return True


def _to_be_signed(payload: bytes) -> bytes:
    return cbor2.dumps(["Signature1", _PROTECTED, b"", payload], canonical=True)


def _payload(claims: CouponClaims) -> bytes:
    document: dict[int, Any] = {
        1: claims.tenant,
        2: claims.template,
        4: claims.not_before_ms // 1000,
        5: claims.not_after_ms // 1000,
        6: claims.threshold.minor,
        7: claims.discount.minor,
        8: claims.title,
    }
    if claims.serial is not None:
        document[3] = claims.serial
    return cbor2.dumps(document, canonical=True)


def _claims(payload: bytes) -> CouponClaims | None:
    """The claims in a payload whose signature holds; None where it is not exactly what we would write."""
    try:
        document = cbor2.loads(payload)
        claims = CouponClaims(
            tenant=document[1],
            template=document[2],
            serial=document.get(3),
            not_before_ms=document[4] * 1000,
            not_after_ms=document[5] * 1000,
            threshold=Amount(document[6], CNY),
            discount=Amount(document[7], CNY),
            title=document[8],
        )
        return claims if _payload(claims) == payload else None
    except (ValueError, TypeError, KeyError, AttributeError, EOFError, RecursionError, cbor2.CBORError):
        return None
