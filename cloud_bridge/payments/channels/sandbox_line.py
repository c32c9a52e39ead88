"""Signed requests to the sandbox wallet over HTTP. An answer is proven, or it is nothing; no exceptions.

It asks once and repeats nothing, follows no redirect, and takes no proxy from the environment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx
from pydantic import ValidationError

from .sandbox_seal import is_answer, request_headers
from .sandbox_wire import Trouble

PATIENCE_MS = 8_000
"""A customer waits no longer for a first word; the machine asks again after 5 s."""
CONNECT_MS = 3_000
LINES_MAX = 32
"""Connections at a time: one for each thread of the core that may ask for a payment."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A proven answer."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Nothing:
    """No proven answer, and why."""

    why: str


class Line:
    """Signed requests over HTTP. Answers are proven or they are nothing."""

    def __init__(
        self,
        base_url: str,
        name: str,
        secret: bytes,
        *,
        now_ms: Callable[[], int],
        chance: Callable[[int], bytes],
        patience_ms: int,
    ) -> None:
        self._name = name
        self._secret = secret
        self._now_ms = now_ms
        self._chance = chance
        self._patience_ms = patience_ms
        patience_s = patience_ms / 1_000
        self._http = httpx.Client(
            base_url=base_url,
            timeout=httpx.Timeout(patience_s, connect=min(patience_s, CONNECT_MS / 1_000)),
            limits=httpx.Limits(max_connections=LINES_MAX, max_keepalive_connections=4, keepalive_expiry=5.0),
            trust_env=False,
        )

    def ask(self, method: str, path: str, body: bytes, bytes_max: int) -> Heard | Nothing:
        """Ask once. Whatever goes wrong on the way is `Nothing`."""
        nonce, began_ms = self._chance(16).hex(), self._now_ms()
        headers = request_headers(
            self._secret,
            merchant=self._name,
            method=method,
            path=path,
            now_ms=began_ms,
            nonce=nonce,
            body=body,
        )
        headers |= {"content-type": "application/json", "accept-encoding": "identity"}
        try:
            with self._http.stream(method, path, content=body, headers=headers) as answer:
                heard = self._read(answer, bytes_max, began_ms)
        except (httpx.HTTPError, httpx.InvalidURL) as trouble:
            return Nothing(f"no answer ({type(trouble).__name__})")
        if heard is None:
            return Nothing("an answer too long or too slow")
        if not is_answer(answer.headers, self._secret, status=answer.status_code, nonce=nonce, body=heard):
            return Nothing(f"an answer without a true signature (HTTP {answer.status_code})")
        return Heard(answer.status_code, heard)

    def close(self) -> None:
        self._http.close()

    def _read(self, answer: httpx.Response, bytes_max: int, began_ms: int) -> bytes | None:
        """The body. httpx's patience starts again with every byte; this one does not."""
        body = bytearray()
        for chunk in answer.iter_raw():
            body += chunk
            if len(body) > bytes_max or self._now_ms() - began_ms > self._patience_ms:
                return None
        return bytes(body)


def trouble_of(heard: Heard) -> str:
    try:
        trouble = Trouble.model_validate_json(heard.body)
    except ValidationError:
        return f"HTTP {heard.status}"
    return f"{trouble.what}: {trouble.why}"[:200]


def first_line(trouble: ValueError) -> str:
    """What a person needs of a validation error, without the input: a payment code is nobody's to read."""
    if isinstance(trouble, ValidationError):
        first = trouble.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"[:200]
    return str(trouble)[:200]
