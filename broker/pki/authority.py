"""A small certificate authority for brokers, cores and boxes. Keys are EC P-256; a box's key is made on the
box and never leaves it: what travels is a signing request.

A root that everybody trusts signs an intermediate, and the intermediate signs everything else: the root's key is
needed once in years and may lie in a safe meanwhile.

Time comes in as an argument. Certificates begin a day early, because a box without a battery may think it
is yesterday, and a broker that refuses it could never tell it the time.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tillbox.contracts.ids import is_device_id

ROOT_DAYS = 7_300  # a box may lie in a drawer for years; its image carries the root
INTERMEDIATE_DAYS = 730
CLIENT_DAYS = 30  # short life needs no revocation to end; a box renews its own long before
CRL_DAYS = 30
BACKDATED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """Where one party's key and certificate lie, and the authority it trusts."""

    key: Path
    certificate: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class Authority:
    """The folder of an authority: `root.key` (it may be taken away), `root.crt`, and the intermediate's `ca.key`,
    `ca.crt` and `ca.crl`."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, *, name: str, now: datetime) -> Authority:
        """Make the root, the first intermediate and an empty revocation list in a folder. Key files are for their
        owner only."""
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name)
        builder = _signer(_builder(subject, subject, key.public_key(), now, ROOT_DAYS), below=1)
        authority = cls(folder)
        _write_key(folder / "root.key", key)
        _write(authority.certificate, builder.sign(key, hashes.SHA256()))
        authority.make_intermediate(now=now)
        return authority

    def make_intermediate(self, *, now: datetime) -> None:
        """Make a fresh intermediate and its empty revocation list; the only use of the root's key. What the one
        before has signed is good until it ends, as the chain goes with every certificate."""
        root_key = _load_key(self.folder / "root.key")
        root = _certificate(self.certificate)
        key = ec.generate_private_key(ec.SECP256R1())
        name = str(root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
        subject = _subject(f"{name} since {now:%Y-%m-%d}"[-64:])
        builder = _signer(_builder(subject, root.subject, key.public_key(), now, INTERMEDIATE_DAYS), below=0)
        _write_key(self.folder / "ca.key", key)
        _write(self.intermediate, builder.sign(root_key, hashes.SHA256()))
        self.revocations.unlink(missing_ok=True)
        self.revoke((), now=now)

    @property
    def certificate(self) -> Path:
        """The root's: what everybody trusts."""
        return self.folder / "root.crt"

    @property
    def intermediate(self) -> Path:
        """The certificate of what signs today."""
        return self.folder / "ca.crt"

    @property
    def revocations(self) -> Path:
        """The revocation list that a broker reads."""
        return self.folder / "ca.crl"

    def issue_server(
        self, folder: Path, *, names: tuple[str, ...], now: datetime, days: int = 365
    ) -> Identity:
        """A server's key and certificate for host names or addresses."""
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        _write_key(folder / "server.key", key)
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        builder = self._leaf(names[0], key.public_key(), ExtendedKeyUsageOID.SERVER_AUTH, now, days)
        certificate = builder.add_extension(alternatives, critical=False).sign(self._key(), hashes.SHA256())
        (folder / "server.crt").write_bytes(self._chained(certificate))
        return Identity(folder / "server.key", folder / "server.crt", self.certificate)

    def sign_request(self, request: bytes, *, name: str, now: datetime, days: int = CLIENT_DAYS) -> bytes:
        """A client certificate for a request, with the chain to the root, if the request is for that very name.
        ValueError otherwise."""
        if not is_device_id(name):
            raise ValueError(f"{name!r} cannot be a device: letters, digits and inner dashes, up to 32")
        wanted = x509.load_pem_x509_csr(request)
        if not wanted.is_signature_valid or wanted.subject != _subject(name):
            raise ValueError(f"the request is not a valid one for {name!r}")
        public_key = wanted.public_key()
        if not isinstance(public_key, ec.EllipticCurvePublicKey):
            raise ValueError("the request's key must be an elliptic curve key")  # noqa: TRY004 (a bad value, not a bug)
        builder = self._leaf(name, public_key, ExtendedKeyUsageOID.CLIENT_AUTH, now, days)
        return self._chained(builder.sign(self._key(), hashes.SHA256()))

    def issue_client(self, folder: Path, *, name: str, now: datetime, days: int = CLIENT_DAYS) -> Identity:
        """Request and certificate in one go, for parties whose folder this is."""
        request = make_request(folder, name)
        (folder / "client.crt").write_bytes(self.sign_request(request, name=name, now=now, days=days))
        (folder / "ca.crt").write_bytes(self.certificate.read_bytes())
        return Identity(folder / "client.key", folder / "client.crt", folder / "ca.crt")

    def revoke(self, certificates: tuple[Path, ...], *, now: datetime) -> None:
        """Revoke certificates by their files; see `revoke_serials`."""
        serials = tuple(_certificate(path).serial_number for path in certificates)
        self.revoke_serials(serials, now=now)

    def revoke_serials(self, serials: tuple[int, ...], *, now: datetime) -> None:
        """Write the revocation list anew, for another 30 days: what was on it stays, and these are refused from the
        next handshake on. A list that has run out keeps everybody out: write it in time."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(_certificate(self.intermediate).subject)
        builder = builder.last_update(now - BACKDATED).next_update(now + timedelta(days=CRL_DAYS))
        listed = self._revoked()
        for serial in sorted(set(serials) - self.revoked_serials()):
            listed.append(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build())
        for one in listed:
            builder = builder.add_revoked_certificate(one)
        data = builder.sign(self._key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        _lay(self.revocations, data)

    def copy_revocations(self, to: Path) -> None:
        """Lay the revocation list down a second time, for whoever may not look into this folder."""
        _lay(to, self.revocations.read_bytes())

    def revoked_serials(self) -> set[int]:
        """Whom the list refuses now."""
        return {one.serial_number for one in self._revoked()}

    def _revoked(self) -> list[x509.RevokedCertificate]:
        if not self.revocations.is_file():
            return []
        return list(x509.load_pem_x509_crl(self.revocations.read_bytes()))

    def _leaf(
        self, name: str, key: ec.EllipticCurvePublicKey, use: x509.ObjectIdentifier, now: datetime, days: int
    ) -> x509.CertificateBuilder:
        signer = _certificate(self.intermediate)
        builder = _builder(_subject(name), signer.subject, key, now, days)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
        above = signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        known_by = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above)
        builder = builder.add_extension(known_by, critical=False)
        return builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)

    def _chained(self, certificate: x509.Certificate) -> bytes:
        """A certificate and what leads from it to the root, as a TLS party shows it."""
        return certificate.public_bytes(serialization.Encoding.PEM) + self.intermediate.read_bytes()

    def _key(self) -> ec.EllipticCurvePrivateKey:
        return _load_key(self.folder / "ca.key")


def make_request(folder: Path, name: str) -> bytes:
    """Make a key in a folder (it stays there) and a signing request for `name`."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    _write_key(folder / "client.key", key)
    request = x509.CertificateSigningRequestBuilder().subject_name(_subject(name)).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _certificate(path: Path) -> x509.Certificate:
    """The first of a file, which is the party's own."""
    return x509.load_pem_x509_certificate(path.read_bytes())


def _signer(builder: x509.CertificateBuilder, *, below: int) -> x509.CertificateBuilder:
    """What may sign others; `below` is how many signers may stand under it."""
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
    return builder.add_extension(_key_usage(signs_certificates=True), critical=True)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _lay(path: Path, data: bytes) -> None:
    """Whole or not at all: a broker that reads half a list lets nobody in."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(data)
    fresh.chmod(0o644)  # it names nobody, and who reads it is another user
    fresh.replace(path)


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """A key is readable by its owner from the first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        plain = serialization.NoEncryption()
        form = serialization.PrivateFormat.PKCS8
        file.write(key.private_bytes(serialization.Encoding.PEM, form, plain))
