"""How much a box that was put out may hand in a day. Its key may be in a thief's hands, and what it signs is kept.

An honest box that lay in a drawer for a month has up to 200,000 records: what it sold is taken within a day, and what is
not, the next day. Nothing is lost by it: a box keeps what the core does not have, and says it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, select

from tillbox.cloud_bridge.store.database import upsert
from tillbox.cloud_bridge.store.tables import handed_in
from tillbox.contracts.messages import Record

from .fences import FENCED, Fence

DAY_MS = 24 * 3_600_000


class Sort(StrEnum):
    """What is counted apart."""

    MONEY = "money"
    """What moves money, and what asks for it: an honest box has as much of that as it has customers."""
    QUIET = "quiet"
    """Kinds without money: the papers that a tap has read, boots, coupon rights, steps of commands."""
    STOPPED = "stopped"
    """What its own chain holds and no book does: too late, not understood, or of a range that is closed."""
    UNKEPT = "unkept"
    """What is not even kept: it continues no chain. Apart from all others, so that no garbage keeps a record out."""


@dataclass(frozen=True, slots=True)
class Bound:
    """So much in a day. The message that reaches it is still taken whole."""

    records: int
    bytes: int


BOUNDS = {
    Sort.MONEY: Bound(200_000, 200_000_000),  # a busy month: 3,000 customers a day, each of them two records
    Sort.QUIET: Bound(20_000, 20_000_000),  # a month behind a tap with 700 receipts a day
    Sort.STOPPED: Bound(2_000, 2_000_000),  # what a box sold on in secret in a week; a thief's, too
    Sort.UNKEPT: Bound(2_000, 2_000_000),  # each of them may shout; a line that a bad wire tore, now and then
}

_MONEY = FENCED | {"payment_asked"}


def sort_of(record: Record, fence: Fence, *, understood: bool) -> Sort:
    """Of which sort a record is that continues its chain. Known before it is taken, and counted by the same word."""
    if fence.closed or not understood or fence.stops(record):
        return Sort.STOPPED
    return Sort.MONEY if record.kind in _MONEY else Sort.QUIET


def full(connection: Connection, devices: Collection[str], now_ms: int) -> dict[str, set[Sort]]:
    """Of which sorts some boxes have handed in enough today; nothing of a box that has room for all."""
    told = {"devices": sorted(devices), "day": now_ms // DAY_MS}
    found: dict[str, set[Sort]] = {}
    for row in connection.execute(_TODAY, told):
        if _is_reached(row):
            found.setdefault(row.device, set()).add(Sort(row.sort))
    return found


def _is_reached(row: Any) -> bool:
    bound = BOUNDS[Sort(row.sort)]
    return bool(row.records >= bound.records or row.bytes >= bound.bytes)


def count(
    connection: Connection,
    handed: Iterable[tuple[str, Sort, int]],
    unkept: Mapping[str, int],
    fences: Mapping[str, Fence],
    now_ms: int,
) -> None:
    """Add what a batch had of boxes with a fence: each record's box, sort and bytes, and how many lines were not even kept."""
    added: Counter[tuple[str, Sort]] = Counter()
    size: Counter[tuple[str, Sort]] = Counter()
    for device, sort, length in handed:
        added[device, sort] += 1
        size[device, sort] += length
    for device in unkept.keys() & fences.keys():
        added[device, Sort.UNKEPT] += unkept[device]
    told = {"devices": sorted({device for device, _ in added}), "day": now_ms // DAY_MS}
    for had in connection.execute(_TODAY, told) if added else ():
        key = had.device, Sort(had.sort)
        if key in added:
            added[key] += had.records
            size[key] += had.bytes
    today = [
        {"device": key[0], "sort": key[1].value, "day": told["day"], "records": records, "bytes": size[key]}
        for key, records in added.items()
    ]
    upsert(connection, handed_in, today, "device", "sort")


_TODAY = select(handed_in).where(
    handed_in.c.device.in_(bindparam("devices", expanding=True)), handed_in.c.day == bindparam("day")
)
