"""The wallet's door: who comes in over HTTP, and how an answer goes out. It knows no verb and no money."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request, Response
from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope, Send

from .sandbox_seal import Gate, Proven, Unproven, answer_headers
from .sandbox_wire import BODY_BYTES_MAX, OFFICE, Trouble

BODY_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody whose request is proven, and what it says."""

    proven: Proven
    body: bytes


@dataclass(frozen=True, slots=True)
class Door:
    """Checks and signs with the secrets that it holds."""

    gate: Gate
    secrets: dict[str, bytes] = field(repr=False)
    now_ms: Callable[[], int]

    async def enter(self, request: Request, *, office: bool) -> Visitor | Response:
        """Who is it, and what do they say? A response where they do not get in."""
        body = await _body(request)
        if body is None:
            return unsigned(
                413, Trouble(what="request", why="it is too long or too slow", advice="send less")
            )
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        proven = self.gate.admit(
            request.headers, method=request.method, path=path, body=body, now_ms=self.now_ms()
        )
        if isinstance(proven, Unproven):
            return unsigned(401, Trouble(what=proven.what, why=proven.why, advice=proven.advice))
        if (proven.merchant == OFFICE) is not office:
            return unsigned(
                403, Trouble(what="request", why="it is not yours to ask", advice="sign as who may")
            )
        return Visitor(proven, body)

    def answer(self, visitor: Visitor, status: int, message: BaseModel) -> Response:
        """An answer that proves itself, to this visitor's request alone."""
        secret, nonce = self.secrets[visitor.proven.merchant], visitor.proven.nonce
        body = message.model_dump_json().encode()
        headers = answer_headers(secret, status=status, nonce=nonce, body=body)
        return Response(body, status, headers, "application/json")

    def unreadable(self, visitor: Visitor, trouble: ValidationError) -> Response:
        """A proven request that says nothing we know. The fields are named, their contents are not."""
        places = sorted(
            {".".join(str(part) for part in error["loc"]) or "body" for error in trouble.errors()}
        )
        why = f"these fields are not as they should be: {', '.join(places)[:200]}"
        return self.answer(
            visitor, 400, Trouble(what="request", why=why, advice="compare both sides' versions")
        )


class HangUp(Response):
    """Begins an answer and ends the connection: what a caller sees when a line breaks."""

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


def unsigned(status: int, trouble: Trouble) -> Response:
    """To a stranger nothing is signed: a seal on what anybody may ask for would be worth nothing."""
    return Response(trouble.model_dump_json(), status, media_type="application/json")


async def _body(request: Request) -> bytes | None:
    """The whole body, or None if it is longer or slower than any true one."""
    chunks = bytearray()
    try:
        async with asyncio.timeout(BODY_PATIENCE_S):
            async for chunk in request.stream():
                chunks += chunk
                if len(chunks) > BODY_BYTES_MAX:
                    return None
    except TimeoutError:
        return None
    return bytes(chunks)
