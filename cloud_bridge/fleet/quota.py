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
from tillbox.contracts.verdicts import Reason

from .admission import GONE
from .fences import FENCED, Fence

DAY_MS = 24 * 3_600_000


class Sort(StrEnum):
    """What is counted apart."""

    MONEY = "money"
    """What moves money, and what asks for it: an honest box has as much of that as it has customers."""
    QUIET = "quiet"
    """Kinds without money: the papers that a tap has read, boots, coupon rights, steps of commands."""
    STOPPED = "stopped"
    """What is in no book and on no list: too late, not understood, known before, or of a range that is closed."""


@dataclass(frozen=True, slots=True)
class Bound:
    """So much in a day. The message that reaches it is still taken whole."""

    records: int
    bytes: int


BOUNDS = {
    Sort.MONEY: Bound(200_000, 200_000_000),  # a busy month: 3,000 customers a day, each of them two records
    Sort.QUIET: Bound(20_000, 20_000_000),  # a month behind a tap with 700 receipts a day
    Sort.STOPPED: Bound(2_000, 2_000_000),  # what a box sold on in secret in a week; a thief's, too
}

_MONEY = FENCED | {"payment_asked"}
_STOPPED = {"replay", Reason.ID_REUSED, Reason.NOT_UNDERSTOOD, Reason.FUTURE_VERSION, *GONE.values()}


def sort_of(kind: str, outcome: str, fence: Fence) -> Sort:
    """Of which sort a record is that has gone into the inbox with that outcome."""
    if fence.closed or outcome in _STOPPED:
        return Sort.STOPPED
    return Sort.MONEY if kind in _MONEY else Sort.QUIET


def full(connection: Connection, devices: Collection[str], now_ms: int) -> set[str]:
    """Those of some boxes that have handed in enough today."""
    told = {"devices": sorted(devices), "day": now_ms // DAY_MS}
    return {row.device for row in connection.execute(_TODAY, told) if _is_reached(row)}


def _is_reached(row: Any) -> bool:
    bound = BOUNDS[Sort(row.sort)]
    return bool(row.records >= bound.records or row.bytes >= bound.bytes)


def count(
    connection: Connection,
    rows: Iterable[Mapping[str, Any]],
    unkept: Mapping[str, int],
    fences: Mapping[str, Fence],
    now_ms: int,
) -> None:
    """Add what a batch had of boxes with a fence: rows of the inbox, and how many of a box's lines were not even kept."""
    added: Counter[tuple[str, Sort]] = Counter()
    size: Counter[tuple[str, Sort]] = Counter()
    for row in rows:
        if (fence := fences.get(row["device"])) is not None:
            key = row["device"], sort_of(row["kind"], row["outcome"], fence)
            added[key] += 1
            size[key] += len(row["bytes"])
    for device in unkept.keys() & fences.keys():
        added[device, Sort.STOPPED] += unkept[device]
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
