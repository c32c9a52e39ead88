"""Bringing bytes: never more than was said, never faster than was allowed, and on from where it broke.

What it brings is worth nothing until trust.py has compared it with what was signed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import urllib3
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient.fetcher import FetcherInterface

CHUNK = 16_384
CONNECT_S, READ_S = 10.0, 30.0  # a mobile line in a shop; a server that says nothing for longer is gone
OK, PARTIAL, BEYOND = 200, 206, 416

Pause = Callable[[float], bool]
"""Waits so long; True where the box ends meanwhile."""


class Broken(Exception):
    """The transfer ended before its end. What came is kept, and the next one goes on from there."""


class Missing(Exception):
    """The server has no such file."""


class Line:
    """One way to a web server, at one pace."""

    def __init__(self, rate_bytes_s: int, pause: Pause) -> None:
        self._rate, self._pause = rate_bytes_s, pause
        timeout = urllib3.Timeout(connect=CONNECT_S, read=READ_S)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False)

    def read(self, url: str, *, start: int = 0) -> tuple[int, Iterator[bytes]]:
        """The answer's status, and its bytes from `start` on where the server can begin there. Broken says why not."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        try:
            answer = self._pool.request("GET", url, headers=headers, preload_content=False, redirect=False)
        except urllib3.exceptions.HTTPError as fault:
            raise Broken(f"{type(fault).__name__}") from fault
        return answer.status, self._chunks(answer)

    def _chunks(self, answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        try:
            for chunk in answer.stream(CHUNK, decode_content=False):
                yield chunk
                if self._pause(len(chunk) / self._rate):
                    raise Broken("the box ends")
        except (urllib3.exceptions.HTTPError, OSError) as fault:
            raise Broken(f"{type(fault).__name__}") from fault
        finally:
            answer.close()


class Fetcher(FetcherInterface):
    """The same line, as The Update Framework's client asks for its metadata."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def _fetch(self, url: str) -> Iterator[bytes]:
        status, chunks = self._line.read(url)
        if status != OK:
            raise DownloadHTTPError(f"{url} answers {status}", status)
        return chunks


def bring(line: Line, url: str, part: Path, length: int) -> None:
    """Bring a file of this length into `part`, after what is in it already. Broken or Missing says why it is not whole."""
    part.parent.mkdir(parents=True, exist_ok=True)
    held = part.stat().st_size if part.exists() else 0
    if held >= length:
        return
    status, chunks = line.read(url, start=held)
    if status not in (OK, PARTIAL):
        if status == BEYOND:
            part.unlink(missing_ok=True)
        raise Missing(f"status {status}")
    with part.open("ab" if status == PARTIAL else "wb") as file:
        try:
            for chunk in chunks:
                file.write(chunk[: length - file.tell()])
                if file.tell() >= length:
                    break
        finally:
            file.flush()
            os.fsync(file.fileno())
        if file.tell() < length:
            raise Broken(f"{file.tell()} of {length} bytes came")
