"""Who may ask, how much, and how often."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

BODY_BYTES_MAX = 65_536
DRAWER_EVERY_MS = 2_000  # a drawer that is opened more often is not opened by a person


def manners_of(
    origins: tuple[str, ...],
) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    """A page may ask only from an origin that the shop allowed, and nothing may send more than a request is long."""

    async def manners(request: Request, follow: Callable[[Request], Awaitable[Response]]) -> Response:
        origin = request.headers.get("origin")
        if origin is not None and origin not in origins:
            return JSONResponse({"detail": f"The origin {origin} is not allowed; see `api.origins`."}, 403)
        size = request.headers.get("content-length", "0")
        if (
            "chunked" in request.headers.get("transfer-encoding", "")
            or not size.isdecimal()
            or int(size) > BODY_BYTES_MAX
        ):
            return JSONResponse(
                {"detail": f"A request has at most {BODY_BYTES_MAX} bytes, and says so."}, 413
            )
        response = Response(status_code=204) if request.method == "OPTIONS" else await follow(request)
        if origin is not None:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Vary"] = "Origin"
        return response

    return manners


class Rate:
    """At most one in so many milliseconds."""

    def __init__(self, every_ms: int, clock_ms: Callable[[], int]) -> None:
        self._every_ms, self._clock_ms, self._next_ms = every_ms, clock_ms, 0
        self._lock = threading.Lock()

    def may(self) -> bool:
        """Whether it is time for another."""
        with self._lock:
            now_ms = self._clock_ms()
            if now_ms < self._next_ms:
                return False
            self._next_ms = now_ms + self._every_ms
            return True
