"""What receipts call things, in Chinese and English: labels as data. A label counts only where it is the whole left
side of a line, since goods are named after labels too."""

from __future__ import annotations

import re
from enum import StrEnum


class Label(StrEnum):
    """What a sum on a receipt is."""

    SUBTOTAL = "subtotal"
    TOTAL = "total"
    DISCOUNT = "discount"
    TAX = "tax"
    TAX_INCLUDED = "tax_included"
    COUNT = "count"
    PAID = "paid"
    CHANGE = "change"
    OTHER = "other"


class Paper(StrEnum):
    """What kind of paper it is. Only a sale may ever be used for money."""

    SALE = "sale"
    REFUND = "refund"
    VOID = "void"
    REPRINT = "reprint"
    PREBILL = "prebill"
    KITCHEN = "kitchen"
    NOTHING = "nothing"


LABELS: dict[Label, tuple[str, ...]] = {
    Label.COUNT: (
        "件数", "总件数", "合计件数", "数量合计", "总数量", "商品数", "共计件数", "合计数量", "项数",
        "items", "item count", "total items", "total qty", "no. of items", "number of items", "qty", "pieces", "item(s)",
    ),
    Label.SUBTOTAL: (
        "小计", "商品合计", "商品金额", "金额合计", "原价合计", "消费合计", "小计金额", "商品总额",
        "subtotal", "sub total", "sub-total", "net", "net total", "goods total", "merchandise", "items total",
    ),
    Label.TOTAL: (
        "应付", "应收", "实付", "实收金额", "应付金额", "应收金额", "实付金额", "合计", "总计", "总额", "合计金额",
        "总金额", "应付合计", "应退", "退款合计", "退款金额", "应退金额", "应付款",
        "total", "grand total", "amount due", "total due", "balance due", "to pay", "amount to pay", "total amount",
        "refund total", "total refund", "refund",
    ),
    Label.DISCOUNT: (
        "优惠", "折扣", "会员优惠", "抹零", "优惠金额", "折扣金额", "会员折扣", "立减", "满减", "优惠券", "减免", "整单优惠",
        "促销优惠", "优惠合计", "discount", "savings", "coupon", "voucher", "promotion", "promo", "member discount",
        "rounding", "you saved", "loyalty discount",
    ),
    Label.TAX_INCLUDED: (
        "其中税额", "含税", "内含税额", "含增值税", "vat included", "incl. vat", "including vat", "of which vat", "tax included",
        "incl. tax", "includes tax", "includes vat", "vat incl.", "gst included", "incl. gst",
    ),
    Label.TAX: (
        "税额", "税金", "增值税", "税费", "服务税", "tax", "vat", "gst", "sales tax", "state tax", "hst",
    ),
    Label.CHANGE: ("找零", "找回", "找补", "change", "change due", "cash back"),
    Label.PAID: (
        "现金", "收现", "实收", "收款", "微信", "微信支付", "支付宝", "银行卡", "会员卡", "储值卡", "云闪付", "刷卡", "已付",
        "cash", "card", "visa", "mastercard", "amex", "debit", "credit", "paid", "tendered", "cash tendered", "wechat pay",
        "alipay", "gift card", "unionpay", "account", "contactless",
    ),
    Label.OTHER: (
        "会员余额", "余额", "本次积分", "积分", "当前积分", "累计积分", "卡余额", "points", "points earned", "balance",
        "member balance", "card balance", "loyalty points",
    ),
}  # fmt: skip
"""Longer labels are tried before shorter ones of another kind, so `合计件数` is a count and no total."""

PAPERS: tuple[tuple[Paper, re.Pattern[str]], ...] = (
    (Paper.KITCHEN, re.compile(r"(后厨|厨打|制作|传菜|划菜)单?|kitchen( order| ticket)?|order ticket|bar order", re.I)),
    (Paper.VOID, re.compile(r"作废单?|反结账|撤销(单|凭条)?|取消单|已作废|void(ed)?( sale| receipt)?|cancelled", re.I)),
    (Paper.REFUND, re.compile(r"退货单?|退款(单|凭条)?|退菜单?|refund( receipt)?|return( receipt)?|credit note", re.I)),
    (Paper.PREBILL, re.compile(r"预结账?单|预打单|结账单\(未付\)|对账单|消费清单|未付款|guest check|pre-?bill|pro ?forma|bill \(unpaid\)|not a receipt|bill.{0,4}(not paid|unpaid)|not paid|unpaid", re.I)),
    (Paper.REPRINT, re.compile(r"重打|重印|补打|副本|复印件|reprint|copy|duplicate", re.I)),
)  # fmt: skip
"""Marks that stand alone on a line of the paper's head, with what decorates them."""

_HEADING_WORDS = (
    "unit price", "description", "商品名称", "quantity", "product", "barcode", "商品", "品名", "名称", "菜品", "项目", "货号", "条码", "编码",
    "单位", "数量", "单价", "金额", "小计", "价格", "折后", "序号", "规格", "items", "amount", "price", "total", "value", "item", "name",
    "code", "unit", "each", "sku", "qty", "#",
)  # fmt: skip
"""Longer ones first: `单位` is no `单` and something."""


def is_heading(text: str) -> bool:
    """Whether a line is column headings and nothing else. One step for each word, whatever the line is made of."""
    rest = text.lower().strip()
    if not rest:
        return False
    while rest:
        word = next((word for word in _HEADING_WORDS if rest.startswith(word)), None)
        if word is None:
            return False
        rest = rest[len(word) :].lstrip()
    return True


NUMBER = re.compile(
    r"^(单号|流水号?|小票号|订单号|交易号|账单号|票号|no|receipt( no)?|invoice( no)?|inv#?|order( no)?|bill( no)?|trans(action)?( no)?|"
    r"ticket( no)?|check( no)?)\.?\s?[#:：.]*\s*(?P<number>[A-Za-z]{0,4}\d[\w-]*)$",
    re.I,
)
"""The receipt's own number, alone on its line."""


def mark_of(text: str) -> Paper | None:
    """What a line that stands alone says of the paper, or None."""
    bare = re.sub(r"^[\s*\-=#\[\](){}【】（）<>]+|[\s*\-=#\[\](){}【】（）<>]+$", "", text)
    for paper, pattern in PAPERS:
        found = pattern.match(bare)
        if found and len(bare) - found.end() <= 12:
            return paper
    return None
