"""The keys: three for the root, of which two must sign, and one for releases, in a safe; two for the server, on it.

KEYS/offline holds root-1, root-2, root-3 and targets; KEYS/online holds snapshot and timestamp. Move the first folder to a
stick, or the root keys to three. Who has only the online keys can keep the repository current and can publish nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner

ROOTS = ("root-1", "root-2", "root-3")
ROOT_THRESHOLD = 2  # one root key may be lost, and one may be stolen
PLACES = {"offline": (*ROOTS, "targets"), "online": ("snapshot", "timestamp")}


class KeysWrong(Exception):
    """A key is missing, is there already, or may be read by others; the message says which and what to do."""


def make_keys(folder: Path) -> dict[str, CryptoSigner]:
    """Make every key. Nothing is overwritten."""
    signers = {}
    for place, names in PLACES.items():
        (folder / place).mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in names:
            signer = CryptoSigner.generate_ed25519()
            _write(folder / place / f"{name}.pem", signer.private_bytes)
            signers[name] = signer
    return signers


def load_keys(folder: Path, *names: str) -> dict[str, CryptoSigner]:
    """The keys of these names, wherever below the folder they lie."""
    found = {}
    for name in names:
        path = next(iter(sorted(folder.rglob(f"{name}.pem"))), None)
        if path is None:
            raise KeysWrong(f"there is no key {name}.pem below {folder}: bring the medium that holds it")
        if path.stat().st_mode & 0o077:
            raise KeysWrong(f"{path} may be read by others: chmod 600 it")
        key = load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise KeysWrong(f"{path} is no Ed25519 key")
        found[name] = CryptoSigner(key)
    return found


def load_roots(folder: Path) -> list[CryptoSigner]:
    """As many root keys as there are below the folder; at least as many as must sign."""
    names = [name for name in ROOTS if any(folder.rglob(f"{name}.pem"))]
    if len(names) < ROOT_THRESHOLD:
        raise KeysWrong(
            f"{ROOT_THRESHOLD} of {', '.join(ROOTS)} must sign; below {folder} there is: {names or 'none'}"
        )
    return list(load_keys(folder, *names).values())


def _write(path: Path, data: bytes) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as there:
        raise KeysWrong(
            f"{path} is there already: keys are never overwritten; choose another folder"
        ) from there
    with os.fdopen(handle, "wb") as file:
        file.write(data)
