"""What a slip says: a sale, a void or a refund as a document, in Chinese and English. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.messages import Sale
from tillbox.contracts.money import CNY, Amount
from tillbox.hardware.printing.document import QR, Columns, Cut, Document, Feed, Line, Part, Rule

from .till import Slip

TITLES = {
    "receipt": "收银小票 RECEIPT",
    "copy": "补打小票 COPY",
    "void": "撤销凭条 VOID",
    "refund": "退款凭条 REFUND",
}
SIGNED_DOTS = 4  # a signed code has some 65 squares a side: 33 mm on any paper
TENDERS = {"cash": "现金 Cash", "merchant_scan": "付款码 Wallet"}


@dataclass(frozen=True, slots=True)
class Shop:
    """Whose paper it is. `claim_url` is where the printed code leads; the sale's id is added."""

    name: str
    device: str
    claim_url: str


def slip_document(slip: Slip, shop: Shop, at: TimeInterval, when: str, code: str = "") -> Document:
    """The paper of one slip. `when` is the time as a person reads it, empty while the box does not know it; `code` is
    what its symbol carries, where that is more than the customer's page."""
    sale = slip.content
    parts: list[Part] = [
        Line(shop.name, align="center", bold=True, double=True),
        Line(TITLES[slip.kind], align="center"),
        Columns(f"单号 No. {shop.device}-{sale.number}", _printed(slip, at, when)),
        Rule(),
    ]
    parts += _sale(sale) if slip.kind in ("receipt", "copy") else _back(slip)
    if slip.voided:
        parts.append(Line("已撤销 VOIDED", align="center", bold=True, double=True))
    elif slip.refunded:
        parts.append(Columns("已退款 Refunded since", f"-{_yuan(slip.refunded)}", bold=True))
    parts += [Rule(), Line(f"{slip.sale}", align="center")]
    if slip.kind in ("receipt", "copy"):
        parts += [
            QR(code, SIGNED_DOTS) if code else QR(f"{shop.claim_url}{slip.sale}"),
            Line("扫码查看小票 Scan for your receipt", align="center"),
        ]
    elif code:
        parts.append(QR(code, SIGNED_DOTS))
    return Document((*parts, Feed(3), Cut()))


def _printed(slip: Slip, at: TimeInterval, when: str) -> str:
    """When this paper was printed; a copy says that it is not the time of the sale."""
    if not at.is_known:
        return "时间待校准"
    return f"补打 {when}" if slip.kind == "copy" else when


def _sale(sale: Sale) -> list[Part]:
    parts: list[Part] = []
    for line in sale.lines:
        name = f"{line.name} x{line.quantity}" if line.quantity > 1 else line.name
        parts.append(Columns(name, _yuan(line.amount)))
    parts.append(Rule())
    if sale.discount:
        parts.append(Columns("小计 Subtotal", _yuan(sale.total)))
        number = f"（券 {sale.coupon.template} #{sale.coupon.serial}）" if sale.coupon else ""
        parts.append(Columns(f"优惠 Discount{number}", f"-{_yuan(sale.discount)}"))
    parts.append(Columns("应付 Total", f"￥{_yuan(sale.tender.amount)}", bold=True))
    parts.append(Columns(TENDERS[sale.tender.type], _yuan(sale.tender.received or sale.tender.amount)))
    if sale.tender.received:
        parts.append(Columns("找零 Change", _yuan(sale.tender.received - sale.tender.amount)))
    if not sale.online:
        parts.append(Line("离线成交，联网后自动上传 Sold offline", align="center"))
    return parts


def _back(slip: Slip) -> list[Part]:
    return [
        Columns("原单 Sale", f"{slip.content.number}"),
        Columns("退回 Paid back", f"￥{_yuan(slip.amount)}", bold=True),
        Columns("方式 By", TENDERS[slip.content.tender.type]),
    ]


def _yuan(minor: int) -> str:
    return Amount(minor, CNY).decimal()
