"""What a box may do alone: the rights it holds, and what is left of them.

A right is a *lease* of a range of serial numbers of one coupon template. A coupon that names its serial
is redeemed by the one box whose lease covers it (class G1); a coupon without a serial takes the next free
one of the box's own ranges (class G2). Either way a serial is spent once, because each lies in one lease,
a lease belongs to one box, and the spend is in the journal before the paper moves.

Expiry stops the box; it frees nothing. Only the box's own closing record gives serials back.
Pure: a lease is a value and spending makes a new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tillbox.contracts.clock import TimeInterval


@dataclass(frozen=True, slots=True)
class Lease:
    """The serials `first..last` of a template, less those already spent."""

    id: str
    template: str
    first: int
    last: int
    spent: frozenset[int]
    expires_ms: int
    single: bool = False

    def covers(self, template: str, serial: int) -> bool:
        """Whether the serial lies in this lease, spent or not."""
        return self.template == template and self.first <= serial <= self.last

    @property
    def left(self) -> int:
        """How many serials may still be spent."""
        return self.last - self.first + 1 - len(self.spent)

    def is_over(self, at: TimeInterval) -> bool:
        """Whether it may have expired. A box that does not know the hour goes by the count alone: the core
        never re-uses serials that were not given back, so a wrong clock costs nobody."""
        return self.expires_ms < (at.hi_ms if at.is_known else at.lo_ms)

    def free(self) -> int | None:
        """The highest serial left: named coupons are handed out from the low end."""
        return next((n for n in range(self.last, self.first - 1, -1) if n not in self.spent), None)

    def spend(self, serial: int) -> Lease:
        """The lease without that serial."""
        assert self.first <= serial <= self.last, (self, serial)
        assert serial not in self.spent, (self, serial)
        return replace(self, spent=self.spent | {serial})

    def unspend(self, serial: int) -> Lease:
        """The lease with that serial again, after a void."""
        return replace(self, spent=self.spent - {serial})


@dataclass(frozen=True, slots=True)
class Right:
    """One serial that this box may spend now."""

    lease: str
    template: str
    serial: int


def covering(leases: Iterable[Lease], template: str, serial: int) -> Lease | None:
    """The lease in which a serial lies. A serial given back and granted anew lies in the newer one."""
    return next((lease for lease in reversed(list(leases)) if lease.covers(template, serial)), None)


def next_right(leases: Iterable[Lease], template: str, at: TimeInterval) -> Right | None:
    """A right to a coupon that names no serial, or None where the box holds none."""
    for lease in leases:
        if lease.template == template and not lease.single and not lease.is_over(at):
            serial = lease.free()
            if serial is not None:
                return Right(lease.id, template, serial)
    return None


def left_of(leases: Iterable[Lease], template: str, at: TimeInterval) -> int:
    """How many coupons of a template the box may still redeem alone."""
    return sum(
        one.left for one in leases if one.template == template and not one.single and not one.is_over(at)
    )
