"""Rights to redeem coupons alone: when they may be spent, topped up, given back, and when they are lost."""

from __future__ import annotations

from dataclasses import replace

from tillbox.agent.offline import Lease, Right, covering, left_of, next_right
from tillbox.agent.words import Word
from tillbox.contracts.codes import CouponClaims
from tillbox.contracts.messages import (
    RIGHTS_NAMED_MAX,
    CouponUse,
    LeaseAsk,
    LeaseAsked,
    LeaseClosed,
    RightsLost,
)
from tillbox.contracts.verdicts import Reason, Refused

from .effects import Ask, Effect, Greet, Show, Step, Witness
from .events import HelloAnswered, RightsDue, WitnessRead
from .state import Moment, Rights, Ringing, Till, basket_of, phase_of
from .steps import record

CLOSED_AT_ONCE, ASKED_AT_ONCE = 2, 4  # a step has twelve ids; the rest has its turn with the next sale
WITNESS_AHEAD_MAX = (
    1_000_000  # no box counts so much in its life: such a file is broken, or a prank, and no witness
)
EMPTY_STOCK_MS = (
    30 * 60_000
)  # asking is two records, and a journal is never pruned: a hundred a day, not thousands


def right_to(till: Till, claims: CouponClaims, moment: Moment) -> Right | Refused:
    """The right this box holds to a coupon, or why it holds none."""
    leases = till.past.leases.values()
    if till.rights is Rights.FROZEN:
        return Refused(Reason.RIGHTS_FROZEN)
    if claims.serial is None:
        return next_right(leases, claims.template, moment.at) or Refused(Reason.NO_RIGHT)
    lease = covering(leases, claims.template, claims.serial)
    if lease is not None and claims.serial in lease.spent:
        return Refused(Reason.COUPON_SPENT)
    if lease is None or lease.is_over(moment.at):
        return Refused(Reason.NO_RIGHT)
    return Right(lease.id, claims.template, claims.serial)


def recount(till: Till, use: CouponUse | None) -> CouponUse | None:
    """The same use, counted where it is recorded: other rights may have moved since it was planned."""
    return use.model_copy(update={"rights_count": till.past.rights_count + 1}) if use else None


def hello(till: Till, event: HelloAnswered, moment: Moment) -> Step:
    """The core has compared journals: rights come alive and are topped up, or are lost with the medium's past."""
    if till.vouched:
        return renew(till, moment)
    if event.standing == "waiting":
        return till, ()
    till = replace(till, vouched=True)
    if event.standing == "rolled_back":
        return _lose_rights(till, till.past.rights_count + 1, moment)
    return renew(replace(till, rights=Rights.LIVE), moment)


def look_after(till: Till, _: RightsDue, moment: Moment) -> Step:
    """Now and then: ask again what was not answered, give back what ended, top up what runs low."""
    if till.line_up and not till.vouched:
        return till, (Greet(),)
    return renew(till, moment)


def witness_read(till: Till, event: WitnessRead, moment: Moment) -> Step:
    """The witness lives outside the medium. If it counted further than the journal, the medium is old."""
    if event.count is None or event.count > till.past.rights_count + WITNESS_AHEAD_MAX or till.vouched:
        return till, ()
    if event.count > till.past.rights_count:
        return _lose_rights(till, event.count + 1, moment)
    return replace(till, rights=Rights.LIVE), (Witness(till.past.rights_count),)


def _lose_rights(till: Till, count: int, moment: Moment) -> Step:
    """Every right from before is void, the one of the coupon on the counter too."""
    # The core voids them by the box's name; the list is for whoever reads the record.
    lost = RightsLost(leases=tuple(till.past.leases)[:RIGHTS_NAMED_MAX], rights_count=count)
    till, effects = record(till, moment, (moment.fresh[0], "rights_lost", lost))
    if isinstance(till.phase, Ringing) and till.phase.basket.coupon:
        till = replace(till, phase=phase_of(replace(till.phase.basket, coupon=None)))
    show = (Show(Word.RIGHTS_LOST),) if lost.leases else ()
    return replace(till, rights=Rights.LIVE), (*effects, Witness(count), *show)


def renew(till: Till, moment: Moment) -> Step:
    """Repeat open requests, close what has ended, and top up what runs low. Needs the line."""
    if not till.line_up or till.rights is Rights.FROZEN or not till.vouched:
        return till, ()
    effects: tuple[Effect, ...] = tuple(
        Ask("lease", LeaseAsk(request=request, **asked.model_dump()))
        for request, asked in till.past.requests.items()
    )
    pledged = _pledged(till)
    ended = [one for one in till.past.leases.values() if _has_ended(one, moment) and one.id not in pledged]
    for lease in ended[:CLOSED_AT_ONCE]:
        till, more = close_lease(till, lease, moment)
        effects, moment = (*effects, *more), moment.after(1)
    low = [(name, size) for name, size in till.setup.stocks.items() if _runs_low(till, name, size, moment)]
    for template, size in low[:ASKED_AT_ONCE]:
        body = LeaseAsked(template=template, quantity=size)
        till, more = record(till, moment, (moment.fresh[0], "lease_asked", body))
        ask = Ask("lease", LeaseAsk(request=moment.fresh[0], **body.model_dump()))
        effects, moment = (*effects, *more, ask), moment.after(1)
    return till, effects


def _has_ended(lease: Lease, moment: Moment) -> bool:
    """Nothing more is to be had from it. A void that comes after its closing returns the right to the stock."""
    return not lease.left or lease.is_over(moment.at)


def _runs_low(till: Till, template: str, size: int, moment: Moment) -> bool:
    asked = any(one.template == template and one.serial is None for one in till.past.requests.values())
    if asked or moment.boot_ms < till.empty_until.get(template, 0):
        return False
    return left_of(till.past.leases.values(), template, moment.at) * 2 < size


def _pledged(till: Till) -> set[str]:
    """Leases that the basket or an open payment counts on: they are not given back meanwhile."""
    coupon, payment = basket_of(till).coupon, till.past.payment
    pledged = {coupon.right.lease} if coupon else set()
    return pledged | ({payment.coupon.lease} if payment and payment.coupon else set())


def close_lease(till: Till, lease: Lease, moment: Moment) -> Step:
    """Give back what is left of a lease."""
    count = till.past.rights_count + 1
    closed = LeaseClosed(lease=lease.id, left=lease.left, rights_count=count)
    till, effects = record(till, moment, (moment.fresh[0], "lease_closed", closed))
    return till, (*effects, Witness(count))


def give_back(till: Till, moment: Moment) -> Step:
    """Give back all that the box may redeem, as much as a step has ids for, if it knows that for sure."""
    effects: tuple[Effect, ...] = ()
    held = till.past.leases.values() if till.rights is Rights.LIVE else ()
    for lease in list(held)[: len(moment.fresh)]:
        till, more = close_lease(till, lease, moment)
        effects, moment = (*effects, *more), moment.after(1)
    return till, effects


def let_go(till: Till, moment: Moment) -> Step:
    """The basket's coupon is not used after all: give a single right back, keep a stock right."""
    coupon = basket_of(till).coupon
    lease = till.past.leases.get(coupon.right.lease) if coupon else None
    return close_lease(till, lease, moment) if lease and lease.single else (till, ())
