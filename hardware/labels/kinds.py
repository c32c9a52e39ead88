"""What the four kinds of labels want to know, and the label that comes of it, or what is wrong. Pure.

What a person typed is taken as it is or refused whole: nothing is cleaned in silence, and no digit is mended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from tillbox.contracts.codes import CouponClaims, LinkCode, seal_coupon
from tillbox.contracts.codes.characters import carries_control
from tillbox.contracts.codes.goods import check_digit_fits
from tillbox.contracts.money import CNY, Amount, parse_amount
from tillbox.hardware.printing.labels import designs
from tillbox.hardware.printing.labels.bars import BarKind
from tillbox.hardware.printing.labels.designs import Paper
from tillbox.hardware.printing.labels.label import Label, Text, Unfit

from .table import Columns

Make = Callable[[Mapping[str, str], Paper], Label | Unfit]

PLATE: Columns = {
    "title": ("标题", "名称"),
    "subtitle": ("副标题", "说明"),
    "text": ("内容", "链接", "url", "link"),
    "number": ("编号", "桌号", "台号"),
}
GOODS: Columns = {
    "name": ("名称", "品名", "商品名称"),
    "price": ("价格", "单价", "售价"),
    "unit": ("单位",),
    "code": ("条码", "条形码", "商品条码", "barcode"),
}
CLAIM: Columns = {"id": ("编号",), "title": ("标题",)}
COUPON: Columns = {"serial": ("编号", "序号"), "title": ("标题",)}
_PRICE = re.compile(r"[￥¥]?\s*([0-9.]+)\s*元?")
_ROUNDED = re.compile(r"[0-9][.][0-9]+[eE][+][0-9]+")


def plate(cells: Mapping[str, str], paper: Paper) -> Label | Unfit:
    """A code plate."""
    text = cells.get("text", "")
    if not text:
        return Unfit("there is no text for the code")
    said = {name: cells.get(name, "") for name in ("title", "subtitle", "number")}
    return _unseen(cells) or _printable(designs.plate(paper, text=text, **said), paper)


def goods(cells: Mapping[str, str], paper: Paper) -> Label | Unfit:
    """A goods label."""
    name, code = cells.get("name", ""), cells.get("code", "")
    if not name or not code:
        return Unfit(f"there is no {'code' if name else 'name'}")
    kind = bar_kind(code)
    price = price_of(cells.get("price", ""))
    for wrong in (_unseen(cells), kind, price):
        if isinstance(wrong, Unfit):
            return wrong
    assert not isinstance(kind, Unfit)
    assert not isinstance(price, Unfit)
    made = designs.goods(paper, name=name, price=price, unit=cells.get("unit", ""), code=code, kind=kind)
    return _printable(made, paper)


def claims(link: str) -> Make:
    """Claim links made from one with `{id}` in it."""

    def claim(cells: Mapping[str, str], paper: Paper) -> Label | Unfit:
        number = cells.get("id", "")
        if not number:
            return Unfit("there is no id")
        whole = link.replace("{id}", quote(number, safe=""))
        try:
            LinkCode(whole)
        except ValueError as why:
            return Unfit(f"{why}")
        made = designs.claim(paper, title=cells.get("title", ""), link=whole, number=number)
        return _unseen({**cells, "link": whole}) or _printable(made, paper)

    return claim


@dataclass(frozen=True, slots=True, repr=False)
class Coupons:
    """One template's coupons, all but the serial. The key never leaves this object, not into a text either."""

    tenant: str
    template: str
    not_before_ms: int
    not_after_ms: int
    until: str
    threshold: Amount
    discount: Amount
    issuer_seed: bytes

    def make(self, cells: Mapping[str, str], paper: Paper) -> Label | Unfit:
        """One signed coupon; without a serial it is a poster's."""
        serial, title = cells.get("serial", ""), cells.get("title", "")
        if serial and not (serial.isascii() and serial.isdecimal() and len(serial) <= 10):
            return Unfit(f"the serial {serial[:20]!r} is no number")
        try:
            claims = CouponClaims(
                self.tenant,
                self.template,
                int(serial) if serial else None,
                self.not_before_ms,
                self.not_after_ms,
                self.threshold,
                self.discount,
                title,
            )
        except ValueError as why:
            return Unfit(f"{why}")
        made = designs.coupon(
            paper,
            title=title,
            discount=self.discount,
            threshold=self.threshold,
            until=self.until,
            name=f"{self.template} #{serial}" if serial else self.template,
            text=seal_coupon(claims, private_key=self.issuer_seed),
        )
        return _printable(made, paper)


def bar_kind(code: str) -> BarKind | Unfit:
    """Which bars carry this code. Digits that are as many as an EAN's are one, or wrong."""
    if _ROUNDED.fullmatch(code):
        return Unfit(f"{code} was a code before a spreadsheet rounded it: format the column as text")
    if not (code.isascii() and code.isdecimal() and len(code) in (8, 12, 13)):
        return "code_128"
    if len(code) == 12:
        return Unfit(f"{code} has 12 digits: write an EAN-13 with its check digit, a UPC with a 0 before it")
    if not check_digit_fits(code):
        fits = next(digit for digit in "0123456789" if check_digit_fits(code[:-1] + digit))
        return Unfit(f"the last digit of {code} does not fit the others: it would be {fits}. Read it again")
    return "ean_13" if len(code) == 13 else "ean_8"


def price_of(text: str) -> Amount | Unfit | None:
    """`12.5`, `￥12.50` or `12.5元`; None where none is written."""
    if not text:
        return None
    found = _PRICE.fullmatch(text)
    try:
        return parse_amount(found[1] if found else text, CNY)
    except ValueError as why:
        return Unfit(f"{why}")


def _unseen(cells: Mapping[str, str]) -> Unfit | None:
    """A control character in a name or a code is somebody's accident or attack."""
    for name, cell in cells.items():
        if carries_control(cell):
            return Unfit(f"{name} has a character that cannot be seen: type it again")
    return None


def _printable(made: Label | Unfit, paper: Paper) -> Label | Unfit:
    """No label goes out with boxes in place of letters."""
    if isinstance(made, Unfit):
        return made
    words = "".join(one.text for one in made.elements if isinstance(one, Text))
    lacking = paper.typeface.lacks(words)
    if not lacking:
        return made
    chinese = " (apt-get install fonts-wqy-microhei brings Chinese)" if not paper.typeface.lacks("a") else ""
    return Unfit(f"the font has no letter {lacking[:5]!r}{chinese}: write it otherwise")
