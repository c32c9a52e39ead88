"""The local door: HTTP and WebSocket on this machine's loopback, for another program's till.

Every request is idempotent by its `request_id`; what a program missed it asks for again; *unknown* is an answer. Nobody gets
in without a token from `tillbox pair`, no web page of a strange origin may ask, and nothing is served to the network.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
import anyio.to_thread
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, WebSocket
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field, StringConstraints
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocketDisconnect

from tillbox.agent import till as shop
from tillbox.agent.app import Box
from tillbox.agent.clock import BootClock, wall_ms
from tillbox.agent.doctor import examine
from tillbox.agent.examine import of_box
from tillbox.contracts.ids import CHANCE_BYTES, uuid7
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.settings import Strict
from tillbox.contracts.verdicts import Reason, Refused
from tillbox.hardware.ports import Face, FaceKind
from tillbox.hardware.printing.document import (
    QR,
    BarCode,
    Columns,
    Cut,
    Document,
    Feed,
    Line,
    Part,
    Rule,
    clean,
)

from .desk import Desk
from .orders import Order
from .store import Store

BODY_BYTES_MAX = 65_536
DRAWER_EVERY_MS = 2_000  # a drawer that is opened more often is not opened by a person
EVENT_WAIT_S = 20.0

RequestId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]


class PaymentRequest(Strict):
    """A payment. Without `auth_code` the customer shows it to this box's own scanner, or pays cash at its till."""

    request_id: RequestId = Field(description="Yours, new for each payment, the same for each repetition.")
    order_ref: Annotated[str, StringConstraints(min_length=1, max_length=80)] = Field(description="What you call it; it stands on the receipt.")  # fmt: skip
    amount: Annotated[int, Field(gt=0, le=10**9)] = Field(description="In the smallest coin: 1250 is 12.50.")
    currency: Literal["CNY"] = "CNY"
    auth_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{10,32}$")] | None = Field(default=None, description="The customer's payment code, if you have scanned it.")  # fmt: skip


class Payment(BaseModel):
    """Where a payment is. Only `succeeded` means money; `unknown` means ask again, never pay again."""

    request_id: str
    order_ref: str
    amount: int
    state: Literal["created", "await_scan", "in_progress", "succeeded", "failed", "unknown"]
    reason: str = Field(default="", description="Why it failed, as a word for programs.")
    says: str = Field(default="", description="The same for a person, in English.")
    sale: str = Field(default="", description="The sale's id for life, once it succeeded.")
    tender: str = Field(default="", description="cash or merchant_scan, once it succeeded.")
    paid: int = Field(
        default=0, description="What was paid; a coupon, or what a cashier added, makes it differ."
    )


class PrintPart(Strict):
    """One part of a paper. `kind` says which of the other fields count."""

    kind: Literal["line", "columns", "rule", "qr", "bar_code", "feed", "cut"]
    text: Annotated[str, StringConstraints(max_length=1_000)] = ""
    right: Annotated[str, StringConstraints(max_length=48)] = ""
    align: Literal["left", "center", "right"] = "left"
    bold: bool = False
    double: bool = False
    lines: Annotated[int, Field(ge=1, le=20)] = 1


class PrintRequest(Strict):
    """A paper, from top to bottom; it is cut at the end."""

    request_id: RequestId
    parts: Annotated[tuple[PrintPart, ...], Field(min_length=1, max_length=400)]


class Print(BaseModel):
    """Where a paper is. `unknown` means that a person was asked to look."""

    request_id: str
    state: Literal["queued", "begun", "sent", "confirmed", "unknown"]


class DrawerRequest(Strict):
    """Open the drawer; the reason goes on record."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=80)]


class DisplayRequest(Strict):
    """What the customer's display shows while the box's own till is idle."""

    amount: Annotated[int, Field(ge=0, le=10**9)]
    text: Annotated[str, StringConstraints(max_length=80)] = ""


class Device(BaseModel):
    """One thing that the box looks after, as `tillbox doctor` says it."""

    check: str
    light: Literal["green", "yellow", "red"]
    zh: str
    en: str
    todo_zh: str = ""
    todo_en: str = ""


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


@dataclass(frozen=True, slots=True)
class Door:
    """What the routes reach: one box, and what the door remembers."""

    box: Box
    desk: Desk
    store: Store
    origins: tuple[str, ...]
    drawer: Rate


router = APIRouter()
_bearer = HTTPBearer(auto_error=False)


def _door(line: HTTPConnection) -> Door:
    door: Door = line.app.state.door
    return door


Inside = Annotated[Door, Depends(_door)]


def _paired(door: Inside, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> str:
    """Whose token it is; nobody gets further without one."""
    name = door.store.paired(given.credentials) if given else None
    if name is None:
        raise HTTPException(401, "No token, or one that this box does not know. Pair first: tillbox pair.")
    return name


Paired = Annotated[str, Depends(_paired)]


@router.post(
    "/v1/payments", status_code=202, summary="Ask for a payment; the same request again asks for its answer"
)
def pay(asked: PaymentRequest, door: Inside, _: Paired) -> Payment:
    """The till takes it only while nothing else lies on its counter."""
    order = Order(asked.request_id, clean(asked.order_ref), asked.amount, sale=fresh_id())
    answer = door.desk.pay(order, asked.model_dump_json(), asked.auth_code)
    if answer is None:
        raise HTTPException(409, Refused(Reason.REQUEST_DIFFERS).say("en"))
    return _payment(answer)


@router.get("/v1/payments/{request_id}", summary="The truth about a payment, after any time-out")
def payment(request_id: str, door: Inside, _: Paired) -> Payment:
    """Ask as often as you like."""
    return _payment(_known(door.desk.find(request_id)))


@router.post(
    "/v1/payments/{request_id}/cancel",
    status_code=202,
    summary="Ask to give a payment up: a wish, not a promise",
)
def cancel(request_id: str, door: Inside, _: Paired) -> Payment:
    """What became of it, GET tells."""
    return _payment(_known(door.desk.cancel(request_id)))


@router.post("/v1/prints", status_code=202, summary="Print a paper on the box's receipt printer")
def print_paper(asked: PrintRequest, door: Inside, _: Paired) -> Print:
    """Once for its id, however often it is asked."""
    document = Document((*(_part(one) for one in asked.parts), Feed(3), Cut()))
    if not door.box.print_paper(asked.request_id, document):
        raise HTTPException(503, "There is no printer, or too much waits for it.")
    return _print(door.box, asked.request_id)


@router.get("/v1/prints/{request_id}", summary="Where a paper is")
def printed(request_id: str, door: Inside, _: Paired) -> Print:
    """Only `confirmed` is the printer's own word."""
    return _print(door.box, request_id)


@router.post("/v1/drawer/open", status_code=202, summary="Open the drawer, with a reason that goes on record")
def open_drawer(asked: DrawerRequest, door: Inside, name: Paired) -> dict[str, str]:
    """At most once in two seconds."""
    if not door.drawer.may():
        raise HTTPException(429, "The drawer was opened a moment ago.")
    if not door.box.offer(shop.DrawerPressed(clean(f"{name}: {asked.reason}")[:80])):
        raise HTTPException(503, Refused(Reason.QUEUE_FULL).say("en"))
    return {"state": "asked"}


@router.post("/v1/display", status_code=202, summary="Show an amount to the customer")
def display(asked: DisplayRequest, door: Inside, _: Paired) -> dict[str, str]:
    """It stays until the box's own till has something to show."""
    door.box.show_face(Face(FaceKind.TOTAL, Amount(asked.amount, CNY), clean(asked.text)))
    return {"state": "asked"}


@router.get("/v1/devices", summary="How the box and its devices are")
def devices(door: Inside, _: Paired) -> list[Device]:
    """The doctor's page."""
    return [Device.model_validate(line.as_json()) for line in examine(of_box(door.box))]


@router.websocket("/v1/events")
async def events(line: WebSocket, door: Inside, after: int = 0) -> None:
    """Everything that happened after a number, then everything that happens. The token comes as a subprotocol:
    `tillbox, <token>`."""
    origin = line.headers.get("origin")
    offered = [part.strip() for part in line.headers.get("sec-websocket-protocol", "").split(",")]
    token = offered[1] if len(offered) == 2 and offered[0] == "tillbox" else ""
    if (origin is not None and origin not in door.origins) or not door.store.paired(token):
        await line.close(1008)
        return
    await line.accept(subprotocol="tillbox")
    try:
        async for event in _follow(door, after):
            await line.send_json(event)
    except WebSocketDisconnect:
        return


def api(door: Door | None) -> FastAPI:
    """The application; without a door it can be described and not asked."""
    app = FastAPI(title="Tillbox local API", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(router)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    app.middleware("http")(_manners(door.origins if door else ()))
    app.state.door = door
    return app


async def _follow(door: Door, after: int) -> AsyncIterator[dict[str, Any]]:
    while True:
        for event in await anyio.to_thread.run_sync(door.store.events, after):
            after = event["seq"]
            yield event
        await anyio.to_thread.run_sync(_wait, door, after, abandon_on_cancel=True)


def _wait(door: Door, after: int) -> None:
    with door.desk.news:
        door.desk.news.wait_for(lambda: bool(door.store.events(after, 1)), EVENT_WAIT_S)


def _manners(
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


def fresh_id() -> str:
    """An id for a sale that is to be."""
    return uuid7(wall_ms(), os.urandom(CHANCE_BYTES))


def _known(order: Order | None) -> Order:
    if order is None:
        raise HTTPException(404, "This box was never asked for that.")
    return order


def _payment(order: Order) -> Payment:
    return Payment(
        request_id=order.request_id,
        order_ref=order.order_ref,
        amount=order.amount,
        state=order.state.value,
        reason=order.reason,
        says=Refused(Reason(order.reason)).say("en") if order.reason else "",
        sale=order.sale if order.tender else "",
        tender=order.tender,
        paid=order.paid,
    )


def _print(box: Box, request_id: str) -> Print:
    state = box.paper_state(request_id)
    if state is None:
        raise HTTPException(404, "This box was never asked to print that.")
    return Print(request_id=request_id, state=state.value)


def _part(part: PrintPart) -> Part:
    match part.kind:
        case "line":
            return Line(part.text, part.align, part.bold, part.double)
        case "columns":
            return Columns(part.text, part.right, part.bold)
        case "rule":
            return Rule()
        case "qr":
            if not part.text:
                raise HTTPException(422, "A QR code holds a text.")
            return QR(part.text)
        case "bar_code":
            try:
                return BarCode(part.text)
            except ValueError as why:
                raise HTTPException(422, str(why)) from why
        case "feed":
            return Feed(part.lines)
        case "cut":
            return Cut()


def document() -> str:
    """The OpenAPI document of this door, as docs/openapi.json keeps it."""
    app = api(None)
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"


def pairings(state: Path) -> Store:
    """What the door of the box with this state folder remembers."""
    return Store(state / "api.db")


def open_door(box: Box, door: socket.socket, origins: tuple[str, ...]) -> threading.Thread:
    """Serve the door on a listening socket, on a thread of its own."""
    store = pairings(box.config.state)
    desk = Desk(box, store, wall_ms=wall_ms)
    box.on_trouble = desk.trouble
    config = uvicorn.Config(
        api(Door(box, desk, store, origins, Rate(DRAWER_EVERY_MS, BootClock().boot_ms))),
        log_level="error",
        access_log=False,
    )
    server = uvicorn.Server(config)
    desk.start()
    thread = threading.Thread(target=server.run, args=([door],), name="api-door", daemon=True)
    thread.start()
    return thread


if __name__ == "__main__":
    print(document(), end="")
