"""How the four kinds of labels look: a code plate, a goods label, a claim link, a coupon. Pure.

Everything is measured from the label's own size. A code is never made smaller than a cheap reader reads: then there is
no label, and the refusal says what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tillbox.contracts.money import Amount

from .bars import BarKind, modules
from .label import (
    BAR_MODULE_MM_MIN,
    QR_MODULE_MM_MIN,
    QUIET_BAR_MODULES,
    QUIET_MODULES,
    Bars,
    Box,
    DotsPerMm,
    Element,
    Frame,
    Label,
    QrCode,
    Text,
    Unfit,
    qr_rows,
)
from .layout import SMALLEST_MM, Part, column, fit
from .typeface import ASCENT, LINE, Typeface

MARGIN_MM = 1.5  # label paper wanders by about a millimetre
QR_SHARE = Fraction(60, 100)  # at most so much of a wide label's width is for the code
BESIDE = Fraction(5, 4)  # a label so much wider than high has its text beside the code
YEN_SHARE = Fraction(58, 100)  # the sign before a price is so much of its digits' size


@dataclass(frozen=True, slots=True)
class Paper:
    """The labels in the printer, and the letters for them."""

    width_mm: int
    height_mm: int
    typeface: Typeface
    dots_per_mm: DotsPerMm = 8

    @property
    def inside(self) -> Box:
        """What may be printed on."""
        return Box(0, 0, self.width_mm * self.dots_per_mm, self.height_mm * self.dots_per_mm).inset(
            self.dots(MARGIN_MM)
        )

    def dots(self, millimetres: float) -> int:
        """A length in dots."""
        return round(millimetres * self.dots_per_mm)

    def label(self, *elements: Element) -> Label:
        """A label of this paper."""
        return Label(self.width_mm, self.height_mm, elements, self.dots_per_mm)


def plate(paper: Paper, *, title: str, subtitle: str, text: str, number: str) -> Label | Unfit:
    """The plate on a counter or a table: what it is, the code, and which one it is."""
    inside = paper.inside
    line = paper.dots(0.5)
    head_height = max(paper.dots(5), inside.height * 16 // 100) if title else 0
    head = Box(inside.left, inside.top, inside.width, head_height)
    below = Box(inside.left, inside.top + head_height, inside.width, inside.height - head_height)
    room = below.inset(paper.dots(1.5), paper.dots(1))
    texts = (
        Part(subtitle, 40, lines_max=2, size_mm_max=head_height / paper.dots_per_mm * 0.5 or 5),
        Part(number, 60, bold=True, size_mm_max=inside.width / paper.dots_per_mm * 0.14),
    )
    card = _card(paper, room, text, texts)
    if isinstance(card, Unfit):
        return card
    banner = _banner(paper, head, title) if title else ()
    return paper.label(Frame(inside, line), *banner, *card)


def goods(
    paper: Paper, *, name: str, price: Amount | None, unit: str, code: str, kind: BarKind
) -> Label | Unfit:
    """The label on a shelf or on the goods: name, price, bars, and their digits."""
    inside = paper.inside
    bars = _bars(paper, code, kind)
    if isinstance(bars, Unfit):
        return bars
    name_part = Part(name, 100, bold=True, lines_max=2, size_mm_max=inside.height / paper.dots_per_mm * 0.16)
    name_box = Box(
        inside.left, inside.top, inside.width, inside.height * (56 if price is None else 30) // 100
    )
    price_box = Box(inside.left, inside.top + name_box.height, inside.width, inside.height * 28 // 100)
    price_texts = () if price is None else _price(paper, price_box, price, unit)
    if isinstance(price_texts, Unfit):
        return price_texts
    return paper.label(*fit(name_part, name_box, paper.typeface, paper.dots_per_mm), *price_texts, *bars)


def claim(paper: Paper, *, title: str, link: str, number: str) -> Label | Unfit:
    """A link that is claimed once, with its running number."""
    texts = (
        Part(title, 60, bold=True, lines_max=2, size_mm_max=5),
        Part(f"No. {number}", 40, size_mm_max=3.5),
    )
    card = _card(paper, paper.inside, link, texts)
    return card if isinstance(card, Unfit) else paper.label(*card)


def sheet_of_place(
    paper: Paper, *, title: str, position: str, typed: str, until: str, text: str
) -> Label | Unfit:
    """A claim sheet: the code for the box's own reader, which place it is for, and its letters for typing."""
    texts = (
        Part(title, 26, bold=True, size_mm_max=5),
        Part(position, 30, bold=True, size_mm_max=6),
        Part(typed, 24, size_mm_max=4),
        Part(f"对准盒子的扫码枪或摄像头 · 至 {until}", 20, size_mm_max=3),
    )
    card = _card(paper, paper.inside, text, texts)
    return card if isinstance(card, Unfit) else paper.label(*card)


def coupon(
    paper: Paper, *, title: str, discount: Amount, threshold: Amount, until: str, name: str, text: str
) -> Label | Unfit:
    """A signed coupon: what it gives, from which sum on, until when, and its name for whoever asks."""
    condition = (
        f"满{_short(threshold)}元可用 · from ￥{_short(threshold)}" if threshold else "无门槛 · any order"
    )
    high = paper.height_mm
    texts = (
        Part(title, 26, bold=True, lines_max=2, size_mm_max=max(5, high * 0.13)),
        Part(f"￥{_short(discount)}", 34, bold=True, size_mm_max=max(11, high * 0.3)),
        Part(condition, 15, lines_max=2, size_mm_max=max(3, high * 0.075)),
        Part(f"至 {until}", 13, size_mm_max=max(2.6, high * 0.065)),
        Part(name, 12, size_mm_max=max(2.4, high * 0.06)),
    )
    card = _card(paper, paper.inside, text, texts)
    return card if isinstance(card, Unfit) else paper.label(*card)


# a code with text beside it or below it


def _card(paper: Paper, room: Box, text: str, parts: Sequence[Part]) -> tuple[Element, ...] | Unfit:
    """Beside the code where the label is wide, below it where it is not."""
    try:
        squares = len(qr_rows(text)) + 2 * QUIET_MODULES
    except ValueError as why:
        return Unfit(f"{why}")
    there = [part for part in parts if part.text.strip()]
    beside = bool(there) and room.width > room.height * BESIDE
    least = _least_lines(paper, there)
    if beside:
        side = min(room.height, int(room.width * QR_SHARE))
    else:
        side = min(room.width, room.height - min(least, room.height // 2))
    module = side // squares
    if module < paper.dots(QR_MODULE_MM_MIN):
        return _too_dense(paper, squares, side)
    side = module * squares
    corner = QUIET_MODULES * module
    if beside:
        qr = QrCode(room.left + corner, room.top + (room.height - side) // 2 + corner, text, module)
        left = room.left + side
        words = Box(left, room.top, room.width - side, room.height)
        return (qr, *column(there, words, paper.typeface, paper.dots_per_mm))
    left = room.left + (room.width - side) // 2
    spare = 0 if there else (room.height - side) // 2
    qr = QrCode(left + corner, room.top + spare + corner, text, module)
    words = Box(room.left, room.top + side, room.width, room.height - side)
    return (qr, *column(there, words, paper.typeface, paper.dots_per_mm, "center"))


def _least_lines(paper: Paper, parts: Sequence[Part]) -> int:
    """The height that the texts want below a code: as large as they may be."""
    heights = (min(part.size_mm_max, paper.height_mm * 0.08) * min(2, part.lines_max) for part in parts)
    return sum(paper.dots(height * LINE) for height in heights)


def _too_dense(paper: Paper, squares: int, side: int) -> Unfit:
    needed = -(-squares * paper.dots(QR_MODULE_MM_MIN) // paper.dots_per_mm)
    return Unfit(
        f"the code has {squares - 2 * QUIET_MODULES} squares a side and needs {needed} mm of the label, there are "
        f"{side // paper.dots_per_mm}: take a larger label, or a shorter text in the code"
    )


# a plate's banner


def _banner(paper: Paper, head: Box, title: str) -> tuple[Text, ...]:
    """White on black: one panel, in which the title stands."""
    inner = head.inset(paper.dots(2), head.height // 8)
    lines = fit(
        Part(title, 100, bold=True, size_mm_max=20), inner, paper.typeface, paper.dots_per_mm, "center"
    )
    return tuple(Text(one.left, one.top, one.text, one.size, one.bold, head) for one in lines)


# goods


def _bars(paper: Paper, code: str, kind: BarKind) -> tuple[Element, ...] | Unfit:
    """The bars at the foot of the label, as wide as they may be, with their digits below."""
    try:
        count = len(modules(code, kind)) + 2 * QUIET_BAR_MODULES
    except ValueError as why:
        return Unfit(f"{why}")
    width = paper.width_mm * paper.dots_per_mm  # the white beside the bars may be the label's margin
    module = min(width // count, paper.dots(0.5))
    if module < paper.dots(BAR_MODULE_MM_MIN):
        needed = -(-count * paper.dots(BAR_MODULE_MM_MIN) // paper.dots_per_mm)
        return Unfit(
            f"the bars of {code} need a label {needed} mm wide, this one has {paper.width_mm}: "
            "take a wider label, or a shorter code"
        )
    inside = paper.inside
    digits_height = max(paper.dots(SMALLEST_MM * LINE), inside.height * 12 // 100)
    height = inside.height * 38 // 100 - digits_height + paper.dots(1)
    top = inside.top + inside.height - digits_height - height
    left = (width - (count - 2 * QUIET_BAR_MODULES) * module) // 2
    digits = Box(inside.left, top + height + paper.dots(0.3), inside.width, digits_height)
    shown = Part(code, 100, size_mm_max=3)
    return (
        Bars(left, top, code, kind, module, height),
        *fit(shown, digits, paper.typeface, paper.dots_per_mm, "center"),
    )


def _price(paper: Paper, box: Box, price: Amount, unit: str) -> tuple[Text, ...] | Unfit:
    """A small sign, large digits, and the unit behind them, on one line."""
    whole = price.decimal().removesuffix(".00")
    behind = f" / {unit}" if unit else ""
    face, size = paper.typeface, round(box.height / LINE)
    small = max(paper.dots(SMALLEST_MM), int(size * YEN_SHARE))
    while size > paper.dots(SMALLEST_MM) and _price_width(face, whole, behind, size, small) > box.width:
        size = int(size * 0.93)
        small = max(paper.dots(SMALLEST_MM), int(size * YEN_SHARE))
    if _price_width(face, whole, behind, size, small) > box.width:
        return Unfit(
            "the price and its unit are wider than the label: shorten the unit, or take a wider label"
        )
    foot = box.top + round((box.height - size * LINE) / 2 + size * ASCENT)
    low = foot - round(small * ASCENT)
    digits_left = box.left + face.width("￥", small, bold=True)
    unit_left = digits_left + face.width(whole, size, bold=True)
    texts = (
        Text(box.left, low, "￥", small, bold=True),
        Text(digits_left, foot - round(size * ASCENT), whole, size, bold=True),
    )
    return (*texts, Text(unit_left, low, behind, small)) if behind else texts


def _price_width(face: Typeface, whole: str, behind: str, size: int, small: int) -> int:
    sign = face.width("￥", small, bold=True)
    return sign + face.width(whole, size, bold=True) + face.width(behind, small)


def _short(amount: Amount) -> str:
    return amount.decimal().removesuffix(".00")
