"""Every pair of phase and event has a row, and no row raises."""

from __future__ import annotations

import typing
from dataclasses import replace

import pytest

from tillbox.agent import till as shop
from tillbox.agent.offline import Lease, Right
from tillbox.agent.past import OwnSale, Past
from tillbox.agent.receipts import Shop, slip_document
from tillbox.agent.till import Basket, Checking, Idle, InDoubt, Paying, Ringing, Stopped
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.codes import CouponClaims, GoodsCode, PaymentCode, Wallet
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import SUM_MAX, CouponUse, Line, PaymentAsked, PaymentEnded, Sale, Tender
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.offers.threshold import ThresholdOffer
from tillbox.contracts.verdicts import Reason, Refused
from tillbox.hardware.printing.paper import text_of

IDS = tuple(uuid7(1, bytes([n]) * 10) for n in range(shop.IDS_PER_STEP))
MOMENT = shop.Moment(TimeInterval(1_000, 2_000), 50_000, IDS)
LINE = Line(name="tea", price=1200)
BASKET = Basket((LINE,))
ASKED = PaymentAsked(
    attempt=IDS[0], sale=IDS[1], amount=1200, wallet="wechat", code_hint="13****", lines=(LINE,)
)
CLAIMS = CouponClaims("town", "tea", 7, 0, 9_000, Amount(500, CNY), Amount(100, CNY), "tea")
PHASES = {
    Idle: Idle(),
    Ringing: Ringing(BASKET),
    Checking: Checking(BASKET, IDS[2], CLAIMS),
    Paying: Paying(BASKET, ASKED),
    InDoubt: InDoubt(BASKET, ASKED),
    Stopped: Stopped(Reason.DISK_FULL, BASKET),
}
EVENTS = [
    shop.LineRung(LINE),
    shop.CodesShown((PaymentCode(Wallet.WECHAT, "130000000000000001"), Refused(Reason.UNREADABLE))),
    shop.CodesShown((GoodsCode("6901234567892"),)),
    shop.CashTaken(Amount(5_000, CNY)),
    shop.ChargePressed(),
    shop.CouponDropped(),
    shop.Cleared(),
    shop.GiveUpPressed(),
    shop.AskAgainPressed(),
    shop.VoidPressed(IDS[3]),
    shop.RefundPressed(IDS[3], Amount(1, CNY), Amount(1, CNY)),
    shop.ReprintPressed(IDS[3]),
    shop.PaymentTold(IDS[0], "paid"),
    shop.RightGranted(IDS[2], Lease(IDS[4], "tea", 7, 7, frozenset(), 9_000)),
    shop.RightRefused(IDS[2], Reason.COUPON_SPENT),
    shop.HelloAnswered("proven"),
    shop.WitnessRead(3),
    shop.RightsDue(),
    shop.OpeningSettled(),
    shop.PatienceEnded(IDS[0]),
    shop.LineChanged(up=True),
    shop.JournalFailed(Reason.DISK_FULL),
    shop.JournalMended(),
]


def till_in(phase: shop.Phase, *, line_up: bool = True) -> shop.Till:
    """A till in a phase, on a line that is up."""
    setup = shop.Setup("box-1", "town", stocks={"tea": 5})
    payment = ASKED if isinstance(phase, (Paying, InDoubt)) else None
    return shop.Till(setup, Past(payment=payment), phase, line_up, shop.Rights.LIVE, vouched=True)


def test_every_event_has_a_row_and_every_row_a_handler_for_each_phase() -> None:
    assert set(shop.TRANSITIONS) == set(typing.get_args(shop.Event))
    assert all(len(row) == len(shop.PHASES) for row in shop.TRANSITIONS.values())
    assert set(shop.PHASES) == set(typing.get_args(shop.Phase))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("phase", PHASES.values(), ids=lambda phase: type(phase).__name__)
def test_no_pair_raises_and_records_come_before_anything_that_is_seen(
    phase: shop.Phase, event: shop.Event
) -> None:
    before = till_in(phase)
    after, effects = shop.step(before, event, MOMENT)
    assert type(after.phase) in shop.PHASES
    seen = [type(effect) in (shop.Print, shop.Kick, shop.Witness) for effect in effects]
    recorded = [isinstance(effect, shop.Record) for effect in effects]
    if any(recorded) and any(seen):
        assert recorded.index(True) < seen.index(True)
    if not any(recorded):
        assert after.past == before.past


def test_a_payment_code_is_refused_without_a_line_and_says_what_to_do() -> None:
    till = till_in(Ringing(BASKET), line_up=False)
    after, effects = shop.step(
        till, shop.CodesShown((PaymentCode(Wallet.WECHAT, "130000000000000001"),)), MOMENT
    )
    assert effects == (shop.Show(Refused(Reason.OFFLINE_PAYMENT_CODE)),)
    assert after == till


def test_cash_is_settled_offline_recorded_first_then_printed() -> None:
    till = till_in(Ringing(BASKET), line_up=False)
    after, effects = shop.step(till, shop.CashTaken(Amount(2_000, CNY)), MOMENT)
    assert [type(effect) for effect in effects] == [shop.Record, shop.Print, shop.Kick, shop.Show]
    assert isinstance(after.phase, Idle)
    assert after.past.last_sale is not None
    assert after.past.last_sale.sale.tender.received == 2_000


def test_what_the_core_says_paid_is_settled_and_what_it_says_declined_is_rung_up_again() -> None:
    paid, effects = shop.step(till_in(Paying(BASKET, ASKED)), shop.PaymentTold(IDS[0], "paid"), MOMENT)
    assert paid.past.payment is None
    assert any(isinstance(effect, shop.Print) for effect in effects)
    declined, effects = shop.step(
        till_in(Paying(BASKET, ASKED)), shop.PaymentTold(IDS[0], "declined"), MOMENT
    )
    assert declined.phase == Ringing(BASKET)
    assert effects[-1] == shop.Show(Refused(Reason.PAYMENT_DECLINED))


@pytest.mark.parametrize(
    "phase",
    [Checking(BASKET, IDS[2], CLAIMS), Paying(BASKET, ASKED), InDoubt(BASKET, ASKED)],
    ids=lambda p: type(p).__name__,
)
def test_a_product_scanned_while_something_is_under_way_joins_nothing(phase: shop.Phase) -> None:
    setup = shop.Setup("box-1", "town", goods={"6901234567892": Line(name="tea", price=450)})
    till = replace(till_in(phase), setup=setup)
    after, effects = shop.step(till, shop.CodesShown((GoodsCode("6901234567892"),)), MOMENT)
    assert after == till
    (show,) = effects
    assert isinstance(show, shop.Show)
    assert isinstance(show.what, Refused)


def test_a_price_beyond_all_prices_is_refused_and_not_added() -> None:
    dear = Line(name="tea", price=SUM_MAX, quantity=9_999)
    after, effects = shop.step(till_in(Ringing(BASKET)), shop.LineRung(dear), MOMENT)
    assert after.phase == Ringing(BASKET)
    assert effects == (shop.Show(Refused(Reason.AMOUNT_TOO_LARGE, shop.AMOUNT_MAX.decimal())),)


def test_a_coupon_on_the_counter_goes_with_the_rights_that_are_lost() -> None:
    lease = Lease(IDS[4], "tea", 1, 5, frozenset(), 9_000)
    coupon = shop.Coupon(Right(IDS[4], "tea", 1), ThresholdOffer(Amount(0, CNY), Amount(100, CNY)), "tea")
    till = replace(
        till_in(Ringing(replace(BASKET, coupon=coupon))), past=Past(leases={lease.id: lease}), vouched=False
    )
    after, _ = shop.step(till, shop.HelloAnswered("rolled_back"), MOMENT)
    assert after.phase == Ringing(BASKET)
    assert after.past.leases == {}


def test_a_lease_that_an_open_payment_counts_on_is_not_given_back_when_it_expires() -> None:
    lease = Lease(IDS[4], "tea", 1, 5, frozenset(), 500)
    use = {"template": "tea", "serial": 1, "lease": IDS[4], "discount": 100, "rights_count": 1}
    asked = ASKED.model_copy(update={"coupon": CouponUse.model_validate(use)})
    till = replace(till_in(InDoubt(BASKET, asked)), past=Past(payment=asked, leases={lease.id: lease}))
    after, _ = shop.step(till, shop.HelloAnswered("proven"), MOMENT)
    assert lease.id in after.past.leases


def test_an_old_card_loses_its_rights_by_the_witness() -> None:
    lease = Lease(IDS[4], "tea", 1, 5, frozenset(), 9_000)
    till = shop.Till(shop.Setup("box-1", "town"), Past(leases={lease.id: lease}, rights_count=2), Idle())
    after, _ = shop.step(till, shop.WitnessRead(3), MOMENT)
    assert after.past.leases == {}
    assert after.past.rights_count == 4
    for nonsense in (1_000_003, 2**31 - 1):
        assert shop.step(till, shop.WitnessRead(nonsense), MOMENT) == (till, ()), "a count is never used up"
    assert shop.step(till, shop.WitnessRead(1_000_002), MOMENT)[0].past.rights_count == 1_000_003
    young, _ = shop.step(till, shop.WitnessRead(2), MOMENT)
    assert young.past.leases == {lease.id: lease}
    assert young.rights is shop.Rights.LIVE


def test_a_grant_that_this_journal_did_not_ask_for_is_left_alone() -> None:
    grant = shop.RightGranted(IDS[5], Lease(IDS[4], "tea", 1, 5, frozenset(), 9_000))
    before = till_in(Idle())
    assert shop.step(before, grant, MOMENT) == (before, ())


# What a reader of the money's path found, each demonstrated on the code as it was.

COUPON = shop.Coupon(Right(IDS[4], "tea", 1), ThresholdOffer(Amount(0, CNY), Amount(100, CNY)), "tea")
HELD = Lease(IDS[4], "tea", 1, 5, frozenset(), 9_000)
CODE = PaymentCode(Wallet.WECHAT, "130000000000000001")


def kinds_of(effects: tuple[shop.Effect, ...]) -> list[str]:
    return [one.name if isinstance(one, shop.Ask) else type(one).__name__ for one in effects]


def test_a_bar_code_in_the_cash_field_is_refused() -> None:
    typed = Amount(3_600_029_145_200, CNY)
    after, effects = shop.step(till_in(Ringing(BASKET)), shop.CashTaken(typed), MOMENT)
    assert after.phase == Ringing(BASKET)
    assert effects == (shop.Show(Refused(Reason.AMOUNT_TOO_LARGE, shop.AMOUNT_MAX.decimal())),)


def test_too_little_cash_says_how_much_is_missing() -> None:
    _, effects = shop.step(till_in(Ringing(BASKET)), shop.CashTaken(Amount(1_000, CNY)), MOMENT)
    assert effects == (shop.Show(Refused(Reason.TOO_LITTLE_CASH, "2.00")),)


@pytest.mark.parametrize(
    ("beside", "charged"),
    [
        (Refused(Reason.CODE_DAMAGED), False),
        (GoodsCode("6901234567892"), False),  # not in this shop's list
        (Refused(Reason.UNKNOWN_CODE), True),  # a poster behind the customer
    ],
)
def test_a_payment_code_is_held_where_what_was_shown_beside_it_is_refused(
    beside: GoodsCode | Refused, charged: bool
) -> None:
    for codes in ((beside, CODE), (CODE, beside)):
        after, effects = shop.step(till_in(Ringing(BASKET)), shop.CodesShown(codes), MOMENT)
        assert ("pay" in kinds_of(effects)) is charged
        assert isinstance(after.phase, Paying if charged else Ringing)
        assert charged or shop.basket_of(after).held is not None


def test_a_payment_in_doubt_is_asked_for_until_somebody_knows() -> None:
    """The one question at the moment the line came up was lost with a core that was still starting."""
    till = till_in(InDoubt(BASKET, ASKED))
    for _ in range(3):
        after, effects = shop.step(till, shop.PatienceEnded(ASKED.attempt), MOMENT)
        assert after == till
        assert kinds_of(effects) == ["pay_status", "Patience"]
    _, effects = shop.step(replace(till, line_up=False), shop.PatienceEnded(ASKED.attempt), MOMENT)
    assert effects == (), "without a line nobody can be asked"
    _, effects = shop.step(replace(till, line_up=False), shop.LineChanged(up=True), MOMENT)
    assert kinds_of(effects)[-2:] == ["pay_status", "Patience"]
    _, effects = shop.step(till, shop.PatienceEnded(IDS[9]), MOMENT)
    assert effects == ()


@pytest.mark.parametrize("end", ["declined", "reversed", "given up"])
def test_a_payment_that_took_too_long_keeps_its_coupon(end: str) -> None:
    basket = replace(BASKET, coupon=COUPON)
    till = replace(till_in(Paying(basket, ASKED)), past=Past(payment=ASKED, leases={HELD.id: HELD}))
    till, _ = shop.step(till, shop.PatienceEnded(IDS[0]), MOMENT)
    told = shop.GiveUpPressed() if end == "given up" else shop.PaymentTold(IDS[0], end)  # type: ignore[arg-type]
    after, _ = shop.step(till, told, MOMENT)
    assert after.phase == Ringing(basket)


def test_a_payment_that_came_to_nothing_leaves_no_coupon_whose_right_was_lost() -> None:
    till = replace(till_in(Paying(replace(BASKET, coupon=COUPON), ASKED)), past=Past(payment=ASKED))
    after, _ = shop.step(till, shop.PaymentTold(IDS[0], "declined"), MOMENT)
    assert after.phase == Ringing(BASKET)


def test_the_second_of_two_presses_pays_nothing_back() -> None:
    tender = Tender(type="cash", amount=1200, received=1200)
    sale = Sale(lines=(LINE,), total=1200, tender=tender, online=True, number=1)
    till = replace(till_in(Idle()), past=Past(sales={IDS[3]: OwnSale(IDS[3], sale)}))
    press = shop.RefundPressed(IDS[3], Amount(500, CNY), Amount(1200, CNY))
    once, effects = shop.step(till, press, MOMENT)
    assert "Record" in kinds_of(effects)
    twice, effects = shop.step(once, press, MOMENT)
    assert twice == once
    assert effects == (shop.Show(Refused(Reason.SALE_CHANGED, "7.00")),)
    _, effects = shop.step(once, replace(press, left=Amount(700, CNY)), MOMENT)
    assert "Record" in kinds_of(effects), "who has seen what is left may go on"


def test_rights_are_looked_after_without_a_sale() -> None:
    ended = replace(HELD, expires_ms=500)
    till = replace(till_in(Idle()), past=Past(leases={HELD.id: ended}))
    after, effects = shop.step(till, shop.RightsDue(), MOMENT)
    assert HELD.id not in after.past.leases
    assert "lease" in kinds_of(effects)
    _, effects = shop.step(replace(till, vouched=False), shop.RightsDue(), MOMENT)
    assert kinds_of(effects) == ["Greet"], "an answer to the last greeting was lost"


def test_a_lease_that_is_used_up_goes_back_with_the_sale() -> None:
    """Else every coupon that was asked for one by one would leave an empty lease behind until it expires."""
    single = Lease(HELD.id, "tea", 7, 7, frozenset(), 9_000, single=True)
    basket = replace(BASKET, coupon=replace(COUPON, right=Right(HELD.id, "tea", 7)))
    till = replace(till_in(Ringing(basket)), past=Past(leases={HELD.id: single}))
    after, effects = shop.step(till, shop.CashTaken(Amount(2_000, CNY)), MOMENT)
    kinds = [draft.kind for one in effects if isinstance(one, shop.Record) for draft in one.drafts]
    assert kinds[:2] == ["sale", "lease_closed"]
    assert HELD.id not in after.past.leases


@pytest.mark.parametrize("event", [shop.HelloAnswered("rolled_back"), shop.WitnessRead(9)])
def test_any_number_of_rights_can_be_lost(event: shop.Event) -> None:
    leases = {
        name: replace(HELD, id=name) for name in (uuid7(1, n.to_bytes(10, "big")) for n in range(1_500))
    }
    till = replace(till_in(Idle()), past=Past(leases=leases), vouched=False, rights=shop.Rights.FROZEN)
    after, effects = shop.step(till, event, MOMENT)
    assert "Record" in kinds_of(effects)
    assert not after.past.leases


def test_every_stock_is_asked_for_in_its_turn() -> None:
    stocks = {f"t{n}": 5 for n in range(6)}
    till = replace(till_in(Idle()), setup=shop.Setup("box-1", "town", stocks=stocks))
    for turn in range(2):
        fresh = tuple(uuid7(2 + turn, bytes([n]) * 10) for n in range(shop.IDS_PER_STEP))
        till, _ = shop.step(till, shop.RightsDue(), replace(MOMENT, fresh=fresh))
    assert {one.template for one in till.past.requests.values()} == set(stocks)


def test_an_empty_stock_is_left_in_peace_for_a_while() -> None:
    till, _ = shop.step(till_in(Idle()), shop.RightsDue(), MOMENT)
    (request,) = till.past.requests
    later = replace(MOMENT, boot_ms=MOMENT.boot_ms + 60_000, fresh=IDS[1:])
    till, _ = shop.step(till, shop.RightRefused(request, Reason.NO_RIGHT), later)
    _, effects = shop.step(till, shop.RightsDue(), later)
    assert effects == (), "a journal that is never pruned would be filled with the same question"
    much_later = replace(later, boot_ms=later.boot_ms + shop.EMPTY_STOCK_MS)
    _, effects = shop.step(till, shop.RightsDue(), much_later)
    assert kinds_of(effects) == ["Record", "lease"]


def test_a_wallet_is_not_asked_for_nothing() -> None:
    free = replace(COUPON, offer=ThresholdOffer(Amount(0, CNY), Amount(1200, CNY)))
    till = replace(till_in(Ringing(replace(BASKET, coupon=free))), past=Past(leases={HELD.id: HELD}))
    after, effects = shop.step(till, shop.CodesShown((CODE,)), MOMENT)
    assert effects == (shop.Show(Refused(Reason.NOTHING_LEFT_TO_PAY)),)
    assert shop.basket_of(after).held is None


def test_a_copy_says_what_became_of_the_sale() -> None:
    sale = Sale(lines=(LINE,), total=1200, tender=Tender(type="cash", amount=1200, received=1200), number=1)
    till = replace(till_in(Idle()), past=Past(sales={IDS[3]: OwnSale(IDS[3], sale, voided=True)}))
    _, effects = shop.step(till, shop.ReprintPressed(IDS[3]), MOMENT)
    slip = next(one.slip for one in effects if isinstance(one, shop.Print))
    paper = text_of(slip_document(slip, Shop("Tea", "box-1", "https://x/"), TimeInterval(1, 2), "10:00"))
    assert "VOIDED" in paper
    assert "补打 10:00" in paper


def test_a_box_that_is_put_out_gives_an_open_payment_up() -> None:
    """Nobody will sell on it any more: the core sends back what the customer paid."""
    till = replace(till_in(InDoubt(BASKET, ASKED)), past=Past(payment=ASKED))
    after, effects = shop.step(till, shop.PutOut(Reason.BOX_REPLACED), MOMENT)
    assert after.phase == Stopped(Reason.BOX_REPLACED, BASKET)
    assert after.past.payment is None
    (draft,) = (one for effect in effects if isinstance(effect, shop.Record) for one in effect.drafts)
    assert draft.body == PaymentEnded(attempt=ASKED.attempt, outcome="abandoned")
    again, effects = shop.step(after, shop.PutOut(Reason.BOX_REPLACED), MOMENT)
    assert not any(isinstance(effect, shop.Record) for effect in effects), "a second boot gives nothing up"
    assert again.phase == after.phase
