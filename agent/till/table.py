"""The till: `step(till, event, moment) -> (till, effects)`, and nothing else.

Two rules. Everything that decides what a till does lives in this folder, and this table says where. Nothing
in it touches a device, a file, a clock or a random number: those are effects and moments, and the runtime
deals in them.

    event ──> TRANSITIONS[event][phase] ──> handler ──> (till', effects)
                                                           Record   one commit, before all that follows
                                                           Witness  the count of rights, outside the medium
                                                           Ask      a question to the core
                                                           Patience wake me when it is too late
                                                           Show Print Kick  what a person sees

`Record` comes first among the effects. If the commit fails the runtime drops the whole step, effects and
new state alike, and tells the till `JournalFailed`: so a till never believes what its disk does not hold.
"""

from __future__ import annotations

from tillbox.agent.past import Past
from tillbox.contracts.verdicts import Reason

from .beside import open_drawer, tapped
from .canary import canary
from .counter import clear, codes_shown, drop_coupon, place_order, ring
from .coupons import coupon_too_late, granted, right_refused
from .effects import Handler, Step
from .events import (
    AskAgainPressed,
    CanaryAsked,
    CashTaken,
    ChargePressed,
    Cleared,
    CodesShown,
    CommandMoved,
    CouponDropped,
    DrawerPressed,
    Event,
    GiveUpPressed,
    HelloAnswered,
    JournalFailed,
    JournalMended,
    LineChanged,
    LineRung,
    OpeningSettled,
    OrderPlaced,
    PaperTapped,
    PatienceEnded,
    PaymentTold,
    PutOut,
    RefundPressed,
    ReprintPressed,
    RightGranted,
    RightRefused,
    RightsDue,
    VoidPressed,
    WitnessRead,
)
from .halting import commanded, commanded_midway, commanded_stopped, halted
from .own_sales import refund_sale, reprint, void_sale
from .payments import ask_again, charge, give_up, paid_or_not, payment_too_late, still_in_doubt, take_cash
from .rights import hello, look_after, witness_read
from .state import PHASES, Basket, Idle, InDoubt, Moment, Setup, Stopped, Till
from .steps import ignore, no, stopped
from .trouble import greet, journal_failed, journal_mended, line_changed, put_out


def boot(setup: Setup, past: Past) -> Till:
    """The till as it stands after power-on. An open payment is in doubt, whatever happened to the screen; what head office
    stopped stays stopped."""
    if past.payment:
        return Till(setup, past, InDoubt.after_boot(past.payment))
    stop = halted(past)
    return Till(setup, past, Stopped(stop.reason, Basket()) if stop else Idle())


def step(till: Till, event: Event, moment: Moment) -> Step:
    """What the till does about an event."""
    row = TRANSITIONS[type(event)]
    return row[PHASES.index(type(till.phase))](till, event, moment)


_checking = no(Reason.ASK_UNDER_WAY)
_paying = no(Reason.PAYMENT_UNDER_WAY)
_nothing = no(Reason.NOTHING_TO_PAY)
_not_now = no(Reason.NOT_NOW)
_busy = no(Reason.TILL_BUSY)

TRANSITIONS: dict[type, tuple[Handler, ...]] = {
    #                 Idle           Ringing        Checking         Paying            InDoubt        Stopped
    LineRung:        (ring,          ring,          _checking,       _paying,          _paying,       stopped),
    OrderPlaced:     (place_order,   _busy,         _busy,           _busy,             _busy,         stopped),
    CodesShown:      (codes_shown,   codes_shown,   codes_shown,     codes_shown,      codes_shown,   stopped),
    CashTaken:       (_nothing,      take_cash,     _checking,       _paying,          _paying,       stopped),
    ChargePressed:   (_nothing,      charge,        _checking,       _paying,          _paying,       stopped),
    CouponDropped:   (ignore,        drop_coupon,   _checking,       _paying,          _paying,       stopped),
    Cleared:         (ignore,        clear,         clear,           _paying,          _paying,       stopped),
    GiveUpPressed:   (ignore,        ignore,        ignore,          give_up,          give_up,       stopped),
    AskAgainPressed: (ignore,        ignore,        ignore,          ask_again,        ask_again,     stopped),
    VoidPressed:     (void_sale,     _not_now,      _not_now,        _paying,          _paying,       stopped),
    RefundPressed:   (refund_sale,   _not_now,      _not_now,        _paying,          _paying,       stopped),
    ReprintPressed:  (reprint,       reprint,       reprint,         reprint,          reprint,       reprint),
    DrawerPressed:   (open_drawer,   open_drawer,   open_drawer,     open_drawer,       open_drawer,   stopped),
    PaperTapped:     (tapped,        tapped,        tapped,          tapped,            tapped,        ignore),
    CanaryAsked:     (canary,        _busy,         _busy,           _busy,             _busy,         stopped),
    CommandMoved:    (commanded,     commanded,     commanded_midway, commanded_midway, commanded_midway, commanded_stopped),
    PaymentTold:     (ignore,        ignore,        ignore,          paid_or_not,      paid_or_not,   ignore),
    RightGranted:    (granted,       granted,       granted,         granted,          granted,       ignore),
    RightRefused:    (right_refused, right_refused, right_refused,   right_refused,    right_refused, ignore),
    HelloAnswered:   (hello,         hello,         hello,           hello,            hello,         ignore),
    WitnessRead:     (witness_read,  witness_read,  witness_read,    witness_read,     witness_read,  ignore),
    RightsDue:       (look_after,    look_after,    look_after,      look_after,        look_after,    ignore),
    OpeningSettled:  (greet,         greet,         greet,           greet,            greet,         greet),
    PatienceEnded:   (ignore,        ignore,        coupon_too_late, payment_too_late, still_in_doubt, ignore),
    LineChanged:     (line_changed,  line_changed,  line_changed,    line_changed,     line_changed,  line_changed),
    JournalFailed:   (journal_failed,) * 6,
    PutOut:          (put_out,) * 6,
    JournalMended:   (ignore,        ignore,        ignore,          ignore,           ignore,        journal_mended),
}  # fmt: skip
