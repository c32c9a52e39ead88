"""The screen of a box that has no place yet: what it waits for, what it was told, and a field for a claim's letters."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio.to_thread
import uvicorn
from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tillbox.agent.screen.page import LABELS
from tillbox.agent.screen.server import HEADERS, HERE, PAGE_WAIT_S, form_of
from tillbox.contracts.codes import token_typed
from tillbox.contracts.verdicts import TEXTS, Reason, Text

from .arriving import Arriving

STOP_S = 5.0


@dataclass(frozen=True, slots=True)
class Words:
    """The fixed words of the page."""

    title: str
    steps: tuple[str, ...]
    letters: str
    go: str


TITLE = Text("安装这台盒子", "Install this box")
STEPS = (
    Text("接上网络；没有网络也可以先装，联网后自动开通", "Connect the network; without one, it is finished later by itself."),
    Text("把安装单上的码对准扫码枪或摄像头", "Hold the claim sheet's code before the scanner or the camera."),
    Text("等打印机打出开机凭条，用手机扫码验收", "When the birth slip comes out, scan it with your phone to accept."),
)  # fmt: skip
LETTERS = Text("或者输入安装单上的字母", "Or type the letters of the sheet")
GO = Text("确定", "Go")


def _words(language: str) -> Words:
    return Words(
        TITLE.say(language),
        tuple(one.say(language) for one in STEPS),
        LETTERS.say(language),
        GO.say(language),
    )


class ArrivingScreen:
    """The page of one box."""

    def __init__(self, arriving: Arriving, device: str) -> None:
        self._arriving, self._device = arriving, device
        self._token = secrets.token_urlsafe(24)
        self._templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True)

    def app(self) -> Starlette:
        """The web application."""
        routes = [
            Route("/", self._page),
            Route("/fragment", self._fragment),
            Route("/state.json", self._state),
            Route("/events", self._events),
            Route("/do/claim", self._claim, methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]
        only_here = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
        return Starlette(routes=routes, middleware=[only_here])

    async def _page(self, request: Request) -> Response:
        language = request.query_params.get("lang") or _language(request)
        response = self._html("arriving.html", language)
        response.set_cookie("language", "en" if language == "en" else "zh", samesite="strict", httponly=True)
        return response

    async def _fragment(self, request: Request) -> Response:
        return self._html("arriving_body.html", _language(request))

    def _html(self, template: str, language: str) -> HTMLResponse:
        html = self._templates.get_template(template).render(
            stage=self._arriving.stage,
            device=self._device,
            language=language,
            words=_words(language),
            token=self._token,
            gone=LABELS["gone"].say(language),
        )
        return HTMLResponse(html, headers=HEADERS)

    async def _state(self, _: Request) -> Response:
        stage = self._arriving.stage
        said = {"phase": "arriving", "stage": stage.name, "says": stage.says.en, "detail": stage.detail}
        return JSONResponse({"device": self._device, "token": self._token} | said)

    async def _events(self, _: Request) -> Response:
        async def stream() -> AsyncIterator[bytes]:
            while True:
                await anyio.to_thread.run_sync(self._wait, abandon_on_cancel=True)
                yield b"event: changed\ndata: 1\n\n"

        return StreamingResponse(
            stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    def _wait(self) -> None:
        with self._arriving.changed:
            self._arriving.changed.wait(PAGE_WAIT_S)

    async def _claim(self, request: Request) -> Response:
        form = await form_of(request)
        if form is None or not secrets.compare_digest(
            str(form.get("token", "")).encode(), self._token.encode()
        ):
            return JSONResponse({"refused": LABELS["load_again"].say(_language(request))}, 403)
        letters = str(form.get("letters", ""))[:40]
        if "fetch" not in request.headers.get("x-requested-with", ""):
            self._arriving.type_in(letters)
            return RedirectResponse("/", 303)
        if token_typed(letters) is None:
            # The letters stay in their field: one of them may be wrong.
            return JSONResponse({"refused": TEXTS[Reason.CLAIM_UNKNOWN].say(_language(request))}, 422)
        self._arriving.type_in(letters)
        return Response(status_code=204)


def _language(request: Request) -> str:
    return request.cookies.get("language", "zh")


@contextmanager
def shown(arriving: Arriving, device: str, door: socket.socket | None) -> Iterator[None]:
    """Serve the page while the box arrives. The door stays open for the till's own page."""
    if door is None:
        yield
        return
    config = uvicorn.Config(
        ArrivingScreen(arriving, device).app(), log_level="error", access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([door.dup()],), name="arriving", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        server.force_exit = True  # an open page waits for news that this server will not have
        thread.join(STOP_S)
