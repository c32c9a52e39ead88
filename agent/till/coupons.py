"""A coupon on the counter: attached under a right, or asked for at the core."""

from __future__ import annotations

from dataclasses import replace

from tillbox.agent.offline import Right
from tillbox.agent.words import Word
from tillbox.contracts.codes import CouponClaims, SignedEnvelope, verify_coupon
from tillbox.contracts.messages import LeaseAsk, LeaseAsked, LeaseHeld, LeaseRefused
from tillbox.contracts.offers.threshold import ThresholdOffer
from tillbox.contracts.verdicts import Reason, Refused

from .effects import Ask, Effect, Patience, Show, Step, Witness
from .events import PatienceEnded, RightGranted, RightRefused
from .payments import can_charge, charge_held
from .rights import EMPTY_STOCK_MS, close_lease, right_to
from .state import Basket, Checking, Coupon, Moment, Ringing, Till, basket_of, phase_of
from .steps import busy, record, say

COUPON_PATIENCE_MS = 3_000  # one round trip on a slow line; a queue is waiting
SINGLE_LEASE = 1


def coupon_shown(till: Till, envelope: SignedEnvelope, moment: Moment) -> Step:
    """Attach a coupon under a right that this box holds; else ask the core, where there is a line."""
    if (reason := busy(till)) is not None:
        return say(till, reason)
    basket = basket_of(till)
    if basket.coupon:
        return say(till, Reason.COUPON_ALREADY_ATTACHED)
    claims = verify_coupon(envelope, keys=till.setup.keys, tenant=till.setup.tenant, now=moment.at)
    if isinstance(claims, Refused):
        return say(till, claims.reason, claims.detail)
    found = right_to(till, claims, moment)
    if isinstance(found, Right):
        return _attach(till, basket, claims, found)
    if found.reason is Reason.NO_RIGHT and not till.line_up:
        return say(till, Reason.NO_RIGHT_OFFLINE)
    if found.reason is not Reason.NO_RIGHT or claims.serial is None:
        return say(till, found.reason, found.detail)
    return _ask_right(till, basket, claims, moment)


def _attach(till: Till, basket: Basket, claims: CouponClaims, right: Right) -> Step:
    offer = ThresholdOffer(claims.threshold, claims.discount)
    basket = replace(basket, coupon=Coupon(right, offer, claims.title))
    off = basket.off()
    show = Show(Word.COUPON_NEEDS_MORE, (off.detail,)) if isinstance(off, Refused) else None
    show = show or Show(Word.COUPON_ATTACHED, (offer.discount,))
    return replace(till, phase=Ringing(basket)), (show,)


def _ask_right(till: Till, basket: Basket, claims: CouponClaims, moment: Moment) -> Step:
    """The core alone can say whose this serial is: ask it for a lease of just this one."""
    assert claims.serial is not None
    asked = LeaseAsked(template=claims.template, quantity=SINGLE_LEASE, serial=claims.serial)
    known = next((request for request, one in till.past.requests.items() if one == asked), None)
    request = known or moment.fresh[0]
    till, effects = (till, ()) if known else record(till, moment, (request, "lease_asked", asked))
    ask = Ask("lease", LeaseAsk(request=request, **asked.model_dump()))
    till = replace(till, phase=Checking(basket, request, claims))
    return till, (*effects, ask, Patience(request, COUPON_PATIENCE_MS), Show(Word.CHECKING_COUPON))


def granted(till: Till, event: RightGranted, moment: Moment) -> Step:
    """Hold a lease, if this very journal asked for it. A grant that is not asked for any more may already
    have been held, and spent, by a journal that was lost: it is left alone."""
    asked = till.past.requests.get(event.request)
    if asked is None or event.lease.id in till.past.leases:
        return till, ()
    count = till.past.rights_count + 1
    held = LeaseHeld(
        lease=event.lease.id,
        request=event.request,
        template=asked.template,
        first=event.lease.first,
        last=event.lease.last,
        spent=tuple(sorted(event.lease.spent)),
        expires_ms=event.lease.expires_ms,
        single=asked.serial is not None,
        rights_count=count,
    )
    till, effects = record(till, moment, (moment.fresh[0], "lease_held", held))
    phase = till.phase
    if isinstance(phase, Checking) and phase.request == event.request:
        return _go_on(till, phase, (*effects, Witness(count)), moment.after(1))
    if held.single:
        # The customer has gone: give it back, so that another box may redeem it.
        till, closing = close_lease(till, till.past.leases[held.lease], moment.after(1))
        return till, (*effects, *closing)
    return till, (*effects, Witness(count))


def _go_on(till: Till, phase: Checking, effects: tuple[Effect, ...], moment: Moment) -> Step:
    """The right came while the customer waits: attach the coupon, then charge what was held for it."""
    assert phase.claims.serial is not None
    found = right_to(till, phase.claims, moment)
    if isinstance(found, Refused):
        till, more = say(replace(till, phase=phase_of(phase.basket)), found.reason)
    else:
        till, more = _attach(till, phase.basket, phase.claims, found)
        if can_charge(till):
            till, charging = charge_held(till, moment)
            more += charging
        elif basket_of(till).held:
            more += (Show(Word.CODE_HELD),)
    return till, (*effects, *more)


def right_refused(till: Till, event: RightRefused, moment: Moment) -> Step:
    """The core says no to a request: it is not asked again, and the basket goes on without."""
    asked = till.past.requests.get(event.request)
    if asked is None:
        return till, ()
    if asked.serial is None:
        empty_until = {**till.empty_until, asked.template: moment.boot_ms + EMPTY_STOCK_MS}
        till = replace(till, empty_until=empty_until)
    refused = LeaseRefused(request=event.request, reason=event.reason)
    till, effects = record(till, moment, (moment.fresh[0], "lease_refused", refused))
    phase = till.phase
    if isinstance(phase, Checking) and phase.request == event.request:
        till = replace(till, phase=phase_of(phase.basket))
        effects = (*effects, Show(Refused(event.reason)))
    return till, effects


def coupon_too_late(till: Till, event: PatienceEnded, _: Moment) -> Step:
    """The core did not answer in time: the basket goes on without the coupon."""
    phase = till.phase
    assert isinstance(phase, Checking)
    if event.of != phase.request:
        return till, ()
    return say(replace(till, phase=phase_of(phase.basket)), Reason.CORE_SILENT)
