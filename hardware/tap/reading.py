"""A sheet of paper read as a receipt: lines, sums and a verdict. Pure.

Nothing is believed because it looks like a price. Each line's quantity times price must be its amount, the lines must
add up to the subtotal, and subtotal, discount and tax to the total. Every layout that is known is tried at every place
where the items may begin; if two of them add up and say different things, none is believed. What does not add up is
*unreconciled*: a person may look at it, and it is never used for money.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from tillbox.hardware.printing.document import cells

from .grid import GridLine, Sheet
from .names import Name, Piece, join_names, without_numbers
from .template import MONEY, TEMPLATES, TIMES, UNIT, Template, row_patterns
from .words import HEADINGS, LABELS, NUMBER, Label, Paper, mark_of

ROWS_MAX = 400  # a receipt of more lines than that is a report
NAME_LINES_MAX = 6
SUM_LINES_MAX = 24
UNKNOWN_LETTER = "a letter that is not known; teach it with tap learn-glyphs"
FIGURES = re.compile(rf"^[-\d.,]+ ?(?:{UNIT})? ?(?:{TIMES} ?{MONEY}.*)?$")
"""What is no name: figures alone, a quantity with its unit, a quantity times a price."""
MONEY_AT_END = re.compile(rf"(?:^| ){MONEY}$")


class Verdict(StrEnum):
    """What the arithmetic says."""

    RECONCILED = "reconciled"
    UNRECONCILED = "unreconciled"
    NO_RECEIPT = "no_receipt"  # no lines of a sale: a drawer, a question, a kitchen's ticket


@dataclass(frozen=True, slots=True)
class Item:
    """One line that was sold. Money is in the currency's smallest coin, `quantity_milli` in thousandths of a piece or a
    unit of weight; `price` is None where the paper does not say it, `quantity_milli` where it says neither."""

    name: str
    sku: str | None
    quantity_milli: int | None
    price: int | None
    amount: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What one paper says. The sums are None where it does not print them, or where nothing was reconciled."""

    verdict: Verdict
    why: str
    paper: Paper
    number: str | None = None
    items: tuple[Item, ...] = ()
    subtotal: int | None = None
    discount: int = 0
    tax: int = 0
    total: int | None = None
    template: str = ""

    @property
    def is_sale(self) -> bool:
        """Whether its total may be used for money."""
        return self.verdict is Verdict.RECONCILED and self.paper is Paper.SALE

    def as_json(self) -> dict[str, Any]:
        """Ready for a file."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Sums:
    """What stands below the items."""

    subtotals: tuple[int, ...] = ()
    discounts: tuple[int, ...] = ()
    taxes: tuple[int, ...] = ()
    totals: tuple[int, ...] = ()
    strange: str = ""


def read_sheet(sheet: Sheet, columns: int = 48, templates: Sequence[Template] = TEMPLATES) -> Reading:
    """The receipt on a sheet of so many columns, by the layouts that are known; 0 columns where it is drawn with letters
    of different widths."""
    rows = [line for line in sheet.lines if line.rule or line.text]
    if not rows:
        return Reading(Verdict.NO_RECEIPT, "nothing but commands, or a picture", Paper.NOTHING)
    paper, number = _paper(rows), _number(rows)
    if paper is Paper.KITCHEN or len(rows) > ROWS_MAX:
        return Reading(Verdict.NO_RECEIPT, "a ticket without prices, or a report", paper, number)
    if any(row.unknown for row in rows):
        # It may be a line sold, another sum, or the word that makes it a copy of an earlier receipt.
        return Reading(Verdict.UNRECONCILED, UNKNOWN_LETTER, paper, number)
    end = next((at for at, row in enumerate(rows) if _begins_sums(row)), None)
    if end is None:
        return Reading(Verdict.NO_RECEIPT, "no total on it", paper, number)
    sums = _sums(rows[end:])
    if not sums.totals:
        return Reading(Verdict.UNRECONCILED, "sums without a total", paper, number)
    if sums.strange:
        return Reading(Verdict.UNRECONCILED, f"a sum that is not known: {sums.strange}", paper, number)
    readings = list(_attempts(rows[:end], sums, templates, columns))
    return _judge(readings, Reading(Verdict.RECONCILED, "", paper, number))


def _judge(readings: list[Reading], found: Reading) -> Reading:
    if not readings:
        return replace(
            found, verdict=Verdict.UNRECONCILED, why="no layout that is known adds up to the total"
        )
    best = max(_checked(one) for one in readings)
    same = [one for one in readings if _checked(one) == best]
    if any(one.items != same[0].items for one in same):
        return replace(found, verdict=Verdict.UNRECONCILED, why="two layouts add up and differ")
    first = next((one for one in same if one.verdict is Verdict.RECONCILED), same[0])
    return replace(first, paper=found.paper, number=found.number)


def _checked(reading: Reading) -> tuple[int, int]:
    """How much of a reading is held by arithmetic, and how much of the paper it explains."""
    return (
        sum(one.price is not None for one in reading.items),
        sum(one.quantity_milli is not None for one in reading.items),
    )


# the items


@dataclass(frozen=True, slots=True)
class _Draft:
    """An item whose name may be in pieces."""

    item: Item
    name: Name


def _attempts(
    rows: list[GridLine], sums: _Sums, templates: Sequence[Template], columns: int
) -> Iterator[Reading]:
    for template in _in_order(rows, templates):
        for start in _starts(rows, template):
            body = [row for row in rows[start:] if not row.rule and not HEADINGS.match(row.text)]
            drafts = _parse(body, 0, template, {}) if body else None
            if drafts:
                yield from _added_up(drafts, sums, template, columns)


def _in_order(rows: list[GridLine], templates: Sequence[Template]) -> list[Template]:
    """The templates, without those that say quantity and price the other way round than the paper's headings."""
    heads = " ".join(row.text.lower() for row in rows if HEADINGS.match(row.text))
    price = min((at for word in ("单价", "price", "each") if (at := heads.find(word)) >= 0), default=-1)
    quantity = min((at for word in ("数量", "qty", "quantity") if (at := heads.find(word)) >= 0), default=-1)
    if price < 0 or quantity < 0:
        return list(templates)
    return [one for one in templates if one.price_first is None or one.price_first is (price < quantity)]


def _starts(rows: list[GridLine], template: Template) -> list[int]:
    """Where the items may begin: after a line across the paper or its headings, and before the first amount."""
    first_money = next((at for at, row in enumerate(rows) if MONEY_AT_END.search(row.text)), len(rows))
    if template.start:
        starts = [at + 1 for at, row in enumerate(rows) if template.start in row.text][:1]
    else:
        starts = [at + 1 for at, row in enumerate(rows) if row.rule or HEADINGS.match(row.text)] or [0]
    return [start for start in starts if start <= first_money]


def _parse(
    body: list[GridLine], at: int, template: Template, known: dict[int, list[_Draft] | None]
) -> list[_Draft] | None:
    """The items from a line on, every line explained, or None."""
    if at == len(body):
        return []
    if at not in known:
        known[at] = None
        for draft, after in _drafts_at(body, at, template):
            rest = _parse(body, after, template, known)
            if rest is not None:
                known[at] = [draft, *rest]
                break
    return known[at]


def _drafts_at(body: list[GridLine], at: int, template: Template) -> Iterator[tuple[_Draft, int]]:
    for row in template.rows:
        patterns = row_patterns(row)
        if len(patterns) == 2:
            yield from _named_above(body, at, patterns)
            continue
        found = patterns[0].match(body[at].text)
        item = _item(found.groupdict()) if found else None
        if item is not None:
            yield _with_what_follows(item, body, at, template)


def _named_above(
    body: list[GridLine], at: int, patterns: tuple[re.Pattern[str], ...]
) -> Iterator[tuple[_Draft, int]]:
    for lines in range(1, NAME_LINES_MAX + 1):
        if at + lines >= len(body) or not all(_is_bare(row) for row in body[at : at + lines]):
            return
        above, below = patterns[0].match(body[at].text), patterns[1].match(body[at + lines].text)
        item = _item({**above.groupdict(), **below.groupdict()}) if above and below else None
        if item is not None:
            pieces = [_piece(row) for row in body[at : at + lines]]
            yield _Draft(item, (replace(pieces[0], text=item.name), *pieces[1:])), at + lines + 1


def _with_what_follows(item: Item, body: list[GridLine], at: int, template: Template) -> tuple[_Draft, int]:
    """The lines below that belong to the item: more of its name, or what the customer wished."""
    first = next(
        span for span in body[at].spans if item.name.startswith(span.text[:1]) and item.name[:8] in span.text
    )
    right = first.left + cells(item.name)
    pieces, at = [Piece(item.name, first.left, right)], at + 1
    goes_on = template.name_goes_on == "after"
    while goes_on and at < len(body) and len(pieces) <= NAME_LINES_MAX and _is_bare(body[at]):
        if not (template.wishes and body[at].text.startswith(("+", "-", "*", "·"))):
            pieces.append(_piece(body[at]))
        at += 1
    return _Draft(item, tuple(pieces)), at


def _piece(row: GridLine) -> Piece:
    return Piece(row.text, row.spans[0].left, row.spans[0].right)


def _is_bare(row: GridLine) -> bool:
    """A line with text and no money on it, in one piece."""
    return len(row.spans) == 1 and not MONEY_AT_END.search(row.text)


def _item(fields: dict[str, str | None]) -> Item | None:
    """An item, if its figures agree."""
    if FIGURES.match(fields["name"] or ""):
        return None
    said = fields.get("qty") or fields.get("count")
    quantity = _milli(said) if said else None
    price, amount = fields.get("price"), _money(fields["amount"] or "")
    each = _money(price.split("/")[0]) if price else None
    if amount is None or (price and each is None) or (said and quantity is None):
        return None
    if quantity is not None and quantity % 1_000 and not re.search(r"[A-Za-z公斤千克]", said or ""):
        return None  # a part of something is weighed, and what is weighed has a unit
    if each is not None and quantity is not None and not _is_product(quantity, each, amount):
        return None
    return Item(fields["name"] or "", fields.get("sku"), quantity, each, amount)


def _is_product(quantity_milli: int, price: int, amount: int) -> bool:
    """Whether the amount is the product; a weight's may be rounded either way."""
    exact, slack = quantity_milli * price, 1_000 if quantity_milli % 1_000 else 0
    return abs(exact - amount * 1_000) <= slack


# the sums


def _begins_sums(row: GridLine) -> bool:
    label = _label(row.text)
    return label is not None and label[0] in (
        Label.SUBTOTAL,
        Label.TOTAL,
        Label.DISCOUNT,
        Label.TAX,
        Label.TAX_INCLUDED,
        Label.COUNT,
    )


def _sums(rows: list[GridLine]) -> _Sums:
    found: dict[Label, list[int]] = {label: [] for label in Label}
    strange = ""
    for row in rows[:SUM_LINES_MAX]:
        label = _label(row.text)
        if label is not None and label[1] is not None:
            found[label[0]].append(label[1])
        elif label is None and not found[Label.TOTAL] and re.search(rf" {MONEY}$", row.text):
            strange = strange or row.text
    return _Sums(
        tuple(found[Label.SUBTOTAL]),
        tuple(abs(amount) for amount in found[Label.DISCOUNT]),
        tuple(found[Label.TAX]),
        tuple(found[Label.TOTAL]),
        strange,
    )


_LINE = re.compile(
    rf"^(?P<label>.*?\S)(?P<rate> ?[(（]?\d{{1,2}}(?:\.\d+)?%[)）]?)? ?[:：]? *(?P<figure>{MONEY}|-?\d{{1,5}})$"
)
_LABEL_OF = {text: label for label, texts in LABELS.items() for text in texts}


def _label(text: str) -> tuple[Label, int | None] | None:
    """What a line's sum is and how much; None if the line is no sum that is known."""
    found = _LINE.match(text)
    if not found:
        return None
    bare = re.sub(r"[(（]?\d{1,2}(\.\d+)?%[)）]?", "", found["label"]).strip(" :：.*-").lower()
    label = _LABEL_OF.get(bare)
    if label is None:
        card = bare.split(" ")[0].rstrip(":")
        label = Label.PAID if "*" in found["label"] and card in LABELS[Label.PAID] else None
    if label is None:
        return None
    amount = _money(found["figure"]) if "." in found["figure"] else None
    return None if amount is None and label in (Label.TOTAL, Label.SUBTOTAL) else (label, amount)


def _added_up(drafts: list[_Draft], sums: _Sums, template: Template, columns: int) -> Iterator[Reading]:
    """The reading, once, if all sums on the paper agree with its items."""
    lines, discount = sum(draft.item.amount for draft in drafts), sum(sums.discounts)
    total = sums.totals[-1] if len(set(sums.totals)) == 1 else None
    if total is None:
        # 合计 before the discount and 应付 after it: the first is a subtotal.
        first, *rest = sums.totals
        total = rest[-1] if first == lines and len(set(rest)) == 1 else None
    if total is None or any(subtotal != lines for subtotal in sums.subtotals):
        return
    for tax in (sum(sums.taxes), 0):
        if lines - discount + tax == total:
            subtotal = lines if sums.subtotals else None
            items = _named(drafts, template, columns)
            verdict = Verdict.RECONCILED if items else Verdict.UNRECONCILED
            why = "" if items else "a name that was broken at the paper's edge, and nobody can tell how"
            yield Reading(
                verdict, why, Paper.SALE, None, items, subtotal, discount, tax, total, template.name
            )
            return


def _named(drafts: list[_Draft], template: Template, columns: int) -> tuple[Item, ...]:
    """The items with their whole names; none where one of them is not known. Without columns nothing shows whether a
    name was broken at the edge, so that only the shop can say how it breaks them."""
    if not columns and template.breaks != "words" and any(len(draft.name) > 1 for draft in drafts):
        return ()
    width = float(columns) if template.name_goes_on == "before" else None
    names = join_names([draft.name for draft in drafts], breaks=template.breaks, width=width)
    names = names and without_numbers(names)
    if names is None:
        return ()
    return tuple(replace(draft.item, name=name) for draft, name in zip(drafts, names, strict=True))


# the head


def _paper(rows: list[GridLine]) -> Paper:
    head = next((at for at, row in enumerate(rows) if row.rule), min(len(rows), 12))
    for row in [*rows[:head], *rows[-3:]]:
        if len(row.spans) == 1 and (mark := mark_of(row.text)):
            return mark
    return Paper.SALE


def _number(rows: list[GridLine]) -> str | None:
    for row in rows:
        found = NUMBER.match(row.text.replace("  ", " "))
        if found:
            return found["number"]
    return None


# figures


def _money(text: str) -> int | None:
    """An amount in the smallest coin; a minus may stand before or behind."""
    bare = re.sub(r"[￥¥$£€\ufffd,\s]", "", text).replace("−", "-")
    minus = bare.startswith("-") != bare.endswith("-")
    digits = bare.strip("-").replace(".", "")
    if not digits.isascii() or not digits.isdecimal():
        return None
    return -int(digits) if minus else int(digits)


def _milli(text: str) -> int | None:
    """A quantity in thousandths: `2` is 2,000, `0.385kg` is 385."""
    found = re.search(r"-?\d+(?:\.\d{1,3})?", text)
    if not found:
        return None
    whole, _, part = found.group().lstrip("-").partition(".")
    milli = int(whole) * 1_000 + int(part.ljust(3, "0") or 0)
    return -milli if found.group().startswith("-") else milli
