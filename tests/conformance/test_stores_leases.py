"""The coupon stock: lent, given back, lost, and never lent twice. On SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from sqlalchemy import Engine, create_engine, func, select, text
from tests.conformance.core_store import (
    NOW,
    Journal,
    ask,
    balances,
    fresh,
    issue,
    take,
)

from tillbox.cloud_bridge.desk import Desk
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.store import coupons, reading, tables
from tillbox.cloud_bridge.store.database import Database, open_database
from tillbox.cloud_bridge.store.ledger import Ledger
from tillbox.contracts.messages import (
    CouponUse,
    LeaseAnswer,
    LeaseAsk,
    LeaseClosed,
    Line,
    Opened,
    RightsLost,
    Sale,
    Tender,
    Void,
    digest,
)

LEASE_MS = 60_000
"""As `issue` makes the stock: a lease lives a minute."""
YEAR_MS = 365 * 86_400_000


def use_of(right: LeaseAnswer, serial: int) -> CouponUse:
    assert right.lease is not None
    return CouponUse(template="tea", serial=serial, lease=right.lease, discount=200, rights_count=1)


def sell(journal: Journal, right: LeaseAnswer, serial: int) -> str:
    tender = Tender(type="cash", amount=600)
    lines = (Line(name="tea", price=800),)
    body = Sale(lines=lines, total=800, discount=200, tender=tender, coupon=use_of(right, serial))
    return journal.add("sale", body)


def void(journal: Journal, sale: str, right: LeaseAnswer, serial: int) -> None:
    use = use_of(right, serial)
    journal.add("void", Void(of=sale, amount=600, tender_type="cash", coupon=use))


def give_back(journal: Journal, right: LeaseAnswer) -> None:
    assert right.lease is not None
    journal.add("lease_closed", LeaseClosed(lease=right.lease, left=0, rights_count=1))


def ask_later(
    desk: Desk, device: str, now_ms: int, *, request: str = "", serial: int | None = None
) -> LeaseAnswer:
    body = LeaseAsk(request=request or fresh(), template="tea", quantity=1 if serial else 20, serial=serial)
    answered = desk.answer(device, "lease", body.model_dump_json().encode(), now_ms=now_ms, fresh_id=fresh())
    assert isinstance(answered.answer, LeaseAnswer)
    return answered.answer


def serials(right: LeaseAnswer) -> set[int]:
    """What a box may spend under an answer."""
    if right.first is None or right.last is None:
        return set()
    return set(range(right.first, right.last + 1)) - set(right.spent)


def alarms(database: Database) -> list[str]:
    with database.reading() as connection:
        return [row.kind for row in reading.alarms(connection)]


def the_stock_adds_up(database: Database, issued: int) -> None:
    """What is free, lent and spent is what was made; each free number is a right in the stock, and no more."""
    with database.reading() as connection:
        detail = reading.coupon(connection, "tea")
        ranges = connection.execute(select(tables.free_range.c.first, tables.free_range.c.last)).all()
        states = connection.execute(select(tables.lease.c.first, tables.lease.c.last, tables.lease.c.state))
        lent = [set(range(first, last + 1)) for first, last, state in states if state != "closed"]
    assert detail is not None
    assert detail.issued == issued == detail.free + detail.leased + detail.redeemed
    held = balances(database)
    free = [n for first, last in ranges for n in range(first, last + 1)]
    assert len(free) == len(set(free)), "two free ranges overlap"
    assert len(free) == detail.free
    assert not any(held.get(f"coupon:tea:{n}") for n in free), "a spent number is called free"
    for left, right in ((a, b) for i, a in enumerate(lent) for b in lent[:i]):
        both = left & right
        assert all(held.get(f"coupon:tea:{n}") for n in both), f"{both} is lent twice"
    assert not set(free) & {n for one in lent for n in one if not held.get(f"coupon:tea:{n}")}


def test_what_is_given_back_is_lent_again_without_what_was_spent(database: Database) -> None:
    desk, journal = issue(database, quantity=10), Journal()
    first = ask(desk, "box-1")
    for serial in (10, 3):
        sell(journal, first, serial)
    give_back(journal, first)
    take(database, journal)
    the_stock_adds_up(database, 10)
    second = ask(desk, "box-2")
    assert (second.first, second.last, second.spent) == (4, 9, ()), "the longest that is free"
    assert balances(database)[f"lease:{second.lease}"] == 6
    assert serials(ask(desk, "box-3")) == {1, 2}
    assert ask(desk, "box-4").refused == "no_right"
    the_stock_adds_up(database, 10)


def test_a_box_that_claims_more_than_is_left_gives_back_what_the_book_says(database: Database) -> None:
    desk, journal = issue(database, quantity=10), Journal()
    right = ask(desk, "box-1")
    assert right.lease is not None
    sell(journal, right, 1)
    for _ in range(2):
        journal.add("lease_closed", LeaseClosed(lease=right.lease, left=1_000, rights_count=1))
    take(database, journal)
    assert balances(database)["stock:tea"] == 9
    the_stock_adds_up(database, 10)


def test_an_expired_lease_frees_nothing_until_its_box_says_so(database: Database) -> None:
    desk, request, journal = issue(database, quantity=10), fresh(), Journal()
    right = ask(desk, "box-1", request=request)
    assert right.expires_ms == NOW + LEASE_MS
    later = NOW + YEAR_MS
    assert ask_later(desk, "box-2", later).refused == "no_right"
    assert ask_later(desk, "box-2", later, serial=4).refused == "coupon_held_elsewhere"
    assert ask_later(desk, "box-1", later, request=request) == right, "the same question, the same answer"
    sell(journal, right, 10)  # sold in time, and under way for a year
    take(database, journal)
    assert balances(database)["coupon:tea:10"] == 1
    assert alarms(database) == []
    give_back(journal, right)
    take(database, journal)
    again = ask_later(desk, "box-2", later)
    assert serials(again) == set(range(1, 10))
    assert again.expires_ms == later + LEASE_MS
    the_stock_adds_up(database, 10)


def test_a_request_that_was_answered_is_not_answered_anew(database: Database) -> None:
    desk, journal = issue(database, quantity=30), Journal()
    request = fresh()
    right = ask(desk, "box-1", request=request)
    assert ask(desk, "box-2", request=request).refused == "id_reused"
    give_back(journal, right)
    take(database, journal)
    assert ask(desk, "box-1", request=request).refused == "no_right", "it was given back"
    assert balances(database)["stock:tea"] == 30


@pytest.mark.parametrize("how", ["an older card", "an empty card", "its witness"])
def test_the_rights_of_a_lost_card_are_never_lent_again(database: Database, how: str) -> None:
    desk, first = issue(database, quantity=30), Journal()
    request = fresh()
    right = ask(desk, "box-1", request=request)
    sell(first, right, 20)
    take(database, first)
    if how == "its witness":
        assert right.lease is not None
        first.add("rights_lost", RightsLost(leases=(right.lease,), rights_count=9))
        later, alarm = first, "rights_lost"
    else:
        at = {"prior": first.inc, "prior_seq": 1, "prior_head": digest(first.lines[0])}
        prior = Opened.model_validate(at) if how == "an older card" else Opened()
        later, alarm = Journal(inc="1" * 16, prior=prior), "rolled_back"
    take(database, later)
    assert alarms(database) == [alarm]
    assert ask(desk, "box-1", request=request).refused == "no_right"
    assert ask(desk, "box-1", serial=7).refused == "coupon_right_lost"
    give_back(later, right)
    take(database, later)
    assert balances(database)[f"lease:{right.lease}"] == 19, "a lost lease cannot be given back either"
    second = ask(desk, "box-2")
    assert serials(second) == set(range(21, 31))
    assert ask(desk, "box-1").refused == "no_right"
    the_stock_adds_up(database, 30)


def test_what_a_lost_card_had_sold_may_still_come_in(database: Database) -> None:
    """The second box by that name starts afresh; the first card is found again and handed in."""
    desk, first = issue(database, quantity=10), Journal()
    right = ask(desk, "box-1")
    take(database, first)
    sale = sell(first, right, 10)
    take(database, Journal(inc="1" * 16))
    take(database, first)
    assert balances(database)["coupon:tea:10"] == 1
    void(first, sale, right, 10)
    take(database, first)
    assert balances(database)["coupon:tea:10"] == 0
    assert balances(database)[f"lease:{right.lease}"] == 10, (
        "the right goes back to the lease, and is lost too"
    )
    assert ask(desk, "box-2").refused == "no_right"
    the_stock_adds_up(database, 10)


def test_a_void_after_the_lease_was_given_back_returns_the_right_to_the_stock(database: Database) -> None:
    desk, journal = issue(database, quantity=10), Journal()
    right = ask(desk, "box-1")
    sale = sell(journal, right, 10)
    give_back(journal, right)
    void(journal, sale, right, 10)
    take(database, journal)
    assert balances(database)["stock:tea"] == 10
    the_stock_adds_up(database, 10)
    assert serials(ask(desk, "box-2")) == set(range(1, 11))


@pytest.mark.parametrize("said", ["nothing", "another lease"])
def test_which_right_a_void_brings_back_is_the_sales_own(database: Database, said: str) -> None:
    desk, journal = issue(database, quantity=10), Journal()
    right, other = ask(desk, "box-1", serial=7), ask(desk, "box-1", serial=8)
    sale = sell(journal, right, 7)
    give_back(journal, right)
    claimed = None if said == "nothing" else use_of(other, 8)
    journal.add("void", Void(of=sale, amount=600, tender_type="cash", coupon=claimed))
    take(database, journal)
    assert balances(database)["stock:tea"] == 9
    the_stock_adds_up(database, 10)
    assert ask(desk, "box-2", serial=7).first == 7


def test_single_rights_that_came_back_are_lent_as_one_range_again(database: Database) -> None:
    desk, journal = issue(database, quantity=10), Journal()
    for serial in (3, 5, 4, 1, 2):
        give_back(journal, ask(desk, "box-1", serial=serial))
    take(database, journal)
    assert serials(ask(desk, "box-2")) == set(range(1, 11))
    the_stock_adds_up(database, 10)


def test_a_number_that_went_with_a_lost_card_is_not_said_to_be_with_another_box(database: Database) -> None:
    desk = issue(database, quantity=10)
    ask(desk, "box-1", serial=7)
    assert ask(desk, "box-2", serial=7).refused == "coupon_held_elsewhere"
    with database.writing() as connection:
        coupons.lose(connection, "box-1")
    assert ask(desk, "box-2", serial=7).refused == "coupon_right_lost"


def test_the_last_coupon_of_a_lease_that_was_given_back_can_be_voided_and_used(database: Database) -> None:
    desk, journal = issue(database, quantity=10), Journal()
    right = ask(desk, "box-1", serial=7)
    sale = sell(journal, right, 7)
    give_back(journal, right)
    void(journal, sale, right, 7)
    take(database, journal)
    assert balances(database)["stock:tea"] == 10
    assert ask(desk, "box-2", serial=7).first == 7
    the_stock_adds_up(database, 10)


def test_a_range_that_begins_with_spent_numbers_is_lent_from_behind_them(database: Database) -> None:
    desk, journal = issue(database, quantity=10), Journal()
    right = ask(desk, "box-1")
    for serial in range(1, 6):
        sell(journal, right, serial)
    give_back(journal, right)
    take(database, journal)
    assert balances(database)["stock:tea"] == 5
    found = ask(desk, "box-2", quantity=5)
    assert found.refused is None
    assert serials(found) == {6, 7, 8, 9, 10}


def test_a_spent_number_that_nobody_holds_can_be_voided_and_used(database: Database) -> None:
    desk, journal = issue(database, quantity=10), Journal()
    right = ask(desk, "box-1")
    sale = sell(journal, right, 1)
    give_back(journal, right)
    take(database, journal)
    ask(desk, "box-2", quantity=1)
    void(journal, sale, right, 1)
    take(database, journal)
    the_stock_adds_up(database, 10)
    assert ask(desk, "box-3", serial=1).first == 1


def test_one_box_takes_no_more_than_its_share_out_of_a_stock(database: Database) -> None:
    desk, journal = issue(database, quantity=1_000), Journal("greedy")
    assert sum(len(serials(ask(desk, "greedy", quantity=4_000))) for _ in range(5)) == 100
    assert ask(desk, "greedy", serial=900).refused == "rights_share_used"
    take(database, journal)
    take(database, Journal("greedy", inc="1" * 16))
    assert alarms(database) == ["rolled_back"]
    assert ask(desk, "greedy").refused == "rights_share_used", "what its lost medium took with it counts too"
    assert len(serials(ask_later(desk, "greedy", NOW + 86_400_001))) == 20, "for a day"
    assert len(serials(ask(desk, "honest"))) == 20
    the_stock_adds_up(database, 1_000)


def test_who_names_a_number_gets_that_one_and_no_more(database: Database) -> None:
    desk = issue(database, quantity=100)
    body = LeaseAsk(request=fresh(), template="tea", quantity=20, serial=7)
    answered = desk.answer("box-1", "lease", body.model_dump_json().encode(), now_ms=NOW, fresh_id=fresh())
    assert isinstance(answered.answer, LeaseAnswer)
    assert serials(answered.answer) == {7}
    the_stock_adds_up(database, 100)


def test_what_is_given_back_makes_room_in_the_share(database: Database) -> None:
    desk, journal = issue(database, quantity=1_000), Journal()
    for _ in range(3):
        right = ask(desk, "box-1", quantity=100)
        assert len(serials(right)) == 100
        assert ask(desk, "box-1").refused == "rights_share_used"
        give_back(journal, right)
        take(database, journal)
    the_stock_adds_up(database, 1_000)


SINCE_0004 = (
    "api_token", "position", "claim", "claim_use", "device", "binding", "certificate", "recovered", "setting", "desired",
    "audit", "reported", "command", "command_event", "bulk", "alert", "alert_event", "alert_route", "view", "handed_in", "photo",
    "shell_chunk",
)  # fmt: skip


def test_an_older_books_ranges_lose_what_was_spent(database: Database) -> None:
    """Upgrading from 0001: its ranges named spent numbers as free."""
    desk, journal = issue(database, quantity=30), Journal()
    right = ask(desk, "box-1")
    for serial in (1, 7, 20):
        sell(journal, right, serial)
    give_back(journal, right)
    take(database, journal)
    with database.writing() as connection:
        connection.execute(tables.free_range.delete())
        connection.execute(tables.free_range.insert(), [{"template": "tea", "first": 1, "last": 30}])
        connection.execute(text("DROP INDEX inbox_kind"))
        for name in SINCE_0004:
            connection.execute(text(f"DROP TABLE {name}"))
        connection.execute(text("ALTER TABLE operator DROP COLUMN role"))
        connection.execute(text("UPDATE alembic_version SET version_num='0001'"))
    database.upgrade()
    the_stock_adds_up(database, 30)


@pytest.mark.parametrize("seed", range(6))
def test_no_day_lends_a_number_twice_or_more_than_there_are(database: Database, seed: int) -> None:
    """Three boxes ask, sell, void (also what they sold under a lease that they gave back) and lose their cards."""
    random, issued = Random(seed), 24
    desk = issue(database, quantity=issued)
    journals = {device: Journal(device) for device in ("box-1", "box-2", "box-3")}
    held: dict[str, tuple[str, LeaseAnswer, dict[int, str]]] = {}
    closed: list[tuple[str, LeaseAnswer, dict[int, str]]] = []
    for turn in range(40):
        device = random.choice(sorted(journals))
        mine = [one for one in held.values() if one[0] == device]
        journal = journals[device]
        what = random.choice(
            ("ask", "ask", "ask one", "sell", "sell", "void", "void late", "give back", "lose")
        )
        if what.startswith("ask"):
            serial = random.randint(1, issued) if what == "ask one" else None
            right = ask(desk, device, serial=serial, quantity=random.randint(1, 9))
            others = {n for _, other, sold in held.values() for n in serials(other) - sold.keys()}
            assert not serials(right) & others, f"turn {turn}"
            if right.lease is not None:
                held[right.lease] = (device, right, {})
        elif what == "void late":
            for whose, right, sold in closed:
                if whose == device and sold:
                    serial, sale = sold.popitem()
                    void(journal, sale, right, serial)
            take(database, journal)
        elif mine:
            _, right, sold = random.choice(mine)
            left = sorted(serials(right) - sold.keys())
            if what == "sell" and left:
                serial = random.choice(left)
                sold[serial] = sell(journal, right, serial)
            elif what == "void" and sold:
                serial, sale = sold.popitem()
                void(journal, sale, right, serial)
            elif what == "give back":
                give_back(journal, right)
                closed.append(held.pop(str(right.lease)))
            elif what == "lose":
                take(database, journal)
                journals[device] = Journal(device, inc=f"{turn + 1:016x}")
            take(database, journals[device])
            if what == "lose":
                # The lost leases stay with us as held: nobody may be lent any of their numbers.
                held |= {
                    f"{key}, lost": ("nobody", *one[1:]) for key, one in held.items() if one[0] == device
                }
                held = {key: one for key, one in held.items() if one[0] != device}
        the_stock_adds_up(database, issued)
    assert balances(database).get("risk:tea", 0) == 0
    assert set(alarms(database)) <= {"rolled_back"}


@pytest.fixture
def another(database: Database) -> Iterator[Database]:
    """The same store as a second program opens it, with connections of its own (PostgreSQL). On SQLite there is
    one program by design, and its threads share the one writer."""
    if database.dialect == "sqlite":
        yield database
        return
    with database.reading() as connection:
        url = connection.engine.url
    opened = open_database(url)
    yield opened
    opened.close()


def test_boxes_that_ask_at_once_get_different_rights(database: Database, another: Database) -> None:
    issued, boxes = 60, 8
    issue(database, quantity=issued)
    start = threading.Barrier(boxes)

    def take_all(n: int) -> list[LeaseAnswer]:
        desk, got = Desk((database, another)[n % 2], Schedule()), []
        start.wait(20)
        for turn in range(4):
            body = LeaseAsk(request=request_of(n, turn), template="tea", quantity=3)
            payload = body.model_dump_json().encode()
            answered = desk.answer(f"box-{n}", "lease", payload, now_ms=NOW, fresh_id=request_of(n, turn, 1))
            assert isinstance(answered.answer, LeaseAnswer)
            got.append(answered.answer)
        return got

    with ThreadPoolExecutor(boxes) as pool:
        answers = [one for got in pool.map(take_all, range(boxes)) for one in got]
    lent = [serial for answer in answers for serial in serials(answer)]
    assert sorted(lent) == list(range(1, issued + 1)), "all are lent, each once"
    assert {answer.refused for answer in answers if not serials(answer)} == {"no_right"}
    the_stock_adds_up(database, issued)


def request_of(box: int, turn: int, what: int = 0) -> str:
    return f"0000000{what}-0000-7000-8000-{box:06x}{turn:06x}"


@pytest.mark.postgres
def test_a_grant_waits_for_one_that_is_not_committed(postgres: str) -> None:
    """The second program has read nothing yet when it waits, so it cannot decide by what was free before."""
    admin = create_engine(f"{postgres}/postgres", isolation_level="AUTOCOMMIT")
    name = "core_waits"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    one, other = open_database(f"{postgres}/{name}"), open_database(f"{postgres}/{name}")
    issue(one, quantity=5)
    with ThreadPoolExecutor(1) as pool:
        with one.writing() as connection:
            ledger = Ledger(connection, NOW)
            body = LeaseAsk(request=fresh(), template="tea", quantity=4)
            first = coupons.grant(connection, ledger, body, device="box-1", lease_id=fresh(), now_ms=NOW)
            ledger.flush()
            waiting = pool.submit(ask, Desk(other, Schedule()), "box-2")
            assert is_blocked(admin, name), "the second grant did not wait for the first"
            assert not waiting.done()
        second = waiting.result(20)
    assert (serials(first), serials(second)) == ({1, 2, 3, 4}, {5})
    the_stock_adds_up(one, 5)
    for opened in (one, other):
        opened.close()
    admin.dispose()


def is_blocked(admin: Engine, name: str) -> bool:
    waits = text(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
        "WHERE NOT granted AND locktype = 'advisory' AND datname = :name"
    )
    for _ in range(200):
        with admin.connect() as connection:
            if connection.execute(waits, {"name": name}).scalar_one():
                return True
        time.sleep(0.05)
    return False


def test_a_page_sees_one_moment_while_records_come_in(database: Database) -> None:
    """The page asks for the balance first and for its postings later; a sale is committed in between."""
    desk, journal = issue(database, quantity=10), Journal()
    right = ask(desk, "box-1")
    sell(journal, right, 10)
    take(database, journal)
    with database.reading() as page:
        before = page.execute(select(tables.balance.c.minor).where(tables.balance.c.account == "cash:box-1"))
        drawer = before.scalar_one()
        sell(journal, right, 9)
        give_back(journal, right)
        take(database, journal)
        assert balances(database)["cash:box-1"] == 1_200, "it is committed, and another page sees it"
        made_of = reading.account(page, "cash:box-1")
        assert sum(one.minor for one in made_of) == drawer == 600
        assert page.execute(select(func.count()).select_from(tables.sale)).scalar_one() == 1
        detail = reading.coupon(page, "tea")
        assert detail is not None
        assert (detail.free, detail.leased, detail.redeemed) == (0, 9, 1)
        assert [one.state for one in detail.leases] == ["held"]
    the_stock_adds_up(database, 10)


def test_pages_that_are_read_while_a_shop_is_busy_always_add_up(database: Database) -> None:
    desk, journal = issue(database, quantity=40), Journal()
    right, seen = ask(desk, "box-1", quantity=40), []
    take(database, journal)
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            with database.reading() as page:
                detail = reading.coupon(page, "tea")
                assert detail is not None
                time.sleep(0.002)  # the writer commits here
                sold = page.execute(select(func.count()).select_from(tables.sale)).scalar_one()
                assert detail.redeemed == sold
                assert detail.free + detail.leased + detail.redeemed == 40
                seen.append(sold)

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        try:
            for serial in range(1, 41):
                sell(journal, right, serial)
                take(database, journal, journal.lines[-1])
        finally:
            stop.set()
        looking.result(20)
    assert seen
