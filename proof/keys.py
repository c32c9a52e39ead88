"""The keys of a simulated town: the fleet's, and each box's own, made and used without chance."""

from __future__ import annotations

from random import Random

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tillbox.contracts.codes import kid_of
from tillbox.contracts.proofs import NUMBER_BYTES

FLEET_KEY = bytes(range(1, 33))
_FLEET_PUBLIC = Ed25519PrivateKey.from_private_bytes(FLEET_KEY).public_key().public_bytes_raw()
FLEET_KEYS = {kid_of(_FLEET_PUBLIC): (_FLEET_PUBLIC,)}


class BoxKey:
    """A box's key, as `agent.provisioning.keystore` has it: of a simulated box, so that one seed gives one history."""

    def __init__(self, device: str, random: Random) -> None:
        self.device = device
        self._key = ec.derive_private_key(random.getrandbits(200) + 1, ec.SECP256R1())

    @property
    def public(self) -> bytes:
        """What the registry knows it by (DER)."""
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def request(self) -> bytes:
        """Nobody certifies these boxes: the simulated broker knows no certificates."""
        return b""

    def sign(self, data: bytes) -> bytes:
        """64 bytes, as COSE writes them."""
        how = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        r, s = decode_dss_signature(self._key.sign(data, how))
        return r.to_bytes(NUMBER_BYTES, "big") + s.to_bytes(NUMBER_BYTES, "big")
