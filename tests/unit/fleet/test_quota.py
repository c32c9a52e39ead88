"""Of which sort a record of a box that was put out is, and that an honest month fits into a few days."""

from __future__ import annotations

import pytest

from tillbox.cloud_bridge.fleet.fences import Fence
from tillbox.cloud_bridge.fleet.quota import BOUNDS, Sort, sort_of
from tillbox.contracts.verdicts import Reason

OPEN, CLOSED = (Fence(Reason.BOX_REVOKED, 1_000, closed) for closed in (False, True))


@pytest.mark.parametrize(
    ("kind", "outcome", "fence", "sort"),
    [
        ("sale", "applied", OPEN, Sort.MONEY),
        ("sale", "variance_coupon_spent", OPEN, Sort.MONEY),
        ("void", "foreign_device", OPEN, Sort.MONEY),
        ("payment_asked", "applied", OPEN, Sort.MONEY),
        ("tapped", "applied", OPEN, Sort.QUIET),
        ("command_state", "command_unknown", OPEN, Sort.QUIET),
        ("sale", "box_revoked", OPEN, Sort.STOPPED),
        ("sale", "box_replaced", OPEN, Sort.STOPPED),
        ("sale", "replay", OPEN, Sort.STOPPED),
        ("sale", "id_reused", OPEN, Sort.STOPPED),
        ("sale", "not_understood", OPEN, Sort.STOPPED),
        ("stamp_given", "future_version", OPEN, Sort.STOPPED),
        ("tapped", "applied", CLOSED, Sort.STOPPED),
    ],
)
def test_what_is_counted_as_what(kind: str, outcome: str, fence: Fence, sort: Sort) -> None:
    assert sort_of(kind, outcome, fence) is sort


def test_a_months_sales_are_in_within_a_day() -> None:
    assert BOUNDS[Sort.MONEY].records >= 200_000
    assert BOUNDS[Sort.STOPPED].records < BOUNDS[Sort.QUIET].records < BOUNDS[Sort.MONEY].records
