"""The console's doors. Reading needs a session, changing a session and its form token; everything is escaped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import anyio.to_thread
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from tillbox.cloud_bridge.fleet.acts import ACTS, may
from tillbox.cloud_bridge.fleet.onlooker import Onlooker
from tillbox.cloud_bridge.fleet.photographs import PHOTO_BYTES_MAX
from tillbox.cloud_bridge.store import fleet_lists, health_lists
from tillbox.cloud_bridge.store.database import Database
from tillbox.contracts.verdicts import Reason, Refused

from .auth import Doorkeeper, LoginRefused, Session, is_same
from .changes import Changes
from .forms import body_of
from .frame import Frame, render
from .pages import GIVEN, PAGES, Asked, Page
from .pages.field.page import PHOTO_WHY
from .pages.forbidden.page import ForbiddenPage
from .pages.login.page import LoginPage
from .pages.receipt import page as receipts
from .pages.settings import page as settings
from .pages.settings.page import Answered, SettingsPage
from .words import word

Do = Callable[[str, dict[str, Any], Session], BaseModel | Refused]
"""An act by its name, with what it takes, by somebody: what it gave, or why it was refused."""
COOKIE = "tillbox_session"
ALERTS = "Tillbox-Alerts"  # how many are open, for a page that fetches only its inside again
FORM_BYTES_MAX = 16_384  # a handful of slips as a scanner reads them; no other form comes near it but these:
SETTINGS_BYTES_MAX = 400_000  # a list of 500 goods with Chinese names, percent-encoded
SETTINGS_FIELDS_MAX = 4_000
FEW_FIELDS = 10  # to sign in or out
PHOTO_FORM_BYTES_MAX = 32_000_000
"""Far above what a photograph may have: an acceptance is not lost because a phone takes large ones. It is read, the photograph is
refused, and both are said."""
PHOTOGRAPHED = ("accept-box", "add-photo")
"""Acts whose forms may bring a photograph, from whoever may do them."""
API_BYTES_MAX = 4_000_000  # a plan of ten thousand places is 1 MB
STREAM_WAIT_S = 15.0
STREAMS_MAX = 500  # open pages that hear of news at once: a connection and a file handle each
POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'self' http://127.0.0.1:*; base-uri 'none'; form-action 'self'"

STRANGER = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
"""For what a box sent: no script, no form, no origin, nothing from anywhere; only in our own pages."""


def build_console(
    database: Database,
    changes: Changes,
    *,
    now_ms: Callable[[], int],
    chance: Callable[[int], bytes],
    do: Do | None = None,
    onlooker: Onlooker | None = None,
) -> FastAPI:
    """The console over one database. `do` does what its forms ask for; without a fleet there is nothing to be done."""
    app = FastAPI(title="Tillbox core", docs_url=None, redoc_url=None, openapi_url=None)
    doorkeeper = Doorkeeper(database, now_ms=now_ms, chance=chance)
    console = _Console(database, changes, doorkeeper, now_ms, do, onlooker)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    for page in PAGES:
        app.add_api_route(page.path, console.door(page), methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/r/{tid}", console.receipt, methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/login", console.login_page, methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/login", console.login, methods=["POST"])
    app.add_api_route("/logout", console.logout, methods=["POST"])
    app.add_api_route("/do/{act}", console.deed, methods=["POST"])
    app.add_api_route("/settings", console.settle, methods=["POST"])
    app.add_api_route("/boxes/{device}/photo", console.photo, methods=["GET"])
    app.add_api_route("/live", console.live, methods=["GET"])
    app.add_api_route("/boxes/{device}/screen", console.screen, methods=["GET"])
    app.add_exception_handler(404, lambda request, _: _missing(request))
    app.middleware("http")(_guard)
    return app


async def _guard(request: Request, proceed: Callable[[Request], Any]) -> Response:
    # A body in chunks has any length, whatever is said beside them.
    if "transfer-encoding" in request.headers:
        return Response("say how long it is (Content-Length), and send it in one piece, not in chunks", 413)
    length = request.headers.get("content-length", "0" if request.method in ("GET", "HEAD") else "")
    if request.url.path.startswith("/api/") and not (length.isdecimal() and int(length) <= API_BYTES_MAX):
        # Whoever has no key yet must not make us read; and whoever does not say how much, neither.
        return Response("say how long it is, and send at most 4 MB", 413)
    response: Response = await proceed(request)
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.update(
        {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-cache" if request.url.path.startswith("/static") else "no-store",
        }
    )
    return response


class _Console:
    def __init__(
        self,
        database: Database,
        changes: Changes,
        doorkeeper: Doorkeeper,
        now_ms: Callable[[], int],
        do: Do | None,
        onlooker: Onlooker | None,
    ) -> None:
        self._database, self._changes, self._doorkeeper = database, changes, doorkeeper
        self._now_ms, self._do, self._onlooker = now_ms, do, onlooker
        self._streams = 0

    def door(self, page: Page) -> Callable[[Request], Response]:
        """A page behind the door."""

        def answer(request: Request) -> Response:
            session = self._session(request)
            if session is None:
                here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return _remember_language(request, RedirectResponse(f"/login?next={quote(here)}", 303))
            if not may(session.role, page.least):
                return _html(
                    request,
                    render("forbidden", ForbiddenPage(Reason.NOT_ALLOWED), _frame(request, session)),
                    403,
                )
            asked = Asked.by(
                self._now_ms(), request.path_params, request.query_params, session.operator, self._onlooker
            )
            with self._database.reading() as connection:
                shown = page.show(connection, asked)
                alerts = health_lists.open_count(connection)
            if shown is None:
                return _missing(request)
            frame = replace(_frame(request, session), alerts=alerts)
            whole = request.headers.get("X-Requested-With") != "fetch"
            response = _html(request, render(page.name, shown, frame, whole=whole))
            response.headers[ALERTS] = str(alerts)
            return response

        return answer

    def receipt(self, request: Request) -> Response:
        """A customer's own receipt: no session, the address is the secret."""
        asked = Asked.by(self._now_ms(), request.path_params, {})
        with self._database.reading() as connection:
            found = receipts.show(connection, asked)
        frame = _frame(request)
        if found is None:
            return Response(
                word("receipt_later", frame.language), 404, media_type="text/plain; charset=utf-8"
            )
        return _html(request, render("receipt", found, frame))

    def login_page(self, request: Request) -> Response:
        page = LoginPage(next=_next(request.query_params.get("next", "")))
        return _html(request, render("login", page, _frame(request)))

    async def deed(self, request: Request) -> Response:
        """What a form asks for, done by whoever is signed in. What it gave is shown, this once, where a person needs it;
        otherwise it is back to where it was asked."""
        session = self._session(request)
        act = str(request.path_params["act"])
        with_photo = act in PHOTOGRAPHED and session is not None and may(session.role, ACTS[act].least)
        own = _is_own(request, PHOTO_FORM_BYTES_MAX if with_photo else FORM_BYTES_MAX)
        form = await request.form(max_files=int(with_photo), max_part_size=FORM_BYTES_MAX) if own else {}
        photo = await _photo(form)
        if session is None or self._do is None or not is_same(str(form.get("csrf", "")), session.csrf):
            return _not_own()
        words = {name: value for name, value in form.items() if isinstance(value, str)}
        said = {name: value for name, value in words.items() if name not in ("csrf", "next", "photo")}
        back, frame = _next(str(form.get("next", ""))), replace(_frame(request, session), live=False)
        body = _of_photo(said, photo) if act == "add-photo" else body_of(act, said)
        found = await anyio.to_thread.run_sync(self._do, act, body, session)
        kept = found if act == "add-photo" else None
        if photo and act == "accept-box" and not isinstance(found, Refused):
            # An acceptance stands, whatever becomes of its photograph: the page says so and takes another.
            kept = await anyio.to_thread.run_sync(self._do, "add-photo", _of_photo(said, photo), session)
        if isinstance(kept, Refused) and (kept is not found or kept.reason in PHOTO_WHY):
            return RedirectResponse(_with(back, photo=kept.reason), 303)
        if isinstance(found, Refused):
            page = ForbiddenPage(found.reason, found.detail, back)
            status = 403 if found.reason is Reason.NOT_ALLOWED else 409
            return _html(request, render("forbidden", page, frame), status)
        if act in GIVEN:
            name, show = GIVEN[act]
            given = show(found, back, said)
            if isinstance(given, str):
                return RedirectResponse(given, 303)
            return _html(request, render(name, given, frame))
        return RedirectResponse(_with(back, photo="kept") if kept else back, 303)

    def photo(self, request: Request) -> Response:
        """How a box stood when it was accepted, for operators."""
        session = self._session(request)
        if session is None:
            return RedirectResponse(f"/login?next={quote(request.url.path)}", 303)
        if not may(session.role, "operator"):
            return Response(status_code=403)
        with self._database.reading() as connection:
            jpeg = fleet_lists.photo(connection, request.path_params["device"].replace("\0", "")[:32])
        return _missing(request) if jpeg is None else Response(jpeg, media_type="image/jpeg")

    async def settle(self, request: Request) -> Response:
        """The form of a level's settings: it is looked at, comes back, or is decided. See `pages/settings`."""
        session = self._session(request)
        own = session is not None and _is_own(request, SETTINGS_BYTES_MAX)
        form = await request.form(max_files=0, max_fields=SETTINGS_FIELDS_MAX) if own else {}
        if session is None or self._do is None or not is_same(str(form.get("csrf", "")), session.csrf):
            return _not_own()
        frame = replace(_frame(request, session), live=False)
        if not may(session.role, "operator"):
            return _html(request, render("forbidden", ForbiddenPage(Reason.NOT_ALLOWED), frame), 403)
        typed = {name: str(value).replace("\0", "") for name, value in form.items() if name != "csrf"}
        found = await anyio.to_thread.run_sync(self._settled, typed, session)
        if found.on:
            return RedirectResponse(found.on, 303)
        if found.page is None:
            return _missing(request)
        name = "settings" if isinstance(found.page, SettingsPage) else "preview"
        return _html(request, render(name, found.page, frame), found.status)

    def _settled(self, typed: dict[str, str], session: Session) -> Answered:
        assert self._do is not None
        do = self._do
        return settings.answer(self._database, typed, lambda act, body: do(act, body, session))

    async def login(self, request: Request) -> Response:
        if not _is_own(request):
            return _not_own()
        form = await request.form(max_files=0, max_fields=FEW_FIELDS)
        name, password = str(form.get("name", ""))[:64], str(form.get("password", ""))[:256]
        found = await anyio.to_thread.run_sync(self._doorkeeper.login, name, password)
        if isinstance(found, LoginRefused):
            back = _next(str(form.get("next", "")))
            page, status = (
                (LoginPage("wait", back), 429) if found.too_often else (LoginPage("wrong", back), 403)
            )
            return _html(request, render("login", page, _frame(request)), status)
        response = RedirectResponse(_next(str(form.get("next", ""))), 303)
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, found, httponly=True, samesite="lax", secure=secure, path="/")
        return response

    async def logout(self, request: Request) -> Response:
        session = self._session(request)
        form = await request.form(max_files=0, max_fields=FEW_FIELDS) if _is_own(request) else {}
        if session is None or not is_same(str(form.get("csrf", "")), session.csrf):
            return _not_own()
        self._doorkeeper.close(request.cookies[COOKIE])
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE)
        return response

    async def live(self, request: Request) -> Response:
        if self._session(request) is None:
            return Response(status_code=403)
        if self._streams >= STREAMS_MAX:
            return Response("too many pages are open; this one shows news when it is loaded again", 503)

        async def stream() -> AsyncIterator[bytes]:
            self._streams += 1
            try:
                count = self._changes.count
                while True:
                    count = await self._changes.after(count, STREAM_WAIT_S)
                    yield f"event: changed\ndata: {count}\n\n".encode()
            finally:
                self._streams -= 1

        return StreamingResponse(stream(), media_type="text/event-stream")

    def screen(self, request: Request) -> Response:
        """A box's screen as it sent it: a stranger's document, in a frame that lets it do nothing and load nothing."""
        session = self._session(request)
        if session is None or not may(session.role, "operator"):
            return Response(status_code=403, headers={"Content-Security-Policy": STRANGER})
        device = str(request.path_params["device"])
        picture = self._onlooker.picture(device) if self._onlooker else None
        html = picture.html if picture else b""
        return HTMLResponse(html, 200 if html else 404, headers={"Content-Security-Policy": STRANGER})

    def _session(self, request: Request) -> Session | None:
        token = request.cookies.get(COOKIE, "")
        return self._doorkeeper.find(token) if token else None


def _next(path: str) -> str:
    """Where to go then: a page of our own, whatever an address says."""
    own = (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and path.isprintable()
        and len(path) <= 400
    )
    return path if own else "/"


def _frame(request: Request, session: Session | None = None) -> Frame:
    if session is None:
        return Frame(_language(request), path=request.url.path)
    return Frame(_language(request), session.operator, session.csrf, request.url.path, session.role)


async def _photo(form: Mapping[str, object]) -> bytes:
    """The bytes of a photograph that a form brought; none where nobody took one. One byte more than may be says that it is more."""
    photo = b""
    for part in form.values():
        if isinstance(part, UploadFile):
            photo = await part.read(PHOTO_BYTES_MAX + 1)
            await part.close()
    return photo


def _of_photo(said: dict[str, str], photo: bytes) -> dict[str, Any]:
    """What `add-photo` takes, from what a form said."""
    return {"device": said.get("device", ""), "proof": said.get("proof", ""), "picture": b64encode(photo)}


def _with(path: str, **said: str) -> str:
    """An address with one word more."""
    return f"{path}{'&' if '?' in path else '?'}{urlencode(said)}"


def _html(request: Request, html: str, status: int = 200) -> Response:
    return _remember_language(request, HTMLResponse(html, status))


def _missing(request: Request) -> Response:
    """There is no such page, said with a way back."""
    return _html(request, render("missing", None, _frame(request)), 404)


def _not_own() -> Response:
    return Response(
        "You are signed out, or this form is not from the console's own page. Go back, load the page again, and try once more. / "
        "您已退出登录，或这个表单不是本控制台的。请返回、刷新页面后再试。",
        403,
        media_type="text/plain; charset=utf-8",
    )


def _is_own(request: Request, most: int = FORM_BYTES_MAX) -> bool:
    """Whether a form comes from our own pages and is of a form's size."""
    origin = request.headers.get("origin")
    own = origin is None or origin == f"{request.url.scheme}://{request.headers.get('host', '')}"
    return own and int(request.headers.get("content-length") or most + 1) <= most


def _language(request: Request) -> str:
    """As the address says, or the cookie, or else the browser; Chinese where nobody says anything."""
    wanted = request.query_params.get("lang") or request.cookies.get("language")
    wanted = wanted or request.headers.get("accept-language", "zh")[:2].lower()
    return "zh" if wanted == "zh" else "en"


def _remember_language(request: Request, response: Response) -> Response:
    if "lang" in request.query_params:
        response.set_cookie("language", _language(request), httponly=True, samesite="lax")
    return response
