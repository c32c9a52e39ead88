"""Alerts out of the house: a webhook and e-mail. Each goes on where it was, and says everything at least once.

The queue is the store's own list of events, so a core that dies loses none. Where to send comes from the configuration
alone, never from what a box said; nothing is followed to another host. An event keeps its id however often it is sent.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import Enum
from itertools import groupby
from pathlib import Path
from typing import Protocol

import httpx
import structlog
from sqlalchemy import select

from tillbox.cloud_bridge.store import health_lists
from tillbox.cloud_bridge.store.database import Database, upsert
from tillbox.cloud_bridge.store.health_lists import AlertEvent
from tillbox.cloud_bridge.store.tables import alert_route

LOOK_S = 20.0
SEND_S = 10.0
AGAIN_MIN_S, AGAIN_MAX_S = 5.0, 900.0
BACKLOG_MAX = 1_000  # who was away for so long is told from the list, not by a thousand messages
LETTER_PAUSE_S = 60.0  # a store whose power goes has ten alerts in a minute, and they are one letter
LETTER_EVENTS = 100
NEVER = (400, 413, 415, 422)  # the other side will not take this one, however often it is sent

log = structlog.get_logger(__name__)


class Sent(Enum):
    """What became of it."""

    TAKEN = "taken"
    AGAIN = "again"
    REFUSED = "refused"  # and it would be again: pass over it


class Way(Protocol):
    """A way out of the house. `send` may take its time, and raises nothing that it knows of."""

    @property
    def name(self) -> str: ...
    @property
    def at_once(self) -> int: ...
    @property
    def pause_s(self) -> float: ...
    def send(self, events: Sequence[AlertEvent]) -> Sent: ...


def event_id(event: AlertEvent) -> str:
    """The same for an event whenever it is sent, and no other's; a store that was put back numbers anew, at another time."""
    return f"{event.at_ms}-{event.id}"


def signature(secret: bytes, event: str, at_ms: int, body: bytes) -> str:
    """What proves to the other side that this core says it: HMAC-SHA256 over id, time and body."""
    return hmac.new(secret, f"{event}\n{at_ms}\n".encode() + body, hashlib.sha256).hexdigest()


def trusting(authority: Path | None) -> ssl.SSLContext:
    """TLS that believes the machine's authorities, or one's own alone."""
    return ssl.create_default_context(cafile=str(authority) if authority else None)


@dataclass(frozen=True, slots=True)
class Webhook:
    """An HTTPS POST of JSON for each event."""

    url: str
    secret: bytes = field(repr=False)
    now_ms: Callable[[], int]
    authority: Path | None = None
    name: str = "webhook"
    at_once: int = 1
    pause_s: float = 0.0

    def send(self, events: Sequence[AlertEvent]) -> Sent:
        """One event. A redirect is not followed: it would lead where the configuration does not."""
        (event,) = events
        body = json.dumps(event.model_dump(), ensure_ascii=False, sort_keys=True).encode()
        at_ms, name = self.now_ms(), event_id(event)
        headers = {
            "Content-Type": "application/json",
            "Tillbox-Event": name,
            "Tillbox-Timestamp": str(at_ms),
            "Tillbox-Signature": signature(self.secret, name, at_ms, body),
        }
        try:
            # Its body is not read: nobody here needs it, and it may have no end.
            with (
                httpx.Client(verify=trusting(self.authority), timeout=SEND_S, trust_env=False) as client,
                client.stream("POST", self.url, content=body, headers=headers) as answer,
            ):
                status = answer.status_code
        except (httpx.HTTPError, OSError) as why:
            log.warning("webhook.failed", alert=name, why=str(why), hint="it is sent again")
            return Sent.AGAIN
        if 200 <= status < 300:
            return Sent.TAKEN
        log.warning("webhook.refused", alert=name, status=status)
        return Sent.REFUSED if status in NEVER else Sent.AGAIN


@dataclass(frozen=True, slots=True)
class Post:
    """E-mail over a server that speaks STARTTLS; without TLS nothing is sent."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    authority: Path | None = None
    language: str = "zh"
    name: str = "mail"
    at_once: int = LETTER_EVENTS
    pause_s: float = LETTER_PAUSE_S

    def send(self, events: Sequence[AlertEvent]) -> Sent:
        """One letter about all of them."""
        try:
            with smtplib.SMTP(self.host, self.port, timeout=SEND_S) as server:
                server.starttls(context=trusting(self.authority))
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(self._letter(events))
        except (smtplib.SMTPException, OSError) as why:
            log.warning("mail.failed", events=len(events), why=type(why).__name__, hint="it is sent again")
            return Sent.AGAIN
        return Sent.TAKEN

    def _letter(self, events: Sequence[AlertEvent]) -> EmailMessage:
        letter = EmailMessage()
        subject, text = words(events, self.language)
        letter["Subject"], letter["From"], letter["To"] = subject, self.sender, ", ".join(self.to)
        domain = self.sender.rpartition("@")[2]
        letter["Message-ID"] = f"<tillbox-{event_id(events[0])}-{events[-1].id}@{domain}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(text)
        return letter


def words(events: Sequence[AlertEvent], language: str) -> tuple[str, str]:
    """Subject and text of a letter, store by store: what happened and what to do. Pure."""
    raised = sum(event.what == "raised" for event in events)
    cleared = len(events) - raised
    en = language == "en"
    subject = (
        f"Tillbox: {raised} to see to, {cleared} over"
        if en
        else f"Tillbox：{raised} 项待处理，{cleared} 项已恢复"
    )
    nowhere = "all, or no place" if en else "全体或未安排门店"
    lines: list[str] = []
    for store, group in groupby(sorted(events, key=lambda one: (one.store, one.id)), lambda one: one.store):
        lines += [f"{store or nowhere}", *(_line(one, en=en) for one in group), ""]
    return subject, "\n".join(lines)


def _line(event: AlertEvent, *, en: bool) -> str:
    where = " ".join(part for part in (event.position or event.device, event.subject) if part)
    what = (event.en if en else event.zh) + (f" ({event.detail})" if event.detail else "")
    over = ("over: " if en else "已恢复：") if event.what == "cleared" else ""
    return f"  {where}: {over}{what}" if where else f"  {over}{what}"


class Herald:
    """Everything that goes out: a messenger for each way, so that one that is stuck keeps nobody but itself waiting."""

    def __init__(self, database: Database, ways: Sequence[Way], *, clock_s: Callable[[], float]) -> None:
        self._messengers = [_Messenger(database, way, clock_s) for way in ways]

    def start(self) -> None:
        """Go to work."""
        for one in self._messengers:
            one.start()

    def wake(self) -> None:
        """There is something new to say."""
        for one in self._messengers:
            one.wake()

    def stop(self) -> None:
        """End soon; what is not sent yet is sent by the next start."""
        for one in self._messengers:
            one.end()
        for one in self._messengers:
            one.join()

    def turn(self) -> float:
        """Send what is due on every way, one after the other; how long there is nothing to do."""
        return min([LOOK_S, *(one.turn() for one in self._messengers)])


class _Messenger:
    """One way's thread; what fails is sent again, ever more patiently. Its place in the list of events is its own."""

    def __init__(self, database: Database, way: Way, clock_s: Callable[[], float]) -> None:
        self._database, self._way, self._clock_s = database, way, clock_s
        self._due_s, self._again_s = (
            0.0,
            AGAIN_MIN_S,
        )  # when it is looked at next, and how patient it has become
        self._woken, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"herald {way.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._woken.set()

    def end(self) -> None:
        self._ended.set()
        self._woken.set()

    def join(self) -> None:
        self._thread.join(SEND_S + 1.0)

    def _work(self) -> None:
        while not self._ended.is_set():
            wait_s = LOOK_S
            try:
                wait_s = self.turn()
            except Exception:
                log.exception("herald.failed", way=self._way.name, hint="it is tried again")
            self._woken.wait(wait_s)
            self._woken.clear()

    def turn(self) -> float:
        """Send what is due; how long there is nothing to do."""
        while self._clock_s() >= self._due_s and not self._ended.is_set() and self._send():
            pass
        left_s = self._due_s - self._clock_s()
        return min(LOOK_S, left_s) if left_s > 0 else LOOK_S

    def _send(self) -> bool:
        """The next; whether there was any."""
        through = self._through()
        with self._database.reading() as connection:
            events = health_lists.events_after(connection, through, most=self._way.at_once)
        if not events:
            return False
        sent = self._way.send(events)
        if sent is Sent.AGAIN:
            self._due_s = self._clock_s() + self._again_s
            self._again_s = min(AGAIN_MAX_S, 2 * self._again_s)
            return True
        self._due_s, self._again_s = self._clock_s() + self._way.pause_s, AGAIN_MIN_S
        self._went(events[-1].id)
        return True

    def _through(self) -> int:
        """How far it has come. A way that is new begins now: what was over before it was set up is no news."""
        mine = select(alert_route.c.through_id).where(alert_route.c.name == self._way.name)
        with self._database.reading() as connection:
            found = connection.execute(mine).scalar()
            newest = health_lists.newest_event(connection)
        if found is None:
            self._went(newest)
            return newest
        if newest - found > BACKLOG_MAX:
            log.warning(
                "herald.passed_over",
                way=self._way.name,
                events=newest - found - BACKLOG_MAX,
                hint="they are in the list",
            )
            return newest - BACKLOG_MAX
        return int(found)

    def _went(self, through: int) -> None:
        with self._database.writing() as connection:
            upsert(connection, alert_route, [{"name": self._way.name, "through_id": through}], "name")
