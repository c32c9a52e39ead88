"""Made-up receipts with their exact truth, from a seed. Pure: no file, no clock, no printer, and no layout on paper.

Money is an integer of the smallest coin; `quantity_milli` counts thousandths, so that 0.385 kg is 385. An amount is
quantity times price, rounded half up. Added up: subtotal is the sum of the lines, total is
subtotal - discount + tax; a tax that is inside the prices is told apart (`tax_included`) and not added.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from words import EN, WORDS, ZH, Words

LANGUAGES = (ZH, EN)
WIDTHS_MM = {58: 32, 80: 48}  # columns of font A
SALE, REFUND, VOID, REPRINT = "sale", "refund", "void", "reprint"
PREBILL, KITCHEN, DRAWER, STATUS = "prebill", "kitchen", "drawer", "status"
KINDS = (SALE, REFUND, VOID, REPRINT, PREBILL, KITCHEN, DRAWER, STATUS)
LAYOUTS = ("columns", "name_above", "times", "numbered", "weighed", "counted", "dishes", "ruled")
WITHOUT_CODE = ("columns", "ruled")  # one line for an item has no room for it
WITHOUT_PRICE = ("counted", "dishes")  # quantity and amount only: what one costs is not on the paper
LINES_MAX = 12
DEAREST = 118_00  # times 8 pieces it keeps its column on 58 mm


@dataclass(frozen=True, slots=True)
class Line:
    """One line sold. `quantity` is None where it was weighed; price and amount are None on a kitchen ticket."""

    name: str
    sku: str | None
    quantity: int | None
    quantity_milli: int
    price: int | None
    amount: int | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a reader should find. Amounts are None where the paper is none of a sale."""

    seed: int
    kind: str
    layout: str
    language: str
    width_mm: int
    number: str | None
    original: str | None
    date: str | None
    lines: tuple[Line, ...]
    subtotal: int | None
    discount: int
    tax: int
    tax_included: int
    total: int | None
    payment: str | None
    tendered: int | None
    change: int | None
    prices_printed: bool

    def as_json(self) -> dict[str, Any]:
        """Ready for a file."""
        return asdict(self)


def receipt(
    seed: int,
    *,
    kind: str | None = None,
    layout: str | None = None,
    language: str | None = None,
    width_mm: int | None = None,
) -> Receipt:
    """The receipt of this seed; what is not asked for is drawn from the seed too."""
    chance = Random(seed)
    drawn = (
        chance.choices(KINDS, (70, 6, 3, 5, 6, 6, 2, 2))[0],
        chance.choice(LAYOUTS),
        chance.choice(LANGUAGES),
        chance.choice(tuple(WIDTHS_MM)),
    )
    kind, layout, language = kind or drawn[0], layout or drawn[1], language or drawn[2]
    width_mm = width_mm or drawn[3]
    if kind in (DRAWER, STATUS):
        return _nothing(seed, kind, language, width_mm)
    words = WORDS[language]
    number = _number(chance)
    lines = _lines(chance, words, layout, kind)
    sold = kind in (SALE, REPRINT, PREBILL)
    subtotal = sum(line.amount or 0 for line in lines)
    discount = _discount(chance, subtotal) if sold and chance.random() < 0.35 else 0
    tax = (subtotal - discount) * chance.choice((500, 825, 2000)) // 10_000 if _taxed(chance, language) else 0
    included = 0 if tax else (subtotal - discount) // 11 if sold and chance.random() < 0.2 else 0
    total = subtotal - discount + tax
    payment, tendered = _payment(chance, words, total) if kind in (SALE, REPRINT) else (None, None)
    priceless = kind == KITCHEN
    return Receipt(
        seed=seed,
        kind=kind,
        layout=layout,
        language=language,
        width_mm=width_mm,
        number=number,
        original=_number(chance) if kind in (REFUND, VOID) else None,
        date=f"2026-{chance.randint(1, 9):02}-{chance.randint(1, 28):02} "
        f"{chance.randint(8, 21):02}:{chance.randint(0, 59):02}",
        lines=lines,
        subtotal=None if priceless else subtotal,
        discount=discount,
        tax=0 if priceless else tax,
        tax_included=included,
        total=None if priceless else total,
        payment=payment,
        tendered=tendered,
        change=None if tendered is None else tendered - total,
        prices_printed=not priceless and layout not in WITHOUT_PRICE,
    )


def _nothing(seed: int, kind: str, language: str, width_mm: int) -> Receipt:
    return Receipt(
        *(seed, kind, "none", language, width_mm, None, None, None),
        *((), None, 0, 0, 0, None, None, None, None, False),
    )


def _number(chance: Random) -> str:
    day = f"2026{chance.randint(1, 9):02}{chance.randint(1, 28):02}"
    count = chance.randint(1, 9999)
    return chance.choice(
        (f"{count:06}", f"{day}-{count:04}", f"A{count}", f"{day}{chance.randint(1, 9)}{count:05}")
    )


def _lines(chance: Random, words: Words, layout: str, kind: str) -> tuple[Line, ...]:
    sells = words.dishes if layout in WITHOUT_PRICE or kind == KITCHEN else words.goods
    codes = (
        chance.choice(("ean", "own", None)) if sells is words.goods and layout not in WITHOUT_CODE else None
    )
    sign = -1 if kind in (REFUND, VOID) else 1
    names = chance.sample(
        sells, min(len(sells), chance.choices((1, 3, 5, 8, LINES_MAX), (15, 35, 30, 15, 5))[0])
    )
    lines = [_line(chance, name, codes, sign) for name in names]
    if layout == "weighed":
        some = chance.sample(words.weighed, chance.randint(1, 3))
        lines = [*(_weighed(chance, name, sign) for name in some), *lines[: LINES_MAX - len(some)]]
    if kind in (SALE, REPRINT) and len(lines) > 1 and chance.random() < 0.08:
        lines = [*lines, _taken_back(lines[-1])]
    return tuple(_unpriced(line) for line in lines) if kind == KITCHEN else tuple(lines)


def _line(chance: Random, name: str, codes: str | None, sign: int) -> Line:
    quantity = sign * chance.choices((1, 2, 3, 4, 8), (55, 25, 10, 7, 3))[0]
    price = chance.choice(
        (chance.randint(1, 60) * 50, chance.randint(99, DEAREST), chance.randint(2, 118) * 100)
    )
    return Line(name, _sku(chance, codes), quantity, quantity * 1000, price, quantity * price)


def _weighed(chance: Random, name: str, sign: int) -> Line:
    milli, price = chance.randint(80, 2600), chance.randint(290, 9980)
    return Line(name, None, None, sign * milli, price, sign * ((milli * price + 500) // 1000))


def _taken_back(line: Line) -> Line:
    """A line rung up by mistake and taken back on the same receipt."""
    back = None if line.quantity is None else -line.quantity
    assert line.amount is not None
    return Line(line.name, line.sku, back, -line.quantity_milli, line.price, -line.amount)


def _unpriced(line: Line) -> Line:
    return Line(line.name, None, line.quantity, line.quantity_milli, None, None)


def _sku(chance: Random, codes: str | None) -> str | None:
    if codes is None or chance.random() < 0.05:  # an open price has no code
        return None
    if codes == "own":
        return f"{chance.choice('ABK')}{chance.randint(100, 9999)}"
    digits = f"69{chance.randint(0, 10**10 - 1):010}"
    check = -sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10
    return f"{digits}{check}"


def _discount(chance: Random, subtotal: int) -> int:
    return max(0, chance.choice((subtotal % 100, subtotal // 10, min(subtotal, 500))))


def _taxed(chance: Random, language: str) -> bool:
    return chance.random() < (0.45 if language == EN else 0.08)


def _payment(chance: Random, words: Words, total: int) -> tuple[str, int]:
    if total > 0 and chance.random() < 0.4:
        return words.cash, -(-total // 5000) * 5000
    return chance.choice(words.cards), total
