"""Our own signed codes: `TB1:` and base45 of a COSE_Sign1 with Ed25519 (RFC 9052), never compressed.

An envelope is read without being trusted; the signature is verified before the payload is looked into.
EdDSA is pinned and any other header refused. A key id may belong to several keys, so all are tried.
Base45 in a QR code costs nothing against raw bytes and survives scanners that mangle bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.verdicts import Reason, Refused

from . import base45
from .coupon import CouponClaims, claims_in, payload_of

PREFIX = "TB1:"
ENVELOPE_BYTES_MAX = 512
"""A coupon is about 140 bytes; a QR code of more than 512 is too fine for a cheap camera."""
_BASE45_CHARACTERS_MAX = ENVELOPE_BYTES_MAX // 2 * 3
KID_BYTES = 8
SIGNATURE_BYTES = 64

_HEADER = bytes.fromhex("a201270448")  # {1 (alg): -8 (EdDSA), 4 (kid): the 8 bytes that follow}
_PAYLOAD_AT = 2 + len(_HEADER) + KID_BYTES + 1  # the array, the wrapped header, the empty map
_SIGNATURE_HEAD_BYTES = 2


@dataclass(frozen=True, slots=True, repr=False)
class SignedEnvelope:
    """A well-formed envelope. Nothing in it is trusted yet."""

    kid: bytes
    protected: bytes
    payload: bytes
    signature: bytes

    def __repr__(self) -> str:
        return f"SignedEnvelope(kid {self.kid.hex()}, {len(self.payload)} bytes)"

    @property
    def data(self) -> bytes:
        """The COSE_Sign1, untagged."""
        return cbor2.dumps([self.protected, {}, self.payload, self.signature], canonical=True)

    @property
    def text(self) -> str:
        """What the symbol carries."""
        return PREFIX + base45.encode(self.data)


def kid_of(public_key: bytes) -> bytes:
    """The short name of a key: the first 8 bytes of its SHA-256."""
    return hashlib.sha256(public_key).digest()[:KID_BYTES]


def by_kid(keys: Iterable[bytes]) -> dict[bytes, tuple[bytes, ...]]:
    """Keys by the short name that a signature carries. Two may share one: then both are tried."""
    found: dict[bytes, tuple[bytes, ...]] = {}
    for key in keys:
        found[kid_of(key)] = (*found.get(kid_of(key), ()), key)
    return found


def open_envelope(text: str) -> SignedEnvelope | Refused | None:
    """`TB1:...` as an envelope, a refusal if it is damaged, None if it is something else. Never raises."""
    if not text.startswith(PREFIX):
        return None
    encoded = text.removeprefix(PREFIX)
    if len(encoded) > _BASE45_CHARACTERS_MAX:
        return Refused(Reason.CODE_TOO_LONG, "TB1")
    try:
        data = base45.decode(encoded)
    except ValueError:
        return Refused(Reason.CODE_DAMAGED, "TB1")
    return _unpack(data) or Refused(Reason.CODE_DAMAGED, "TB1")


def verify_coupon(
    envelope: SignedEnvelope,
    *,
    keys: Mapping[bytes, Sequence[bytes]],
    tenant: str,
    now: TimeInterval | None,
) -> CouponClaims | Refused:
    """The claims of a genuine, valid coupon of this tenant, or why it is none.

    `keys` are 32-byte Ed25519 public keys by key id. A box that knows only that it is not earlier than
    some day passes an interval open to the future: then a coupon is refused where it has certainly
    expired. None says that nothing is known, and nothing is accepted.
    """
    unproven = not_signed(envelope, keys)
    if unproven is not None:
        return unproven
    claims = claims_in(envelope.payload)
    if isinstance(claims, Refused):
        return claims
    if claims.tenant != tenant:
        return Refused(Reason.FOREIGN_TENANT)
    return _outside_its_time(claims, now) or claims


def not_signed(envelope: SignedEnvelope, keys: Mapping[bytes, Sequence[bytes]]) -> Refused | None:
    """Why an envelope proves nothing, or None where one of the keys has signed it."""
    known = keys.get(envelope.kid, ())
    if not known:
        return Refused(Reason.SIGNER_UNKNOWN)
    if not any(_is_signed(envelope, key) for key in known):
        return Refused(Reason.SIGNATURE_WRONG)
    return None


def seal_coupon(claims: CouponClaims, *, private_key: bytes, kid: bytes | None = None) -> str:
    """The text of a coupon, signed with a 32-byte Ed25519 seed; the same claims give the same text.

    Validity is written in whole seconds, rounded outwards. `kid` is the key's own unless one is given.
    """
    return seal(payload_of(claims), private_key=private_key, kid=kid)


def seal(payload: bytes, *, private_key: bytes, kid: bytes | None = None) -> str:
    """The text of an envelope around a payload that is bounded where it is made."""
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    kid = kid_of(key.public_key().public_bytes_raw()) if kid is None else kid
    if len(kid) != KID_BYTES:
        raise ValueError(f"a key id has {KID_BYTES} bytes, this one {len(kid)}")
    protected = _HEADER + kid
    envelope = SignedEnvelope(kid, protected, payload, key.sign(_signed_bytes(protected, payload)))
    assert len(envelope.data) <= ENVELOPE_BYTES_MAX, "whoever makes a payload bounds it"
    return envelope.text


def _unpack(data: bytes) -> SignedEnvelope | None:
    """An envelope has exactly one byte form, so it is read by writing it again and comparing.

    No CBOR decoder meets bytes that nobody signed: no tags, no nesting, no lengths to lie about.
    """
    kid, signature = data[_PAYLOAD_AT - 1 - KID_BYTES : _PAYLOAD_AT - 1], data[-SIGNATURE_BYTES:]
    rest = data[_PAYLOAD_AT : -SIGNATURE_BYTES - _SIGNATURE_HEAD_BYTES]
    for head_bytes in (1, 2, 3):  # a payload below 24 bytes, below 256, or longer
        envelope = SignedEnvelope(kid, _HEADER + kid, rest[head_bytes:], signature)
        if envelope.data == data and (len(kid), len(signature)) == (KID_BYTES, SIGNATURE_BYTES):
            return envelope
    return None


def _is_signed(envelope: SignedEnvelope, key: bytes) -> bool:
    if envelope.protected != _HEADER + envelope.kid:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(
            envelope.signature, _signed_bytes(envelope.protected, envelope.payload)
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def _signed_bytes(protected: bytes, payload: bytes) -> bytes:
    return cbor2.dumps(["Signature1", protected, b"", payload], canonical=True)


def _outside_its_time(claims: CouponClaims, now: TimeInterval | None) -> Refused | None:
    """Accept where the time may lie within the validity: the customer is not to pay for our clock."""
    if now is None:
        return Refused(Reason.TIME_UNKNOWN)
    if now.hi_ms < claims.not_before_ms:
        return Refused(Reason.NOT_YET_VALID)
    return Refused(Reason.EXPIRED) if now.lo_ms > claims.not_after_ms else None
