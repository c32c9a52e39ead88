"""A box asks for its certificate: look it up, let `admission.py` decide, and do it in one transaction.

The same box with the same claim hears the same answer again, however often the line lost it; fifty boxes with one
claim are one box and forty-nine refusals. Whose certificate was voided on the way is the warden's affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError
from sqlalchemy import Connection

from tillbox.broker.pki import Authority
from tillbox.cloud_bridge.store import notes, registry
from tillbox.cloud_bridge.store.database import Database
from tillbox.contracts.codes import token_typed
from tillbox.contracts.ids import device_of_key
from tillbox.contracts.messages import EnrolAnswer, EnrolAsk
from tillbox.contracts.verdicts import Reason, Refused

from . import audit, settings
from .admission import Bind, Renew, admit

ASK_BYTES_MAX = 4_096
LATELY_MS = 10 * 60_000
"""So long a box hears the same certificate again: one that asks without end fills neither the registry nor the audit log."""
LATELY_MAX = 20_000
TOLD_MS = 60 * 60_000
"""So often one refusal of one claim is in the audit log: a photographed sheet must not bury what else is there. All are counted."""


@dataclass(frozen=True, slots=True)
class Asker:
    """A box by the key that it proved to have."""

    name: str
    public_key: bytes
    request: bytes


class _Lately:
    """What was said a while ago, by its key: bounded, and forgotten by itself or when the core starts again."""

    def __init__(self, keeps_ms: int) -> None:
        self._keeps_ms = keeps_ms
        self._said: dict[str, tuple[int, str]] = {}

    def get(self, key: str, now_ms: int) -> str | None:
        at_ms, said = self._said.get(key, (-self._keeps_ms, None))
        return said if 0 <= now_ms - at_ms < self._keeps_ms else None

    def put(self, key: str, said: str, now_ms: int) -> None:
        if len(self._said) >= LATELY_MAX:
            self._said.clear()
        self._said[key] = now_ms, said


class Registrar:
    """Answers boxes that ask for a certificate. One thread at a time."""

    def __init__(self, database: Database, authority: Authority, key: bytes, *, host: str, port: int) -> None:
        self._database, self._authority, self.key = database, authority, key
        self._host, self._port = host, port
        self._certified, self._told = _Lately(LATELY_MS), _Lately(TOLD_MS)

    def answer(self, payload: bytes, *, now_ms: int) -> EnrolAnswer:
        """What to say to a request, whatever it is."""
        try:
            ask = EnrolAsk.model_validate_json(payload if len(payload) <= ASK_BYTES_MAX else b"")
        except ValidationError:
            return _no(Refused(Reason.NOT_UNDERSTOOD))
        asker = _asker(ask.request)
        if asker is None:
            return _no(Refused(Reason.REQUEST_WRONG))
        with self._database.writing() as connection:
            said = self._enrol(connection, ask, asker, now_ms)
        if said.certificate is not None and self._certified.get(asker.name, now_ms) is None:
            self._certified.put(asker.name, said.certificate, now_ms)
        return said

    def _enrol(self, connection: Connection, ask: EnrolAsk, asker: Asker, now_ms: int) -> EnrolAnswer:
        token = token_typed(ask.token) if ask.token is not None else None
        if ask.token is not None and token is None:
            return _no(Refused(Reason.CLAIM_UNKNOWN))
        found = registry.known(connection, asker.name, token)
        decision = admit(asker.name, found, with_claim=token is not None, now_ms=now_ms)
        if isinstance(decision, Refused):
            if found.claim is not None:
                # Somebody holds a real sheet. Whoever has none is counted only: the log is no place for guesses.
                said = f"claim {found.claim.number}: {decision.reason} {decision.detail}"
                self._tell_once(connection, asker.name, "enrol refused", said, now_ms)
            notes.count_refused(connection, "", decision.reason, asker.name.encode(), now_ms)
            return _no(decision)
        registry.enlist(
            connection,
            asker.name,
            asker.public_key,
            hardware=ask.hardware,
            software=ask.software,
            at_ms=now_ms,
        )
        if isinstance(decision, Bind):
            assert token is not None
            self._bind(connection, decision, asker.name, token, now_ms)
        return self._certify(connection, decision, asker, now_ms)

    def _tell_once(self, connection: Connection, name: str, act: str, said: str, now_ms: int) -> None:
        if self._told.get(said, now_ms) is not None:
            return
        self._told.put(said, name, now_ms)
        _tell(connection, name, act, said, now_ms)

    def _bind(self, connection: Connection, decision: Bind, name: str, token: bytes, now_ms: int) -> None:
        if decision.fences:
            registry.put_out(connection, decision.fences, "fenced", now_ms)
            _tell(connection, decision.fences, "replaced", f"{decision.position} by {name}", now_ms)
        registry.use_claim(connection, token, name, now_ms)
        epoch = registry.bind(connection, decision.position, name, now_ms)
        _tell(connection, name, "enrolled", f"{decision.position} epoch {epoch}", now_ms)

    def _certify(
        self, connection: Connection, decision: Bind | Renew, asker: Asker, now_ms: int
    ) -> EnrolAnswer:
        bound = registry.bound(connection, asker.name)
        assert bound is not None, "a box in service stands somewhere"
        sealed = settings.for_box(
            connection, asker.name, bound.position, bound.epoch, key=self.key, now_ms=now_ms
        )
        if isinstance(sealed, settings.Wrong):
            # It gets its certificate all the same: settings are mended on the console, and then sent.
            self._tell_once(
                connection, asker.name, "settings wrong", f"{bound.position}: {sealed.why}", now_ms
            )
        chain = self._certified.get(asker.name, now_ms)
        if chain is None:
            chain = self._issue(connection, asker, now_ms)
            if isinstance(decision, Renew):
                _tell(connection, asker.name, "certificate renewed", decision.position, now_ms)
        return EnrolAnswer(
            certificate=chain,
            position=bound.position,
            epoch=bound.epoch,
            host=self._host,
            port=self._port,
            desired="" if isinstance(sealed, settings.Wrong) else sealed[0],
        )

    def _issue(self, connection: Connection, asker: Asker, now_ms: int) -> str:
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        chain = self._authority.sign_request(asker.request, name=asker.name, now=now)
        leaf = x509.load_pem_x509_certificate(chain)
        ends_ms = int(leaf.not_valid_after_utc.timestamp() * 1000)
        registry.add_certificate(connection, leaf.serial_number, asker.name, now_ms, ends_ms)
        return chain.decode()


def _asker(text: str) -> Asker | None:
    """Whose request it is; None where it is no request that proves its key and bears that key's name."""
    request = text.encode()
    try:
        wanted = x509.load_pem_x509_csr(request)
        public_key = wanted.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        name = device_of_key(public_key)
        valid = wanted.is_signature_valid and wanted.subject.rfc4514_string() == f"CN={name}"
    except (ValueError, TypeError, AttributeError):
        return None
    return Asker(name, public_key, request) if valid else None


def _tell(connection: Connection, name: str, act: str, detail: str, now_ms: int) -> None:
    audit.note(connection, who=f"box {name}", act=act, subject=name, detail=detail, at_ms=now_ms)


def _no(refused: Refused) -> EnrolAnswer:
    return EnrolAnswer(refused=refused.reason, detail=refused.detail)
