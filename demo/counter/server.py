"""The counter's page over HTTP, for this machine only."""

from __future__ import annotations

import itertools
import secrets
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio.to_thread
import uvicorn
from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tillbox.broker.own import TakenAlready, own_port
from tillbox.contracts.verdicts import Reason, Refused
from tillbox.demo.town import Counter, Town
from tillbox.hardware.simulated.paper import paper_picture
from tillbox.hardware.simulated.tongues import Condition

from .shelf import SAMPLES, picture

HERE = Path(__file__).parent
PHOTO_BYTES_MAX = 8_000_000  # a phone's photo; the box's decoder has bounds of its own
POLICY = "default-src 'self'; img-src 'self' data: blob:; frame-src http://127.0.0.1:*; base-uri 'none'"
ENDINGS = {b"\x89PN": "png", b"\xff\xd8\xff": "jpg", b"RIF": "webp"}


class CounterPage:
    """The visitor's page over a running town."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._token = secrets.token_urlsafe(24)
        self._numbers = itertools.count(int(time.time()) % 100_000)
        self._templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True)

    def app(self) -> Starlette:
        """The web application."""
        routes = [
            Route("/", self._page),
            Route("/state.json", self._state),
            Route("/paper/{box}/{number:int}.png", self._paper),
            Route("/show/{box}/{sample}", self._show, methods=["POST"]),
            Route("/photo/{box}", self._photo, methods=["POST"]),
            Route("/plug/{what}", self._plug, methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]
        only_here = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
        return Starlette(routes=routes, middleware=[only_here])

    async def _page(self, request: Request) -> Response:
        language = _language(request)
        html = self._templates.get_template("counter.html").render(
            language=language,
            token=self._token,
            samples=SAMPLES,
            boxes=self._town.counters,
            console=f"http://127.0.0.1:{self._town.console_port}/?lang={language}",
        )
        return HTMLResponse(
            html, headers={"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
        )

    def _state(self, _: Request) -> Response:
        boxes = {counter.device: self._of(counter) for counter in self._town.counters}
        plugs = {
            "broker": self._town.broker.alive,
            "core": self._town.core.alive,
            "wallet": self._town.wallet.alive,
        }
        return JSONResponse({"boxes": boxes, "plugs": plugs})

    def _of(self, counter: Counter) -> dict[str, Any]:
        state = counter.look() if counter.process.alive else {}
        return {
            "on": counter.process.alive,
            "line": counter.wire.whole,
            "pending": state.get("pending"),
            "online": state.get("online", False),
            "papers": [slip.number for slip in counter.papers()][-12:],
            "kicks": counter.printer.kicks,
        }

    def _paper(self, request: Request) -> Response:
        counter = self._counter(request)
        number = request.path_params["number"]
        slip = next((one for one in counter.papers() if one.number == number), None) if counter else None
        if slip is None:
            return Response("there is no such paper", 404)
        return Response(
            paper_picture(slip.data), media_type="image/png", headers={"Cache-Control": "max-age=3600"}
        )

    def _show(self, request: Request) -> Response:
        counter = self._counter(request)
        sample = next((one for one in SAMPLES if one.name == request.path_params["sample"]), None)
        if counter is None or sample is None or not self._is_ours(request):
            return JSONResponse({"refused": "there is no such box or sample, or the page is an old one"}, 403)
        shown = picture(sample.texts(self._town, next(self._numbers)))
        counter.hold_before_camera(shown)
        return Response(shown, media_type="image/png")

    async def _photo(self, request: Request) -> Response:
        counter = self._counter(request)
        if counter is None or not self._is_ours(request):
            return JSONResponse({"refused": "there is no such box, or the page is an old one"}, 403)
        if int(request.headers.get("content-length") or PHOTO_BYTES_MAX + 1) > PHOTO_BYTES_MAX:
            return JSONResponse({"refused": Refused(Reason.PICTURE_TOO_LARGE).say(_language(request))}, 413)
        data = await request.body()
        ending = ENDINGS.get(data[:3])
        if ending is None:
            return JSONResponse({"refused": Refused(Reason.NO_PICTURE).say(_language(request))}, 415)
        await anyio.to_thread.run_sync(counter.hold_before_camera, data, ending)
        return Response(status_code=204)

    def _plug(self, request: Request) -> Response:
        if not self._is_ours(request):
            return JSONResponse({"refused": "the page is an old one: load it again"}, 403)
        what = request.path_params["what"]
        for counter in self._town.counters:
            if what == f"{counter.device}-line":
                (counter.wire.cut if counter.wire.whole else counter.wire.mend)()
            elif what == f"{counter.device}-power":
                (counter.process.kill if counter.process.alive else counter.process.start)()
            elif what == f"{counter.device}-paper":
                counter.printer.fault = Condition.PAPER_OUT
            elif what == f"{counter.device}-roll":
                counter.printer.mend()
        if what == "broker":
            broker = self._town.broker
            (broker.kill if broker.alive else broker.start)()
        for process in (self._town.core, self._town.wallet):
            if what == process.name:
                (process.kill if process.alive else process.start)()
        return Response(status_code=204)

    def _counter(self, request: Request) -> Counter | None:
        return next((one for one in self._town.counters if one.device == request.path_params["box"]), None)

    def _is_ours(self, request: Request) -> bool:
        return secrets.compare_digest(request.headers.get("X-Counter-Token", ""), self._token)


def _language(request: Request) -> str:
    """As the address says, or else the browser; Chinese where nobody says anything."""
    wanted = request.query_params.get("lang") or request.headers.get("accept-language", "zh")[:2].lower()
    return "zh" if wanted == "zh" else "en"


def serve(folder: Path, port: int, console_port: int) -> None:
    """Start a town and its counter page; Ctrl-C ends both."""
    door = _door(port)
    if port == console_port:
        sys.exit(f"the counter and the console cannot both have port {port}")
    _door(console_port).close()
    town = Town(folder / time.strftime("%Y%m%d-%H%M%S"), console_port=console_port)
    try:
        print("making certificates, starting broker, wallet, core and two boxes …", flush=True)
        town.build()
        town.start()
        print(welcome(town, port), flush=True)
        config = uvicorn.Config(CounterPage(town).app(), log_level="error", lifespan="off")
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run([door])
    finally:
        town.stop()


def _door(port: int) -> socket.socket:
    try:
        return own_port(port)
    except TakenAlready as taken:
        sys.exit(f"tillbox demo: {taken}: make demo PORT=8090 CONSOLE_PORT=8091")


def start_beside(town: Town, port: int) -> tuple[uvicorn.Server, threading.Thread]:
    """The page on a thread, for tests."""
    server = uvicorn.Server(
        uvicorn.Config(CounterPage(town).app(), host="127.0.0.1", port=port, log_level="error")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    return server, thread


def welcome(town: Town, port: int) -> str:
    """What a person reads when everything is up."""
    tills = "\n".join(f"  till of {counter.device}   {counter.url}/" for counter in town.counters)
    return (
        f"\n  the counter     http://127.0.0.1:{port}/      play the shop here\n"
        f"  the console     http://127.0.0.1:{town.console_port}/      name: demo   password: {town.password}\n"
        f"{tills}\n\n  Everything lives in {town.folder}. Ctrl-C ends it.\n"
    )
