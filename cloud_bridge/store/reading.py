"""What the console asks: plain rows as frozen dataclasses, made from the tables. Reads only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select, tuple_

from tillbox.cloud_bridge.book import accounts
from tillbox.contracts.messages import Updating
from tillbox.contracts.money import coupon_unit

from . import tables
from .tables import PRESENT

MOST = 500
"""So many rows one list has at the most."""


def bounded(most: int) -> int:
    """How many rows to fetch: SQLite takes a limit below zero for none at all."""
    return max(0, min(most, MOST))


@dataclass(frozen=True, slots=True)
class SaleRow:
    """One sale in a list."""

    tid: str
    device: str
    number: int
    total: int
    discount: int
    amount: int
    tender: str
    coupon: str
    online: bool
    sold_ms: int
    """When it was sold, at the latest that the box knew; when it came in where the box did not know the hour."""
    received_ms: int
    voided: bool
    refunded: int


@dataclass(frozen=True, slots=True)
class BesideRow:
    """One record that is no sale of ours: another till's paper, or a drawer that was opened. `what` is the other till's name, or
    the reason; `lines` are name, quantity in words and amount."""

    tid: str
    device: str
    kind: str
    what: str
    received_ms: int
    paper: str = ""
    verdict: str = ""
    why: str = ""
    number: str = ""
    total: int | None = None
    lines: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class PostingRow:
    """One leg of a transaction."""

    tid: str
    leg: int
    kind: str
    account: str
    unit: str
    minor: int
    posted_ms: int


@dataclass(frozen=True, slots=True)
class SaleDetail:
    """One sale down to its postings."""

    row: SaleRow
    record: dict[str, Any]
    outcome: str
    hash: str
    attempt: str
    history: tuple[tuple[int, str, str], ...]
    reversals: tuple[tuple[str, str, int, int], ...]
    postings: tuple[PostingRow, ...]


@dataclass(frozen=True, slots=True)
class BoxRow:
    """One box as the core knows it."""

    device: str
    state: str
    since_ms: int
    heard_ms: int
    pending: int
    oldest_pending_ms: int | None
    records: int
    standing: str
    alarms: int


@dataclass(frozen=True, slots=True)
class AwayRow:
    """One box that is lost."""

    device: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class BootRow:
    """One opening of a box's journal, and how far the core holds it."""

    inc: str
    number: int
    held: int
    standing: str
    opened_ms: int


@dataclass(frozen=True, slots=True)
class BoxDetail:
    """One box with what it did lately and what is wrong with it."""

    row: BoxRow
    free_bytes: int | None
    boots: tuple[BootRow, ...]
    sales: tuple[SaleRow, ...]
    alarms: tuple[AlarmRow, ...]
    refused: tuple[RefusedRow, ...]
    local_refused: tuple[tuple[str, int], ...]
    """What the box itself refused since it started, as it last said."""
    updates: Updating | None = None
    """Where its updates stand; None where it takes no releases by itself."""


@dataclass(frozen=True, slots=True)
class Day:
    """What was sold in a stretch of time, as it came in."""

    count: int
    amount: int
    discount: int
    offline: int
    cash: int
    reversed: int


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """One lease of a template."""

    id: str
    device: str
    first: int
    last: int
    left: int
    state: str
    expires_ms: int


@dataclass(frozen=True, slots=True)
class CouponDetail:
    """One template with its stock."""

    name: str
    title: str
    issued: int
    free: int
    leased: int
    redeemed: int
    leases: tuple[LeaseRow, ...]


@dataclass(frozen=True, slots=True)
class OpenPayment:
    """An attempt that has not ended, or whose money no sale took up."""

    attempt: str
    device: str
    amount: int
    state: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """Something that somebody must look at."""

    kind: str
    device: str
    ref: str
    detail: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """Messages that were refused, counted."""

    device: str
    reason: str
    count: int
    sample: str
    last_ms: int


def sales(
    connection: Connection,
    *,
    device: str = "",
    template: str = "",
    before: tuple[int, str] | None = None,
    most: int = 50,
) -> list[SaleRow]:
    """The newest sales first, of one box or with one coupon; `before` is the (received_ms, tid) of the last one that was seen, for a whole
    queue that drained at once came in at one moment."""
    column = tables.sale.c
    query = select(tables.sale).order_by(column.received_ms.desc(), column.tid.desc()).limit(most)
    if device:
        query = query.where(column.device == device)
    if template:
        query = query.where(column.template == template)
    if before is not None:
        ms, tid = before
        query = query.where((column.received_ms < ms) | ((column.received_ms == ms) & (column.tid < tid)))
    return _sale_rows(connection, connection.execute(query).all())


BESIDE = ("tapped", "drawer_opened")


def beside(
    connection: Connection, *, before: tuple[int, str] | None = None, most: int = 50
) -> list[BesideRow]:
    """The newest of what happened beside the sales; `before` as in `sales`."""
    column = tables.inbox.c
    query = (
        select(tables.inbox)
        .where(column.kind.in_(BESIDE))
        .order_by(column.received_ms.desc(), column.tid.desc())
        .limit(most)
    )
    if before is not None:
        ms, tid = before
        query = query.where((column.received_ms < ms) | ((column.received_ms == ms) & (column.tid < tid)))
    return [_beside_row(row) for row in connection.execute(query)]


def _beside_row(row: Any) -> BesideRow:
    body = json.loads(row.bytes)["body"]
    if row.kind == "drawer_opened":
        return BesideRow(row.tid, row.device, row.kind, str(body.get("reason", "")), row.received_ms)
    return BesideRow(
        tid=row.tid,
        device=row.device,
        kind=row.kind,
        what=body["till"],
        received_ms=row.received_ms,
        paper=body["paper"],
        verdict=body["verdict"],
        why=body.get("why", ""),
        number=body.get("number", ""),
        total=body.get("total"),
        lines=tuple(
            (line["name"], _quantity(line.get("quantity_milli")), line["amount"])
            for line in body.get("lines", ())
        ),
    )


def _quantity(milli: int | None) -> str:
    return "" if milli is None else f"{milli / 1_000:g}"


def _sale_rows(connection: Connection, rows: Any) -> list[SaleRow]:
    tids = [row.tid for row in rows]
    reversal = tables.reversal.c
    found = connection.execute(
        select(reversal.of, reversal.kind, reversal.amount).where(reversal.of.in_(tids))
    ).all()
    voided = {of for of, kind, _ in found if kind == "void"}
    refunded: dict[str, int] = {}
    for of, kind, amount in found:
        if kind == "refund":
            refunded[of] = refunded.get(of, 0) + amount
    return [
        SaleRow(
            tid=row.tid,
            device=row.device,
            number=row.number,
            total=row.total,
            discount=row.discount,
            amount=row.amount,
            tender=row.tender,
            coupon=f"{row.template} #{row.serial}" if row.template else "",
            online=bool(row.online),
            sold_ms=min(row.sold_to_ms, row.received_ms),
            received_ms=row.received_ms,
            voided=row.tid in voided,
            refunded=refunded.get(row.tid, 0),
        )
        for row in rows
    ]


def sale(connection: Connection, tid: str) -> SaleDetail | None:
    """One sale, or None where there is none of that id."""
    found = connection.execute(select(tables.sale).where(tables.sale.c.tid == tid)).all()
    if not found:
        return None
    row, attempt = _sale_rows(connection, found)[0], found[0].attempt or ""
    inbox = connection.execute(select(tables.inbox).where(tables.inbox.c.tid == tid).limit(1)).one()
    events = tables.payment_event.c
    history = connection.execute(
        select(events.at_ms, events.event, events.state).where(events.attempt == attempt).order_by(events.id)
    )
    reversal = tables.reversal.c
    reversals = connection.execute(
        select(reversal.tid, reversal.kind, reversal.amount, reversal.received_ms).where(reversal.of == tid)
    ).all()
    tids = [tid, *(one.tid for one in reversals)]
    touched = (tables.posting.c.tid.in_(tids)) | (tables.posting.c.account == accounts.payment(attempt))
    if attempt:
        through = select(tables.posting.c.tid).where(tables.posting.c.account == accounts.payment(attempt))
        touched = tables.posting.c.tid.in_(tids) | tables.posting.c.tid.in_(through)
    legs = connection.execute(
        _LEGS.where(touched).order_by(tables.txn.c.posted_ms, tables.posting.c.tid, tables.posting.c.leg)
    )
    return SaleDetail(
        row=row,
        record=json.loads(inbox.bytes),
        outcome=inbox.outcome,
        hash=inbox.hash,
        attempt=attempt,
        history=tuple((at, event, state) for at, event, state in history),
        reversals=tuple((one.tid, one.kind, one.amount, one.received_ms) for one in reversals),
        postings=tuple(PostingRow(*leg) for leg in legs),
    )


_LEGS = select(
    tables.posting.c.tid,
    tables.posting.c.leg,
    tables.txn.c.kind,
    tables.posting.c.account,
    tables.posting.c.unit,
    tables.posting.c.minor,
    tables.txn.c.posted_ms,
).join(tables.txn, tables.txn.c.tid == tables.posting.c.tid)


def account(
    connection: Connection, name: str, *, before: tuple[int, str, int] | None = None, most: int = 100
) -> list[PostingRow]:
    """What a balance is made of, the newest postings first; `before` is the (posted_ms, tid, leg) of the last one
    that was seen."""
    place = tuple_(tables.txn.c.posted_ms, tables.posting.c.tid, tables.posting.c.leg)
    query = _LEGS.where(tables.posting.c.account == name)
    if before is not None:
        query = query.where(place < before)
    query = query.order_by(*(column.desc() for column in place.clauses)).limit(most)
    return [PostingRow(*leg) for leg in connection.execute(query)]


def balances(connection: Connection, name: str) -> list[tuple[str, int]]:
    """What stands on an account, a unit each."""
    column = tables.balance.c
    query = select(column.unit, column.minor).where(column.account == name).order_by(column.unit)
    return [(unit, minor) for unit, minor in connection.execute(query)]


def away(connection: Connection, *, most: int = 100) -> list[AwayRow]:
    """Boxes that are lost, the latest first: that one somebody can still do something about."""
    column = tables.box.c
    query = select(column.device, column.since_ms).where(column.state == "lost")
    rows = connection.execute(query.order_by(column.since_ms.desc(), column.device).limit(most))
    return [AwayRow(*row) for row in rows]


def _box_row(row: Any, records: int, standing: str, shouts: int) -> BoxRow:
    health = json.loads(row.telemetry or b"{}")
    return BoxRow(
        device=row.device,
        state="online" if row.state in PRESENT else row.state,
        since_ms=row.since_ms,
        heard_ms=row.heard_ms,
        pending=int(health.get("pending", 0)),
        oldest_pending_ms=health.get("oldest_pending_ms"),
        records=records,
        standing=standing,
        alarms=shouts,
    )


def box(connection: Connection, device: str) -> BoxDetail | None:
    """One box, or None where the core never heard of it."""
    found = connection.execute(select(tables.box).where(tables.box.c.device == device)).one_or_none()
    if found is None:
        return None
    health = json.loads(found.telemetry or b"{}")
    boot = tables.incarnation.c
    boots = [
        BootRow(row.inc, row.number, row.watermark, row.standing, row.opened_ms)
        for row in connection.execute(
            select(tables.incarnation).where(boot.device == device).order_by(boot.number.desc()).limit(5)
        )
    ]
    held = select(func.coalesce(func.sum(boot.watermark), 0)).where(boot.device == device)
    records = int(connection.execute(held).scalar_one())
    shouted = tuple(alarms(connection, device=device))
    standing = boots[0].standing if boots else "unheard"
    return BoxDetail(
        row=_box_row(found, records, standing, len(shouted)),
        free_bytes=health.get("free_bytes"),
        boots=tuple(boots),
        sales=tuple(sales(connection, device=device, most=10)),
        alarms=shouted,
        refused=tuple(one for one in refused(connection) if one.device == device),
        local_refused=tuple(sorted(health.get("refused", {}).items())),
        updates=Updating.model_validate(health["updates"]) if health.get("updates") else None,
    )


def day(connection: Connection, *, since_ms: int) -> Day:
    """What came in since a moment."""
    column = tables.sale.c
    mine = column.received_ms >= since_ms
    query = select(
        func.count(),
        func.coalesce(func.sum(column.amount), 0),
        func.coalesce(func.sum(column.discount), 0),
        func.coalesce(func.sum(1 - column.online), 0),
        func.coalesce(func.sum(case((column.tender == "cash", column.amount), else_=0)), 0),
    ).where(mine)
    count, amount, discount, offline, cash = connection.execute(query).one()
    back = tables.reversal.c
    paid_back = (
        select(
            func.coalesce(func.sum(back.amount), 0),
            func.coalesce(func.sum(case((column.tender == "cash", back.amount), else_=0)), 0),
        )
        .select_from(tables.reversal.outerjoin(tables.sale, column.tid == back.of))
        .where(back.received_ms >= since_ms)
    )
    reversed_, cash_back = connection.execute(paid_back).one()
    return Day(int(count), int(amount), int(discount), int(offline), int(cash - cash_back), int(reversed_))


def coupon(connection: Connection, name: str) -> CouponDetail | None:
    """One template with its stock and its leases, or None."""
    row = connection.execute(select(tables.template).where(tables.template.c.name == name)).one_or_none()
    if row is None:
        return None
    unit = str(coupon_unit(name))
    held = {
        key: value
        for key, value in connection.execute(
            select(tables.balance.c.account, tables.balance.c.minor).where(tables.balance.c.unit == unit)
        )
    }
    leases = [
        LeaseRow(
            one.id,
            one.device,
            one.first,
            one.last,
            held.get(accounts.lease(one.id), 0),
            one.state,
            one.expires_ms,
        )
        for one in connection.execute(
            select(tables.lease)
            .where(tables.lease.c.template == name)
            .order_by(tables.lease.c.granted_ms.desc())
        )
    ]
    return CouponDetail(
        name=name,
        title=row.title,
        issued=row.issued,
        free=held.get(accounts.stock(name), 0),
        leased=sum(one.left for one in leases),
        redeemed=sum(minor for account_, minor in held.items() if account_.startswith("coupon:")),
        leases=tuple(leases),
    )


def templates(connection: Connection) -> list[str]:
    """The names of all templates."""
    return list(connection.execute(select(tables.template.c.name).order_by(tables.template.c.name)).scalars())


def alarms(connection: Connection, *, device: str = "", most: int = 100) -> list[AlarmRow]:
    """The newest alarms first."""
    query = select(tables.alarm).order_by(tables.alarm.c.id.desc()).limit(most)
    if device:
        query = query.where(tables.alarm.c.device == device)
    return [
        AlarmRow(row.kind, row.device, row.ref, row.detail, row.at_ms) for row in connection.execute(query)
    ]


def refused(connection: Connection) -> list[RefusedRow]:
    """What was refused, the most frequent first."""
    column = tables.refused.c
    query = select(column.device, column.reason, column["count"], column.sample, column.last_ms)
    rows = connection.execute(query.order_by(column["count"].desc()).limit(100))
    return [RefusedRow(*row) for row in rows]


def payments_open(connection: Connection) -> list[OpenPayment]:
    """Attempts that are not final, and money that was paid and that no sale took up."""
    payment, balance = tables.payment.c, tables.balance.c
    owing = select(balance.account).where(balance.account.like("payment:%"), balance.minor < 0)
    attempts = {name.removeprefix("payment:") for name in connection.execute(owing).scalars()}
    final = ("paid", "declined", "reversed")
    query = select(payment.attempt, payment.device, payment.amount, payment.state, payment.created_ms)
    rows = connection.execute(query.where(payment.state.not_in(final) | payment.attempt.in_(attempts)))
    return [OpenPayment(*row) for row in rows]
