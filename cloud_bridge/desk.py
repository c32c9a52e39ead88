"""The desk: answers the boxes' online questions, each in one transaction (hellos many in one). Same question, same
answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, select

from tillbox.contracts.messages import (
    ASK_BODIES,
    BornAnswer,
    BornAsk,
    HelloAnswer,
    HelloAsk,
    LeaseAsk,
    PayAsk,
    PayStatusAsk,
    SlipAnswer,
    SlipAsk,
)
from tillbox.contracts.verdicts import Reason, Refused

from .fleet import papers
from .fleet.missing import missing
from .payments import cashier
from .payments.cashier import Todo
from .payments.machine import Schedule
from .store import coupons, notes, registry, tables
from .store.database import Database
from .store.ledger import Ledger

ASK_BYTES_MAX = 4_096
CHUNK = 400  # boxes per SELECT


@dataclass(frozen=True, slots=True)
class Answered:
    """What to answer now (payments are answered by news), and what to do after the commit."""

    answer: BaseModel | None = None
    todo: Todo = field(default_factory=Todo)
    code: str = ""
    """The payment code, on its way to the channel call; it is stored nowhere."""


class Desk:
    """Where questions are answered. One thread at a time."""

    def __init__(self, database: Database, schedule: Schedule, *, console_url: str = "") -> None:
        self._database = database
        self._schedule = schedule
        self._console_url = console_url

    def answer(self, device: str, name: str, payload: bytes, *, now_ms: int, fresh_id: str) -> Answered:
        """Answer one question. What is not understood is counted, and gets no answer."""
        with self._database.writing() as connection:
            try:
                body = _parse(name, payload)
            except ValidationError:
                notes.count_refused(connection, device, Reason.NOT_UNDERSTOOD, payload, now_ms)
                return Answered()
            ledger = Ledger(connection, now_ms)
            answered = _ANSWERS[name](
                _Asked(connection, ledger, device, now_ms, fresh_id, self._schedule, self._console_url), body
            )
            ledger.flush()
            return answered

    def greet(self, hellos: Sequence[tuple[str, bytes]], *, now_ms: int) -> list[HelloAnswer | None]:
        """Answer many hellos in one transaction, in their order: after a power cut a whole town says it at once."""
        with self._database.writing() as connection:
            standings = _standings(connection, {device for device, _ in hellos})
            return [self._greet(connection, standings, *hello, now_ms) for hello in hellos]

    def _greet(
        self, connection: Connection, standings: _Standings, device: str, payload: bytes, now_ms: int
    ) -> HelloAnswer | None:
        try:
            body = _parse("hello", payload)
        except ValidationError:
            notes.count_refused(connection, device, Reason.NOT_UNDERSTOOD, payload, now_ms)
            return None
        assert isinstance(body, HelloAsk)
        return _hello_answer(standings.get((device, body.inc)), now_ms)


@dataclass(frozen=True, slots=True)
class _Asked:
    connection: Connection
    ledger: Ledger
    device: str
    now_ms: int
    fresh_id: str
    schedule: Schedule
    console_url: str


def _parse(name: str, payload: bytes) -> BaseModel:
    model = ASK_BODIES[name][0]
    return model.model_validate_json(payload if len(payload) <= ASK_BYTES_MAX else b"")


_Standings = dict[tuple[str, str], str]
"""How each incarnation of some boxes stood when it opened."""


def _standings(connection: Connection, devices: set[str]) -> _Standings:
    incarnation, ordered = tables.incarnation.c, sorted(devices)
    found: _Standings = {}
    for start in range(0, len(ordered), CHUNK):
        some = incarnation.device.in_(ordered[start : start + CHUNK])
        rows = connection.execute(
            select(incarnation.device, incarnation.inc, incarnation.standing).where(some)
        )
        found.update({(device, inc): standing for device, inc, standing in rows})
    return found


def _hello_answer(standing: str | None, now_ms: int) -> HelloAnswer:
    return HelloAnswer.model_validate({"core_ms": now_ms, "standing": standing or "waiting"})


def _hello(asked: _Asked, body: HelloAsk) -> Answered:
    standings = _standings(asked.connection, {asked.device})
    return Answered(_hello_answer(standings.get((asked.device, body.inc)), asked.now_ms))


def _pay(asked: _Asked, body: PayAsk) -> Answered:
    todo = cashier.ask(
        asked.connection,
        asked.ledger,
        body,
        device=asked.device,
        now_ms=asked.now_ms,
        schedule=asked.schedule,
    )
    return Answered(todo=todo, code=body.code)


def _pay_status(asked: _Asked, body: PayStatusAsk) -> Answered:
    return Answered(
        todo=cashier.status(
            asked.connection, body.attempt, device=asked.device, now_ms=asked.now_ms, inc=body.inc
        )
    )


def _lease(asked: _Asked, body: LeaseAsk) -> Answered:
    return Answered(
        coupons.grant(
            asked.connection,
            asked.ledger,
            body,
            device=asked.device,
            lease_id=asked.fresh_id,
            now_ms=asked.now_ms,
        )
    )


def _born(asked: _Asked, body: BornAsk) -> Answered:
    """A report for another epoch than the box's own is of no place: it gets no page."""
    known = registry.born(asked.connection, asked.device, body.epoch, body.report.encode())
    page = f"{asked.console_url}/field/{asked.device}" if known and asked.console_url else ""
    return Answered(BornAnswer(epoch=body.epoch, accept_url=page))


def _slip(asked: _Asked, body: SlipAsk) -> Answered:
    """A paper of another box, read at this one."""
    found = papers.take(asked.connection, body.code, now_ms=asked.now_ms, schedule=asked.schedule)
    if isinstance(found, Refused):
        return Answered(SlipAnswer(outcome=found.reason))
    left = sum(gap.count for gap in missing(asked.connection, found.device))
    return Answered(SlipAnswer(outcome="new" if found.new else "known", missing=left))


_ANSWERS: dict[str, Callable[[_Asked, Any], Answered]] = {
    "hello": _hello,
    "pay": _pay,
    "pay_status": _pay_status,
    "lease": _lease,
    "born": _born,
    "slip": _slip,
}
