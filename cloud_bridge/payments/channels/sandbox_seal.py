"""How the core and the sandbox wallet prove to each other who speaks: HMAC-SHA256, a time, a number used once.

A seal covers what the message is (request, answer, notification), so that none can be passed off as
another. Pure but for the two functions that touch a secret's file. It refuses secrets that others can read.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

WINDOW_MS = 120_000
"""How old a message may be, and how far ahead: two servers with a time service are within seconds."""

NONCES_MAX = 50_000
"""Remembered requests, 5 MB: twice the window at 200 requests a second. Beyond that the wallet says no."""

SECRET_BYTES = 32

MERCHANT = "wallet-merchant"
TIMESTAMP = "wallet-timestamp"
NONCE = "wallet-nonce"
SEAL = "wallet-signature"

_MERCHANT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_NONCE = re.compile(r"[0-9a-f]{32}")
_TIMESTAMP = re.compile(r"[0-9]{1,15}")
_HEX = re.compile(rf"[0-9a-f]{{{SECRET_BYTES * 2}}}")


class SecretUnsafe(Exception):
    """A secret's file cannot be used: it is missing, readable by others, or holds no secret."""


@dataclass(frozen=True, slots=True)
class Unproven:
    """A message that is not taken: what it was, why not, and what to do now."""

    what: str
    why: str
    advice: str


@dataclass(frozen=True, slots=True)
class Proven:
    """A message whose seal holds: who sent it, and the number it used up."""

    merchant: str
    nonce: str


def seal(secret: bytes, *parts: str, body: bytes) -> str:
    """The seal over the parts, one a line, and then the body. No part may hold a line feed."""
    assert not any("\n" in part for part in parts), parts
    text = "\n".join(parts).encode() + b"\n" + body
    return hmac.new(secret, text, hashlib.sha256).hexdigest()


def request_headers(
    secret: bytes, *, merchant: str, method: str, path: str, now_ms: int, nonce: str, body: bytes
) -> dict[str, str]:
    """The headers that prove a request."""
    proof = seal(secret, "request", merchant, method, path, str(now_ms), nonce, body=body)
    return {MERCHANT: merchant, TIMESTAMP: str(now_ms), NONCE: nonce, SEAL: proof}


def answer_headers(secret: bytes, *, status: int, nonce: str, body: bytes) -> dict[str, str]:
    """The headers that prove an answer. It is tied to the request's number, so it answers nothing else."""
    return {SEAL: seal(secret, "answer", str(status), nonce, body=body)}


def is_answer(headers: Mapping[str, str], secret: bytes, *, status: int, nonce: str, body: bytes) -> bool:
    """Whether an answer is the wallet's own, to this very request."""
    return _same(headers.get(SEAL, ""), seal(secret, "answer", str(status), nonce, body=body))


def notification_headers(
    secret: bytes, *, merchant: str, now_ms: int, nonce: str, body: bytes
) -> dict[str, str]:
    """The headers that prove a notification. Its path is not sealed: a gateway may have changed it."""
    proof = seal(secret, "notification", merchant, str(now_ms), nonce, body=body)
    return {MERCHANT: merchant, TIMESTAMP: str(now_ms), NONCE: nonce, SEAL: proof}


def check_notification(
    headers: Mapping[str, str], body: bytes, secret: bytes, now_ms: int
) -> Proven | Unproven:
    """Whether a notification is the wallet's own, and fresh. It may still come twice."""
    found = _fields(headers, "notification", now_ms)
    if isinstance(found, Unproven):
        return found
    merchant, timestamp, nonce, proof = found
    if not _same(proof, seal(secret, "notification", merchant, timestamp, nonce, body=body)):
        return _wrong_seal("notification")
    return Proven(merchant, nonce)


class Gate:
    """Lets a request in once. What it remembers dies with the process, so a request that was stamped
    before the process began is not taken: it may have been here already."""

    def __init__(self, secrets: Mapping[str, bytes], *, began_ms: int) -> None:
        self._secrets = dict(secrets)
        self._began_ms = began_ms
        self._seen: OrderedDict[tuple[str, str], int] = OrderedDict()

    def admit(
        self, headers: Mapping[str, str], *, method: str, path: str, body: bytes, now_ms: int
    ) -> Proven | Unproven:
        """Take a request, or say why not. Nothing is remembered of a request without a true seal."""
        found = _fields(headers, "request", now_ms)
        if isinstance(found, Unproven):
            return found
        merchant, timestamp, nonce, proof = found
        secret = self._secrets.get(merchant)
        if secret is None or not _same(
            proof, seal(secret, "request", merchant, method, path, timestamp, nonce, body=body)
        ):
            return _wrong_seal("request")
        if int(timestamp) < self._began_ms:
            return Unproven(
                "request", "it was stamped before the wallet came up", "stamp it anew and send it again"
            )
        return self._once(merchant, nonce, now_ms)

    def _once(self, merchant: str, nonce: str, now_ms: int) -> Proven | Unproven:
        while self._seen and next(iter(self._seen.values())) < now_ms:
            self._seen.popitem(last=False)
        if (merchant, nonce) in self._seen:
            return Unproven("request", "it was here before", "use a new number for every request")
        if len(self._seen) >= NONCES_MAX:
            return Unproven("request", "too many requests at a time", "ask again in a minute")
        self._seen[merchant, nonce] = now_ms + 2 * WINDOW_MS
        return Proven(merchant, nonce)


def read_private(path: Path) -> str:
    """One line that only its owner can read: a password. SecretUnsafe if others could have read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise SecretUnsafe(f"{path} can be read by others. Say: chmod 600 {path}, and make a new secret.")
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as trouble:
        raise SecretUnsafe(f"{path} cannot be read as a secret: {trouble}") from trouble


def read_secret(path: Path) -> bytes:
    """A secret from its file. SecretUnsafe if others could have read it, or it is none."""
    text = read_private(path)
    if not _HEX.fullmatch(text):
        raise SecretUnsafe(
            f"{path} holds no secret: {SECRET_BYTES} bytes as hexadecimal digits are expected."
        )
    return bytes.fromhex(text)


def make_secret(path: Path, chance: bytes) -> None:
    """Write a new secret that only its owner can read. An existing file is left alone, with FileExistsError."""
    assert len(chance) == SECRET_BYTES, "a secret is 32 bytes from the system's chance"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(chance.hex() + "\n")


def _fields(headers: Mapping[str, str], what: str, now_ms: int) -> tuple[str, str, str, str] | Unproven:
    """The four headers, well formed and fresh."""
    low = {name.lower(): text for name, text in headers.items()}
    merchant, timestamp, nonce = low.get(MERCHANT, ""), low.get(TIMESTAMP, ""), low.get(NONCE, "")
    if not (_MERCHANT.fullmatch(merchant) and _TIMESTAMP.fullmatch(timestamp) and _NONCE.fullmatch(nonce)):
        return Unproven(what, "its signature headers are missing or malformed", "sign it as the wire says")
    if abs(int(timestamp) - now_ms) > WINDOW_MS:
        return Unproven(what, "its time is not now", "check both clocks, stamp it anew and send it again")
    return merchant, timestamp, nonce, low.get(SEAL, "")


def _wrong_seal(what: str) -> Unproven:
    return Unproven(what, "its signature is wrong", "check that both sides hold the same secret")


def _same(offered: str, true: str) -> bool:
    # Bytes, since compare_digest raises on text that is not ASCII, and headers are anybody's.
    return hmac.compare_digest(offered.encode("utf-8", "replace"), true.encode())
