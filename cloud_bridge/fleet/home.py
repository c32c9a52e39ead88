"""The folder of a fleet's own keys: the certificate authority, the key that signs claims and settings, the password of
the broker's service door, and the *trust* file that goes into the image of every box."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillbox.broker.mosquitto import FAR_SERVICE_DOOR, SERVICE_DOOR, Doors, claims_config, write_passwords
from tillbox.broker.pki import Authority
from tillbox.cloud_bridge.payments.channels.sandbox_seal import make_secret, read_secret


@dataclass(frozen=True, slots=True)
class FleetHome:
    """Where everything lies. Files are read when they are asked for."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, *, name: str, now: datetime, chance: Callable[[int], bytes]) -> FleetHome:
        """Make all of it. FileExistsError where there is one: its boxes would know nobody any more."""
        folder.mkdir(parents=True, exist_ok=True)
        home = cls(folder)
        make_secret(home.key_path, chance(32))
        make_secret(home.service_path, chance(32))
        authority = Authority.create(folder / "ca", name=name, now=now)
        trust = {"authority": authority.certificate.read_text(), "keys": [home.public_key.hex()]}
        home.trust_path.write_text(json.dumps(trust, indent=1))
        home.trust_path.chmod(0o644)
        return home

    def equip_broker(
        self,
        folder: Path,
        *,
        names: tuple[str, ...],
        claim_port: int,
        service_port: int,
        core_elsewhere: bool,
        now: datetime,
    ) -> None:
        """What a broker needs in its own folder: whom it trusts and refuses, its certificate, and its two other doors. A core
        elsewhere finds the service door on every address, by TLS."""
        server = self.authority.issue_server(folder, names=names, now=now)
        root = folder / "root.crt"
        root.write_bytes(self.authority.certificate.read_bytes())
        (folder / "ca.crl").write_bytes(self.authority.revocations.read_bytes())
        doors = Doors(claim_port, service_port, self.service_password)
        passwords = folder / "passwords"
        write_passwords(passwords, doors)
        (folder / "doors").mkdir(exist_ok=True)
        template = FAR_SERVICE_DOOR if core_elsewhere else SERVICE_DOOR
        door = template.format(port=service_port, ca=root, certificate=server.certificate, key=server.key)
        service = f"password_file {passwords}\n{door}"
        (folder / "doors" / "service.conf").write_text(service)
        acl = Path("/usr/share/tillbox/acl_claims")
        claims = claims_config(doors, "", root, server, passwords=passwords, acl=acl, log="stdout")
        (folder / "claims.conf").write_text(claims)

    @property
    def key_path(self) -> Path:
        """The seed of the key that signs claims and settings."""
        return self.folder / "fleet.key"

    @property
    def service_path(self) -> Path:
        """The password of the broker's service door."""
        return self.folder / "service.secret"

    @property
    def trust_path(self) -> Path:
        """What a box is born with: whom it may believe."""
        return self.folder / "trust.json"

    @property
    def authority(self) -> Authority:
        """The certificate authority."""
        return Authority(self.folder / "ca")

    @property
    def key(self) -> bytes:
        """Raises SecretUnsafe where others could have read it."""
        return read_secret(self.key_path)

    @property
    def service_password(self) -> str:
        """Raises SecretUnsafe where others could have read it."""
        return read_secret(self.service_path).hex()

    @property
    def public_key(self) -> bytes:
        """What boxes check claims and settings with."""
        return Ed25519PrivateKey.from_private_bytes(self.key).public_key().public_bytes_raw()
