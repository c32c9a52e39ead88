"""What an update waits for: nobody is disturbed by it, and no money is in doubt while it happens. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tillbox.contracts.updates import Blocker

FREE_BYTES_MIN = (
    200 * 1024 * 1024
)  # the journal stops at 64 MB; an unpacked release and its libraries need the rest
REDEMPTION_MS = 60_000  # a redemption on its way is nothing; one that lies here is a customer's coupon that nobody knows of


@dataclass(frozen=True, slots=True)
class Now:
    """How a box is at this moment. `phase` is the till's, by name."""

    phase: str
    quiet_ms: int
    """Since somebody last used the till."""
    payment_open: bool
    pending: int
    redemption_ms: int | None
    """The age of the oldest redemption that the core lacks; None where there is none."""
    line_up: bool
    clock_known: bool
    free_bytes: int
    papers_unanswered: int = 0


_PHASES = {
    "Ringing": Blocker.CUSTOMER,
    "Checking": Blocker.CUSTOMER,
    "Paying": Blocker.PAYMENT,
    "InDoubt": Blocker.DOUBT,
    "Stopped": Blocker.STOPPED,
}


def blocked_by(now: Now, *, quiet_ms: int) -> tuple[Blocker, ...]:
    """Everything that an update waits for, what matters most first; empty: it may go on."""
    return tuple(_blockers(now, quiet_ms))


def _blockers(now: Now, quiet_ms: int) -> Iterator[Blocker]:
    if now.phase != "Idle":
        # A phase that this table does not know is of later software: whatever it is, it is not idle.
        yield _PHASES.get(now.phase, Blocker.CUSTOMER)
    if now.payment_open and now.phase not in ("Paying", "InDoubt"):
        yield Blocker.DOUBT
    if now.redemption_ms is not None and now.redemption_ms >= REDEMPTION_MS:
        yield Blocker.REDEMPTION
    if now.pending:
        yield Blocker.QUEUE
    if not now.line_up:
        yield Blocker.LINE
    if not now.clock_known:
        yield Blocker.CLOCK
    if now.free_bytes < FREE_BYTES_MIN:
        yield Blocker.DISK
    if now.papers_unanswered:
        yield Blocker.PAPER
    if now.quiet_ms < quiet_ms and now.phase == "Idle":
        yield Blocker.BUSY
