"""Draws the till's table as a Mermaid state diagram: `python -m tillbox.agent.diagram`.

The table says who handles what; where a handler leads is found out by asking it, with a representative event
of each kind on a line that is up and on one that is down. Handlers that refuse and stay are not drawn.
"""

from __future__ import annotations

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.codes import (
    CouponClaims,
    PaymentCode,
    SignedEnvelope,
    Wallet,
    kid_of,
    open_envelope,
    seal_coupon,
)
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import CommandState, LeaseAsked, Line, PaymentAsked, Sale, Tender
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.offers.threshold import ThresholdOffer
from tillbox.contracts.verdicts import Reason

from . import till as shop
from .offline import Lease, Right
from .past import OwnSale, Past

_IDS = tuple(uuid7(1, bytes([n]) * 10) for n in range(shop.IDS_PER_STEP))
_MOMENT = shop.Moment(TimeInterval(1_000, 2_000), 50_000, _IDS)
_LINE = Line(name="tea", price=1_200)
_CODE = PaymentCode(Wallet.WECHAT, "130000000000000001")
_OFFER = ThresholdOffer(Amount(500, CNY), Amount(100, CNY))
_COUPON = shop.Coupon(Right(_IDS[4], "tea", 7), _OFFER, "tea")
_BASKET = shop.Basket((_LINE,), held=shop.HeldCode(_CODE, 49_000))
_ASKED = PaymentAsked(
    attempt=_IDS[0], sale=_IDS[1], amount=1_200, wallet="wechat", code_hint="13", lines=(_LINE,)
)
_CLAIMS = CouponClaims("town", "tea", 7, 0, 9_000, Amount(500, CNY), Amount(100, CNY), "tea")
_SECRET = bytes(32)  # signs nothing but this drawing's coupon
_PUBLIC = Ed25519PrivateKey.from_private_bytes(_SECRET).public_key().public_bytes_raw()
_SOLD = OwnSale(_IDS[3], Sale(lines=(_LINE,), total=1_200, tender=Tender(type="cash", amount=1_200)))

_PHASES: tuple[shop.Phase, ...] = (
    shop.Idle(),
    shop.Ringing(_BASKET),
    shop.Ringing(shop.Basket((), _COUPON)),
    shop.Checking(_BASKET, _IDS[2], _CLAIMS),
    shop.Checking(shop.Basket((_LINE,)), _IDS[2], _CLAIMS),
    shop.Paying(_BASKET, _ASKED),
    shop.InDoubt(_BASKET, _ASKED),
    shop.Stopped(Reason.DISK_FULL, shop.Basket()),
    shop.Stopped(Reason.DISK_FULL, shop.Basket((_LINE,))),
    shop.Stopped(Reason.QUARANTINED, shop.Basket((_LINE,))),
)


def _coupon() -> SignedEnvelope:
    """A coupon that is genuine and under no right of this box."""
    found = open_envelope(seal_coupon(replace(_CLAIMS, serial=9), private_key=_SECRET))
    assert isinstance(found, SignedEnvelope)
    return found


_EVENTS: tuple[shop.Event, ...] = (
    shop.LineRung(_LINE),
    shop.CodesShown((_CODE,)),
    shop.CodesShown((_coupon(),)),
    shop.CashTaken(Amount(5_000, CNY)),
    shop.ChargePressed(),
    shop.CouponDropped(),
    shop.Cleared(),
    shop.GiveUpPressed(),
    shop.AskAgainPressed(),
    shop.VoidPressed(_IDS[3]),
    shop.RefundPressed(_IDS[3], Amount(1, CNY), Amount(1_200, CNY)),
    shop.ReprintPressed(_IDS[3]),
    shop.PaymentTold(_IDS[0], "paid"),
    shop.PaymentTold(_IDS[0], "declined"),
    shop.RightGranted(_IDS[2], Lease(_IDS[4], "tea", 7, 7, frozenset(), 9_000)),
    shop.RightRefused(_IDS[2], Reason.COUPON_SPENT),
    shop.HelloAnswered("proven"),
    shop.WitnessRead(3),
    shop.RightsDue(),
    shop.OpeningSettled(),
    shop.PatienceEnded(_IDS[0]),
    shop.PatienceEnded(_IDS[2]),
    shop.LineChanged(up=True),
    shop.JournalFailed(Reason.DISK_FULL),
    shop.JournalMended(),
    shop.CommandMoved(CommandState(command=_IDS[5], verb="quarantine", state="executing", reason="a thief")),
    shop.CommandMoved(CommandState(command=_IDS[6], verb="release", state="executing")),
)


def edges() -> list[tuple[str, str, str]]:
    """(from, to, event) for every change of phase that the table can make from the representative tills."""
    found: set[tuple[str, str, str]] = set()
    for phase in _PHASES:
        for event in _EVENTS:
            after, effects = shop.step(_till(phase), event, _MOMENT)
            source, target = type(phase).__name__, type(after.phase).__name__
            settled = any(isinstance(effect, shop.Print) for effect in effects)
            if source != target or settled:
                found.add((source, target, _name(event)))
    return sorted(found, key=lambda edge: ([one.__name__ for one in shop.PHASES].index(edge[0]), edge))


def mermaid() -> str:
    """The diagram, as GitHub and many editors draw it."""
    together: dict[tuple[str, str], list[str]] = {}
    for source, target, event in edges():
        together.setdefault((source, target), []).append(event)
    arrows = [
        f"    {source} --> {target}: {', '.join(events)}" for (source, target), events in together.items()
    ]
    return (
        "\n".join(
            [
                "stateDiagram-v2",
                "    [*] --> Idle",
                "    [*] --> InDoubt: a payment was open",
                "    [*] --> Stopped: head office had stopped it",
                *arrows,
            ]
        )
        + "\n"
    )


def _till(phase: shop.Phase) -> shop.Till:
    payment = _ASKED if isinstance(phase, (shop.Paying, shop.InDoubt)) else None
    asked = LeaseAsked(template="tea", quantity=1, serial=7)
    past = Past(payment=payment, requests={_IDS[2]: asked}, sales={_SOLD.id: _SOLD})
    return shop.Till(
        shop.Setup("box-1", "town", keys={kid_of(_PUBLIC): (_PUBLIC,)}),
        past,
        phase,
        line_up=True,
        rights=shop.Rights.LIVE,
        vouched=True,
    )


def _name(event: shop.Event) -> str:
    told = event.said.verb if isinstance(event, shop.CommandMoved) else getattr(event, "state", "")
    return f"{type(event).__name__}({told})" if told else type(event).__name__


if __name__ == "__main__":
    print(mermaid(), end="")
