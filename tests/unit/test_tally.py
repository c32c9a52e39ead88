"""What a journal's records add up to, as they come and as a boot reads them."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest

from tillbox.agent.tally import DAY_MS, DAYS_KEPT, Tally, kind_of, made_ms
from tillbox.broker.journal import Draft, Entry, serialise
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.messages import BODIES, Line, Sale, Tender, Void, canonical

NOW = 20_000 * DAY_MS
ID = "0199a000-0000-7000-8000-000000000000"
_positions = count(1)


def entry(kind: str, body: Any, at: int = NOW) -> Entry:
    position = next(_positions)
    data = serialise("box-1", "a" * 16, position, "0" * 64, Draft(ID, kind, body, TimeInterval(at, at + 9)))
    return Entry(position, "a" * 16, position, ID, "0" * 64, data)


def sale(amount: int, at: int = NOW, name: str = "tea") -> Entry:
    tender = Tender(type="cash", amount=amount)
    return entry("sale", Sale(lines=(Line(name=name, price=amount),), total=amount, tender=tender), at)


def void(amount: int) -> Entry:
    return entry("void", Void(of=ID, amount=amount, tender_type="cash"))


def test_money_that_the_core_lacks_is_counted_until_it_has_it() -> None:
    tally, papers = Tally(), [sale(500), entry("opened", BODIES["opened"]()), sale(700, NOW + 5), void(500)]
    for one in papers:
        tally.add(one, settled_through=0)
    assert (tally.unsynced_count, tally.unsynced, tally.oldest_money_ms) == (3, 1_200, NOW)
    tally.settled(papers[1].position)
    assert (tally.unsynced_count, tally.unsynced, tally.oldest_money_ms) == (2, 700, NOW + 5)
    tally.settled(papers[-1].position)
    assert (tally.unsynced_count, tally.unsynced, tally.oldest_money_ms) == (0, 0, None)


def test_what_was_settled_before_the_boot_is_not_waited_for() -> None:
    tally, old, fresh = Tally(), sale(500), sale(700)
    for one in (old, fresh):
        tally.add(one, settled_through=old.position)
    assert (tally.unsynced_count, tally.unsynced) == (1, 700)


def test_the_last_two_weeks_are_remembered_and_days_without_a_date_are_not() -> None:
    tally = Tally()
    for day in range(DAYS_KEPT + 3):
        tally.add(sale(500, NOW + day * DAY_MS), settled_through=0)
    tally.add(sale(500, 0), settled_through=0)
    assert sorted(tally.bytes_by_day) == list(range(20_003, 20_003 + DAYS_KEPT))


@pytest.mark.parametrize("name", ['"kind":"void"', '","kind":"x', "at", '{"at":[1,'])
def test_a_product_whose_name_looks_like_a_record_fools_nobody(name: str) -> None:
    found = sale(500, name=name)
    assert (kind_of(found.bytes), made_ms(found.bytes)) == (b"sale", NOW)


def test_what_newer_software_wrote_is_counted_and_stops_nobody() -> None:
    record = {**json.loads(sale(500).bytes), "aaa": 1, "body": {"paid": "in shells"}}
    newer = Entry(next(_positions), "a" * 16, 1, ID, "0" * 64, canonical(record))
    tally = Tally()
    tally.add(newer, settled_through=0)
    assert (tally.unsynced_count, tally.unsynced, tally.oldest_money_ms) == (1, 0, NOW)
