"""What the console shows of a real database, of either kind: figures that can be opened down to their postings."""

from __future__ import annotations

import pytest
from tests.conformance.core_store import NOW, Journal, ask, issue, take

from tillbox.cloud_bridge.console.frame import Frame, render
from tillbox.cloud_bridge.console.pages import PAGES, Asked
from tillbox.cloud_bridge.console.pages.account import page as account
from tillbox.cloud_bridge.console.pages.beside import page as beside
from tillbox.cloud_bridge.console.pages.receipt import page as receipt
from tillbox.cloud_bridge.console.pages.sales import page as sales
from tillbox.cloud_bridge.store.database import Database
from tillbox.contracts.messages import CouponUse, DrawerOpened, Line, Sale, Tapped, TappedLine, Tender


def test_a_balance_is_the_sum_of_all_pages_of_its_postings(database: Database) -> None:
    journal = Journal()
    for _ in range(2 * account.ROWS + 7):
        journal.sale(100)
    take(database, journal)
    shown: list[int] = []
    query: dict[str, str] = {}
    with database.reading() as connection:
        for _ in range(4):
            page = account.show(connection, Asked(NOW, {"name": "cash:box-1"}, query))
            assert page.sums == (("CNY/2", "207.00 CNY"),), "every page says the whole balance"
            shown += [leg.minor for leg in page.postings]
            if not page.older:
                break
            query = {"before": page.older}
    assert shown == [100] * (2 * account.ROWS + 7)


def test_sales_with_a_coupon_and_of_a_box_are_lists_of_their_own(database: Database) -> None:
    right = ask(issue(database), "box-1")
    assert right.lease is not None
    use = CouponUse(template="tea", serial=1, lease=right.lease, discount=200, rights_count=1)
    journal, other = Journal(), Journal("box-2")
    tender = Tender(type="cash", amount=1000)
    body = Sale(lines=(Line(name="茶", price=1200),), total=1200, discount=200, tender=tender, coupon=use)
    tid = journal.add("sale", body)
    journal.sale()
    other.sale()
    take(database, journal)
    take(database, other)
    with database.reading() as connection:
        with_coupon = sales.show(connection, Asked(NOW, {}, {"coupon": "tea"}))
        of_box = sales.show(connection, Asked(NOW, {}, {"box": "box-1"}))
        every = sales.show(connection, Asked(NOW, {}, {}))
    assert [row.tid for row in with_coupon.rows] == [tid]
    assert {row.device for row in of_box.rows} == {"box-1"}
    assert (len(of_box.rows), len(every.rows), of_box.today) == (2, 3, None)


def test_what_happened_beside_the_till_is_listed_page_by_page(database: Database) -> None:
    journal = Journal()
    line = TappedLine(name="可乐", quantity_milli=2000, price=350, amount=700)
    paper = Tapped(till="面馆", paper="sale", verdict="reconciled", number="A1", lines=(line,), total=700)
    journal.add("tapped", paper)
    for number in range(beside.ROWS):
        journal.add("drawer_opened", DrawerOpened(reason=f"change {number}"))
    take(database, journal)
    with database.reading() as connection:
        first = beside.show(connection, Asked(NOW, {}, {}))
        second = beside.show(connection, Asked(NOW, {}, {"before": first.older}))
    assert len(first.rows) == beside.ROWS
    rows = [*first.rows, *second.rows]
    assert len({row.tid for row in rows}) == beside.ROWS + 1
    read = next(row for row in rows if row.kind == "tapped")
    assert (read.what, read.total, read.lines) == ("面馆", 700, (("可乐", "2", 700),))


@pytest.mark.parametrize("name", ["nobody", "", "x" * 300, "'; DROP TABLE sale; --", "\x00"])
def test_a_page_of_nothing_is_empty_or_missing_and_never_an_error(database: Database, name: str) -> None:
    names, query = (
        dict.fromkeys(("tid", "device", "name", "command", "bulk", "shell"), name),
        dict.fromkeys(("before", "box", "coupon"), name),
    )
    asked = Asked.by(NOW, names, query)
    with database.reading() as connection:
        assert receipt.show(connection, asked) is None
        for page in PAGES:
            shown = page.show(connection, asked)
            assert shown is None or render(page.name, shown, Frame("en"))
