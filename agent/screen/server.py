"""The till's page over HTTP, for this machine only: it answers no other host name, takes no form of another
origin, and tells open pages when something changed."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.to_thread
import uvicorn
from jinja2 import Environment, FileSystemLoader
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tillbox.agent import till as shop
from tillbox.agent.app import Box
from tillbox.agent.doctor import examine, report
from tillbox.agent.examine import of_box
from tillbox.agent.updates.answers import event_of
from tillbox.agent.updates.health import Rehearsal
from tillbox.contracts.messages import Line
from tillbox.contracts.money import CNY, Amount, parse_amount
from tillbox.contracts.verdicts import Reason, Refused
from tillbox.hardware.printing.document import clean

from .codes import RescuePage, rescue_codes
from .page import LABELS, TillPage, doctor_page, till_page

HERE = Path(__file__).parent
REASON_LETTERS_MAX = 80
GOODS_SHOWN = 1_000  # elsewhere: more buttons than that nobody looks at, and they have to fit into a message
FORM_BYTES_MAX = 4_096
POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors http://127.0.0.1:* http://localhost:*; base-uri 'none'"
PAGE_WAIT_S = 15.0  # a stream says something at least this often, so that a dead one is noticed


HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


_TEMPLATES = Environment(loader=FileSystemLoader([HERE / "templates", HERE / "static"]), autoescape=True)


def drawn(box: Box, template: str, language: str, *, token: str = "", goods_max: int | None = None) -> str:
    """The till of a box at this moment, by a template."""
    view = box.view
    update = box.updates.line() if box.updates else None
    said = update.say(language) if update else ""
    page = till_page(view, box.config, language, said) if view else None
    if page is not None and goods_max is not None:
        page = replace(page, goods=page.goods[:goods_max])
    return _TEMPLATES.get_template(template).render(
        page=page,
        token=token,
        starting=LABELS["starting"].say(language),
        gone=LABELS["gone"].say(language),
    )


def picture(box: Box) -> bytes:
    """The till as its cashier sees it, for somebody elsewhere: a document that needs nothing beside it, in which nothing can
    be pressed and which has no token of this box."""
    return drawn(box, "till_live.html", box.language or box.config.language, goods_max=GOODS_SHOWN).encode()


class Screen:
    """The page of one box."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.token = secrets.token_urlsafe(24)

    def app(self) -> Starlette:
        """The web application."""
        routes = [
            Route("/", self._page),
            Route("/fragment", self._fragment),
            Route("/state.json", self._state),
            Route("/events", self._events),
            Route("/doctor", self._doctor),
            Route("/doctor.json", self._doctor_json),
            Route("/rescue", self._rescue),
            Route("/do/{action}", self._do, methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]
        only_here = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
        return Starlette(routes=routes, middleware=[only_here])

    def _language(self, request: Request) -> str:
        return request.cookies.get("language", self.box.config.language)

    async def _page(self, request: Request) -> Response:
        language = request.query_params.get("lang") or self._language(request)
        response = self._html("till.html", language)
        response.set_cookie("language", "en" if language == "en" else "zh", samesite="strict", httponly=True)
        return response

    async def _fragment(self, request: Request) -> Response:
        return self._html("till_body.html", self._language(request))

    def _html(self, template: str, language: str) -> HTMLResponse:
        self.box.language = language
        return HTMLResponse(drawn(self.box, template, language, token=self.token), headers=HEADERS)

    async def _state(self, _: Request) -> Response:
        view = self.box.view
        page = till_page(view, self.box.config, "en") if view else None
        if page is None:
            return JSONResponse({"phase": "starting"})
        updates = self.box.updates.report() if self.box.updates else None
        return JSONResponse(_plain(page) | {"token": self.token, "updates": updates})

    async def _doctor(self, request: Request) -> Response:
        if _from_elsewhere(request):
            return Response(status_code=403)
        facts = await anyio.to_thread.run_sync(of_box, self.box)
        language = self._language(request)
        page = doctor_page(examine(facts), self.box.config.device, facts.software, language)
        return HTMLResponse(_TEMPLATES.get_template("doctor.html").render(page=page), headers=HEADERS)

    async def _rescue(self, request: Request) -> Response:
        """What this box has not handed in, as codes for another box to read: its line is dead and its screen is not."""
        if _from_elsewhere(request):
            return Response(status_code=403)
        codes, why = await anyio.to_thread.run_sync(rescue_codes, self.box.config.state)
        page = RescuePage.of(codes, why, self.box.config.device, self._language(request))
        return HTMLResponse(_TEMPLATES.get_template("rescue.html").render(page=page), headers=HEADERS)

    async def _doctor_json(self, request: Request) -> Response:
        if _from_elsewhere(request):
            return Response(status_code=403)
        facts = await anyio.to_thread.run_sync(of_box, self.box)
        return JSONResponse({"device": self.box.config.device, **report(facts)})

    async def _events(self, _: Request) -> Response:
        async def stream() -> AsyncIterator[bytes]:
            while True:
                await anyio.to_thread.run_sync(self._wait, abandon_on_cancel=True)
                yield b"event: changed\ndata: 1\n\n"

        return StreamingResponse(
            stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    def _wait(self) -> None:
        with self.box.changed:
            self.box.changed.wait(PAGE_WAIT_S)

    async def _do(self, request: Request) -> Response:
        action = _ACTIONS.get(request.path_params["action"])
        form = await form_of(request)
        if form is None or not secrets.compare_digest(
            str(form.get("token", "")).encode(), self.token.encode()
        ):
            return JSONResponse({"refused": LABELS["load_again"].say(self._language(request))}, 403)
        if action is None:
            return JSONResponse({"refused": LABELS["no_action"].say(self._language(request))}, 404)
        event = action(form, self)
        if event is None:
            pass
        elif isinstance(event, Refused):
            self.box.show(shop.Show(event))
        elif not self.box.offer(event):
            return JSONResponse({"refused": Refused(Reason.QUEUE_FULL).say(self._language(request))}, 503)
        if "fetch" in request.headers.get("x-requested-with", ""):
            return Response(status_code=204)
        return RedirectResponse("/", 303)


def _from_elsewhere(request: Request) -> bool:
    """Whether a browser asks for another site: each look at the box waits for its disk."""
    return request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")


async def form_of(request: Request) -> FormData | None:
    # A body in chunks has any length, whatever is said beside them.
    chunked = "transfer-encoding" in request.headers
    if chunked or int(request.headers.get("content-length") or FORM_BYTES_MAX + 1) > FORM_BYTES_MAX:
        return None
    return await request.form(max_files=0)


def _amount(form: FormData, field: str = "amount") -> Amount | Refused:
    try:
        return parse_amount(str(form.get(field, "")).strip(), CNY)
    except ValueError:
        return Refused(Reason.NOT_AN_AMOUNT)


def _type_amount(form: FormData, screen: Screen) -> shop.Event | Refused:
    amount = _amount(form)
    if isinstance(amount, Refused):
        return amount
    if not amount:
        return Refused(Reason.NOT_AN_AMOUNT)
    if amount > shop.AMOUNT_MAX:
        return Refused(Reason.AMOUNT_TOO_LARGE, shop.AMOUNT_MAX.decimal())
    name = LABELS["amount"].say(screen.box.config.language)
    return shop.LineRung(Line(name=name, price=amount.minor))


def _pick(form: FormData, screen: Screen) -> shop.Event | Refused:
    gtin = str(form.get("gtin", ""))
    for one in screen.box.config.goods:
        if one.gtin == gtin:
            return shop.LineRung(Line(name=one.name, price=one.price, goods=one.gtin))
    return Refused(Reason.UNKNOWN_GOODS)


def _cash(form: FormData, _: Screen) -> shop.Event | Refused:
    """An empty field means exactly what the cashier saw; if the basket has grown since, it is too little."""
    received = _amount(form, "amount" if str(form.get("amount", "")).strip() else "due")
    return received if isinstance(received, Refused) else shop.CashTaken(received)


def _refund(form: FormData, _: Screen) -> shop.Event | Refused:
    amount, left = _amount(form, "amount"), _amount(form, "left")
    if isinstance(amount, Refused):
        return amount
    return left if isinstance(left, Refused) else shop.RefundPressed(str(form.get("sale", "")), amount, left)


def _drawer(form: FormData, _: Screen) -> shop.Event | Refused:
    reason = clean(str(form.get("reason", ""))).strip()[:REASON_LETTERS_MAX]
    return shop.DrawerPressed(reason) if reason else Refused(Reason.DRAWER_WHY)


def _canary(form: FormData, _: Screen) -> shop.Event | Refused:
    try:
        return event_of(Rehearsal.model_validate_json(str(form.get("question", ""))))
    except (ValidationError, OverflowError):
        return Refused(Reason.NOT_UNDERSTOOD)


def _check_updates(_: FormData, screen: Screen) -> None:
    if screen.box.updates:
        screen.box.updates.check_now()


def _looked(printed: bool) -> Callable[[FormData, Screen], shop.Event | Refused | None]:
    """What a person saw on the paper goes to the printer's own thread; the till has no part in it."""

    def answer(form: FormData, screen: Screen) -> Refused | None:
        number = str(form.get("job", ""))
        prints = screen.box.prints
        known = prints and number.isdecimal() and prints.answer(int(number), printed=printed)
        return None if known else Refused(Reason.ANSWERED_ALREADY)

    return answer


def _decided(allow: bool) -> Callable[[FormData, Screen], Refused | None]:
    """The cashier's word about who wants in; it goes to the box's door itself, also while the till is busy."""

    def decide(form: FormData, screen: Screen) -> Refused | None:
        shells = screen.box.shells
        if shells is None:
            return Refused(Reason.SHELL_UNKNOWN)
        return shells.decide(str(form.get("shell", "")), allow=allow)

    return decide


def _end_shell(form: FormData, screen: Screen) -> Refused | None:
    shells = screen.box.shells
    known = shells is not None and shells.end(str(form.get("shell", "")))
    return None if known else Refused(Reason.SHELL_UNKNOWN)


_ACTIONS: dict[str, Callable[[FormData, Screen], shop.Event | Refused | None]] = {
    "amount": _type_amount,
    "pick": _pick,
    "cash": _cash,
    "charge": lambda _, __: shop.ChargePressed(),
    "clear": lambda _, __: shop.Cleared(),
    "drop_coupon": lambda _, __: shop.CouponDropped(),
    "give_up": lambda _, __: shop.GiveUpPressed(),
    "ask_again": lambda _, __: shop.AskAgainPressed(),
    "void": lambda form, _: shop.VoidPressed(str(form.get("sale", ""))),
    "refund": _refund,
    "reprint": lambda form, _: shop.ReprintPressed(str(form.get("sale", ""))),
    "drawer": _drawer,
    "canary": _canary,
    "check_updates": _check_updates,
    "shell_allow": _decided(True),
    "shell_refuse": _decided(False),
    "shell_end": _end_shell,
    "printed": _looked(True),
    "print_again": _looked(False),
}


def _plain(page: TillPage) -> dict[str, object]:
    names = (
        "device",
        "phase",
        "online",
        "pending",
        "printer_ok",
        "rights_frozen",
        "total",
        "discount",
        "due",
    )
    plain: dict[str, object] = {name: getattr(page, name) for name in names}
    visitor = page.visitor
    plain["visitor"] = {"shell": visitor.shell, "asking": visitor.asking} if visitor else None
    plain["said"] = [one.text for one in page.said]
    plain["sales"] = [{"id": one.id, "number": one.number, "amount": one.amount} for one in page.sales]
    plain["rights"] = {row.name: int(row.amount) for row in page.rights}
    return plain


def serve(box: Box, door: socket.socket) -> threading.Thread:
    """Serve a box's page on a listening socket, on a thread of its own."""
    config = uvicorn.Config(Screen(box).app(), log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([door],), name="screen", daemon=True)
    thread.start()
    return thread
