"""The stock of each coupon template and the leases of it, inside somebody else's transaction.

A lease is granted once per request, and its serials return to the free ranges only by its box's own
closing record. The quantities are in the book; the ranges say which numbers they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from tillbox.cloud_bridge.alarms import Alarm
from tillbox.cloud_bridge.book import accounts, coupons
from tillbox.cloud_bridge.book.engine import Leg
from tillbox.contracts.messages import LEASE_MAX, LeaseAnswer, LeaseAsk
from tillbox.contracts.money import coupon_unit
from tillbox.contracts.verdicts import Reason

from .ledger import Ledger
from .notes import shout
from .tables import free_range, lease, template

LOOK_AHEAD = 500  # numbers whose balances are read at a time


@dataclass(frozen=True, slots=True)
class Grant:
    """A range taken out of the free ones."""

    first: int
    last: int
    spent: tuple[int, ...]

    @property
    def quantity(self) -> int:
        """How many coupons it is worth."""
        return self.last - self.first + 1 - len(self.spent)


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
    life_ms = connection.execute(select(template.c.lease_ms).where(template.c.name == ask.template)).scalar()
    if life_ms is None:
        return _no(ask, Reason.COUPON_UNKNOWN)
    taken = _take(connection, ledger, ask)
    if isinstance(taken, Reason):
        return _no(ask, taken)
    decision = ledger.post(
        coupons.grant(ask.template, lease_id, taken.quantity), tid=lease_id, kind="lease_grant", device=device
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
        "first": taken.first,
        "last": taken.last,
        "spent": json.dumps(taken.spent).encode(),
        "state": "held",
        "expires_ms": now_ms + life_ms,
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
    # Also where nothing is left: a void may bring a number back to the stock, and then it must be free.
    _free(connection, row.template, row.first, row.last)
    return None


def any_closed(connection: Connection, legs: Iterable[Leg]) -> bool:
    """Whether these legs move a right of a lease that was given back: what returns to it belongs to the stock."""
    ids = [one.account.partition(":")[2] for one in legs if one.account.startswith("lease:")]
    given_back = select(lease.c.id).where(lease.c.id.in_(ids) & (lease.c.state == "closed"))
    return bool(ids) and connection.execute(given_back).first() is not None


def lose(connection: Connection, device: str) -> list[str]:
    """Every lease of a box whose medium is gone or old: never spent again, never given out again."""
    held = (lease.c.device == device) & (lease.c.state == "held")
    ids = list(connection.execute(select(lease.c.id).where(held)).scalars())
    connection.execute(update(lease).where(held).values(state="lost"))
    return ids


def _take(connection: Connection, ledger: Ledger, ask: LeaseAsk) -> Grant | Reason:
    """Cut the wanted serials out of the lowest free range, or the one named serial out of its range."""
    free = select(free_range).where(free_range.c.template == ask.template).order_by(free_range.c.first)
    for _, first, last in connection.execute(free).all():
        if ask.serial is not None and not first <= ask.serial <= last:
            continue
        if ask.serial is not None:
            found = Grant(ask.serial, ask.serial, _spent(ledger, ask.template, ask.serial, ask.serial))
            if found.spent:
                return Reason.COUPON_SPENT
        elif (window := _window(ledger, ask.template, first, last, ask.quantity)) is not None:
            found = window
        else:
            continue
        _cut(connection, ask.template, first, last, found)
        return found
    if ask.serial is None:
        return Reason.NO_RIGHT
    issued = (
        connection.execute(select(template.c.issued).where(template.c.name == ask.template)).scalar() or 0
    )
    if ask.serial > issued:
        return Reason.COUPON_UNKNOWN
    spent = ledger.balance_of(accounts.coupon(ask.template, ask.serial), coupon_unit(ask.template))
    if spent:
        return Reason.COUPON_SPENT
    covers = (lease.c.template == ask.template) & (lease.c.first <= ask.serial) & (lease.c.last >= ask.serial)
    held = connection.execute(select(lease.c.state).where(covers & (lease.c.state == "held"))).first()
    return Reason.COUPON_HELD_ELSEWHERE if held else Reason.COUPON_RIGHT_LOST


def _window(ledger: Ledger, name: str, first: int, last: int, quantity: int) -> Grant | None:
    """The first `quantity` numbers of a free range that are not spent, or as many as it has. Spent ones before
    them stay free: a void may bring one back."""
    low = high = 0
    spent: list[int] = []
    count = 0
    for start in range(first, last + 1, LOOK_AHEAD):
        end = min(last, start + LOOK_AHEAD - 1)
        gone = set(_spent(ledger, name, start, end))
        for serial in range(start, end + 1):
            if low and serial - low >= LEASE_MAX:
                return Grant(low, high, tuple(n for n in spent if n < high))
            if serial in gone:
                spent += [serial] if low else []
                continue
            low, high, count = low or serial, serial, count + 1
            if count == quantity:
                return Grant(low, high, tuple(spent))
    return Grant(low, high, tuple(n for n in spent if n < high)) if low else None


def _spent(ledger: Ledger, name: str, first: int, last: int) -> tuple[int, ...]:
    unit = coupon_unit(name)
    keys = [(accounts.coupon(name, serial), str(unit)) for serial in range(first, last + 1)]
    ledger.load(keys)
    return tuple(n for n in range(first, last + 1) if ledger.balance_of(accounts.coupon(name, n), unit))


def _free(connection: Connection, name: str, first: int, last: int) -> None:
    """Put numbers back, in one range with their neighbours: else every box would get them one by one."""
    mine = free_range.c.template == name
    beside = mine & ((free_range.c.last == first - 1) | (free_range.c.first == last + 1))
    for _, low, high in connection.execute(select(free_range).where(beside)).all():
        first, last = min(first, low), max(last, high)
    connection.execute(delete(free_range).where(beside))
    connection.execute(insert(free_range), {"template": name, "first": first, "last": last})


def _cut(connection: Connection, name: str, first: int, last: int, taken: Grant) -> None:
    connection.execute(
        delete(free_range).where((free_range.c.template == name) & (free_range.c.first == first))
    )
    rest = [(first, taken.first - 1), (taken.last + 1, last)]
    rows = [{"template": name, "first": low, "last": high} for low, high in rest if low <= high]
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
