"""A sheet of paper read as a receipt: lines, sums and a verdict. Pure.

Nothing is believed because it looks like a price. Each line's quantity times price must be its amount, the lines must
add up to the subtotal, and subtotal, discount and tax to the total. Every layout that is known is tried at every place
where the items may begin; if two of them add up and say different things, none is believed. What does not add up is
*unreconciled*: a person may look at it, and it is never used for money.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from .figures import MONEY_AT_END
from .grid import GridLine, Sheet
from .items import Draft, Item, parse_items
from .names import join_names, without_numbers
from .sums import Sums, begins_sums, sums_of
from .template import TEMPLATES, Template
from .words import NUMBER, Paper, is_heading, mark_of

ROWS_MAX = 400  # a receipt of more lines than that is a report
UNKNOWN_LETTER = "a letter that is not known; teach it with tap learn-glyphs"


class Verdict(StrEnum):
    """What the arithmetic says."""

    RECONCILED = "reconciled"
    UNRECONCILED = "unreconciled"
    NO_RECEIPT = "no_receipt"  # no lines of a sale: a drawer, a question, a kitchen's ticket


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
    end = next((at for at, row in enumerate(rows) if begins_sums(row)), None)
    if end is None:
        return Reading(Verdict.NO_RECEIPT, "no total on it", paper, number)
    sums = sums_of(rows[end:])
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


def _attempts(
    rows: list[GridLine], sums: Sums, templates: Sequence[Template], columns: int
) -> Iterator[Reading]:
    for template in _in_order(rows, templates):
        for start in _starts(rows, template):
            body = [row for row in rows[start:] if not row.rule and not is_heading(row.text)]
            drafts = parse_items(body, 0, template, {}) if body else None
            if drafts:
                yield from _added_up(drafts, sums, template, columns)


def _in_order(rows: list[GridLine], templates: Sequence[Template]) -> list[Template]:
    """The templates, without those that say quantity and price the other way round than the paper's headings."""
    heads = " ".join(row.text.lower() for row in rows if is_heading(row.text))
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
        starts = [at + 1 for at, row in enumerate(rows) if row.rule or is_heading(row.text)] or [0]
    return [start for start in starts if start <= first_money]


def _added_up(drafts: list[Draft], sums: Sums, template: Template, columns: int) -> Iterator[Reading]:
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


def _named(drafts: list[Draft], template: Template, columns: int) -> tuple[Item, ...]:
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
    """What kind of paper it is, by a mark that stands alone above the items, or at the very end."""
    money = next((at for at, row in enumerate(rows) if MONEY_AT_END.search(row.text)), len(rows))
    starts = [at for at, row in enumerate(rows[:money]) if row.rule or is_heading(row.text)]
    head = starts[-1] if starts else money
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
