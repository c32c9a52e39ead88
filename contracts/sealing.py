"""A document under the fleet's signature: canonical JSON, and beside it the Ed25519 signature over those very bytes.

What a signature is for is part of what is signed (`context`): settings can never be taken for a command. It refuses to
know what is in a document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .codes import kid_of
from .verdicts import Reason, Refused


def seal_document(document: bytes, *, private_key: bytes, context: bytes) -> str:
    """The signed text."""
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    kid = kid_of(key.public_key().public_bytes_raw()).hex()
    signature = key.sign(context + document).hex()
    return json.dumps({"doc": document.decode(), "kid": kid, "sig": signature}, ensure_ascii=False)


def open_document(text: str, *, keys: Mapping[bytes, Sequence[bytes]], context: bytes) -> bytes | Refused:
    """The document, if one of these keys signed it for this. Never raises."""
    try:
        sealed = json.loads(text)
        document, kid, signature = (
            sealed["doc"].encode(),
            bytes.fromhex(sealed["kid"]),
            bytes.fromhex(sealed["sig"]),
        )
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return Refused(Reason.NOT_UNDERSTOOD)
    known = keys.get(kid, ())
    if not known:
        return Refused(Reason.SIGNER_UNKNOWN)
    signed = any(_signed(context + document, signature, key) for key in known)
    return document if signed else Refused(Reason.SIGNATURE_WRONG)


def _signed(data: bytes, signature: bytes, key: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
