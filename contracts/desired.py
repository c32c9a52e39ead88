"""Settings on their way to a box: signed, numbered, and for that one box. Who holds the line cannot change them.

How a document is signed is `sealing.py`'s; what these hold, and for whom they are, is said here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from .messages import VERSION, Count, Device, Wire, canonical
from .sealing import open_document, seal_document
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
    return seal_document(document, private_key=private_key, context=_CONTEXT)


def open_desired(text: str, *, keys: Mapping[bytes, Sequence[bytes]], device: str) -> Desired | Refused:
    """The settings for this very box, or why they are not to be taken. Never raises."""
    document = open_document(text, keys=keys, context=_CONTEXT)
    if isinstance(document, Refused):
        return document
    try:
        desired = Desired.model_validate_json(document)
    except ValidationError:
        return Refused(Reason.FUTURE_VERSION)
    return desired if desired.device == device else Refused(Reason.FOREIGN_DEVICE)
