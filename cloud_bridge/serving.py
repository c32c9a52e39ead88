"""A core with its web pages, made from a configuration."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from sqlalchemy import select

from tillbox.broker.mosquitto import CORE_USER
from tillbox.broker.mosquitto.server import INFLIGHT_MAX
from tillbox.broker.mqtt import Endpoint, MqttLine
from tillbox.broker.own import own_file, own_port
from tillbox.broker.supervisor import Supervisor
from tillbox.contracts.verdicts import Reason, Refused

from .api.fleet import add_fleet_api
from .api.shells import add_shell_api
from .app import CLAIM_SUBSCRIPTIONS, SUBSCRIPTIONS, Core, Notified
from .clock import steady_ms, steady_s, wall_ms
from .config import AlertsOut, CoreConfig
from .config import Fleet as FleetConfig
from .console.app import Do, build_console
from .console.auth import Session
from .console.changes import Changes
from .fleet.acts import ACTS, Fleet, perform
from .fleet.dispatch import Dispatch
from .fleet.enrolment import Registrar
from .fleet.heralds import Herald, Post, Way, Webhook
from .fleet.home import FleetHome
from .fleet.onlooker import Onlooker
from .fleet.shells import Shells
from .fleet.warden import ServiceDoor, Warden
from .payments.channels.sandbox_client import SandboxChannel
from .payments.channels.sandbox_seal import read_private, read_secret
from .payments.channels.sandbox_wire import Notification, verify_notification
from .payments.machine import Schedule, Told
from .probes import add_probes
from .store import coupons, tables
from .store.database import Database, database_file, open_database
from .store.ledger import Ledger

ANSWERS_MAX = 20_000  # acks and answers on their way: what is let go here is asked for again, and costs more than its 500 bytes
NOTICE_BYTES_MAX = 16_384
NOTICE_WAIT_S = 2.5  # before the wallet, which waits three seconds, has given up


@dataclass(frozen=True, slots=True)
class Running:
    """A core and its pages."""

    core: Core
    server: uvicorn.Server
    lock: IO[bytes] | None
    thread: threading.Thread
    herald: Herald

    def start(self) -> None:
        """Open both doors."""
        self.core.start()
        self.herald.start()
        self.thread.start()

    def stop(self) -> None:
        """Close them."""
        self.server.should_exit = True
        self.core.stop()
        self.herald.stop()
        self.thread.join(5.0)
        self.core.database.close()
        if self.lock is not None:
            self.lock.close()


def build(config: CoreConfig, *, chance: Callable[[int], bytes]) -> Running:
    """Everything of a core, wired and not yet started. Raises SettingsWrong, SecretUnsafe, TakenAlready,
    StoreUnknown, and what a database says that cannot be opened; nothing is made before the settings are sound."""
    secret, ways = read_secret(config.wallet.secret), _ways(config.alerts)
    door = own_port(config.http_port, str(config.http_host))
    lock = own_file(path) if (path := database_file(config.database)) else None
    database = open_database(config.database)
    _stock_up(database, config)
    wallet = config.wallet
    channel = SandboxChannel(wallet.url, wallet.merchant, secret, now_ms=wall_ms, chance=chance)
    changes = Changes()
    home = FleetHome(config.fleet.home) if config.fleet else None
    clocks = {"now_ms": wall_ms, "steady_ms": steady_ms}
    onlooker = Onlooker(database, **clocks, on_news=changes.happened) if config.fleet else None
    herald = Herald(database, ways, clock_s=steady_s)
    line = MqttLine(_endpoint(config))
    shells = (
        Shells(database, publish=lambda *said: line.publish(*said, qos=0), **clocks, chance=chance)
        if config.fleet
        else None
    )
    core = Core(
        database=database,
        line=line,
        channel=channel,
        schedule=config.schedule(),
        now_ms=wall_ms,
        chance=chance,
        on_change=changes.happened,
        claims=_claims(config, config.fleet, home, chance) if config.fleet and home else None,
        registrar=_registrar(config.fleet, home, database) if config.fleet and home else None,
        warden=_warden(config.fleet, home, database) if config.fleet and home else None,
        dispatch=Dispatch(database) if config.fleet else None,
        console_url=config.fleet.console_url.rstrip("/") if config.fleet else "",
        alive=Supervisor().alive,
        on_alert=herald.wake,
        onlooker=onlooker,
        shells=shells,
    )
    fleet = _fleet(config.fleet, home, config.schedule(), shells) if config.fleet and home else None
    do = _do(database, fleet, core, chance) if fleet else None
    app = build_console(database, changes, now_ms=wall_ms, chance=chance, do=do, onlooker=onlooker)
    _take_notices(app, core, secret)
    if fleet is not None and onlooker is not None:
        add_fleet_api(
            app, database, fleet, now_ms=wall_ms, chance=chance, done=core.fleet_changed, onlooker=onlooker
        )
        add_shell_api(app, database, fleet)
    add_probes(app, core)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, server_header=False))
    pages = threading.Thread(target=server.run, args=([door],), name="pages", daemon=True)
    return Running(core, server, lock, pages, herald)


def _ways(told: AlertsOut) -> list[Way]:
    """The ways by which alerts leave the house. SecretUnsafe where a secret is not one."""
    ways: list[Way] = []
    if told.webhook is not None:
        hook = told.webhook
        ways.append(Webhook(hook.url, read_secret(hook.secret), now_ms=wall_ms, authority=hook.authority))
    if told.mail is not None:
        mail = told.mail
        password = read_private(mail.password) if mail.password else ""
        ways.append(
            Post(
                mail.host, mail.port, mail.sender, mail.to, mail.user, password, mail.authority, mail.language
            )
        )
    return ways


def _claims(
    config: CoreConfig, told: FleetConfig, home: FleetHome, chance: Callable[[int], bytes]
) -> MqttLine:
    """The core at the door for claims, under a name that nobody there can guess and take."""
    endpoint = Endpoint(
        host=config.broker.host,
        port=told.claim_port,
        client_id=chance(16).hex(),
        authority=config.broker.authority,
        certificate=None,
        key=None,
        password=(CORE_USER, home.service_password),
        subscriptions=CLAIM_SUBSCRIPTIONS,
        reconnect_max_s=5,
    )
    return MqttLine(endpoint)


def _registrar(told: FleetConfig, home: FleetHome, database: Database) -> Registrar:
    return Registrar(database, home.authority, home.key, host=told.host, port=told.port)


def _warden(told: FleetConfig, home: FleetHome, database: Database) -> Warden:
    # On this machine the door is open to this machine alone, and speaks no TLS.
    door = ServiceDoor(
        host=told.service_host or "127.0.0.1",
        port=told.service_port,
        password=home.service_password,
        authority=home.authority.certificate if told.service_host else None,
    )
    return Warden(database, home.authority, door, copy=told.revocations, now_ms=wall_ms)


def _fleet(told: FleetConfig, home: FleetHome, schedule: Schedule, shells: Shells | None) -> Fleet:
    return Fleet(
        key=home.key,
        tenant=told.tenant,
        host=told.host,
        claim_port=told.claim_port,
        sale_max=told.sale_max,
        total_max=told.total_max,
        second_person_above=told.second_person_above,
        schedule=schedule,
        shells=shells,
    )


def _do(database: Database, fleet: Fleet, core: Core, chance: Callable[[int], bytes]) -> Do:
    """What the console's forms do: the same acts as the API's, by whoever is signed in."""

    def do(act: str, said: dict[str, Any], session: Session) -> BaseModel | Refused:
        if act not in ACTS:
            return Refused(Reason.NOT_UNDERSTOOD, act[:32])
        found = perform(
            database,
            fleet,
            act,
            said,
            who=session.operator,
            role=session.role,
            now_ms=wall_ms(),
            chance=chance,
        )
        if not isinstance(found, Refused):
            core.fleet_changed()
        return found

    return do


def _endpoint(config: CoreConfig) -> Endpoint:
    broker = config.broker
    return Endpoint(
        host=broker.host,
        port=broker.port,
        client_id="core",
        authority=broker.authority,
        certificate=broker.certificate,
        key=broker.key,
        subscriptions=SUBSCRIPTIONS,
        manual_ack=True,
        reconnect_max_s=5,
        inflight_max=INFLIGHT_MAX,
        unanswered_max=ANSWERS_MAX,
    )


def _stock_up(database: Database, config: CoreConfig) -> None:
    """Coupon templates of the configuration that are not there yet."""
    with database.writing() as connection:
        known = set(connection.execute(select(tables.template.c.name)).scalars())
        ledger = Ledger(connection, wall_ms())
        for stock in config.stocks:
            if stock.name not in known:
                coupons.issue(
                    connection,
                    ledger,
                    name=stock.name,
                    title=stock.title,
                    quantity=stock.quantity,
                    lease_ms=stock.lease_ms,
                    tid=f"issue:{stock.name}",
                )
        ledger.flush()


def _take_notices(app: FastAPI, core: Core, secret: bytes) -> None:
    """What the wallet says unasked. Only what it signed is taken; anything else is told so."""

    @app.post("/notify")
    async def notify(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > NOTICE_BYTES_MAX:
                return Response(status_code=413)
        notice = verify_notification(dict(request.headers), body, secret, wall_ms())
        if not isinstance(notice, Notification):
            return Response(
                json.dumps({"refused": "this notice is not proven"}), 401, media_type="application/json"
            )
        said = core.notified(Notified(notice.attempt_no, Told(notice.state), notice.minor))
        try:
            taken = await asyncio.wait_for(asyncio.wrap_future(said), NOTICE_WAIT_S)
        except TimeoutError:
            taken = False
        # Not before it is in the store: a wallet that heard "thank you" does not say it again.
        return Response(status_code=204 if taken else 503)
