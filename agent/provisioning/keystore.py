"""The box's key: made here, used here, and never read by anybody else. It lies in a file (here) or is sealed by the board's
TPM (`tpm.py`).

What a box is called follows from the key (`contracts/ids.py`), so that a copied card is the same box, and a wiped one is
another.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509 import CertificateSigningRequestBuilder, Name, NameAttribute
from cryptography.x509.oid import NameOID

from tillbox.contracts.ids import device_of_key

from .files import replace_file

NUMBER_BYTES = 32


class Signer(Protocol):
    """A box that can prove what it says."""

    @property
    def device(self) -> str:
        """The box's name."""
        ...

    def sign(self, data: bytes) -> bytes:
        """64 bytes: ECDSA on P-256 with SHA-256, as COSE writes it (r and s, RFC 9053)."""
        ...


class KeyStore(Signer, Protocol):
    """What a box needs of its key."""

    def request(self) -> bytes:
        """A signing request (PEM) for the box's own name."""
        ...

    @property
    def path(self) -> Path:
        """Where this process's TLS library reads it, PEM. No other process can count on that path."""
        ...


class KeyUnsafe(Exception):
    """The key can be read by others, is no key, or cannot be had; the message says what happened and what to do."""


class HeldKey:
    """A key that this process holds in its memory, wherever it came from: what every store does with it."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    @property
    def device(self) -> str:
        """The box's name."""
        return device_of_key(self._public())

    def request(self) -> bytes:
        """A signing request (PEM) for the box's own name."""
        subject = Name([NameAttribute(NameOID.COMMON_NAME, self.device)])
        made = CertificateSigningRequestBuilder().subject_name(subject).sign(self._key, hashes.SHA256())
        return made.public_bytes(Encoding.PEM)

    def sign(self, data: bytes) -> bytes:
        """64 bytes: r and s."""
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(NUMBER_BYTES, "big") + s.to_bytes(NUMBER_BYTES, "big")

    def _public(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key as a TLS library reads it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class FileKeyStore(HeldKey):
    """A key in a file that its owner alone can read. Whoever has the card has the key: see docs/limits.md."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_file(path, pem_of(ec.generate_private_key(ec.SECP256R1())))
        if path.stat().st_mode & 0o077:
            raise KeyUnsafe(
                f"others can read the box's key: chmod 600 {path}, and enrol it anew with a fresh key"
            )
        try:
            key = load_pem_private_key(path.read_bytes(), None)
        except ValueError as fault:
            raise KeyUnsafe(
                f"{path} is no key; move it away, and the box makes another and is enrolled anew"
            ) from fault
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise KeyUnsafe(f"{path} is no elliptic curve key; move it away, and the box is enrolled anew")
        super().__init__(key)
