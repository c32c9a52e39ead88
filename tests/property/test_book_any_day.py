"""The book through any sequence of what a day can bring, in any order: what must hold after every entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from tillbox.cloud_bridge.book import accounts, coupons, payments, sales
from tillbox.cloud_bridge.book.accounts import limits_of
from tillbox.cloud_bridge.book.engine import Entry, Key, Leg, decide, reversal
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import CouponUse, Line, Refund, Sale, Tender, Void
from tillbox.contracts.money import CNY, coupon_unit
from tillbox.contracts.verdicts import Reason

DEVICES = ("box-1", "box-2")
ATTEMPTS = tuple(uuid7(1, bytes([n]) * 10) for n in range(6))
LEASES = tuple(uuid7(2, bytes([n]) * 10) for n in range(4))
SALES = tuple(uuid7(3, bytes([n]) * 10) for n in range(30))
STOCK = 40


@dataclass
class Day:
    """A book, and what happened in it."""

    random: Random
    balances: Counter[Key] = field(default_factory=Counter)
    posted: list[tuple[Leg, ...]] = field(default_factory=list)
    of: dict[str, tuple[Leg, ...]] = field(default_factory=dict)
    reasons: Counter[Reason] = field(default_factory=Counter)

    def post(self, entry: Entry, *, happened: bool) -> tuple[Leg, ...]:
        """Decide and post, and look at everything that must hold. A fact is never refused."""
        decision = decide(entry, self.balances)
        if decision.refused is not None:
            assert not happened, f"the book said {decision.refused} to a fact"
            assert decision.legs == ()
            self.reasons[decision.refused] += 1
            return ()
        self.reasons.update(decision.variances)
        locked = set(entry.keys())
        sums: Counter[str] = Counter()
        for leg in decision.legs:
            assert leg.key in locked, "a balance is moved that nobody has read and locked"
            sums[str(leg.amount.unit)] += leg.amount.minor
            self.balances[leg.key] += leg.amount.minor
        assert not any(sums.values()), "a transaction does not sum to zero in each unit"
        for leg in decision.legs:
            assert limits_of(leg.account).allow(self.balances[leg.key]), f"{leg.account} left its limits"
        self.posted.append(decision.legs)
        return decision.legs

    def sell(self) -> None:
        random, tid = self.random, self.random.choice(SALES)
        if tid in self.of:
            return
        total = random.choice((500, 800, 2_600))
        use = None
        if random.random() < 0.5:
            lease, serial = random.choice(LEASES), random.randint(1, 12)
            use = CouponUse(template="tea", serial=serial, lease=lease, discount=200, rights_count=1)
        off = (200 if use else 0) + (random.random() < 0.05) * 7  # a box whose sums do not close
        attempt = random.choice(ATTEMPTS) if random.random() < 0.5 else None
        tender = Tender(type="merchant_scan" if attempt else "cash", amount=total - off, attempt=attempt)
        lines = (Line(name="tea", price=total),)
        body = Sale(lines=lines, total=total, discount=200 if use else 0, tender=tender, coupon=use)
        self.of[tid] = self.post(sales.sale(random.choice(DEVICES), body), happened=True)

    def void(self) -> None:
        tid = self.random.choice(SALES)
        original = self.of.get(tid)
        body = Void(of=tid, amount=800, tender_type=self.random.choice(("cash", "merchant_scan")))
        closed = self.random.random() < 0.2
        device = self.random.choice(DEVICES)
        legs = self.post(sales.void(device, body, original, lease_closed=closed), happened=True)
        out = _moved([leg for leg in legs if leg.account.startswith(("cash:", "variance:"))])
        if original and not closed and set(legs) == set(reversal(original)):
            assert _moved(legs) == {key: -minor for key, minor in _moved(original).items()}
        elif not original:
            assert sum(out.values()) == 0, "a void of nothing moves the drawer and its variance, and no more"

    def refund(self) -> None:
        attempt = self.random.choice((None, *ATTEMPTS))
        body = Refund(
            of=self.random.choice(SALES), amount=100, attempt=attempt,
            tender_type="merchant_scan" if attempt else "cash",
        )  # fmt: skip
        self.post(sales.refund(self.random.choice(DEVICES), body), happened=True)

    def paid(self) -> None:
        self.post(payments.paid("sandbox", self.random.choice(ATTEMPTS), 800), happened=True)

    def paid_back(self) -> None:
        self.post(payments.paid_back("sandbox", self.random.choice(ATTEMPTS), 800), happened=True)

    def grant(self) -> None:
        self.post(
            coupons.grant("tea", self.random.choice(LEASES), self.random.randint(1, 15)), happened=False
        )

    def close(self) -> None:
        lease = self.random.choice(LEASES)
        left = self.balances[accounts.lease(lease), str(coupon_unit("tea"))]
        asked = left if self.random.random() < 0.8 else left + 1
        self.post(coupons.close("tea", lease, asked), happened=False)


def _moved(legs: Iterable[Leg]) -> dict[Key, int]:
    moved: Counter[Key] = Counter()
    for leg in legs:
        moved[leg.key] += leg.amount.minor
    return {key: minor for key, minor in moved.items() if minor}


def live(seed: int) -> Day:
    """One day; the same for the same seed."""
    day = Day(Random(seed))
    day.post(coupons.issue("tea", STOCK), happened=True)
    kinds: list[Callable[[], None]] = [
        day.sell, day.sell, day.sell, day.void, day.refund, day.paid, day.paid, day.paid_back, day.grant, day.close
    ]  # fmt: skip
    for _ in range(60):
        day.random.choice(kinds)()
    return day


def test_whatever_a_day_brings_the_book_balances_and_keeps_its_limits() -> None:
    reasons: Counter[Reason] = Counter()
    for seed in range(400):
        day = live(seed)
        reasons.update(day.reasons)
        again: Counter[Key] = Counter()
        for legs in day.posted:
            for leg in legs:
                again[leg.key] += leg.amount.minor
        assert all(again[key] == day.balances[key] for key in set(again) | set(day.balances)), (
            f"seed {seed}: balances are not the sums of their postings"
        )
        unit = str(coupon_unit("tea"))
        tea = {account: minor for (account, its), minor in day.balances.items() if its == unit}
        assert sum(tea.values()) == 0, f"seed {seed}"
        assert sum(minor for account, minor in tea.items() if account != accounts.issued("tea")) == STOCK
        cny = [minor for (_, its), minor in day.balances.items() if its == str(CNY)]
        assert sum(cny) == 0, f"seed {seed}"
    # Days on which nothing was doubtful would prove nothing.
    for reason in (Reason.NO_RIGHT, Reason.COUPON_SPENT, Reason.PAYMENT_UNKNOWN, Reason.REFUND_TOO_LARGE):
        assert reasons[reason] > 50, reasons
    assert reasons[Reason.ALREADY_VOIDED] > 0, reasons
