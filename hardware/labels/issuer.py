"""The key that signs coupons, from its file. It is read and used; no message, log or document ever holds it."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tillbox.hardware.printing.labels.label import Unfit

KEY_FILE_BYTES_MAX = 4_096
_SEED = re.compile(rb"\s*([0-9a-fA-F]{64})\s*")


def issuer_seed(path: Path) -> bytes | Unfit:
    """32 bytes from 64 hexadecimal digits, or from PEM as `openssl genpkey -algorithm ed25519` writes it."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > KEY_FILE_BYTES_MAX:
            return Unfit(f"{path} is no key file")
        if status.st_mode & 0o077:
            return Unfit(f"others can read the key in {path}: chmod 600 it")
        data = path.read_bytes()
    except (OSError, ValueError) as why:
        return Unfit(f"{path} cannot be read: {getattr(why, 'strerror', None) or 'its name is no path'}")
    if found := _SEED.fullmatch(data):
        return bytes.fromhex(found[1].decode("ascii"))
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return Unfit(f"{path} holds no Ed25519 key: make one with openssl genpkey -algorithm ed25519")
    if not isinstance(key, Ed25519PrivateKey):
        return Unfit(f"{path} holds a key of another kind: coupons are signed with Ed25519")
    return key.private_bytes_raw()


def public_key_of(seed: bytes) -> str:
    """What a box lists among its `issuers`."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw().hex()
