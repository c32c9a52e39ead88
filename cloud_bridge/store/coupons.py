"""The stock of each coupon template and the leases of it, inside somebody else's transaction.

A lease is granted once per request, and its serials return to the free ranges only by its box's own
closing record. A free range holds numbers that may be lent at once: none is spent, none is held. The
quantities are in the book; the ranges say which numbers they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, delete, insert, select, update

from tillbox.cloud_bridge.alarms import Alarm
from tillbox.cloud_bridge.book import accounts, coupons
from tillbox.cloud_bridge.book.engine import Leg
from tillbox.contracts.messages import LeaseAnswer, LeaseAsk
from tillbox.contracts.money import coupon_unit
from tillbox.contracts.verdicts import Reason

from .ledger import Ledger
from .notes import shout
from .tables import free_range, lease, template

SHARE = 10
SHARE_LEAST = 50
"""One box has out at most a tenth of what was issued, and may always have fifty: the most that a box which is
broken into can take out of a stock. What a lost medium took with it counts for a day."""

DAY_MS = 86_400_000


def issue(
    connection: Connection, ledger: Ledger, *, name: str, title: str, quantity: int, lease_ms: int, tid: str
) -> None:
    """A new template with serials 1 to `quantity`, all free."""
    row = {"name": name, "title": title, "issued": quantity, "lease_ms": lease_ms}
    connection.execute(insert(template), row)
    connection.execute(insert(free_range), {"template": name, "first": 1, "last": quantity})
    decision = ledger.post(coupons.issue(name, quantity), tid=tid, kind="issue", device="")
    assert decision.refused is None, decision


def grant(
    connection: Connection, ledger: Ledger, ask: LeaseAsk, *, device: str, lease_id: str, now_ms: int
) -> LeaseAnswer:
    """The lease of a request: the one granted before, a new one, or why not."""
    known = connection.execute(select(lease).where(lease.c.request == ask.request)).one_or_none()
    if known is not None:
        return _again(ask, known._asdict(), device)
    kind = connection.execute(select(template).where(template.c.name == ask.template)).one_or_none()
    if kind is None or (ask.serial or 0) > kind.issued:
        return _no(ask, Reason.COUPON_UNKNOWN)
    share = max(SHARE_LEAST, kind.issued // SHARE) - _out(connection, ledger, ask.template, device, now_ms)
    if share < 1:
        return _no(ask, Reason.RIGHTS_SHARE_USED)
    taken = _take(connection, ledger, ask, most=share)
    if isinstance(taken, Reason):
        return _no(ask, taken)
    first, last = taken
    decision = ledger.post(
        coupons.grant(ask.template, lease_id, last - first + 1),
        tid=lease_id,
        kind="lease_grant",
        device=device,
    )
    if decision.refused is not None:
        shout(
            connection, Alarm.STOCK_MISMATCH, device=device, ref=lease_id, detail=ask.template, now_ms=now_ms
        )
        return _no(ask, decision.refused)
    row = {
        "id": lease_id,
        "request": ask.request,
        "device": device,
        "template": ask.template,
        "first": first,
        "last": last,
        "spent": b"[]",
        "state": "held",
        "expires_ms": now_ms + kind.lease_ms,
        "granted_ms": now_ms,
    }
    connection.execute(insert(lease), row)
    return _again(ask, row, device)


def close(connection: Connection, ledger: Ledger, *, device: str, lease_id: str, tid: str) -> Reason | None:
    """Take back what is left of a lease by the book's own count. None, or why not."""
    row = connection.execute(select(lease).where(lease.c.id == lease_id)).one_or_none()
    if row is None or row.device != device or row.state != "held":
        return Reason.NO_RIGHT
    left = ledger.balance_of(accounts.lease(lease_id), coupon_unit(row.template))
    ledger.post(coupons.close(row.template, lease_id, left), tid=tid, kind="lease_close", device=device)
    connection.execute(update(lease).where(lease.c.id == lease_id).values(state="closed"))
    for first, last in _unspent(ledger, row.template, row.first, row.last):
        _free(connection, row.template, first, last)
    return None


def any_closed(connection: Connection, legs: Iterable[Leg]) -> bool:
    """Whether these legs move a right of a lease that was given back: what returns to it belongs to the stock."""
    ids = [one.account.partition(":")[2] for one in legs if one.account.startswith("lease:")]
    given_back = select(lease.c.id).where(lease.c.id.in_(ids) & (lease.c.state == "closed"))
    return bool(ids) and connection.execute(given_back).first() is not None


def returned(connection: Connection, legs: Iterable[Leg]) -> None:
    """A void brought rights back to the stock: their numbers are free again."""
    for one in legs:
        if one.account.startswith("coupon:") and one.amount.minor < 0:
            _, name, serial = one.account.split(":")
            _free(connection, name, int(serial), int(serial))


def lose(connection: Connection, device: str) -> list[str]:
    """Every lease of a box whose medium is gone or old: never spent again, never given out again."""
    held = (lease.c.device == device) & (lease.c.state == "held")
    ids = list(connection.execute(select(lease.c.id).where(held)).scalars())
    connection.execute(update(lease).where(held).values(state="lost"))
    return ids


def _out(connection: Connection, ledger: Ledger, name: str, device: str, now_ms: int) -> int:
    """How many rights to a template one box has out: what it holds, and what it lost lately."""
    lately = (lease.c.state == "lost") & (lease.c.granted_ms > now_ms - DAY_MS)
    mine = (lease.c.template == name) & (lease.c.device == device) & ((lease.c.state == "held") | lately)
    ids = list(connection.execute(select(lease.c.id).where(mine)).scalars())
    unit = coupon_unit(name)
    ledger.load([(accounts.lease(one), str(unit)) for one in ids])
    return sum(ledger.balance_of(accounts.lease(one), unit) for one in ids)


def _take(connection: Connection, ledger: Ledger, ask: LeaseAsk, *, most: int) -> tuple[int, int] | Reason:
    """Cut the numbers out of the free ranges: the named one; else out of the lowest range that has as many as
    are wanted, or out of the longest where none has."""
    column = free_range.c
    free, length = (
        select(free_range).where(column.template == ask.template).limit(1),
        column.last - column.first + 1,
    )
    wanted = 1 if ask.serial is not None else min(ask.quantity, most)
    if ask.serial is not None:
        found = connection.execute(
            free.where(column.first <= ask.serial, column.last >= ask.serial)
        ).one_or_none()
    else:
        found = (
            connection.execute(free.where(length >= wanted).order_by(column.first)).one_or_none()
            or connection.execute(free.order_by(length.desc(), column.first)).one_or_none()
        )
    if found is None:
        return (
            Reason.NO_RIGHT if ask.serial is None else _who_has(connection, ledger, ask.template, ask.serial)
        )
    first = ask.serial or found.first
    last = min(found.last, first + wanted - 1)
    _cut(connection, ask.template, found.first, found.last, first, last)
    return first, last


def _who_has(connection: Connection, ledger: Ledger, name: str, serial: int) -> Reason:
    if ledger.balance_of(accounts.coupon(name, serial), coupon_unit(name)):
        return Reason.COUPON_SPENT
    covers = (lease.c.template == name) & (lease.c.first <= serial) & (lease.c.last >= serial)
    held = connection.execute(select(lease.c.id).where(covers & (lease.c.state == "held"))).first()
    return Reason.COUPON_HELD_ELSEWHERE if held else Reason.COUPON_RIGHT_LOST


def _unspent(ledger: Ledger, name: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    """The stretches of a lease's numbers that were not spent."""
    unit = coupon_unit(name)
    ledger.load([(accounts.coupon(name, serial), str(unit)) for serial in range(first, last + 1)])
    begun = None
    for serial in range(first, last + 2):
        free = serial <= last and not ledger.balance_of(accounts.coupon(name, serial), unit)
        if free and begun is None:
            begun = serial
        elif not free and begun is not None:
            yield begun, serial - 1
            begun = None


def _free(connection: Connection, name: str, first: int, last: int) -> None:
    """Put numbers back, in one range with their neighbours: else every box would get them one by one."""
    mine = free_range.c.template == name
    beside = mine & ((free_range.c.last == first - 1) | (free_range.c.first == last + 1))
    for _, low, high in connection.execute(select(free_range).where(beside)).all():
        first, last = min(first, low), max(last, high)
    connection.execute(delete(free_range).where(beside))
    connection.execute(insert(free_range), {"template": name, "first": first, "last": last})


def _cut(connection: Connection, name: str, low: int, high: int, first: int, last: int) -> None:
    """Take `first..last` out of the free range `low..high`."""
    connection.execute(
        delete(free_range).where((free_range.c.template == name) & (free_range.c.first == low))
    )
    rest = [(low, first - 1), (last + 1, high)]
    rows = [{"template": name, "first": one, "last": other} for one, other in rest if one <= other]
    if rows:
        connection.execute(insert(free_range), rows)


def _again(ask: LeaseAsk, row: dict[str, object], device: str) -> LeaseAnswer:
    if row["device"] != device or row["template"] != ask.template:
        return _no(ask, Reason.ID_REUSED)
    if row["state"] != "held":
        return _no(ask, Reason.NO_RIGHT)
    spent = row["spent"]
    assert isinstance(spent, bytes)
    return LeaseAnswer.model_validate(
        {
            "request": ask.request,
            "lease": row["id"],
            "template": row["template"],
            "first": row["first"],
            "last": row["last"],
            "spent": tuple(json.loads(spent)),
            "expires_ms": row["expires_ms"],
        }
    )


def _no(ask: LeaseAsk, reason: Reason) -> LeaseAnswer:
    return LeaseAnswer(request=ask.request, refused=reason)
