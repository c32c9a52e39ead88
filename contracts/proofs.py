"""A box's signature: ECDSA on P-256 with SHA-256, 64 bytes (r and s, as in RFC 9053). Each use has its own context, so that
what was signed for one is worth nothing for another."""

from __future__ import annotations

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

BIRTH = b"tillbox birth 1\n"
LATE = b"tillbox late records 1\n"
SLIP = b"tillbox slip 1\n"
SHELL = b"tillbox shell 1\n"
NUMBER_BYTES = 32
SIGNATURE_BYTES = 64


def is_proven(public_key: bytes, context: bytes, data: bytes, signature: bytes) -> bool:
    """Whether the box with that public key (DER) signed this. False for anything that is no key or no signature."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    r, s = (int.from_bytes(signature[at : at + NUMBER_BYTES], "big") for at in (0, NUMBER_BYTES))
    try:
        key = load_der_public_key(public_key)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(encode_dss_signature(r, s), context + data, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def web(data: bytes) -> str:
    """Bytes for an address: base64url without its filling."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unweb(text: str) -> bytes:
    """Those bytes again; nothing where it is no such text."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, TypeError):
        return b""
