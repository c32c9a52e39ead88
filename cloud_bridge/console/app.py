"""The console's doors. Reading needs a session, changing a session and its form token; everything is escaped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader
from sqlalchemy import Connection

from tillbox.cloud_bridge.store import reading
from tillbox.cloud_bridge.store.database import Database

from . import pages
from .auth import Doorkeeper, LoginRefused, Session, is_same
from .changes import Changes
from .pages import Frame
from .words import word

HERE = Path(__file__).parent
COOKIE = "tillbox_session"
FORM_BYTES_MAX = 4_096
STREAM_WAIT_S = 15.0
PAGE_ROWS = 50
POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'self' http://127.0.0.1:*; base-uri 'none'; form-action 'self'"


def build_console(
    database: Database, changes: Changes, *, now_ms: Callable[[], int], chance: Callable[[int], bytes]
) -> FastAPI:
    """The console over one database."""
    app = FastAPI(title="Tillbox core", docs_url=None, redoc_url=None, openapi_url=None)
    console = _Console(database, changes, Doorkeeper(database, now_ms=now_ms, chance=chance))
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    for path, page in _PAGES.items():
        app.add_api_route(path, console.door(page), methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/r/{tid}", console.receipt, methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/login", console.login_page, methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/login", console.login, methods=["POST"])
    app.add_api_route("/logout", console.logout, methods=["POST"])
    app.add_api_route("/live", console.live, methods=["GET"])
    app.add_exception_handler(404, lambda request, _: console.missing(request))
    app.middleware("http")(_guard)
    app.state.now_ms = now_ms
    return app


async def _guard(request: Request, proceed: Callable[[Request], Any]) -> Response:
    response: Response = await proceed(request)
    response.headers.update(
        {
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-cache" if request.url.path.startswith("/static") else "no-store",
        }
    )
    return response


class _Console:
    def __init__(self, database: Database, changes: Changes, doorkeeper: Doorkeeper) -> None:
        self._database, self._changes, self._doorkeeper = database, changes, doorkeeper
        self._templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True)
        self._templates.filters.update(pages.FILTERS)

    def door(self, page: Callable[[Connection, Request], Any]) -> Callable[[Request], Response]:
        """A page behind the door."""

        def answer(request: Request) -> Response:
            session = self._session(request)
            if session is None:
                return _remember_language(request, RedirectResponse("/login", 303))
            with self._database.reading() as connection:
                shown = page(connection, request)
            return self._html(request, session, shown)

        return answer

    def receipt(self, request: Request) -> Response:
        """A customer's own receipt. Its address carries 74 random bits and is on nobody else's paper."""
        with self._database.reading() as connection:
            found = reading.sale(connection, request.path_params["tid"][:36])
        if found is None:
            return Response(
                word("receipt_later", _language(request)), 404, media_type="text/plain; charset=utf-8"
            )
        frame = Frame(_language(request), "", "", "receipt")
        template = self._templates.get_template("frame.html")
        html = template.render(
            frame=frame, page=pages.sale_page(found), inner="receipt.html", path=request.url.path
        )
        return _remember_language(request, HTMLResponse(html))

    def missing(self, request: Request) -> Response:
        """There is no such page, said with a way back."""
        frame = Frame(_language(request), "", "", "missing")
        template = self._templates.get_template("frame.html")
        html = template.render(frame=frame, page=None, inner="missing.html", path=request.url.path)
        return _remember_language(request, HTMLResponse(html, 404))

    def login_page(self, request: Request) -> Response:
        return self._login_html(request, "")

    async def login(self, request: Request) -> Response:
        if not _is_own(request):
            return Response("this form is not from the console's own page", 403)
        form = await request.form()
        name, password = str(form.get("name", ""))[:64], str(form.get("password", ""))[:256]
        found = await anyio.to_thread.run_sync(self._doorkeeper.login, name, password)
        if isinstance(found, LoginRefused):
            return self._login_html(
                request, "wait" if found.too_often else "wrong", 429 if found.too_often else 403
            )
        response = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, found, httponly=True, samesite="lax", secure=secure, path="/")
        return response

    async def logout(self, request: Request) -> Response:
        session = self._session(request)
        form = await request.form() if _is_own(request) else {}
        if session is None or not is_same(str(form.get("csrf", "")), session.csrf):
            return Response("this form is not from the console's own page", 403)
        self._doorkeeper.close(request.cookies[COOKIE])
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE)
        return response

    async def live(self, request: Request) -> Response:
        if self._session(request) is None:
            return Response(status_code=403)

        async def stream() -> AsyncIterator[bytes]:
            count = self._changes.count
            while True:
                count = await anyio.to_thread.run_sync(
                    self._changes.wait, count, STREAM_WAIT_S, abandon_on_cancel=True
                )
                yield f"event: changed\ndata: {count}\n\n".encode()

        return StreamingResponse(stream(), media_type="text/event-stream")

    def _session(self, request: Request) -> Session | None:
        token = request.cookies.get(COOKIE, "")
        return self._doorkeeper.find(token) if token else None

    def _html(self, request: Request, session: Session, shown: Any) -> Response:
        if shown is None:
            return self.missing(request)
        name = type(shown).__name__.removesuffix("Page").lower()
        frame = Frame(_language(request), session.operator, session.csrf, name)
        live = request.headers.get("X-Requested-With") == "fetch"
        template = self._templates.get_template(f"{name}.html" if live else "frame.html")
        response = HTMLResponse(
            template.render(frame=frame, page=shown, inner=f"{name}.html", path=request.url.path)
        )
        return _remember_language(request, response)

    def _login_html(self, request: Request, refused: str, status: int = 200) -> Response:
        frame = Frame(_language(request), "", "", "login")
        template = self._templates.get_template("frame.html")
        html = template.render(frame=frame, page=None, inner="login.html", refused=refused, path="/login")
        return _remember_language(request, HTMLResponse(html, status))


def _is_own(request: Request) -> bool:
    """Whether a form comes from our own pages and is of a form's size."""
    origin = request.headers.get("origin")
    own = origin is None or origin == f"{request.url.scheme}://{request.headers.get('host', '')}"
    return own and int(request.headers.get("content-length") or FORM_BYTES_MAX + 1) <= FORM_BYTES_MAX


def _language(request: Request) -> str:
    """As the address says, or the cookie, or else the browser; Chinese where nobody says anything."""
    wanted = request.query_params.get("lang") or request.cookies.get("language")
    wanted = wanted or request.headers.get("accept-language", "zh")[:2].lower()
    return "zh" if wanted == "zh" else "en"


def _remember_language(request: Request, response: Response) -> Response:
    if "lang" in request.query_params:
        response.set_cookie("language", _language(request), httponly=True, samesite="lax")
    return response


def _sales(connection: Connection, request: Request) -> pages.SalesPage:
    before = pages.place(request.query_params.get("before", ""))
    rows = tuple(reading.sales(connection, before=before, most=PAGE_ROWS))
    today = reading.day(connection, since_ms=pages.midnight_ms(request.app.state.now_ms()))
    return pages.SalesPage(rows, today, pages.seen(rows[-1]) if len(rows) == PAGE_ROWS else "")


def _sale(connection: Connection, request: Request) -> pages.SalePage | None:
    found = reading.sale(connection, request.path_params["tid"][:36])
    return pages.sale_page(found) if found else None


def _boxes(connection: Connection, _: Request) -> pages.BoxesPage:
    return pages.BoxesPage(tuple(reading.boxes(connection)))


def _box(connection: Connection, request: Request) -> pages.BoxPage | None:
    found = reading.box(connection, request.path_params["device"][:32])
    return pages.BoxPage(found) if found else None


def _coupons(connection: Connection, _: Request) -> pages.CouponsPage:
    found = (reading.coupon(connection, name) for name in reading.templates(connection))
    return pages.CouponsPage(tuple(one for one in found if one is not None))


def _account(connection: Connection, request: Request) -> pages.AccountPage:
    name = request.path_params["name"][:80]
    return pages.account_page(name, reading.account(connection, name))


def _trouble(connection: Connection, _: Request) -> pages.TroublePage:
    return pages.TroublePage(
        tuple(reading.alarms(connection)),
        tuple(reading.refused(connection)),
        tuple(reading.payments_open(connection)),
        away=tuple(one for one in reading.boxes(connection) if one.state == "lost"),
    )


_PAGES: dict[str, Callable[[Connection, Request], Any]] = {
    "/": _sales,
    "/sales/{tid}": _sale,
    "/boxes": _boxes,
    "/boxes/{device}": _box,
    "/coupons": _coupons,
    "/accounts/{name}": _account,
    "/trouble": _trouble,
}
