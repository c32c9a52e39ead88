"""Payments from asked to their end, with a wallet company that keeps the customers' true money and answers late,
never, twice and out of order. On SQLite and on PostgreSQL; time is an argument, and nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import func, select
from tests.conformance.core_store import NOW, Journal, balances, fresh, take

from tillbox.cloud_bridge.book.accounts import limits_of
from tillbox.cloud_bridge.payments import cashier
from tillbox.cloud_bridge.payments.cashier import Call, Todo
from tillbox.cloud_bridge.payments.channels.port import Outcome
from tillbox.cloud_bridge.payments.machine import FINAL, ReverseAnswered, Schedule, Told
from tillbox.cloud_bridge.store import reading, tables
from tillbox.cloud_bridge.store.database import Database
from tillbox.cloud_bridge.store.ledger import Ledger
from tillbox.contracts.messages import Line, PayAsk, PaymentEnded, Refund, Sale, Tender, Void

AMOUNT = 700
CODE = "130000000000000001"
HANGS_MS = 10_000
"""After this the caller gives up on an answer, and says UNKNOWN."""
TURNS_MAX = 2_000
"""A story of an hour takes some two hundred turns; one that takes more turns in circles."""


@dataclass(frozen=True)
class Customer:
    """What the one with the phone does. `stubborn` pays even after the trade was closed."""

    pays_after_ms: int | None = None
    declines: bool = False
    heard: bool = True
    stubborn: bool = False


CUSTOMERS = {
    "pays at once": Customer(0),
    "types a password": Customer(12_000),
    "pays as the window ends": Customer(44_900),
    "pays while it is given up": Customer(47_100, stubborn=True),
    "pays long after the end": Customer(900_000, stubborn=True),
    "has no money": Customer(declines=True),
    "walks away": Customer(),
    "was never asked": Customer(heard=False),
}


@pytest.fixture
def _one_box_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A street of customers at one box: more than one box may have open."""
    monkeypatch.setattr(cashier, "OPEN_PER_BOX", 99)


Answers = list[tuple[int, Outcome]]
Manner = Callable[[str, Outcome, int, int], Answers]
"""How late each copy of an answer comes, by verb, outcome, age of the trade and number of the call."""

MANNERS: dict[str, Manner] = {
    "prompt": lambda _, outcome, __, ___: [(200, outcome)],
    "late": lambda _, outcome, __, ___: [(9_000, outcome)],
    "dumb for a minute": lambda _, outcome, age_ms, __: [
        (HANGS_MS, Outcome.UNKNOWN) if age_ms < 60_000 else (200, outcome)
    ],
    "never answers a pay": lambda verb, outcome, _, __: [] if verb == "pay" else [(200, outcome)],
    "no reversal for half an hour": lambda verb, outcome, age_ms, _: [
        (HANGS_MS, Outcome.UNKNOWN) if verb == "reverse" and age_ms < 1_800_000 else (200, outcome)
    ],
    "twice": lambda _, outcome, __, ___: [(200, outcome), (31_000, outcome)],
    "out of order": lambda _, outcome, __, n: [(200 if n % 3 == 0 else 17_000 * (n % 3), outcome)],
}


@dataclass
class Trade:
    """One attempt in the company's own books."""

    amount: int
    customer: Customer
    began_ms: int
    heard: bool = False
    paid: bool = False
    closed: bool = False
    back: int = 0
    refunds: set[str] = field(default_factory=set)

    @property
    def net(self) -> int:
        """What the customer has really spent."""
        return self.amount * self.paid - self.back


class Wallet:
    """The company. What it does is the truth, whatever becomes of its answers."""

    def __init__(self) -> None:
        self.trades: dict[str, Trade] = {}

    def call(self, call: Call) -> Outcome:
        trade = self.trades[call.attempt]
        match call.verb:
            case "pay":
                trade.heard = trade.customer.heard
                return self.standing(trade) if trade.heard else Outcome.UNKNOWN
            case "query":
                return self.standing(trade)
            case "reverse":
                trade.closed, trade.back = True, trade.amount * trade.paid
                return Outcome.REVERSED if trade.paid else Outcome.CLOSED
            case "refund":
                return self.refund(trade, call)

    def standing(self, trade: Trade) -> Outcome:
        if trade.paid:
            return Outcome.PAID if trade.net else Outcome.REVERSED
        if trade.closed:
            return Outcome.CLOSED
        if not trade.heard:
            return Outcome.NOT_FOUND
        return Outcome.DECLINED if trade.customer.declines else Outcome.USER_PAYING

    def refund(self, trade: Trade, call: Call) -> Outcome:
        if trade.closed and trade.paid:
            return Outcome.REVERSED
        if call.refund_no not in trade.refunds:
            if call.amount > trade.net:
                return Outcome.REFUSED
            trade.refunds.add(call.refund_no)
            trade.back += call.amount
        return Outcome.REFUNDED

    def customers_pay(self, now_ms: int) -> list[str]:
        """Who has paid since the last look; each is notified of."""
        paid = []
        for attempt, trade in self.trades.items():
            after_ms = trade.customer.pays_after_ms
            due = trade.heard and after_ms is not None and now_ms >= trade.began_ms + after_ms
            if due and not trade.paid and (not trade.closed or trade.customer.stubborn):
                trade.paid, trade.closed = True, False
                paid.append(attempt)
        return paid

    def next_ms(self) -> list[int]:
        return [
            trade.began_ms + trade.customer.pays_after_ms
            for trade in self.trades.values()
            if trade.customer.pays_after_ms is not None and not trade.paid
            if trade.customer.stubborn or not trade.closed
        ]


class Core:
    """The core's hands, without threads: each turn does what is due, commits, and looks at the book."""

    def __init__(self, database: Database, manner: str = "prompt") -> None:
        self.database, self.manner = database, MANNERS[manner]
        self.wallet, self.schedule = Wallet(), Schedule()
        self.journal = Journal()
        self.now_ms, self.calls = NOW, 0
        self.under_way: list[tuple[int, int, Call, Outcome | None]] = []
        self.heard: dict[str, list[str]] = {}

    def pay(self, customer: Customer, amount: int = AMOUNT) -> str:
        attempt = fresh()
        self.wallet.trades[attempt] = Trade(amount, customer, self.now_ms)
        self.ask(attempt, amount)
        return attempt

    def ask(self, attempt: str, amount: int = AMOUNT) -> None:
        body = PayAsk(attempt=attempt, sale=attempt, amount=amount, code=CODE)
        self.commit(
            lambda connection, ledger: cashier.ask(
                connection, ledger, body, device="box-1", now_ms=self.now_ms, schedule=self.schedule
            )
        )

    def tell(self, attempt: str, event: Told | ReverseAnswered) -> None:
        self.commit(
            lambda connection, ledger: cashier.told(
                connection, ledger, attempt, event, now_ms=self.now_ms, schedule=self.schedule
            )
        )

    def commit(self, do: Callable[..., Todo | None]) -> None:
        """One transaction, and afterwards what it says is to be done."""
        with self.database.writing() as connection:
            ledger = Ledger(connection, self.now_ms)
            todo = do(connection, ledger) or Todo()
            ledger.flush()
        for news in todo.news:
            self.heard.setdefault(news.answer.attempt, []).append(news.answer.state)
        for call in todo.calls:
            self.send(call, call.verb, self.wallet.call(call))
        self.notify()

    def send(self, call: Call, verb: str, outcome: Outcome) -> None:
        """The answer is on its way, in as many copies as the manner makes of it."""
        self.calls += 1
        age_ms = self.now_ms - self.wallet.trades[call.attempt].began_ms
        for late_ms, said in self.manner(verb, outcome, age_ms, self.calls):
            self.under_way.append((self.now_ms + late_ms, len(self.under_way), call, said))

    def notify(self) -> None:
        for attempt in self.wallet.customers_pay(self.now_ms):
            # What the company says unasked is a word about the trade, like the answer to a query.
            self.send(Call("query", attempt, AMOUNT), "notice", Outcome.PAID)

    def turn(self) -> None:
        """What has arrived by now, then what is due."""
        self.notify()
        arrived = sorted((one for one in self.under_way if one[0] <= self.now_ms), key=lambda one: one[:2])
        self.under_way = [one for one in self.under_way if one[0] > self.now_ms]
        for _, _, call, outcome in arrived:
            assert outcome is not None
            self.answered(call, outcome)
        self.commit(
            lambda connection, ledger: cashier.due(
                connection, ledger, now_ms=self.now_ms, schedule=self.schedule
            )
        )
        the_book_balances(self.database)

    def answered(self, call: Call, outcome: Outcome) -> None:
        if call.verb == "refund":
            self.commit(
                lambda connection, ledger: cashier.refund_told(
                    connection, ledger, call.refund_no, outcome, now_ms=self.now_ms
                )
            )
            return
        self.tell(call.attempt, ReverseAnswered(outcome) if call.verb == "reverse" else Told(outcome))

    def run(self, until_ms: int | None = None) -> None:
        """Turn after turn, until nothing is due any more (or until a moment)."""
        for _ in range(TURNS_MAX):
            coming = [one[0] for one in self.under_way] + self.wallet.next_ms() + self.dues()
            if until_ms is not None:
                coming = [one for one in coming if one <= until_ms]
            if not coming:
                self.now_ms = max(self.now_ms, until_ms or 0)
                return
            self.now_ms = max(self.now_ms + 1, min(coming))
            self.turn()
        pytest.fail(f"still not done after {TURNS_MAX} turns: {self.states()}")

    def dues(self) -> list[int]:
        payment, refund = tables.payment.c, tables.channel_refund.c
        with self.database.reading() as connection:
            open_ones = select(payment.due_ms).where(payment.state.not_in(sorted(FINAL)))
            refunds = select(refund.due_ms).where(refund.state == "open")
            return [*connection.execute(open_ones).scalars(), *connection.execute(refunds).scalars()]

    def states(self) -> dict[str, str]:
        with self.database.reading() as connection:
            rows = connection.execute(select(tables.payment.c.attempt, tables.payment.c.state)).all()
        return {row.attempt: row.state for row in rows}

    def hand_in(self) -> None:
        """The box sends its whole journal, as after every silence."""
        take(self.database, self.journal)
        the_book_balances(self.database)

    def sale(self, attempt: str, amount: int = AMOUNT) -> str:
        tender = Tender(type="merchant_scan", amount=amount, attempt=attempt)
        lines = (Line(name="tea", price=amount),)
        return self.journal.add("sale", Sale(lines=lines, total=amount, tender=tender))

    def void(self, sale: str, attempt: str) -> None:
        body = Void(of=sale, amount=AMOUNT, tender_type="merchant_scan", attempt=attempt)
        self.journal.add("void", body)

    def refund(self, sale: str, attempt: str, amount: int) -> str:
        body = Refund(of=sale, amount=amount, tender_type="merchant_scan", attempt=attempt)
        return self.journal.add("refund", body)

    def give_up(self, attempt: str) -> None:
        self.journal.add("payment_ended", PaymentEnded(attempt=attempt, outcome="abandoned"))


def the_book_balances(database: Database) -> None:
    """Every transaction closes, every balance is the sum of its postings and within its limits."""
    posting = tables.posting.c
    total = func.sum(posting.minor).label("total")
    with database.reading() as connection:
        sums = connection.execute(
            select(posting.tid, posting.unit, total).group_by(posting.tid, posting.unit)
        )
        assert [tuple(row) for row in sums if row.total] == []
        rows = connection.execute(select(posting.account, total).group_by(posting.account))
        summed = {row.account: int(row.total) for row in rows}
    found = balances(database)
    assert found == summed
    assert [account for account, minor in found.items() if not limits_of(account).allow(minor)] == []


def alarms(database: Database) -> list[str]:
    with database.reading() as connection:
        return [row.kind for row in reading.alarms(connection)]


def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """All that a record can change."""
    of = (
        "txn",
        "posting",
        "balance",
        "payment",
        "payment_event",
        "channel_refund",
        "alarm",
        "sale",
        "reversal",
    )
    with database.reading() as connection:
        return {
            name: sorted(tuple(row) for row in connection.execute(select(tables.metadata.tables[name])))
            for name in of
        }


@pytest.mark.usefixtures("_one_box_for_all")
@pytest.mark.parametrize("manner", MANNERS)
def test_every_customer_is_charged_for_goods_or_not_at_all(database: Database, manner: str) -> None:
    """All customers at once, and each a second time at a box that gives the payment up after seven seconds. The
    book is held against what they have really spent."""
    core = Core(database, manner)
    stays = {name: core.pay(customer) for name, customer in CUSTOMERS.items()}
    given_up = {f"{name}, given up": core.pay(customer) for name, customer in CUSTOMERS.items()}
    core.run(until_ms=NOW + 7_000)
    for attempt in given_up.values():
        core.give_up(attempt)
    core.hand_in()
    core.run()
    held = balances(database)
    for name, attempt in {**stays, **given_up}.items():
        state, trade = core.states()[attempt], core.wallet.trades[attempt]
        assert state in FINAL, name
        assert core.heard[attempt][-1] == state, f"{name}: the box was not told the end"
        assert trade.net == (AMOUNT if state == "paid" else 0), name
        assert held.get(f"payment:{attempt}", 0) == -trade.net, name
    assert "paid" not in {core.states()[attempt] for attempt in given_up.values()}, "nobody has goods for it"
    heard_of = "reversed" if manner == "dumb for a minute" else "paid"
    assert core.states()[stays["pays at once"]] == heard_of
    assert core.states()[stays["pays long after the end"]] == "reversed"
    assert "late_success" in alarms(database)
    assert held["channel:sandbox"] == sum(trade.net for trade in core.wallet.trades.values())
    assert not [account for account, minor in held.items() if account.startswith("variance") and minor]


@pytest.mark.usefixtures("_one_box_for_all")
@pytest.mark.parametrize("manner", [name for name in MANNERS if name != "dumb for a minute"])
def test_paid_sold_and_taken_back_and_every_record_sent_again(database: Database, manner: str) -> None:
    core = Core(database, manner)
    paid = [core.pay(CUSTOMERS["pays at once"]) for _ in range(4)]
    core.run()
    sales = {attempt: core.sale(attempt) for attempt in paid}
    core.hand_in()
    assert [balances(database)[f"payment:{attempt}"] for attempt in paid] == [0, 0, 0, 0]
    for n, (attempt, sale) in enumerate(sales.items()):
        if n % 2:
            core.void(sale, attempt)
        else:
            for part in (300, 100):
                core.refund(sale, attempt, part)
    core.hand_in()
    core.hand_in()
    core.run()
    assert balances(database).get("channel:sandbox", 0) == sum(t.net for t in core.wallet.trades.values())
    assert not any(minor for account, minor in balances(database).items() if account.startswith("payment:"))
    assert [core.wallet.trades[attempt].net for attempt in paid] == [300, 0, 300, 0]
    before = everything(database)
    for lines in (core.journal.lines, core.journal.lines[::-1], core.journal.lines[2:4]):
        take(database, core.journal, *lines)
        core.run()
    assert everything(database) == before, "a record that came again changed something"


def test_a_question_that_comes_again_charges_nobody_again(database: Database) -> None:
    core = Core(database)
    attempt = core.pay(Customer(3_000))
    for _ in range(3):
        core.ask(attempt)
    core.ask(attempt, amount=1)
    assert core.heard[attempt] == ["submitted", "submitted", "submitted", "declined"]
    core.run()
    assert core.heard[attempt][-1] == "paid"
    core.ask(attempt)
    assert core.calls == 2, "one pay that was answered, and one notice"
    assert balances(database) == {"channel:sandbox": AMOUNT, f"payment:{attempt}": -AMOUNT}


def test_an_answer_that_comes_twice_is_booked_once(database: Database) -> None:
    core = Core(database)
    attempt = core.pay(Customer(0))
    for outcome in (Outcome.PAID, Outcome.PAID, Outcome.USER_PAYING, Outcome.UNKNOWN, Outcome.DECLINED):
        core.tell(attempt, Told(outcome))
    assert core.states()[attempt] == "paid"
    assert balances(database)["channel:sandbox"] == AMOUNT


def test_paid_after_the_reversal_began_is_paid_back_and_shouted_about(database: Database) -> None:
    core = Core(database, "no reversal for half an hour")
    attempt = core.pay(Customer(60_000, stubborn=True))
    core.run(until_ms=NOW + 59_000)
    assert core.states()[attempt] == "reversing"
    assert balances(database) == {}
    core.run(until_ms=NOW + 61_000)
    assert core.states()[attempt] == "reversing", "it is never taken as paid"
    assert balances(database) == {"channel:sandbox": AMOUNT, f"payment:{attempt}": -AMOUNT}
    assert alarms(database) == ["late_success"]
    core.run()
    assert core.states()[attempt] == "reversed"
    assert balances(database) == {"channel:sandbox": 0, f"payment:{attempt}": 0}
    assert core.wallet.trades[attempt].net == 0
    assert "paid" not in core.heard[attempt]


@pytest.mark.parametrize("end", ["declined", "reversed"])
def test_paid_after_the_end_is_paid_back_however_often_it_is_said(database: Database, end: str) -> None:
    core = Core(database)
    attempt = core.pay(Customer(declines=end == "declined"))
    core.run()
    assert core.states()[attempt] == end
    for _ in range(2):
        core.wallet.trades[attempt].paid, core.wallet.trades[attempt].back = True, 0
        core.tell(attempt, Told(Outcome.PAID))
        assert balances(database)[f"payment:{attempt}"] == -AMOUNT
        core.run()
        assert core.states()[attempt] == "reversed"
        assert balances(database) == {"channel:sandbox": 0, f"payment:{attempt}": 0}
    assert alarms(database) == ["late_success"]


def test_closed_is_no_answer_where_the_money_is_known_to_be_there(database: Database) -> None:
    """A word that was overtaken: at the time it was said, nothing was paid."""
    core = Core(database, "no reversal for half an hour")
    attempt = core.pay(Customer(60_000, stubborn=True))
    core.run(until_ms=NOW + 61_000)
    core.tell(attempt, ReverseAnswered(Outcome.CLOSED))
    assert core.states()[attempt] == "reversing"
    assert balances(database)["channel:sandbox"] == AMOUNT
    core.tell(attempt, ReverseAnswered(Outcome.REVERSED))
    core.tell(attempt, ReverseAnswered(Outcome.REVERSED))
    assert core.states()[attempt] == "reversed"
    assert balances(database)["channel:sandbox"] == 0


def test_a_reversal_that_is_not_answered_is_asked_less_and_less_often_and_for_ever(
    database: Database,
) -> None:
    core = Core(database, "no reversal for half an hour")
    attempt = core.pay(Customer())
    core.run(until_ms=NOW + 1_790_000)
    asked = core.calls
    assert core.states()[attempt] == "reversing"
    core.run()
    assert core.states()[attempt] == "reversed"
    assert asked < 30, "half an hour is no reason to ask every second"
    assert core.now_ms - NOW < 1_800_000 + core.schedule.reverse_again_max_ms + 1_000


def test_a_payment_that_was_given_up_and_sold_stays_paid(database: Database) -> None:
    core = Core(database)
    attempt = core.pay(Customer(0))
    core.run()
    core.sale(attempt)
    core.give_up(attempt)
    core.hand_in()
    core.run()
    assert core.states()[attempt] == "paid"
    assert alarms(database) == ["given_up_but_sold"]
    assert core.wallet.trades[attempt].net == AMOUNT


def test_goods_on_a_payment_that_went_back_are_a_variance_of_their_box(database: Database) -> None:
    core = Core(database)
    attempt = core.pay(Customer(0))
    core.run()
    core.give_up(attempt)
    core.hand_in()
    core.run()
    core.sale(attempt)
    core.hand_in()
    held = balances(database)
    assert (held["channel:sandbox"], held[f"payment:{attempt}"], held["variance:box-1"]) == (0, 0, AMOUNT)
    assert alarms(database) == ["variance_payment_unknown"]


def test_goods_that_were_handed_out_while_the_money_went_back_are_shouted_about(database: Database) -> None:
    """The sale comes in between the box giving up and the wallet company's answer."""
    core = Core(database, "no reversal for half an hour")
    attempt = core.pay(Customer(0))
    core.run()
    core.give_up(attempt)
    core.hand_in()
    core.sale(attempt)
    core.hand_in()
    core.run()
    assert core.states()[attempt] == "reversed"
    assert alarms(database) == ["reversed_but_sold"]
    assert balances(database)["channel:sandbox"] == core.wallet.trades[attempt].net == 0
    assert balances(database)["variance:sandbox"] == AMOUNT


def test_a_refund_is_asked_until_it_is_answered_and_booked_once(database: Database) -> None:
    core = Core(database)
    attempt = core.pay(Customer(0))
    core.run()
    number = core.refund(core.sale(attempt), attempt, 300)
    core.hand_in()
    for _ in range(3):
        core.answered(Call("refund", attempt, 300, number), Outcome.UNKNOWN)
    assert balances(database)["channel:sandbox"] == AMOUNT
    core.run()
    for outcome in (Outcome.REFUNDED, Outcome.REVERSED, Outcome.REFUSED, Outcome.NOT_FOUND):
        core.answered(Call("refund", attempt, 300, number), outcome)
    assert balances(database)["channel:sandbox"] == core.wallet.trades[attempt].net == 400
    assert alarms(database) == []


def test_a_refund_that_is_refused_stays_owed_and_somebody_is_told(database: Database) -> None:
    core = Core(database)
    attempt = core.pay(Customer(0))
    core.run()
    number = core.refund(core.sale(attempt), attempt, 300)
    core.hand_in()
    core.answered(Call("refund", attempt, 300, number), Outcome.REFUSED)
    core.run()
    assert core.wallet.trades[attempt].net == AMOUNT
    assert balances(database)[f"payment:{attempt}"] == -300
    assert alarms(database) == ["refund_refused"]


def test_a_clock_that_was_set_back_keeps_nobody_waiting(database: Database) -> None:
    core = Core(database)
    attempts = {name: core.pay(customer) for name, customer in CUSTOMERS.items()}
    core.now_ms -= 86_400_000
    for _ in range(40):
        core.now_ms += 5_000
        core.turn()
    states = core.states()
    assert {states[attempt] for attempt in attempts.values()} <= FINAL
    assert balances(database)["channel:sandbox"] == sum(trade.net for trade in core.wallet.trades.values())


# It was not always so: `refund_told` looks whether the book refused to post what went back. It never does: it says variance.
# So nobody is told of money that went back without being owed (Alarm.REFUND_NOT_OWED is never raised).
def test_money_that_went_back_and_was_not_owed_is_shouted_about(database: Database) -> None:
    core = Core(database)
    attempt = core.pay(Customer(0))
    core.run()
    core.refund(core.sale(attempt), attempt, 300)
    core.sale(attempt, 300)  # a box with an old card sells on the same payment once more
    core.hand_in()
    core.run()
    assert balances(database)["variance:sandbox"] == 300
    assert alarms(database) == ["refund_not_owed"]


# It was not always so: a refund that is answered REVERSED ("a reversal was first and all is back") is booked as money going back,
# also where the reversal was the core's own and is booked already: the book says the company is owed money.
def test_a_void_of_a_sale_whose_payment_was_reversed_books_nothing_twice(database: Database) -> None:
    """One card gives the payment up; the other, found again, hands in its sale, and voids it."""
    core = Core(database)
    attempt = core.pay(Customer(0))
    core.run()
    core.give_up(attempt)
    core.hand_in()
    core.run()
    core.void(core.sale(attempt), attempt)
    core.hand_in()
    core.run()
    assert core.wallet.trades[attempt].net == 0
    assert balances(database)["channel:sandbox"] == 0


def test_a_box_with_many_open_payments_is_declined_for_good_and_holds_no_caller(database: Database) -> None:
    def ask(device: str, attempt: str) -> Todo:
        body = PayAsk(attempt=attempt, sale=fresh(), amount=AMOUNT, code=CODE)
        with database.writing() as connection:
            ledger = Ledger(connection, NOW)
            todo = cashier.ask(connection, ledger, body, device=device, now_ms=NOW, schedule=Schedule())
            ledger.flush()
        return todo

    attempts = [fresh() for _ in range(50)]
    todos = [ask("greedy", attempt) for attempt in attempts]
    assert sum(len(todo.calls) for todo in todos) == cashier.OPEN_PER_BOX
    assert [news.answer.state for news in todos[-1].news] == ["declined"]
    assert len(ask("honest", fresh()).calls) == 1
    with database.writing() as connection:
        ledger = Ledger(connection, NOW)
        for attempt in attempts[: cashier.OPEN_PER_BOX]:
            cashier.told(connection, ledger, attempt, Told(Outcome.PAID), now_ms=NOW, schedule=Schedule())
        ledger.flush()
    late = ask("greedy", attempts[-1])
    assert late.calls == (), "the same question that comes late is not charged after all"
    assert len(ask("greedy", fresh()).calls) == 1
