"""Every page with golden data, one below the other: what a change of style is looked at with, and what the browser
tests photograph. The data is of the awkward kind: long, hostile, large, and everything at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from tillbox.cloud_bridge.alarms import Alarm
from tillbox.cloud_bridge.console.pages.account.page import AccountPage
from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.console.pages.beside.page import BesidePage
from tillbox.cloud_bridge.console.pages.box.page import BoxPage
from tillbox.cloud_bridge.console.pages.boxes.page import BoxesPage
from tillbox.cloud_bridge.console.pages.coupons.page import CouponsPage
from tillbox.cloud_bridge.console.pages.field.page import FieldPage
from tillbox.cloud_bridge.console.pages.forbidden.page import ForbiddenPage
from tillbox.cloud_bridge.console.pages.login.page import LoginPage
from tillbox.cloud_bridge.console.pages.receipt.page import ReceiptPage
from tillbox.cloud_bridge.console.pages.sale.page import lines_of, sale_page
from tillbox.cloud_bridge.console.pages.sales.page import SalesPage
from tillbox.cloud_bridge.console.pages.trouble.page import TroublePage
from tillbox.cloud_bridge.store.fleet_lists import BoxStory
from tillbox.cloud_bridge.store.reading import (
    AlarmRow,
    BesideRow,
    BootRow,
    BoxDetail,
    BoxRow,
    CouponDetail,
    Day,
    LeaseRow,
    OpenPayment,
    PostingRow,
    RefusedRow,
    SaleDetail,
    SaleRow,
)
from tillbox.contracts.verdicts import Reason


@dataclass(frozen=True, slots=True)
class PatternsPage:
    """Pages by the name of their folder."""

    samples: tuple[tuple[str, Any], ...]


NOON = 1_793_880_000_000
TID = "0199a3c4-5b00-7a10-8c4e-2f6d1b9e0a7{}"
ATTEMPT = "0199a3c4-5a00-7d21-9b3a-0c5e7f1a2b3c"
HOSTILE = '<script>alert("1")</script>\x1bp\u202e茶'

_WALLET = SaleRow(
    TID.format(1), "box-1", 1, 3000, 500, 2500, "merchant_scan", "tea5 #455", True, NOON, NOON + 60, False, 0
)
_OFFLINE = SaleRow(
    TID.format(2), "box-2", 12, 1500, 0, 1500, "cash", "", False, NOON - 3_600_000, NOON, False, 250
)
_LARGE = SaleRow(
    TID.format(3), "shop-0017-lane-02", 99_999, 5_000_000, 0, 5_000_000, "cash", "", True, NOON, NOON, True, 0
)
_SALES = (_WALLET, _OFFLINE, _LARGE)
_RECORD = {
    "inc": "347524de060e727b",
    "seq": 7,
    "prev": "0f91bb07f6d51d78b93e3089003f3fe6861e18e9347fe4a69474dea6344ff321",
    "body": {
        "lines": [
            {"name": "茉莉花茶 Jasmine tea", "quantity": 1, "price": 1200},
            {"name": HOSTILE, "quantity": 1, "price": 1800},
        ]
    },
}
_SALE = SaleDetail(
    row=_WALLET,
    record=_RECORD,
    outcome="applied",
    hash="d8272486b966063fd7d970335ad8b41aa198efb61a3feb899c7952c0a5d0d1f8",
    attempt=ATTEMPT,
    history=((NOON, "created", "created"), (NOON + 20, "told:paid", "paid")),
    reversals=((TID.format(4), "refund", 250, NOON + 90_000),),
    postings=(
        PostingRow(f"paid:{ATTEMPT}:3", 0, "channel_paid", "channel:sandbox", "CNY/2", 2500, NOON),
        PostingRow(f"paid:{ATTEMPT}:3", 1, "channel_paid", f"payment:{ATTEMPT}", "CNY/2", -2500, NOON),
        PostingRow(TID.format(1), 0, "sale", f"payment:{ATTEMPT}", "CNY/2", 2500, NOON),
        PostingRow(TID.format(1), 1, "sale", "sales:box-1", "CNY/2", -3000, NOON),
        PostingRow(TID.format(1), 2, "sale", "discount:tea5", "CNY/2", 500, NOON),
        PostingRow(TID.format(1), 3, "sale", "lease:0199a3c4", "COUPON:tea5/0", -1, NOON),
        PostingRow(TID.format(1), 4, "sale", "coupon:tea5:455", "COUPON:tea5/0", 1, NOON),
    ),
)
_BOXES = (
    BoxRow("box-1", "online", NOON, NOON, 0, None, 4_211, "proven", 0),
    BoxRow("box-2", "offline", NOON, NOON, 12, NOON - 86_400_000, 0, "unheard", 0),
    BoxRow("shop-0017-lane-02", "lost", NOON, NOON, 199_999, NOON, 1, "rolled_back", 3),
)
_ALARMS = tuple(
    AlarmRow(kind, "box-2", TID.format(5), "at number 7" if kind is Alarm.CHAIN_BROKEN else "", NOON)
    for kind in Alarm
)
_REFUSED = (
    RefusedRow("box-2", Reason.NOT_UNDERSTOOD, 1_204, HOSTILE * 4, NOON),
    RefusedRow("box-2", "a_reason_of_newer_software", 1, "{}", NOON),
)
_BOX = BoxDetail(
    row=_BOXES[2],
    free_bytes=71_303_168,
    boots=(
        BootRow("347524de060e727b", 2, 7, "rolled_back", NOON),
        BootRow("0f91bb07f6d51d78", 1, 80, "proven", 0),
    ),
    sales=_SALES[1:],
    alarms=_ALARMS[:2],
    refused=_REFUSED,
    local_refused=((Reason.EXPIRED, 3), (Reason.OFFLINE_PAYMENT_CODE, 41)),
)
_COUPON = CouponDetail(
    name="tea5",
    title=f"满20减5 {HOSTILE}",
    issued=1_000,
    free=940,
    leased=39,
    redeemed=21,
    leases=(
        LeaseRow(TID.format(6), "box-1", 1, 20, 19, "held", NOON + 86_400_000),
        LeaseRow(TID.format(7), "box-2", 21, 40, 0, "closed", NOON),
        LeaseRow(TID.format(8), "shop-0017-lane-02", 41, 60, 20, "lost", NOON),
    ),
)

_BESIDE = (
    BesideRow(
        tid=TID.format(9),
        device="box-1",
        kind="tapped",
        what=f"老城面馆 {HOSTILE}",
        received_ms=NOON,
        paper="sale",
        verdict="reconciled",
        number="009615",
        total=5981,
        lines=(("冰糖雪梨汁1L", "1", 631), (f"基围虾 {HOSTILE}", "0.142", 854)),
    ),
    BesideRow(
        tid=TID.format(8),
        device="shop-0017-lane-02",
        kind="tapped",
        what="noodles",
        received_ms=NOON,
        paper="prebill",
        verdict="unreconciled",
        why="no layout that is known adds up to the total",
    ),
    BesideRow(TID.format(7), "box-2", "drawer_opened", f"找零 {HOSTILE}", NOON),
    *(
        BesideRow(TID.format(6), "box-2", "tapped", "noodles", NOON, paper=paper, verdict="no_receipt")
        for paper in ("refund", "void", "reprint", "kitchen", "nothing")
    ),
)

_STORY = BoxStory(
    device="bq3xk2v7m4t6w2a5d",
    state="live",
    hardware="Raspberry Pi 5 Model B Rev 1.1",
    software=f"tillbox 0.1.0 {HOSTILE}",
    enrolled_ms=NOON,
    certificate_until_ms=NOON + 30 * 86_400_000,
    bindings=[],
    birth=None,
    missing=[],
)
_CHECKS = (
    ("printer", "green", "Ready."),
    ("clock", "yellow", "The box does not know the hour."),
    (f"reader {HOSTILE}", "red", HOSTILE),
)

SAMPLES: tuple[tuple[str, Any], ...] = (
    ("login", LoginPage("wrong")),
    ("missing", None),
    ("forbidden", ForbiddenPage(Reason.RANGE_OPEN, f"00ab:3-7 {HOSTILE}", "/boxes")),
    (
        "field",
        FieldPage(_STORY, "store17/lane2", 3, True, True, "proof", _CHECKS, None, "", "/field/x?s=proof"),
    ),
    ("field", FieldPage(_STORY, "store17/lane2", 3, False, False, "", (), NOON, "ann", "/field/x?s=")),
    ("sales", SalesPage(_SALES, Day(3, 5_004_000, 500, 1, 5_001_250, 250), f"{NOON}-{TID.format(3)}")),
    ("sales", SalesPage((), Day(0, 0, 0, 0, 0, 0), "")),
    ("sales", SalesPage(_SALES[:1], None, f"{NOON}-{TID.format(1)}", {"coupon": "tea5"})),
    ("sale", sale_page(_SALE)),
    ("receipt", ReceiptPage(_LARGE, lines_of(_SALE))),
    ("boxes", BoxesPage(_BOXES)),
    ("box", BoxPage(_BOX)),
    ("coupons", CouponsPage((_COUPON,))),
    ("beside", BesidePage(_BESIDE, f"{NOON}-{TID.format(1)}")),
    ("beside", BesidePage((), "")),
    (
        "account",
        AccountPage(
            "sales:box-1", (("CNY/2", "-3000.00 CNY"),), _SALE.postings[:4], f"{NOON}-1-{TID.format(1)}"
        ),
    ),
    (
        "trouble",
        TroublePage(_BOXES[2:], (OpenPayment(ATTEMPT, "box-1", 2500, "unknown", NOON),), _ALARMS, _REFUSED),
    ),
    ("trouble", TroublePage((), (), (), ())),
)


def show(_: Connection, __: Asked) -> PatternsPage:
    """All of them."""
    return PatternsPage(SAMPLES)
