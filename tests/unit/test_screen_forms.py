"""What a form of the box's own page may bring."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from tillbox.agent.screen.server import form_of

FILE = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\na\r\n--x--\r\n'


def form(body: bytes, **headers: str) -> FormData | None:
    async def receive() -> dict[str, Any]:
        assert "transfer_encoding" not in headers, "it is not read"
        return {"type": "http.request", "body": body}

    said = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return asyncio.run(form_of(Request({"type": "http", "method": "POST", "headers": said}, receive)))


def test_a_body_in_chunks_or_of_no_length_is_not_read() -> None:
    kind = "application/x-www-form-urlencoded"
    assert form(b"a=1", content_length="3", content_type=kind) == FormData(a="1")
    assert form(b"a=1", content_length="3", content_type=kind, transfer_encoding="chunked") is None
    assert form(b"a=1", content_type=kind) is None


def test_it_brings_no_file() -> None:
    with pytest.raises(MultiPartException):
        form(FILE, content_length=str(len(FILE)), content_type="multipart/form-data; boundary=x")
