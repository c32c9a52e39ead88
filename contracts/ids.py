"""Ids: UUIDv7 for everything that happens once, made by the side nearest the human, before anything is sent.

Pure: time and chance come in (RFC 9562, section 5.7). A device id is a name that fits a certificate, a
topic and a file name.
"""

from __future__ import annotations

import base64
import hashlib
import re

DEVICE_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
"""Letters, digits and inner dashes: no wildcard (`+ #`), no separator (`/`), nothing a shell would mind."""


CHANCE_BYTES = 10
INCARNATION_BYTES = 8


def uuid7(now_ms: int, chance: bytes) -> str:
    """A UUIDv7 of Unix time in ms and ten random bytes, as 36 lower-case characters."""
    if len(chance) != CHANCE_BYTES or not 0 <= now_ms < 2**48:
        raise ValueError("a UUIDv7 takes 48 bits of milliseconds and ten random bytes")
    rand_a = int.from_bytes(chance[:2], "big") & 0x0FFF
    rand_b = int.from_bytes(chance[2:], "big") & (2**62 - 1)
    digits = f"{(now_ms << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def is_device_id(text: str) -> bool:
    """Whether `text` may name a device in a certificate and a topic."""
    return DEVICE_ID.fullmatch(text) is not None


def device_of_key(public_key: bytes) -> str:
    """The name of a box that made its own key: the first 80 bits of the SHA-256 of its public key (DER), so that nobody
    can ask for a certificate in another's name."""
    return f"b{base64.b32encode(hashlib.sha256(public_key).digest()[:10]).decode().lower()}"
