"""Of which sort a record of a box that was put out is, and that an honest month fits into a few days."""

from __future__ import annotations

import pytest

from tillbox.cloud_bridge.fleet.fences import Fence
from tillbox.cloud_bridge.fleet.quota import BOUNDS, Sort, sort_of
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import Record
from tillbox.contracts.verdicts import Reason

OPEN, CLOSED = (Fence(Reason.BOX_REVOKED, 1_000, closed) for closed in (False, True))


@pytest.mark.parametrize(
    ("kind", "at_ms", "understood", "fence", "sort"),
    [
        ("sale", 900, True, OPEN, Sort.MONEY),
        ("sale", 1_000, True, OPEN, Sort.MONEY),
        ("void", 900, True, OPEN, Sort.MONEY),
        ("payment_asked", 1_001, True, OPEN, Sort.MONEY),
        ("tapped", 1_001, True, OPEN, Sort.QUIET),
        ("command_state", 900, True, OPEN, Sort.QUIET),
        ("sale", 1_001, True, OPEN, Sort.STOPPED),
        ("sale", 900, False, OPEN, Sort.STOPPED),
        ("stamp_given", 900, False, OPEN, Sort.STOPPED),
        ("tapped", 900, True, CLOSED, Sort.STOPPED),
    ],
)
def test_what_is_counted_as_what(kind: str, at_ms: int, understood: bool, fence: Fence, sort: Sort) -> None:
    record = Record(
        v=1, dev="b1", inc="1" * 16, seq=1, tid=uuid7(0, bytes(10)), kind=kind, at=(at_ms, at_ms),
        prev="0" * 64, body={},
    )  # fmt: skip
    assert sort_of(record, fence, understood=understood) is sort


def test_a_months_sales_are_in_within_a_day() -> None:
    assert BOUNDS[Sort.MONEY].records >= 200_000
    assert BOUNDS[Sort.STOPPED].records < BOUNDS[Sort.QUIET].records < BOUNDS[Sort.MONEY].records
