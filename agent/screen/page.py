"""What the till's page shows: one frozen dataclass, made of the box's view. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tillbox.agent import doctor
from tillbox.agent import till as shop
from tillbox.agent.app import View
from tillbox.agent.config import BoxConfig
from tillbox.agent.offline import left_of
from tillbox.agent.past import OwnSale
from tillbox.agent.printing import Perhaps
from tillbox.agent.shell.consent import Visitor
from tillbox.agent.words import WORDS, Word
from tillbox.contracts.alerts import text_of
from tillbox.contracts.clock import FAR_FUTURE_MS, TimeInterval
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.promises import sentence
from tillbox.contracts.verdicts import Refused, Text
from tillbox.hardware.ports import PrinterState

SALES_SHOWN = 40  # a few hours; one further back is not taken back at the till

LABELS: dict[str, Text] = {
    "title": Text("收银台", "Till"),
    "up": Text("在线", "Online"),
    "down": Text("离线", "Offline"),
    "core_silent": Text("云端没有回应", "The core does not answer"),
    "gone": Text(
        "盒子没有回应，刚才的操作没有生效；请看电源，恢复后本页会自动更新",
        "The box does not answer, and nothing is taken. Look at its power; this page comes back by itself.",
    ),
    "load_again": Text(
        "盒子重新启动过，刚才的操作没有生效；请刷新本页再按一次",
        "The box has started anew, and the press was not taken. Load this page again, then press once more.",
    ),
    "no_action": Text("没有这个操作", "There is no such action."),
    "pending": Text("待上传", "To hand in"),
    "goods": Text("商品", "Products"),
    "amount": Text("金额", "Amount"),
    "add": Text("加入", "Add"),
    "cash": Text("收现金", "Take cash"),
    "charge": Text("收款", "Charge"),
    "clear": Text("清空", "Clear"),
    "drop_coupon": Text("取消用券", "Take coupon off"),
    "give_up": Text("放弃收款", "Give up"),
    "ask_again": Text("查询结果", "Ask again"),
    "empty": Text("请选商品、输入金额或扫码", "Choose a product, type an amount, or scan."),
    "total": Text("合计", "Total"),
    "discount": Text("优惠", "Discount"),
    "due": Text("应付", "To pay"),
    "sales": Text("最近的单", "Latest sales"),
    "void": Text("撤销", "Void"),
    "refund": Text("退款", "Refund"),
    "reprint": Text("补打", "Reprint"),
    "voided": Text("已撤销", "voided"),
    "void_sure": Text("撤销这一单？", "Void this sale?"),
    "refunded": Text("已退", "refunded"),
    "refund_amount": Text("退款金额", "Amount to refund"),
    "coupon": Text("券", "Coupon"),
    "coupon_needs": Text("还差", "buy this much more:"),
    "tender_cash": Text("现金", "Cash"),
    "tender_merchant_scan": Text("付款码", "Wallet"),
    "rights": Text("可离线核销", "Coupons it may redeem alone"),
    "frozen": Text("核销权待确认", "Rights wait for the core"),
    "printer": Text("打印机", "Printer"),
    "perhaps": Text(
        "打印机没有说打完了。请看一看纸：打出来了吗？",
        "The printer did not say that it is done. Look at the paper: is it there?",
    ),
    "doctor": Text("自检", "Check this box"),
    "doctor_back": Text("回到收银台", "Back to the till"),
    "rescue": Text("把记录交给另一台盒子", "Hand records over"),
    "doctor_again": Text("再检查一次", "Check again"),
    "drawer": Text("开钱箱", "Open the drawer"),
    "drawer_why": Text("原因，例如找零", "Why, for example change"),
    "printed": Text("打出来了", "It is there"),
    "print_again": Text("没有，重打", "No, print it"),
    "slip_receipt": Text("小票", "Receipt"),
    "slip_birth": Text("开机凭条", "Birth slip"),
    "slip_copy": Text("补打小票", "Copy"),
    "slip_void": Text("撤销凭条", "Void slip"),
    "slip_ordered": Text("外来小票", "Paper of another program"),
    "slip_refund": Text("退款凭条", "Refund slip"),
    "promise": Text("不联网时", "Without a line this box"),
    "watched": Text("总部正在看这个屏幕，到 {0} 为止", "Head office sees this screen until {0}."),
    "shell_asks": Text(
        "总部有人要进入这台盒子（远程命令行）", "Somebody of head office wants into this box (a remote shell)"
    ),
    "shell_open": Text(
        "总部有人正在这台盒子里（远程命令行）", "Somebody of head office is in this box (a remote shell)"
    ),
    "shell_who": Text("谁", "Who"),
    "shell_why": Text("为什么", "Why"),
    "shell_minutes": Text("分钟", "minutes"),
    "shell_left": Text("还剩", "left:"),
    "shell_sure": Text("真的让此人进入这台盒子？", "Really let this person into the box?"),
    "shell_allow": Text("允许", "Allow"),
    "shell_refuse": Text("拒绝", "Refuse"),
    "shell_end": Text("结束", "End it"),
    "clock": Text("时钟未校准", "The hour is not known yet"),
    "starting": Text("正在启动……", "Starting …"),
    "language": Text("English", "中文"),
}

PHASES: dict[str, Text] = {
    "Idle": Text("空闲", "Ready"),
    "Ringing": Text("点单中", "Ringing up"),
    "Checking": Text("核对优惠券", "Checking the coupon"),
    "Paying": Text("等待付款", "Waiting for the payment"),
    "InDoubt": Text("付款结果未知", "Payment in doubt"),
    "Stopped": Text("已停止收款", "Stopped"),
}

PRINTERS: dict[PrinterState, Text] = {
    PrinterState.READY: Text("正常", "ready"),
    PrinterState.PAPER_NEAR_END: Text("纸快用完", "paper near its end"),
    PrinterState.PAPER_OUT: Text("缺纸", "no paper"),
    PrinterState.COVER_OPEN: Text("盖子未合", "cover open"),
    PrinterState.CUTTER_JAM: Text("切刀卡住", "cutter stuck"),
    PrinterState.RIBBON_OUT: Text("色带用完", "no ribbon"),
    PrinterState.PAUSED: Text("已暂停", "paused"),
    PrinterState.BROKEN: Text("打印机故障", "printer error"),
    PrinterState.SILENT: Text("没有回应", "no answer"),
    PrinterState.LOST: Text("未连接", "not connected"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the basket, or a product on its button."""

    name: str
    amount: str
    gtin: str = ""


@dataclass(frozen=True, slots=True)
class PerhapsRow:
    """A paper that may be there, and the number of its job."""

    name: str
    job: str


@dataclass(frozen=True, slots=True)
class SaleRow:
    """One of the latest sales."""

    id: str
    number: int
    amount: str
    tender: str
    voided: bool
    refunded: str
    left: str
    can_refund: bool


@dataclass(frozen=True, slots=True)
class Said:
    """One message; `tone` is good, bad or plain."""

    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class TillPage:
    """The template's whole context."""

    language: str
    device: str
    shop: str
    phase: str
    phase_text: str
    online: bool
    pending: int
    printer: str
    printer_ok: bool
    has_drawer: bool
    perhaps: tuple[PerhapsRow, ...]
    clock_known: bool
    rights_frozen: bool
    rights: tuple[Row, ...]
    lines: tuple[Row, ...]
    coupon: str
    coupon_needs: str
    total: str
    discount: str
    due: str
    can_charge: bool
    can_sell: bool
    core_silent: bool
    update: str
    """What to know of an update: what it waits for, or why it was rolled back."""
    promise: str
    """What the box can still do without the core."""
    watched: str
    """That head office sees this screen, and until when; empty where it does not."""
    alerts: tuple[str, ...]
    """What somebody must see to, and how."""
    said: tuple[Said, ...]
    goods: tuple[Row, ...]
    sales: tuple[SaleRow, ...]
    visitor: Visitor | None
    """Who wants a remote shell, or has one; its words made fit to be shown."""

    def label(self, name: str) -> str:
        """A fixed word of the page."""
        return LABELS[name].say(self.language)


def till_page(view: View, config: BoxConfig, language: str, update: str = "") -> TillPage:
    """The page of a moment."""
    till = view.till
    basket = shop.basket_of(till)
    off, owed = basket.off(), basket.due()
    phase = type(till.phase).__name__
    lines, due = basket.lines, basket.total if isinstance(owed, Refused) else owed
    if isinstance(till.phase, shop.InDoubt):
        lines, due = till.phase.asked.lines, Amount(till.phase.asked.amount, CNY)
    leases = till.past.leases.values()
    at = TimeInterval(0, FAR_FUTURE_MS)
    return TillPage(
        language=language,
        device=config.device,
        shop=config.shop,
        phase=phase,
        phase_text=_phase_text(till, language),
        online=till.line_up,
        pending=view.pending,
        printer=PRINTERS[view.printer].say(language) if view.printer else "",
        printer_ok=view.printer is None or view.printer.prints,
        has_drawer=config.printer is not None,
        perhaps=tuple(_perhaps(one, language) for one in view.perhaps),
        clock_known=view.clock_known,
        rights_frozen=till.rights is shop.Rights.FROZEN,
        rights=tuple(Row(name, str(left_of(leases, name, at))) for name in till.setup.stocks),
        lines=tuple(_line(line.name, line.quantity, line.amount) for line in lines),
        coupon=basket.coupon.title if basket.coupon else "",
        coupon_needs=off.detail if isinstance(off, Refused) else "",
        total=basket.total.decimal(),
        discount=off.decimal() if isinstance(off, Amount) and off else "",
        due=due.decimal(),
        can_charge=basket.held is not None,
        can_sell=isinstance(till.phase, (shop.Idle, shop.Ringing)),
        core_silent=till.line_up and view.core_silent,
        update=update,
        promise=_promised(view, language),
        watched=LABELS["watched"].say(language).format(view.watched_until) if view.watched_until else "",
        alerts=tuple(_alert(kind, subject, language) for kind, subject in view.alerts),
        said=tuple(_said(one.show, language) for one in reversed(view.shown))[:4],
        goods=tuple(Row(one.name, Amount(one.price, CNY).decimal(), one.gtin) for one in config.goods),
        sales=tuple(_sale(own) for own in list(till.past.sales.values())[: -SALES_SHOWN - 1 : -1]),
        visitor=_visitor(view.visitor),
    )


def _visitor(told: Visitor | None) -> Visitor | None:
    """Nobody who wants in writes backwards, or over the buttons."""
    return replace(told, who=_seen(told.who), why=_seen(told.why)) if told else None


def _seen(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())


def _phase_text(till: shop.Till, language: str) -> str:
    """What the till does; where head office has stopped it, why."""
    stop = shop.halted(till.past)
    if stop is not None and isinstance(till.phase, shop.Stopped) and till.phase.reason == stop.reason:
        return stop.say(language)
    return PHASES[type(till.phase).__name__].say(language)


def _promised(view: View, language: str) -> str:
    if view.promise is None:
        return ""
    waits_min = view.money_waits_min
    age_ms = None if waits_min is None else waits_min * 60_000
    return sentence(view.promise, oldest_age_ms=age_ms).say(language)


def _alert(kind: str, subject: str, language: str) -> str:
    text = text_of(kind).say(language)
    return f"{subject}: {text}" if subject else text


def _perhaps(one: Perhaps, language: str) -> PerhapsRow:
    return PerhapsRow(f"{LABELS[f'slip_{one.kind}'].say(language)} {one.ref}", str(one.number))


def _line(name: str, quantity: int, minor: int) -> Row:
    return Row(f"{name} ×{quantity}" if quantity > 1 else name, Amount(minor, CNY).decimal())


def _said(show: shop.Show, language: str) -> Said:
    if isinstance(show.what, Refused):
        return Said(show.what.say(language), "bad")
    good = show.what in (
        Word.PAID,
        Word.CHANGE,
        Word.COUPON_ATTACHED,
        Word.VOIDED,
        Word.REFUNDED,
        Word.LINE_UP,
    )
    return Said(
        WORDS[show.what].say(language).format(*map(_written, show.values)), "good" if good else "plain"
    )


def _written(value: str | Amount) -> str:
    return value.decimal() if isinstance(value, Amount) else value


def _sale(own: OwnSale) -> SaleRow:
    tender = own.sale.tender
    amount, left = Amount(tender.amount, CNY).decimal(), Amount(own.left, CNY).decimal()
    refunded = Amount(own.refunded, CNY).decimal() if own.refunded else ""
    can_refund = not own.voided and own.left > 0
    return SaleRow(own.id, own.sale.number, amount, tender.type, own.voided, refunded, left, can_refund)


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One line of the doctor's page; `light` is green, yellow or red."""

    check: str
    light: str
    says: str
    todo: str


@dataclass(frozen=True, slots=True)
class DoctorPage:
    """The doctor's page, whole."""

    language: str
    device: str
    software: str
    rows: tuple[CheckRow, ...]

    def label(self, name: str) -> str:
        """A fixed word of the page."""
        return LABELS[name].say(self.language)


def doctor_page(lines: tuple[doctor.Line, ...], device: str, software: str, language: str) -> DoctorPage:
    """The page of a moment, what is red first."""
    order = {"red": 0, "yellow": 1, "green": 2}
    rows = [
        CheckRow(
            doctor.name_of(one.check).say(language), one.light, one.says.say(language), one.todo.say(language)
        )
        for one in lines
    ]
    return DoctorPage(language, device, software, tuple(sorted(rows, key=lambda row: order[row.light])))
