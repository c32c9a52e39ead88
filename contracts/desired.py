"""Settings on their way to a box: signed, numbered, and for that one box. Who holds the line cannot change them.

The document is canonical JSON, signed with Ed25519 by the fleet's key; the signature stands beside the very bytes that
it covers, so that nobody has to write them again to check it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, StringConstraints, ValidationError

from .codes import kid_of
from .messages import VERSION, Count, Device, Wire, canonical
from .verdicts import Reason, Refused

DESIRED_BYTES_MAX = 100_000
"""A shop list of 500 goods is some 50 KB. What is larger does not fit the line's messages."""
_CONTEXT = b"tillbox desired 1\n"


class Desired(Wire):
    """What one box is to be. `version` counts for the device and never goes back."""

    v: int = VERSION
    device: Device
    position: Annotated[str, StringConstraints(max_length=64)]
    epoch: Count
    version: Annotated[int, Field(ge=1, le=2**40)]
    settings: dict[str, Any]


def seal_desired(desired: Desired, *, private_key: bytes) -> str:
    """The signed text. ValueError where the settings are larger than a message holds."""
    document = canonical(desired.model_dump(mode="json"))
    if len(document) > DESIRED_BYTES_MAX:
        raise ValueError(
            f"the settings are {len(document)} bytes; a box takes {DESIRED_BYTES_MAX}: list fewer goods"
        )
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    kid = kid_of(key.public_key().public_bytes_raw()).hex()
    signature = key.sign(_CONTEXT + document).hex()
    return json.dumps({"doc": document.decode(), "kid": kid, "sig": signature}, ensure_ascii=False)


def open_desired(text: str, *, keys: Mapping[bytes, Sequence[bytes]], device: str) -> Desired | Refused:
    """The settings for this very box, or why they are not to be taken. Never raises."""
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
    if not any(_signed(document, signature, key) for key in known):
        return Refused(Reason.SIGNATURE_WRONG)
    try:
        desired = Desired.model_validate_json(document)
    except ValidationError:
        return Refused(Reason.FUTURE_VERSION)
    return desired if desired.device == device else Refused(Reason.FOREIGN_DEVICE)


def _signed(document: bytes, signature: bytes, key: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, _CONTEXT + document)
    except (InvalidSignature, ValueError):
        return False
    return True
