"""A small certificate authority for brokers, cores and boxes. Keys are EC P-256; a box's key is made on the
box and never leaves it: what travels is a signing request.

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

ROOT_DAYS = 3_650
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
    """The root: its key signs, its certificate is what everybody trusts."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, *, name: str, now: datetime) -> Authority:
        """Make the root and an empty revocation list in a folder. The key file is for its owner only."""
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, subject, key.public_key(), now, ROOT_DAYS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
        authority = cls(folder)
        _write_key(folder / "ca.key", key)
        _write(authority.certificate, builder.sign(key, hashes.SHA256()))
        authority.revoke((), now=now)
        return authority

    @property
    def certificate(self) -> Path:
        """What everybody trusts."""
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
        _write(folder / "server.crt", certificate)
        return Identity(folder / "server.key", folder / "server.crt", self.certificate)

    def sign_request(self, request: bytes, *, name: str, now: datetime, days: int = 90) -> bytes:
        """A client certificate for a request, if the request is for that very name. ValueError otherwise."""
        if not is_device_id(name):
            raise ValueError(f"{name!r} cannot be a device: letters, digits and inner dashes, up to 32")
        wanted = x509.load_pem_x509_csr(request)
        if not wanted.is_signature_valid or wanted.subject != _subject(name):
            raise ValueError(f"the request is not a valid one for {name!r}")
        public_key = wanted.public_key()
        if not isinstance(public_key, ec.EllipticCurvePublicKey):
            raise ValueError("the request's key must be an elliptic curve key")  # noqa: TRY004 (a bad value, not a bug)
        builder = self._leaf(name, public_key, ExtendedKeyUsageOID.CLIENT_AUTH, now, days)
        return builder.sign(self._key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def issue_client(self, folder: Path, *, name: str, now: datetime, days: int = 90) -> Identity:
        """Request and certificate in one go, for parties whose folder this is."""
        request = make_request(folder, name)
        (folder / "client.crt").write_bytes(self.sign_request(request, name=name, now=now, days=days))
        (folder / "ca.crt").write_bytes(self.certificate.read_bytes())
        return Identity(folder / "client.key", folder / "client.crt", folder / "ca.crt")

    def revoke(self, certificates: tuple[Path, ...], *, now: datetime) -> None:
        """Write the revocation list anew, for another 30 days: what was on it stays, and these certificates are
        refused from the next handshake on. A list that has run out keeps everybody out: write it in time."""
        root = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        builder = x509.CertificateRevocationListBuilder().issuer_name(root.subject)
        builder = builder.last_update(now - BACKDATED).next_update(now + timedelta(days=CRL_DAYS))
        for one in self._revoked():
            builder = builder.add_revoked_certificate(one)
        for path in certificates:
            serial = x509.load_pem_x509_certificate(path.read_bytes()).serial_number
            if serial in {one.serial_number for one in self._revoked()}:
                continue
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            builder = builder.add_revoked_certificate(revoked)
        listed = builder.sign(self._key(), hashes.SHA256())
        self.revocations.write_bytes(listed.public_bytes(serialization.Encoding.PEM))

    def _revoked(self) -> list[x509.RevokedCertificate]:
        if not self.revocations.is_file():
            return []
        return list(x509.load_pem_x509_crl(self.revocations.read_bytes()))

    def _leaf(
        self, name: str, key: ec.EllipticCurvePublicKey, use: x509.ObjectIdentifier, now: datetime, days: int
    ) -> x509.CertificateBuilder:
        root = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        builder = _builder(_subject(name), root.subject, key, now, days)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
        return builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)

    def _key(self) -> ec.EllipticCurvePrivateKey:
        key = serialization.load_pem_private_key((self.folder / "ca.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key


def make_request(folder: Path, name: str) -> bytes:
    """Make a key in a folder (it stays there) and a signing request for `name`."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    _write_key(folder / "client.key", key)
    request = x509.CertificateSigningRequestBuilder().subject_name(_subject(name)).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


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
