"""Every page with golden data, one below the other: what a change of style is looked at with, and what the browser
tests photograph. The data is of the awkward kind: long, hostile, large, and everything at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from tillbox.cloud_bridge.alarms import Alarm
from tillbox.cloud_bridge.console.fields import bulk_form
from tillbox.cloud_bridge.console.pages.account.page import AccountPage
from tillbox.cloud_bridge.console.pages.alerts.page import AlertsPage
from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.console.pages.audit.page import AuditPage
from tillbox.cloud_bridge.console.pages.beside.page import BesidePage
from tillbox.cloud_bridge.console.pages.box.page import BoxPage
from tillbox.cloud_bridge.console.pages.boxes.page import BoxesPage
from tillbox.cloud_bridge.console.pages.bulk.page import BulkPage
from tillbox.cloud_bridge.console.pages.bulk_preview.page import BulkPreviewPage
from tillbox.cloud_bridge.console.pages.bulks.page import BulksPage
from tillbox.cloud_bridge.console.pages.claims.page import ClaimsPage, sheet
from tillbox.cloud_bridge.console.pages.command.page import page_of
from tillbox.cloud_bridge.console.pages.commands.page import CommandsPage
from tillbox.cloud_bridge.console.pages.coupons.page import CouponsPage
from tillbox.cloud_bridge.console.pages.field.page import FieldPage
from tillbox.cloud_bridge.console.pages.forbidden.page import ForbiddenPage
from tillbox.cloud_bridge.console.pages.health.page import HealthPage
from tillbox.cloud_bridge.console.pages.live.page import LivePage, Pane
from tillbox.cloud_bridge.console.pages.login.page import LoginPage
from tillbox.cloud_bridge.console.pages.preview.page import previewed
from tillbox.cloud_bridge.console.pages.provision.page import ProvisionPage
from tillbox.cloud_bridge.console.pages.receipt.page import ReceiptPage
from tillbox.cloud_bridge.console.pages.recording.page import RecordingPage
from tillbox.cloud_bridge.console.pages.sale.page import lines_of, sale_page
from tillbox.cloud_bridge.console.pages.sales.page import SalesPage
from tillbox.cloud_bridge.console.pages.settings.page import LevelForm, SettingsPage, VersionView, field_view
from tillbox.cloud_bridge.console.pages.slips.page import SlipsPage
from tillbox.cloud_bridge.console.pages.timeline.page import TimelinePage
from tillbox.cloud_bridge.console.pages.trouble.page import TroublePage
from tillbox.cloud_bridge.console.pages.visit.page import VisitPage
from tillbox.cloud_bridge.console.settings_form import BY_NAME, SETTINGS, differences, read, typed_of
from tillbox.cloud_bridge.fleet.acts import BoxChanges, ClaimMade, Preview
from tillbox.cloud_bridge.fleet.commanding import BulkStands, Reached
from tillbox.cloud_bridge.fleet.missing import Gap
from tillbox.cloud_bridge.fleet.onlooker import LogRow
from tillbox.cloud_bridge.fleet.settings import DEFAULTS
from tillbox.cloud_bridge.fleet.twin import Change
from tillbox.cloud_bridge.fleet.views import Filters, View
from tillbox.cloud_bridge.store import command_lists, health_lists
from tillbox.cloud_bridge.store.command_lists import (
    LIVES,
    BulkRow,
    CommandRow,
    CommandStory,
    WaveRow,
    WhyRow,
)
from tillbox.cloud_bridge.store.fleet_board import FleetRow, StoreRow, Wanted
from tillbox.cloud_bridge.store.fleet_lists import AuditRow, BindingRow, BoxStory, ClaimRow, PhotoRow
from tillbox.cloud_bridge.store.health_lists import AlertRow, HealthRow, StoreAlerts
from tillbox.cloud_bridge.store.provisioning import StageRow
from tillbox.cloud_bridge.store.reading import (
    AlarmRow,
    AwayRow,
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
from tillbox.cloud_bridge.store.setting_lists import FoundLevel, Level, LevelRow, TwinRow, patch
from tillbox.cloud_bridge.store.shells import ShellRow
from tillbox.cloud_bridge.store.timeline import TimelineRow
from tillbox.contracts.alerts import AlertKind, text_of
from tillbox.contracts.commands import Verb
from tillbox.contracts.messages import Promise, Telemetry, Updating, Vitals, canonical
from tillbox.contracts.updates import Blocker
from tillbox.contracts.verdicts import Reason, Refused


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
_FLEET = (
    FleetRow("store17/lane1", "茶铺", "bq3xk2v7m4t6w2a5d", "online", True, NOON, 0, None, 4_211, "proven"),
    FleetRow(
        "store17/lane2", f"{HOSTILE} 街角的茶铺", "bq3xk2v7m4t6w2a5e", "offline", False, NOON, 12, NOON, 7
    ),
    FleetRow("store17/lane3", "茶铺", "", "empty", False, None, 0, None),
    FleetRow("s/l", "x", "shop-0017-lane-02", "lost", True, NOON, 199_999, NOON, 1, "rolled_back", 3, 2, 41),
    FleetRow("", "", "box-1", "lost", False, NOON, 0, None, 4_211, "proven", 1_204),
)
_NARROWED = Wanted(f"街角 {HOSTILE[:10]}", "offline", "north", "store17")
_COUNTS = {
    "all": 10_000, "online": 9_213, "offline": 11, "lost": 704, "empty": 72, "unaccepted": 3, "put_out": 1, "unplaced": 1,
}  # fmt: skip
_NOTHING = dict.fromkeys(_COUNTS, 0)
_VIEWS = (View(name='北区离线 <script>alert("1")</script>', filters=Filters(state="offline", group="north")),)
_ALARMS = tuple(
    AlarmRow(kind, "box-2", TID.format(5), "at number 7" if kind is Alarm.CHAIN_BROKEN else "", NOON)
    for kind in Alarm
)
_REFUSED = (
    RefusedRow("box-2", Reason.NOT_UNDERSTOOD, 1_204, HOSTILE * 4, NOON),
    RefusedRow("box-2", "a_reason_of_newer_software", 1, "{}", NOON),
)
_BOX = BoxDetail(
    row=BoxRow("shop-0017-lane-02", "lost", NOON, NOON, 199_999, NOON, 1, "rolled_back", 3),
    free_bytes=71_303_168,
    boots=(
        BootRow("347524de060e727b", 2, 7, "rolled_back", NOON),
        BootRow("0f91bb07f6d51d78", 1, 80, "proven", 0),
    ),
    sales=_SALES[1:],
    alarms=_ALARMS[:2],
    refused=_REFUSED,
    local_refused=((Reason.EXPIRED, 3), (Reason.OFFLINE_PAYMENT_CODE, 41)),
    updates=Updating(
        runs="0.2.0",
        state="waiting",
        release="0.3.1",
        blocked_by=(Blocker.DOUBT, "a_blocker_of_newer_software"),
        back_from="0.3.0",
        back_zh="新版本启动后自己退出（exit status 7），已退回原版本",
        back_en=f"The new release ended by itself (exit status 7). {HOSTILE}",
    ),
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

_GAPS = [Gap(inc="347524de060e727b", first=8, last=11), Gap(inc="347524de060e727b", first=19, last=19)]
_STILL_MISSING = ((_STORY.device, tuple(_GAPS)), ("shop-0017-lane-02", ()))
_EVENTS = (
    AuditRow(id=18, at_ms=NOON, who="ann", act="revoke-box", subject="bq3xk2v7m4t6w2a5d", detail="revoked"),
    AuditRow(id=17, at_ms=NOON, who="box bq3xk2v7m4t6w2a5d", act="enrolled", subject="bq3xk2v7m4t6w2a5d", detail=HOSTILE),
)  # fmt: skip
_STORES = (StoreRow("store17", f"茶铺 {HOSTILE}", 1_000, 990, 3, 7), StoreRow("store18", "x", 1, 1, 0, 0))
_STAGES = {"planned": 7_211, "claimed": 12, "testing": 2, "accepted": 2_775}
_PLACES = (
    StageRow("store17/lane1", f"茶铺 {HOSTILE}", "planned", "", False, NOON),
    StageRow("store17/lane2", "茶铺", "claimed", "", False, NOON),
    StageRow("store17/lane3", "茶铺", "testing", "bq3xk2v7m4t6w2a5d", False, NOON),
    StageRow("store17/lane4", "茶铺", "testing", "bq3xk2v7m4t6w2a5e", True, NOON),
    StageRow("store17/lane5", "茶铺", "accepted", "bq3xk2v7m4t6w2a5f", True, NOON),
)
_CLAIMS = tuple(
    (
        ClaimRow(
            number=number, position="store17", uses_max=4, used_by=["bq3xk2v7m4t6w2a5d", "bq3xk2v7m4t6w2a5e"],
            replaces=number == 5, made_by="ann", made_ms=NOON, not_after_ms=NOON + 86_400_000, revoked_ms=None,
        ),
        state,
    )
    for number, state in ((5, "claim_open"), (4, "claim_used"), (3, "claim_expired"), (2, "claim_revoked"))
)  # fmt: skip
_CLAIM = ClaimMade(
    number=5,
    position="store17/lane2",
    title=f"茶铺 {HOSTILE}",
    code="TILLBOX:A-CODE-OF-THE-USUAL-LENGTH-" + "0123456789" * 20,
    typed="7XQ4K-2M9PD-VT3HJ-8RWAC-NE5GZ",
    not_after_ms=NOON + 30 * 86_400_000,
)

_PANES: Any = tuple(
    Pane(
        "log" if number % 2 else "screen",
        stands,
        tone,
        NOON + 300_000 if tone else None,
        "ann" if tone else "",
        reason,
    )
    for number, (stands, tone, reason) in enumerate(
        (
            ("watch_on", "good", ""),
            ("watch_busy", "warn", ""),
            ("watch_refused", "bad", f"There is no such command. {HOSTILE}"),
            ("watch_asked", "warn", "The clock is not known yet."),
            ("watch_none", "", ""),
            ("watch_none", "", ""),
            ("watch_silent", "warn", ""),
            ("watch_away", "warn", ""),
        )
    )
)
_LOG = tuple(
    LogRow(number=number, at_ms=NOON + number, level=level, text=text)
    for number, (level, text) in enumerate(
        (
            ("info", "box.up device=bq3xk2v7m4t6w2a5d records=4211 pending=0"),
            ("warning", f"device.trouble device=scanner hint={HOSTILE}"),
            ("error", "steward.failed " + "hint=" * 50),
            ("lost", "35"),
        )
    )
)


_PHOTO = PhotoRow(position="store17/lane2", taken_by=f"ann {HOSTILE}", at_ms=NOON)
_TWIN = TwinRow(
    device=_STORY.device, position="store17/lane2", version=8, made_ms=NOON, used_version=7, reported_ms=NOON,
    refused=f"{Reason.SETTINGS_WRONG} goods.3 {HOSTILE}", refused_version=8, pinned=False, decides=["language", "goods"],
    changes=[Change(setting="language", before="zh", after="en"), Change(setting="of_newer_software", before=None, after=HOSTILE)],
    patch=patch(_STORY.device, {"language": "zh"}, 7, {"language": "en", "shop": HOSTILE}, 8),
)  # fmt: skip
_CALM = {"refused": "", "refused_version": 0, "changes": [], "patch": ""}
_TWINS = (
    _TWIN,
    _TWIN.model_copy(update={**_CALM, "used_version": 8, "pinned": True}),
    _TWIN.model_copy(update={**_CALM, "used_version": None, "reported_ms": None}),
    _TWIN.model_copy(update={**_CALM, "used_version": 3}),
)
_TOLD = (
    ("start", "started", "347524de060e727b", "rolled_back", ""),
    ("line", "lost", "", "", ""),
    ("line", "online", "", "", ""),
    ("place", "bound", "store17/lane2", "3", ""),
    ("place", "accepted", "store17/lane2", "3", "ann"),
    ("place", "put_out", "store17/lane2", "revoked", ""),
    ("place", "closed", "store17/lane2", "3", ""),
    ("place", "certified", "1f" * 20, "", ""),
    ("settings", "settings_made", "8", "", ""),
    ("settings", "settings_used", "7", f"{Reason.SETTINGS_WRONG} {HOSTILE}", ""),
    ("command", "command_made", "self-test", TID.format(1), "ann"),
    ("command", "command_ended", "self-test", "successful ", ""),
    ("command", "command_ended", "restart", "failed busy", ""),
    ("command", "command_ended", "a-verb-of-newer-software", "expired ", ""),
    ("alert", "raised", AlertKind.PAPER_OUT, "", ""),
    ("alert", "cleared", AlertKind.PAPER_OUT, HOSTILE, ""),
    ("trouble", "alarm", Alarm.CHAIN_BROKEN, "at number 7", ""),
    ("trouble", "refused", Reason.NOT_UNDERSTOOD, f"1204 × {HOSTILE * 3}", ""),
    ("done", "did", "accept-box", f"accepted; {HOSTILE}", "ann"),
)
_HAPPENED = tuple(
    TimelineRow(at_ms=NOON - number * 61_000, kind=kind, what=what, name=name, detail=detail, who=who, at=f"{NOON}-{number}-1")
    for number, (kind, what, name, detail, who) in enumerate(_TOLD)
)  # fmt: skip
_GOODS = [{"gtin": "6901234567892", "name": f"茉莉花茶 {HOSTILE}", "price": 1250}, {"gtin": "6921168509256", "name": "水", "price": 200}]  # fmt: skip
_LEVEL = Level(
    scope="store:store17", title=f"茶铺 {HOSTILE}", places=2, wider=["operator", "tenant", "group:north"], version=7,
    made_by="ann", made_ms=NOON, settings={"goods": _GOODS},
)  # fmt: skip
_LEVELS = tuple(
    LevelRow(scope=scope, version=7, made_by=f"ann {HOSTILE}", made_ms=NOON, decides=decides)
    for scope, decides in (
        ("operator", ["broker_host", "of_newer_software"]), ("tenant", ["tenant", "goods"]), ("group:north", []),
        ("store:store17", ["goods"]), ("box:store17/lane2", list(BY_NAME)),
    )
)  # fmt: skip
_FOUND_LEVELS = (
    FoundLevel(scope="group:north", title=""),
    FoundLevel(scope="store:store17", title=f"茶铺 {HOSTILE}"),
    FoundLevel(scope="box:store17/lane2", title="茶铺"),
)
_CHANGES = [
    Change(setting="goods", before=_GOODS, after=[{**_GOODS[0], "price": 1300}, *_GOODS[1:]]),
    Change(setting="stocks", before={f"tea{n}": n for n in range(1, 12)}, after={f"tea{n}": n + 1 for n in range(1, 12)}),
    Change(setting="issuers", before=["a" * 64, "b" * 64], after=["b" * 64, "a" * 64]),
    Change(setting="language", before=None, after="en"),
]  # fmt: skip
_DIFFERENCES = differences((one.setting, one.before, one.after) for one in _CHANGES)
_VERSIONS = (VersionView(7, "ann", NOON, _DIFFERENCES), VersionView(6, f"bob {HOSTILE}", NOON, ()))
_PREVIEW = Preview(
    boxes=1_204,
    of=10_000,
    listed=[
        BoxChanges(position="store17/lane1", device="", changes=_CHANGES),
        BoxChanges(position="store17/lane2", device=_STORY.device, changes=_CHANGES),
        BoxChanges(position="store17/lane3", device="bq3xk2v7m4t6w2a5f", changes=_CHANGES[3:]),
    ],
)


_HELD = {"tenant": {"tenant": "corner-tea", "goods": _GOODS * 5}}


def _form_of(
    typed: Mapping[str, str],
    *,
    scope: str = "store:store17",
    version: int = 7,
    settings: Any = None,
    held: Any = _HELD,
) -> LevelForm:
    """A level's form with what was typed; unless told otherwise the tenant decides its goods, the rest is the product's own."""
    wider = ["operator", "tenant"]
    told = {"scope": scope, "version": version, "wider": wider, "settings": settings or {}}
    level = _LEVEL.model_copy(update=told)
    fields = tuple(field_view(one, typed, level, held) for one in SETTINGS)
    return LevelForm(level, fields, {}, version, _VERSIONS if version else (), "6" if version else "")


_TYPED = typed_of({"goods": _GOODS, "shop": f"茶铺 {HOSTILE}", "language": "en", "issuers": ["no key", HOSTILE], "broker_port": 1}) | {
    "goods.1.price": "twelve", "goods.0.gtin": "6901234567893", "broker_port": "99999", "decide.stocks": "on",
    "stocks.0.name": "tea5", "stocks.0.number": "9", "stocks.1.name": "tea5", "stocks.1.number": "0",
}  # fmt: skip
_WRONG_FORM = replace(
    _form_of(_TYPED), faults=read(_TYPED).faults, refused=Refused(Reason.DECIDED_MEANWHILE), meanwhile=_VERSIONS[0]
)  # fmt: skip
_PINNED = typed_of(DEFAULTS | {"tenant": "corner-tea"})
_PINNED_FORM = replace(
    _form_of(_PINNED, scope="box:store17/lane2", settings=DEFAULTS), decided=7, shows=3, refused=Refused(Reason.SETTINGS_WRONG, HOSTILE)
)  # fmt: skip


def _stood(
    *,
    missing: list[Gap] | None = None,
    accepted_ms: int | None = None,
    fenced_ms: int | None = None,
    closed_ms: int | None = None,
) -> BoxStory:
    """The box of the stories, however its stay went."""
    stay = BindingRow(
        position="store17/lane2", epoch=3, device=_STORY.device, since_ms=NOON, accepted_ms=accepted_ms,
        accepted_by="ann", fenced_ms=fenced_ms, closed_ms=closed_ms, why_ended="",
    )  # fmt: skip
    birth = {"checks": [dict(zip(("check", "light", "says"), one, strict=True)) for one in _CHECKS]}
    return _STORY.model_copy(update={"bindings": [stay], "birth": birth, "missing": missing or []})


def _alert(
    kind: str, lane: str, subject: str = "", detail: str = "", as_of_ms: int | None = None
) -> AlertRow:
    text = text_of(kind)
    return AlertRow(
        device=f"bq3xk2v7m4t6w2a5{lane}" if lane else "", position=f"store17/lane{lane}" if lane else "", kind=kind,
        subject=subject, detail=detail, since_ms=NOON, raised_ms=NOON, as_of_ms=as_of_ms, zh=text.zh, en=text.en,
    )  # fmt: skip


_OPEN_ALERTS = (
    _alert(AlertKind.BOX_LOST, "1"),
    _alert(AlertKind.BOX_LOST, "2"),
    _alert(AlertKind.QUEUE_OLD, "2", as_of_ms=NOON),
    _alert(AlertKind.PAPER_OUT, "3"),
    _alert(AlertKind.READER_LOST, "3", "counter", HOSTILE),
    _alert(AlertKind.CARD_WEARING, "4", detail="90 %"),
)
_ALERT_STORES = (
    StoreAlerts(store="store17", title=f"茶铺 {HOSTILE}", alerts=list(_OPEN_ALERTS)),
    StoreAlerts(store="", title="", alerts=[_alert("of_a_newer_box", ""), _alert(AlertKind.BROKER_DROPS, "", "", "41; gaps in the records of box-2")]),
    StoreAlerts(store="store18", title="茶铺", alerts=[_alert(AlertKind.HOT, "1", detail="84 °C")]),
)  # fmt: skip
_ALERT_EVENTS = tuple(
    health_lists.AlertEvent(
        id=number, store="store17", position="store17/lane3", device="bq3xk2v7m4t6w2a5d", kind=kind, subject=subject,
        what=what, detail=HOSTILE if subject else "", at_ms=NOON, zh="", en="",
    )
    for number, kind, subject, what in (
        (3, AlertKind.PAPER_OUT, "", "cleared"), (2, "of_a_newer_box", "", "raised"), (1, AlertKind.READER_LOST, "counter", "raised"),
    )
)  # fmt: skip
_TELEMETRY = Telemetry(
    inc="347524de060e727b", seq=4_211, pending=0, free_bytes=12_884_901_888, printer="ready",
    peripherals={"counter": "ready", "display": "ready"}, flush_ms=(9, 31), clock_width_ms=84,
    vitals=Vitals(uptime_s=86_400, celsius=52, sent_bytes=7_340_032, heard_bytes=2_097_152), promise=Promise(days=41),
)  # fmt: skip
_BAD_TELEMETRY = _TELEMETRY.model_copy(
    update={
        "pending": 199_999, "unsynced": 123_456_700, "oldest_money_ms": NOON, "printer": "paper_out", "flush_ms": (412, 1_900),
        "peripherals": {HOSTILE: "lost", "eye": "of_newer_software"}, "clock_width_ms": None,
        "vitals": Vitals(celsius=84, wear_percent=110), "updates": Updating(runs="0.2.0", state="waiting", release=HOSTILE),
    }
)  # fmt: skip


def _healthy(
    lane: str, state: str, told: Telemetry | None, *alerts: str, rank: int = health_lists.WELL
) -> HealthRow:
    return HealthRow(
        device=f"bq3xk2v7m4t6w2a5{lane}", position=f"store17/lane{lane}", store="store17", title=f"茶铺 {HOSTILE}", state=state,
        since_ms=NOON, heard_ms=NOON, software="tillbox 0.1.0", telemetry=told,
        money_waits_ms=18_600_000 if told is _BAD_TELEMETRY else None, as_of_ms=None if state == "online" else NOON,
        promise_zh="还能收款 41 天，还能抵扣 312.00 元，销售已全部上传" if told else "",
        promise_en="can sell 41 more days, redeem 312.00 yuan more, every sale is with the core" if told else "",
        alerts=list(alerts), rank=rank, certificate_until_ms=NOON + 30 * 86_400_000,
    )  # fmt: skip


_HEALTH = (
    _healthy("2", "lost", _BAD_TELEMETRY, AlertKind.BOX_LOST, AlertKind.QUEUE_OLD, AlertKind.HOT, AlertKind.CARD_WEARING, rank=0),
    _healthy("3", "offline", None, rank=health_lists.AWAY),
    _healthy("1", "online", _TELEMETRY),
)  # fmt: skip
_BULK_ID = "0199a3c4-7000-7a10-8c4e-2f6d1b9e0a77"


def _command(
    number: int, life: str, verb: str = Verb.SELF_TEST, reason: str = "", **params: str
) -> CommandRow:
    state = {"held": "init", "sent": "init", "unheard": "expired", "called_off": "expired"}.get(life, life)
    return CommandRow(
        id=f"0199a3c4-7000-7a10-8c4e-2f6d1b9e0b{number:02}", device="bq3xk2v7m4t6w2a5d", position="store17/lane2", verb=verb,
        params=params, made_by="ann", bulk=_BULK_ID if number % 2 else None, wave=1, state=state, life=life, reason=reason,
        guessed=life in ("unheard", "called_off"), sends=life != "held", made_ms=NOON, expires_ms=NOON + 3_600_000,
        ended_ms=None if life in ("held", "sent", "blocked", "executing") else NOON,
    )  # fmt: skip


_COMMANDS = (
    *(_command(number, life, reason=HOSTILE if life == "failed" else "") for number, life in enumerate(LIVES, start=1)),
    _command(20, "blocked", Verb.QUARANTINE, "A payment is under way.", why=f"盘点 {HOSTILE}"),
    _command(21, "failed", "of-a-newer-core"),
)  # fmt: skip


def _heard(
    state: str, reason: str = "", result: str = "", told_by: str = "box"
) -> command_lists.CommandEvent:
    return command_lists.CommandEvent(
        at_ms=NOON, told_by=told_by, state=state, reason=reason, result=result, part=0
    )


_CHECKED = canonical(
    {
        "ok": False,
        "software": "0.1.0",
        "checks": [dict(zip(("check", "light", "says"), one, strict=True)) for one in _CHECKS],
    }
).decode()
_BUNDLED = canonical(
    {
        "device": "box-1", "doctor": {"ok": True, "lines": [{"check": "disk", "light": "green", "zh": "够用", "en": "Enough."}]},
        "till": {"phase": "Idle", "pending": None, "halts": []}, "log": ["info sale.made number=7", f"warning {HOSTILE} n=3"],
    }
).decode()  # fmt: skip
_TESTED = CommandStory(
    command=_command(1, "successful"),
    events=[
        _heard("init"),
        _heard("blocked", f"A payment is under way. {HOSTILE}"),
        _heard("executing"),
        _heard("successful", result=_CHECKED),
    ],
)
_WAVES = [
    WaveRow(number=0, percent=1, boxes=2, lives={"successful": 2}),
    WaveRow(number=1, percent=10, boxes=40, lives={"successful": 21, "failed": 2, "executing": 4, "blocked": 6, "unheard": 3, "expired": 1, "sent": 3}),
    WaveRow(number=2, percent=10, boxes=0, lives={}),
    WaveRow(number=3, percent=100, boxes=158, lives={"held": 158}),
]  # fmt: skip
_ASKED: dict[str, Any] = {
    "scope": ["store17", "group:north"], "verb": Verb.QUARANTINE, "why": HOSTILE, "sale": "", "preview": False, "max_percent": 10,
    "max_boxes": 200, "stop_if_failed": 2, "waves": [1, 10, 10, 100], "patience_minutes": 10, "minutes": 1_440,
}  # fmt: skip


def _bulk(state: str, why: str = "", made_by: str = "ann") -> BulkRow:
    return BulkRow(
        id=_BULK_ID, verb=Verb.QUARANTINE, asked=_ASKED, boxes=200, made_by=made_by, approved_by="bob" if state != "awaiting" else None,
        state=state, why=why, wave=1 if state != "awaiting" else 0, made_ms=NOON, states={"open": 13, "successful": 23, "failed": 2},
    )  # fmt: skip


_STOPPED = [
    one.model_copy(update={"lives": {"called_off": 158} if one.number == 3 else one.lives}) for one in _WAVES
]
_PLANNED = tuple(one.model_copy(update={"lives": {}}) for one in _WAVES)
_WHY = (
    WhyRow(life="blocked", reason="A customer's goods are on the till.", boxes=6),
    WhyRow(life="failed", reason=HOSTILE, boxes=2),
)
_REACHED = BulkStands(
    id=_BULK_ID, state="preview", verb=Verb.QUARANTINE, count=200, percent=2.0, within_budget=True, needs_second_person=True,
    waves=[2, 40, 0, 158],
    boxes=[Reached(device=f"bq3xk2v7m4t6w2a5{n}", position=f"store17/lane{n}", online=n % 9 > 0) for n in range(200)],
)  # fmt: skip
_SAID = {
    "verb": Verb.QUARANTINE,
    "scope": "store17",
    "why": '盘点 <script>alert("1")</script>',
    "preview": "true",
}


_RECORDING = RecordingPage(
    shell=TID.format(7),
    device="bq3xk2v7m4t6w2a5d",
    position="store17/lane2",
    who="key ann",
    why=f"the printer is silent {HOSTILE}",
    begun_ms=NOON,
    ended_ms=NOON + 61_000,
    reason="The shell was left.",
    lines=("bash-5.2$ dmesg | tail -1", f"usb 1-1: {HOSTILE}", "x" * 300, "", "bash-5.2$ exit"),
    whole=False,
)
_VISITED = (ShellRow(TID.format(7), NOON, "key ann"), ShellRow(TID.format(6), NOON, HOSTILE))


SAMPLES: tuple[tuple[str, Any], ...] = (
    ("login", LoginPage("wrong")),
    ("missing", None),
    ("forbidden", ForbiddenPage(Reason.RANGE_OPEN, f"00ab:3-7 {HOSTILE}", "/boxes")),
    (
        "field",
        FieldPage(_STORY, "store17/lane2", 3, True, True, "proof", _CHECKS, None, "", "/field/x?s=proof"),
    ),
    ("field", FieldPage(_STORY, "store17/lane2", 3, False, False, "", (), NOON, "ann", "/field/x?s=")),
    (
        "field",
        FieldPage(
            _STORY, "store17/lane2", 3, True, True, "proof", (), NOON, "ann", "/field/x?s=proof", NOON, "kept"
        ),
    ),
    (
        "field",
        FieldPage(
            _STORY,
            "store17/lane2",
            3,
            True,
            True,
            "proof",
            (),
            NOON,
            "ann",
            "/field/x?s=proof",
            None,
            Reason.NO_PICTURE,
        ),
    ),
    ("sales", SalesPage(_SALES, Day(3, 5_004_000, 500, 1, 5_001_250, 250), f"{NOON}-{TID.format(3)}")),
    ("sales", SalesPage((), Day(0, 0, 0, 0, 0, 0), "")),
    ("sales", SalesPage(_SALES[:1], None, f"{NOON}-{TID.format(1)}", {"coupon": "tea5"})),
    ("sale", sale_page(_SALE)),
    ("receipt", ReceiptPage(_LARGE, lines_of(_SALE))),
    ("boxes", BoxesPage(Wanted(), False, _FLEET, (), _COUNTS, ("north",), _VIEWS, "s/l")),
    ("boxes", BoxesPage(_NARROWED, True, (), _STORES, _COUNTS, ("north", "south"), (), "store17")),
    ("boxes", BoxesPage(Wanted(), False, (), (), _NOTHING, (), (), "")),
    ("boxes", BoxesPage(Wanted(), True, (), (), _NOTHING, (), (), "")),
    ("box", BoxPage("shop-0017-lane-02", _BOX, None, ())),
    ("box", BoxPage("bq3xk2v7m4t6w2a5d", _BOX, _stood(), _EVENTS, _TWINS[0], _PHOTO, shells=_VISITED)),
    ("box", BoxPage("bq3xk2v7m4t6w2a5d", None, _stood(fenced_ms=NOON, missing=_GAPS), _EVENTS[:1])),
    ("box", BoxPage("bq3xk2v7m4t6w2a5d", None, _stood(fenced_ms=NOON), (), _TWINS[1])),
    ("box", BoxPage("bq3xk2v7m4t6w2a5d", None, _stood(fenced_ms=NOON, closed_ms=NOON), (), _TWINS[2])),
    ("box", BoxPage("bq3xk2v7m4t6w2a5d", None, _stood(accepted_ms=NOON, missing=_GAPS), (), _TWINS[3])),
    ("timeline", TimelinePage(_STORY.device, _HAPPENED, "", f"{NOON}-14-18")),
    ("timeline", TimelinePage("box-1", (), "alert", "")),
    (
        "box",
        BoxPage(
            "bq3xk2v7m4t6w2a5d",
            _BOX,
            _stood(accepted_ms=NOON),
            (),
            None,
            None,
            _OPEN_ALERTS[3:5],
            _COMMANDS[:5],
        ),
    ),
    (
        "alerts",
        AlertsPage(
            _ALERT_STORES,
            {"box_lost": 1_204, "paper_out": 1, "card_wearing": 1, "of_a_newer_box": 1},
            _ALERT_EVENTS,
        ),
    ),
    ("alerts", AlertsPage((), {}, _ALERT_EVENTS[:1], f"store17 {HOSTILE}", "paper_out")),
    ("alerts", AlertsPage((), {}, ())),
    ("health", HealthPage(_HEALTH, {"online": 9_213, "offline": 11, "lost": 704}, more="9.0.x")),
    ("health", HealthPage((), {"online": 0, "offline": 0, "lost": 0}, f"街角 {HOSTILE[:10]}", by_name=True)),
    ("commands", CommandsPage(_COMMANDS, before=_COMMANDS[-1].id)),
    ("commands", CommandsPage((), "store17/lane2", _BULK_ID, "failed")),
    ("command", page_of(_TESTED)),
    ("command", page_of(CommandStory(command=_command(2, "sent"), events=[]))),
    (
        "command",
        page_of(
            CommandStory(
                command=_command(3, "failed"),
                events=[_heard("init"), _heard("executing"), _heard("failed", HOSTILE)],
            )
        ),
    ),
    (
        "command",
        page_of(
            CommandStory(
                command=_command(4, "unheard"),
                events=[
                    _heard("expired", "The box did not say in time that it had it.", told_by="core"),
                    _heard("expired", result=HOSTILE),
                ],
            )
        ),
    ),
    (
        "command",
        page_of(
            CommandStory(
                command=_command(6, "successful", Verb.COLLECT_DIAGNOSTICS),
                events=[_heard("successful", result=_BUNDLED)],
            )
        ),
    ),
    (
        "command",
        page_of(
            CommandStory(
                command=_command(8, "successful", Verb.REPRINT, sale=TID.format(1)),
                events=[_heard("successful", result=canonical({"sale": TID.format(1)}).decode())],
            )
        ),
    ),
    (
        "bulks",
        BulksPage((_bulk("running"), _bulk("awaiting"), _bulk("stopped"), _bulk("done")), before=_BULK_ID),
    ),
    ("bulks", BulksPage((), bulk_form(Verb.QUARANTINE, {"scope": f"store17 {HOSTILE}"}))),
    ("bulks", BulksPage((), bulk_form(Verb.UPDATE, {}))),
    ("bulk_preview", BulkPreviewPage(_REACHED, _SAID)),
    (
        "bulk_preview",
        BulkPreviewPage(
            _REACHED.model_copy(
                update={"within_budget": False, "percent": 100.0, "boxes": _REACHED.boxes[:3], "count": 3}
            ),
            _SAID,
        ),
    ),
    (
        "bulk_preview",
        BulkPreviewPage(
            _REACHED.model_copy(
                update={
                    "needs_second_person": False,
                    "count": 3,
                    "boxes": _REACHED.boxes[1:4],
                    "waves": [1, 0, 1, 1],
                }
            ),
            _SAID,
        ),
    ),
    ("bulk", BulkPage(_bulk("running"), tuple(_WAVES), _WHY, NOON)),
    ("bulk", BulkPage(_bulk("awaiting"), _PLANNED, (), None)),
    ("bulk", BulkPage(_bulk("awaiting", made_by="demo"), _PLANNED, (), None)),
    (
        "bulk",
        BulkPage(_bulk("stopped", f"3 boxes failed; 2 may. {HOSTILE}"), tuple(_STOPPED), _WHY[1:], NOON),
    ),
    ("bulk", BulkPage(_bulk("done"), tuple(_WAVES[:2]), (), NOON)),
    ("live", LivePage("bq3xk2v7m4t6w2a5d", _PANES[:2], NOON, NOON, _LOG, "", "")),
    ("live", LivePage("bq3xk2v7m4t6w2a5d", _PANES[2:4], None, None, (), "warning", f"x {HOSTILE}"[:60])),
    ("live", LivePage("bq3xk2v7m4t6w2a5d", _PANES[4:6], None, None, (), "", "")),
    ("live", LivePage("bq3xk2v7m4t6w2a5d", _PANES[6:8], None, None, (), "", "")),
    ("provision", ProvisionPage(_STAGES, "", _PLACES, _CLAIMS, "store17/lane2", "2")),
    ("provision", ProvisionPage(dict.fromkeys(_STAGES, 0), "planned", (), (), "", "")),
    ("claims", ClaimsPage((sheet(_CLAIM),), "/provision")),
    ("slips", SlipsPage(("new", "known", Reason.NOT_A_SLIP), _STILL_MISSING, "/boxes")),
    ("settings", SettingsPage(_LEVELS, f"街 {HOSTILE}", _FOUND_LEVELS, "store:store17", ("north", "south"))),
    ("settings", SettingsPage()),
    ("settings", SettingsPage(search="x")),
    ("settings", SettingsPage(form=_WRONG_FORM)),
    ("settings", SettingsPage(form=_PINNED_FORM)),
    ("settings", SettingsPage(form=_form_of({}, scope="box:store17/lane2", version=0, held={}))),
    ("preview", previewed(_LEVEL, _PREVIEW, hidden={"based_on": "7", "issuers": f"a\n{HOSTILE}"})),
    ("preview", previewed(_LEVEL, Preview(boxes=0, of=2, listed=[]), hidden={"based_on": "7"}, is_undo=True)),
    ("audit", AuditPage(_EVENTS, f"claim {HOSTILE}", "ann", "17")),
    ("recording", _RECORDING),
    ("recording", replace(_RECORDING, lines=(), whole=True, ended_ms=None, reason="")),
    ("visit", VisitPage("store17", "proof", _FLEET[:4], True)),
    ("visit", VisitPage(f"nothing {HOSTILE}", "", (), False)),
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
        TroublePage(
            (AwayRow("shop-0017-lane-02", NOON),),
            (OpenPayment(ATTEMPT, "box-1", 2500, "unknown", NOON),),
            _ALARMS,
            _REFUSED,
        ),
    ),
    ("trouble", TroublePage((), (), (), ())),
)


def show(_: Connection, __: Asked) -> PatternsPage:
    """All of them."""
    return PatternsPage(SAMPLES)
