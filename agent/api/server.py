"""The local door: HTTP and WebSocket on this machine's loopback, for another program's till.

Every request is idempotent by its `request_id`; what a program missed it asks for again; *unknown* is an answer. Nobody gets
in without a token from `tillbox pair`, no web page of a strange origin may ask, and nothing is served to the network.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import anyio
import anyio.to_thread
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, WebSocket
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketDisconnect

from tillbox.agent import till as shop
from tillbox.agent.app import Box
from tillbox.agent.clock import BootClock, wall_ms
from tillbox.agent.doctor import examine
from tillbox.agent.examine import of_box
from tillbox.contracts.ids import CHANCE_BYTES, uuid7
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.verdicts import Reason, Refused
from tillbox.hardware.ports import Face, FaceKind
from tillbox.hardware.printing.document import (
    Cut,
    Document,
    Feed,
    clean,
)

from .desk import Desk
from .manners import DRAWER_EVERY_MS, Rate, manners_of
from .orders import Order
from .store import Store
from .wire import (
    Device,
    DisplayRequest,
    DrawerRequest,
    Payment,
    PaymentRequest,
    Print,
    PrintRequest,
    part_of,
    payment_of,
)

STREAMS_MAX = 8  # a till has one or two
EVENT_MAX = 2**53  # what a number in JSON holds


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
    return payment_of(answer)


@router.get("/v1/payments/{request_id}", summary="The truth about a payment, after any time-out")
def payment(request_id: str, door: Inside, _: Paired) -> Payment:
    """Ask as often as you like."""
    return payment_of(_known(door.desk.find(request_id)))


@router.post(
    "/v1/payments/{request_id}/cancel",
    status_code=202,
    summary="Ask to give a payment up: a wish, not a promise",
)
def cancel(request_id: str, door: Inside, _: Paired) -> Payment:
    """What became of it, GET tells."""
    return payment_of(_known(door.desk.cancel(request_id)))


@router.post("/v1/prints", status_code=202, summary="Print a paper on the box's receipt printer")
def print_paper(asked: PrintRequest, door: Inside, _: Paired) -> Print:
    """Once for its id, however often it is asked."""
    try:
        document = Document((*map(part_of, asked.parts), Feed(3), Cut()))
    except ValueError as why:
        raise HTTPException(422, str(why)) from why
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
async def events(line: WebSocket, door: Inside, after: Annotated[int, Query(ge=0, le=EVENT_MAX)] = 0) -> None:
    """Everything that happened after a number, then everything that happens. The token comes as a subprotocol:
    `tillbox, <token>`."""
    origin = line.headers.get("origin")
    offered = [part.strip() for part in line.headers.get("sec-websocket-protocol", "").split(",")]
    token = offered[1] if len(offered) == 2 and offered[0] == "tillbox" else ""
    if (origin is not None and origin not in door.origins) or not door.store.paired(token):
        await line.close(1008)
        return
    if len(door.desk.listeners) >= STREAMS_MAX:
        await line.close(1013)
        return
    await line.accept(subprotocol="tillbox")
    news = asyncio.Event()
    loop = asyncio.get_running_loop()
    door.desk.listeners.append(lambda: loop.call_soon_threadsafe(news.set))
    ring = door.desk.listeners[-1]
    gone = asyncio.create_task(_until_gone(line))
    try:
        await _tell(door, line, after, news, gone)
    finally:
        door.desk.listeners.remove(ring)
        gone.cancel()


def api(door: Door | None) -> FastAPI:
    """The application; without a door it can be described and not asked."""
    app = FastAPI(title="Tillbox local API", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(router)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    app.middleware("http")(manners_of(door.origins if door else ()))
    app.state.door = door
    return app


async def _tell(
    door: Door, line: WebSocket, after: int, news: asyncio.Event, gone: asyncio.Task[None]
) -> None:
    """Send what happened and what happens, until the other side has gone."""
    while not gone.done():
        news.clear()
        for event in await anyio.to_thread.run_sync(door.store.events, after):
            after = event["seq"]
            await line.send_json(event)
            news.set()  # there may be more than one page of them
        waiting = asyncio.create_task(news.wait())
        await asyncio.wait((waiting, gone), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()


async def _until_gone(line: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await line.receive_text()


def fresh_id() -> str:
    """An id for a sale that is to be."""
    return uuid7(wall_ms(), os.urandom(CHANCE_BYTES))


def _known(order: Order | None) -> Order:
    if order is None:
        raise HTTPException(404, "This box was never asked for that.")
    return order


def _print(box: Box, request_id: str) -> Print:
    state = box.paper_state(request_id)
    if state is None:
        raise HTTPException(404, "This box was never asked to print that.")
    return Print(request_id=request_id, state=state.value)


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
