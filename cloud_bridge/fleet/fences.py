"""What of a box that was put out is still taken: what it sold before, never what it says it sold after. Pure but for one
look at the registry.

A box that lay in a drawer hands in its old sales; the same box, sold on in secret, does not become another till. Where it
did not know the hour it is believed, for it may have been before.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from tillbox.cloud_bridge.store.tables import binding, device
from tillbox.contracts.messages import Record
from tillbox.contracts.verdicts import Reason

from .admission import GONE

FENCED = frozenset({"sale", "void", "refund", "payment_ended"})
"""Kinds that move money. The others are noted whenever they come: a box that gives its rights back is welcome."""


@dataclass(frozen=True, slots=True)
class Fence:
    """The end of a box. `closed` is when somebody said that all of it is in."""

    reason: Reason
    since_ms: int
    closed: bool

    def stops(self, record: Record) -> bool:
        """Whether a record is too late. That a payment was given up is not, until somebody closed the range: it moves money
        back to whoever paid and got nothing."""
        late = record.at[0] > self.since_ms and not _gives_up(record)
        return record.kind in FENCED and (self.closed or late)


def _gives_up(record: Record) -> bool:
    return record.kind == "payment_ended" and record.body.get("outcome") == "abandoned"


_FENCES = (
    select(device.c.device, device.c.state, binding.c.fenced_ms, binding.c.closed_ms)
    .join(binding, binding.c.device == device.c.device)
    .where(device.c.device.in_(bindparam("devices", expanding=True)), device.c.state != "live")
    .order_by(binding.c.fenced_ms)
)


def fences(connection: Connection, devices: Collection[str]) -> dict[str, Fence]:
    """The fences of those boxes that have one."""
    return {
        row.device: Fence(GONE[row.state], row.fenced_ms, row.closed_ms is not None)
        for row in connection.execute(_FENCES, {"devices": sorted(devices)})
        if row.fenced_ms is not None
    }
