"""What a box may not say: that another box's payment, right or sale is its own. On SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from tests.conformance.core_store import (
    NOW,
    Journal,
    ask,
    balances,
    fresh,
    issue,
    take,
)

from tillbox.cloud_bridge.payments import cashier
from tillbox.cloud_bridge.payments.channels.port import Outcome
from tillbox.cloud_bridge.payments.machine import Schedule, Told
from tillbox.cloud_bridge.store import reading, tables
from tillbox.cloud_bridge.store.database import Database
from tillbox.cloud_bridge.store.ledger import Ledger
from tillbox.contracts.messages import (
    CouponUse,
    LeaseAnswer,
    LeaseClosed,
    Line,
    PayAsk,
    PaymentEnded,
    Refund,
    Sale,
    Tender,
    Void,
)

THIEF = "box-9"


def alarms(database: Database) -> list[str]:
    with database.reading() as connection:
        return [row.kind for row in reading.alarms(connection)]


def refunds(database: Database) -> list[tuple[str, int]]:
    row = tables.channel_refund.c
    with database.reading() as connection:
        return [(attempt, amount) for attempt, amount in connection.execute(select(row.attempt, row.amount))]


def pay(database: Database, amount: int = 700, device: str = "box-1") -> str:
    """A customer paid this box by wallet."""
    attempt = fresh()
    with database.writing() as connection:
        ledger = Ledger(connection, NOW)
        body = PayAsk(attempt=attempt, sale=fresh(), amount=amount, code="130000000000000001")
        cashier.ask(connection, ledger, body, device=device, now_ms=NOW, schedule=Schedule())
        cashier.told(connection, ledger, attempt, Told(Outcome.PAID), now_ms=NOW, schedule=Schedule())
        ledger.flush()
    return attempt


def wallet_sale(attempt: str, amount: int = 700) -> Sale:
    tender = Tender(type="merchant_scan", amount=amount, attempt=attempt)
    return Sale(lines=(Line(name="tea", price=amount),), total=amount, tender=tender)


def coupon_sale(right: LeaseAnswer, serial: int) -> Sale:
    assert right.lease is not None
    use = CouponUse(template="tea", serial=serial, lease=right.lease, discount=200, rights_count=1)
    tender = Tender(type="cash", amount=600)
    return Sale(lines=(Line(name="tea", price=800),), total=800, discount=200, tender=tender, coupon=use)


def test_a_sale_on_anothers_payment_costs_the_one_who_says_so(database: Database) -> None:
    attempt, thief, owner = pay(database), Journal(THIEF), Journal()
    thief.add("sale", wallet_sale(attempt))
    take(database, thief)
    assert balances(database)[f"payment:{attempt}"] == -700
    assert balances(database)[f"cash:{THIEF}"] == 700
    assert alarms(database) == ["payment_of_another"]
    owner.add("sale", wallet_sale(attempt))
    take(database, owner)
    assert balances(database)[f"payment:{attempt}"] == 0


@pytest.mark.parametrize("kind", ["void", "refund"])
def test_anothers_sale_is_not_taken_back_and_no_money_leaves_the_wallet(
    database: Database, kind: str
) -> None:
    attempt, thief, owner = pay(database), Journal(THIEF), Journal()
    sale = owner.add("sale", wallet_sale(attempt))
    take(database, owner)
    before = {name: minor for name, minor in balances(database).items() if not name.endswith(THIEF)}
    body = {"of": sale, "amount": 700, "tender_type": "merchant_scan", "attempt": attempt}
    thief.add(kind, (Void if kind == "void" else Refund).model_validate(body))
    take(database, thief)
    after = balances(database)
    assert {name: after[name] for name in before} == before
    assert after[f"cash:{THIEF}"] == -700
    assert refunds(database) == []
    assert sorted(alarms(database)) == ["payment_of_another", "sale_of_another"]
    with database.reading() as connection:
        detail = reading.sale(connection, sale)
    assert detail is not None
    assert not detail.row.voided
    assert detail.row.refunded == 0
    owner.add("void", Void(of=sale, amount=700, tender_type="merchant_scan", attempt=attempt))
    take(database, owner)
    assert refunds(database) == [(attempt, 700)], "its own box may still take it back"


@pytest.mark.parametrize("order", ["one batch", "two batches"])
def test_a_sale_and_its_void_may_come_together(database: Database, order: str) -> None:
    journal = Journal()
    sale = journal.sale()
    if order == "two batches":
        take(database, journal)
    journal.add("void", Void(of=sale, amount=1200, tender_type="cash"))
    take(database, journal)
    assert balances(database) == {"cash:box-1": 0, "sales:box-1": 0}
    assert alarms(database) == []


@pytest.mark.parametrize("serial", [3, 30])
def test_anothers_right_and_a_number_outside_ones_own_are_not_spent(database: Database, serial: int) -> None:
    """Number 3 is under the owner's lease; 30 under the thief's own, which ends before it."""
    desk = issue(database)
    owners, thiefs = ask(desk, "box-1"), ask(desk, THIEF, quantity=5)
    thief, owner = Journal(THIEF), Journal()
    thief.add("sale", coupon_sale(owners if serial == 3 else thiefs, serial))
    take(database, thief)
    assert alarms(database) == ["coupon_of_another"]
    assert f"coupon:tea:{serial}" not in balances(database)
    assert balances(database).get("risk:tea", 0) == 0
    assert balances(database)[f"variance:{THIEF}"] == 200
    owner.add("sale", coupon_sale(owners, 3))
    take(database, owner)
    assert balances(database)["coupon:tea:3"] == 1
    assert balances(database)["discount:tea"] == 200


def test_anothers_lease_is_not_given_back_nor_its_payment_given_up(database: Database) -> None:
    right, attempt = ask(issue(database), "box-1"), pay(database)
    assert right.lease is not None
    thief = Journal(THIEF)
    thief.add("lease_closed", LeaseClosed(lease=right.lease, left=20, rights_count=1))
    thief.add("payment_ended", PaymentEnded(attempt=attempt, outcome="abandoned"))
    take(database, thief)
    assert balances(database)[f"lease:{right.lease}"] == 20
    with database.reading() as connection:
        state = connection.execute(select(tables.payment.c.state)).scalar()
    assert state == "paid"
    assert alarms(database) == ["given_up_but_sold"]


def test_no_more_goes_back_to_a_wallet_than_came_from_it(database: Database) -> None:
    attempt, journal = pay(database), Journal()
    sale = journal.add("sale", wallet_sale(attempt))
    for amount in (300, 300, 300, 100):
        journal.add("refund", Refund(of=sale, amount=amount, tender_type="merchant_scan", attempt=attempt))
    take(database, journal)
    assert refunds(database) == [(attempt, 300), (attempt, 300), (attempt, 100)]
    assert alarms(database) == ["refund_too_large"]


def test_the_same_alarm_is_raised_once_however_often_its_cause_is_sent(database: Database) -> None:
    journal, other = Journal(), Journal()
    journal.sale()
    take(database, journal)
    other.lines[0] = journal.lines[0]
    other.add("sale", wallet_sale(fresh()))
    for _ in range(5):
        take(database, other)
    assert len(alarms(database)) == 1
