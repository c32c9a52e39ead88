"""The lines that were sold, out of the lines on paper, by one layout. Pure: every line explained, or none believed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tillbox.hardware.printing.document import cells

from .figures import MONEY_AT_END, is_product, milli, money
from .grid import GridLine
from .names import Name, Piece
from .template import MONEY, TIMES, UNIT, Template, row_patterns

NAME_LINES_MAX = 6
FIGURES = re.compile(rf"^[-\d.,]+ ?(?:{UNIT})? ?(?:{TIMES} ?{MONEY}.*)?$")
"""What is no name: figures alone, a quantity with its unit, a quantity times a price."""


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
class Draft:
    """An item whose name may be in pieces."""

    item: Item
    name: Name


def parse_items(
    body: list[GridLine], at: int, template: Template, known: dict[int, list[Draft] | None]
) -> list[Draft] | None:
    """The items from a line on, every line explained, or None."""
    if at == len(body):
        return []
    if at not in known:
        known[at] = None
        for draft, after in _drafts_at(body, at, template):
            rest = parse_items(body, after, template, known)
            if rest is not None:
                known[at] = [draft, *rest]
                break
    return known[at]


def _drafts_at(body: list[GridLine], at: int, template: Template) -> Iterator[tuple[Draft, int]]:
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
) -> Iterator[tuple[Draft, int]]:
    for lines in range(1, NAME_LINES_MAX + 1):
        if at + lines >= len(body) or not all(_is_bare(row) for row in body[at : at + lines]):
            return
        above, below = patterns[0].match(body[at].text), patterns[1].match(body[at + lines].text)
        item = _item({**above.groupdict(), **below.groupdict()}) if above and below else None
        if item is not None:
            pieces = [_piece(row) for row in body[at : at + lines]]
            yield Draft(item, (replace(pieces[0], text=item.name), *pieces[1:])), at + lines + 1


def _with_what_follows(item: Item, body: list[GridLine], at: int, template: Template) -> tuple[Draft, int]:
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
    return Draft(item, tuple(pieces)), at


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
    quantity = milli(said) if said else None
    price, amount = fields.get("price"), money(fields["amount"] or "")
    each = money(price.split("/")[0]) if price else None
    if amount is None or (price and each is None) or (said and quantity is None):
        return None
    if quantity is not None and quantity % 1_000 and not re.search(r"[A-Za-z公斤千克]", said or ""):
        return None  # a part of something is weighed, and what is weighed has a unit
    if each is not None and quantity is not None and not is_product(quantity, each, amount):
        return None
    return Item(fields["name"] or "", fields.get("sku"), quantity, each, amount)
