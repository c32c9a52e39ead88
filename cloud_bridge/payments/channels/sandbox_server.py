"""The sandbox wallet company: an HTTP server in a process of its own, with its own money and its own moods.

`build` makes the application, `run` serves it. The handlers are async because a wallet that never answers
must not hold a thread while it does not; the work itself is done in threads. Nothing is believed that is
not signed. It refuses to be fast: every verb that moves money is one commit to the disk.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from .sandbox_book import Book
from .sandbox_config import SandboxConfig
from .sandbox_customers import Terms
from .sandbox_door import Door, HangUp, Visitor, unsigned
from .sandbox_ledger import Ledger, Reply
from .sandbox_manners import Says
from .sandbox_notices import Address, Notifier
from .sandbox_seal import Gate, read_secret
from .sandbox_wire import (
    OFFICE,
    Message,
    Mood,
    PayMessage,
    QueryMessage,
    RefundMessage,
    RefundQueryMessage,
    ReverseMessage,
    Trouble,
)
from .sandbox_words import SENTENCES, Word

CONNECTIONS_MAX = 256
"""Silent answers keep their lines for 20 s: 10 of them a second fit. Beyond that uvicorn says 503."""
KEEP_ALIVE_S = 60
"""Longer than a client keeps an idle line, so that the client closes it: else a payment meets a closing line."""

log = logging.getLogger("tillbox.sandbox")


@dataclass(frozen=True, slots=True)
class Shop:
    """All parts of a running wallet."""

    book: Book
    ledger: Ledger
    notifier: Notifier
    door: Door


Verb = tuple[type[Message], Callable[[Ledger, str, Any, int], Reply]]
VERBS: dict[str, Verb] = {
    "/v1/pay": (PayMessage, Ledger.pay),
    "/v1/query": (QueryMessage, Ledger.query),
    "/v1/reverse": (ReverseMessage, Ledger.reverse),
    "/v1/refund": (RefundMessage, Ledger.refund),
    "/v1/refund/query": (RefundQueryMessage, Ledger.query_refund),
}


def wall_ms() -> int:
    """Now, in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def build(
    config: SandboxConfig,
    *,
    now_ms: Callable[[], int] = wall_ms,
    chance: Callable[[int], bytes] = os.urandom,
) -> FastAPI:
    """The application. Raises BookTrouble or SecretUnsafe at once; lets the book go when serving ends."""
    shop = _open(config, now_ms, chance)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        shop.notifier.start()
        try:
            yield
        finally:
            await run_in_threadpool(shop.notifier.stop)
            shop.book.close()

    app = FastAPI(title="Sandbox wallet", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.shop = shop
    for path in VERBS:
        app.add_api_route(path, _verb, methods=["POST"])
    app.add_api_route("/v1/admin/mood", _mood, methods=["POST"])
    app.add_api_route("/v1/statement", _statement, methods=["GET"])
    app.add_exception_handler(sqlite3.Error, _book_trouble)
    return app


def run(
    host: str,
    port: int,
    config: SandboxConfig,
    *,
    announce: Callable[[str], None] = lambda line: print(line, flush=True),
) -> None:
    """Serve until SIGTERM or Ctrl-C. Port 0 takes a free one; `announce` gets the line that says which."""
    with _listen(host, port) as (door, url):
        server = uvicorn.Server(server_config(build(config)))
        announce(f"the sandbox wallet listens on {url}")
        server.run(sockets=[door])


@contextmanager
def serving(config: SandboxConfig, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """The wallet on a thread of this process, for tests and tours; gives its address."""
    with _listen(host, port) as (door, url):
        server = uvicorn.Server(server_config(build(config)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, name="sandbox-wallet")
        thread.start()
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def _listen(host: str, port: int) -> Iterator[tuple[socket.socket, str]]:
    """An open door and its address. Who knocks before uvicorn is there waits in the queue."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio leaves Nagle's algorithm on and every answer takes 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        door.listen(CONNECTIONS_MAX)
        shown = f"[{host}]" if ":" in host else host
        yield door, f"http://{shown}:{door.getsockname()[1]}"


def server_config(app: FastAPI) -> uvicorn.Config:
    """How uvicorn serves the wallet."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    return config


def _is_news(record: logging.LogRecord) -> bool:
    """Hanging up without an answer is what a mood asks for; uvicorn need not report it as an error."""
    return "without completing response" not in record.getMessage()


def _open(config: SandboxConfig, now_ms: Callable[[], int], chance: Callable[[int], bytes]) -> Shop:
    secrets = {merchant.name: read_secret(merchant.secret_path) for merchant in config.merchants}
    addresses = {
        merchant.name: Address(merchant.notify_url, secrets[merchant.name])
        for merchant in config.merchants
        if merchant.notify_url
    }
    secrets[OFFICE] = read_secret(config.office_secret_path)
    book = Book(config.state_path)
    ledger = Ledger(book, Terms(config.opening_minor, config.free_minor, config.password_ms))
    notifier = Notifier(book, ledger, addresses, now_ms=now_ms, chance=chance)
    return Shop(book, ledger, notifier, Door(Gate(secrets, began_ms=now_ms()), secrets, now_ms))


async def _verb(request: Request) -> Response:
    """One of the five verbs, for a merchant."""
    shop: Shop = request.app.state.shop
    visitor = await shop.door.enter(request, office=False)
    if isinstance(visitor, Response):
        return visitor
    shape, do = VERBS[request.url.path]
    try:
        message = shape.model_validate_json(visitor.body)
    except ValidationError as trouble:
        return shop.door.unreadable(visitor, trouble)
    reply = await run_in_threadpool(do, shop.ledger, visitor.proven.merchant, message, shop.door.now_ms())
    shop.notifier.wake()
    return await _deliver(shop.door, visitor, reply)


async def _mood(request: Request) -> Response:
    """The office changes how the wallet behaves."""
    shop: Shop = request.app.state.shop
    visitor = await shop.door.enter(request, office=True)
    if isinstance(visitor, Response):
        return visitor
    try:
        mood = Mood.model_validate_json(visitor.body)
    except ValidationError as trouble:
        return shop.door.unreadable(visitor, trouble)
    return shop.door.answer(visitor, 200, await run_in_threadpool(shop.ledger.set_mood, mood))


async def _statement(request: Request) -> Response:
    """The office asks for the trades after a row."""
    shop: Shop = request.app.state.shop
    visitor = await shop.door.enter(request, office=True)
    if isinstance(visitor, Response):
        return visitor
    after = request.query_params.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) <= 15):
        no_number = Trouble(what="statement", why="`after` is no number", advice="say after=0")
        return shop.door.answer(visitor, 400, no_number)
    return shop.door.answer(visitor, 200, await run_in_threadpool(shop.ledger.statement, int(after)))


async def _deliver(door: Door, visitor: Visitor, reply: Reply) -> Response:
    """Say it as the manner wants: late, not at all, or as it is."""
    await asyncio.sleep(reply.wait_ms / 1_000)
    match reply.says:
        case Says.NOTHING:
            return HangUp()
        case Says.ERROR:
            why, advice = "trouble inside the wallet", SENTENCES[Word.SYSTEM_ERROR]
            return door.answer(visitor, 500, Trouble(what=Word.SYSTEM_ERROR, why=why, advice=advice))
        case Says.TRUTH:
            return door.answer(visitor, 200, reply.answer)


async def _book_trouble(_: Request, trouble: Exception) -> Response:
    """The disk is full or broken. Nothing is claimed: to the caller it is UNKNOWN."""
    log.error("the wallet's book does not answer: %s", trouble)
    return unsigned(500, Trouble(what=Word.SYSTEM_ERROR, why="the book does not answer", advice="query it"))
