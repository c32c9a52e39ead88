"""What a till puts on paper for a receipt: blocks that each generator prints in its own way. Pure.

A block is a dictionary: `text`, `pair` (a label and its value at the right margin), `table`, `rule`, `logo`, `qr`,
`barcode`, `feed`, `drawer`, `ask` (the till asks the printer how it is) and `cut`. Nothing here knows a byte of
ESC/POS, and nothing here is truth: how a shop says it (headings, signs, labels, extra lines) is drawn from the seed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from logo import logo
from receipts import DRAWER, KITCHEN, PREBILL, REFUND, REPRINT, STATUS, VOID, WIDTHS_MM, Line, Receipt
from words import WORDS, ZH, Words

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class House:
    """How this shop prints."""

    words: Words
    chinese: bool
    columns: int
    rule: str
    sign: str
    grouped: bool
    minus_behind: bool
    headings: bool
    hundredths: bool  # "2.00" for two pieces
    by: str  # between a quantity and a price
    big_total: bool

    def money(self, amount: int, sign: str = "") -> str:
        """`-1,234.50`, or `1,234.50-` where the till is built so."""
        digits = f"{abs(amount) // 100:{',' if self.grouped else ''}}.{abs(amount) % 100:02}"
        if amount >= 0:
            return f"{sign}{digits}"
        return f"{sign}{digits}-" if self.minus_behind else f"-{sign}{digits}"

    def quantity(self, line: Line) -> str:
        """`2`, `2.00` or `0.385`."""
        if line.quantity is None or self.hundredths:
            places = 3 if line.quantity is None else 2
            whole, rest = divmod(abs(line.quantity_milli), 1000)
            return f"{'-' * (line.quantity_milli < 0)}{whole}.{rest:03}"[: None if places == 3 else -1]
        return str(line.quantity)


def paper(receipt: Receipt) -> list[Block]:
    """The whole session, from the first block to the cut."""
    chance = Random(f"paper {receipt.seed}")
    house = _house(chance, receipt)
    asks: list[Block] = [{"block": "ask"}] if chance.random() < 0.15 else []
    if receipt.kind == STATUS:
        return [{"block": "ask"}]
    if receipt.kind == DRAWER:
        return [*asks, {"block": "drawer"}]
    if receipt.kind == KITCHEN:
        return [*asks, *_kitchen(chance, house, receipt), {"block": "feed", "lines": 2}, {"block": "cut"}]
    body = [
        *_head(chance, house, receipt),
        *LAYOUTS[receipt.layout](chance, house, receipt.lines),
        _rule(house),
    ]
    return [*asks, *body, *_sums(chance, house, receipt), *_foot(chance, house, receipt)]


def columns_of(text: str) -> int:
    """How wide a text is: a Hanzi takes two columns."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _house(chance: Random, receipt: Receipt) -> House:
    words, chinese = WORDS[receipt.language], receipt.language == ZH
    return House(
        words=words,
        chinese=chinese,
        columns=WIDTHS_MM[receipt.width_mm],
        rule=chance.choice("---=*"),
        sign=chance.choice(words.signs),
        grouped=chance.random() < (0.1 if chinese else 0.4),
        minus_behind=not chinese and chance.random() < 0.1,
        headings=chance.random() < 0.8,
        hundredths=chance.random() < 0.2 and receipt.width_mm == 80,  # no room on the narrow one
        by=chance.choice(("x", "*", "×") if chinese else ("x", "@", "X")),
        big_total=chance.random() < 0.5,
    )


def _kitchen(chance: Random, house: House, receipt: Receipt) -> list[Block]:
    words = house.words
    blocks = [
        _title(house, chance.choice(words.kitchen)),
        _text(f"{words.table}: {chance.randint(1, 40)}", tall=True),
        _text(f"{words.number[0]}: {receipt.number}"),
        _text(receipt.date or ""),
        _rule(house),
    ]
    for line in receipt.lines:
        blocks.append(_text(f"{line.quantity} x {line.name}", tall=True, bold=True))
        if chance.random() < 0.3:
            blocks.append(_text(f"   - {chance.choice(words.wishes)}"))
    return [*blocks, _rule(house)]


def _head(chance: Random, house: House, receipt: Receipt) -> list[Block]:
    words = house.words
    blocks: list[Block] = []
    if chance.random() < 0.2:
        blocks.append({"block": "logo", "png": logo(receipt.seed)})
    blocks.append(_title(house, chance.choice(words.shops)))
    blocks += [_text(street, align="center") for street in words.streets if chance.random() < 0.5]
    blocks += [_text(mark, align="center", bold=True) for mark in _marks(chance, words, receipt)]
    blocks.append(_text(f"{chance.choice(words.number)}: {receipt.number}"))
    if receipt.original:
        blocks.append(_text(f"{words.original}: {receipt.original}"))
    if receipt.layout in ("dishes", "counted") and chance.random() < 0.6:
        blocks.append(_text(f"{words.table}: {chance.randint(1, 40)}"))
    if chance.random() < 0.5:
        blocks.append(_text(f"{words.date}: {receipt.date}"))
        blocks.append(_text(f"{words.cashier}: {chance.randint(1, 99):03}"))
    else:
        blocks.append(_pair(receipt.date or "", f"{chance.randint(1, 9):02}"))
    return [*blocks, _rule(house)]


def _marks(chance: Random, words: Words, receipt: Receipt) -> list[str]:
    marks = {PREBILL: words.prebill, REFUND: words.refund, VOID: words.void, REPRINT: words.reprint}
    return [chance.choice(marks[receipt.kind])] if receipt.kind in marks else []


def _columns(_: Random, house: House, lines: tuple[Line, ...], frame: bool = False) -> list[Block]:
    narrow = house.columns == 32
    widths = (
        (10, 4, 6, 7)
        if narrow and frame
        else (12, 4, 7, 9)
        if narrow
        else (20, 6, 8, 9)
        if frame
        else (24, 6, 8, 10)
    )
    words = house.words
    heading = [words.name, words.quantity[0], words.price, words.amount[0]]
    rows = [[line.name, house.quantity(line), *_amounts(house, line)] for line in lines]
    return [_table(widths, "lrrr", heading if house.headings or frame else None, rows, frame)]


def _ruled(chance: Random, house: House, lines: tuple[Line, ...]) -> list[Block]:
    return _columns(chance, house, lines, frame=True)


def _name_above(_: Random, house: House, lines: tuple[Line, ...]) -> list[Block]:
    widths, words = (13, 4, 7, 8) if house.columns == 32 else (18, 8, 10, 12), house.words
    blocks: list[Block] = []
    if house.headings:
        blocks.append(_text(words.name))
        blocks.append(
            _table(widths, "lrrr", [words.code, words.quantity[0], words.price, words.amount[0]], [])
        )
        blocks.append(_rule(house))
    for line in lines:
        blocks.append(_text(line.name))
        blocks.append(
            _table(widths, "lrrr", None, [[line.sku or "", house.quantity(line), *_amounts(house, line)]])
        )
    return blocks


def _numbered(chance: Random, house: House, lines: tuple[Line, ...]) -> list[Block]:
    """The price comes before the quantity here."""
    widths = (13, 7, 4, 8) if house.columns == 32 else (20, 10, 6, 12)
    dot = chance.choice((".", "", "、" if house.chinese else ")"))
    blocks: list[Block] = []
    if house.headings:
        words = house.words
        blocks.append(
            _table(widths, "lrrr", [words.name, words.price, words.quantity[0], words.amount[0]], [])
        )
    for place, line in enumerate(lines, 1):
        price, amount = _amounts(house, line)
        blocks.append(_text(f"{place}{dot} {line.name}"))
        blocks.append(
            _table(widths, "lrrr", None, [[line.sku or "", price, f"{house.quantity(line)}", amount]])
        )
    return blocks


def _times(chance: Random, house: House, lines: tuple[Line, ...]) -> list[Block]:
    """One piece stands on one line with its amount; more have a line of their own."""
    short = chance.random() < 0.6
    blocks: list[Block] = []
    for line in lines:
        price, amount = _amounts(house, line)
        fits = columns_of(line.name) + len(amount) + 2 <= house.columns
        if short and line.quantity == 1 and fits and line.sku is None:
            blocks.append(_pair(line.name, amount))
            continue
        blocks.append(_text(line.name if line.sku is None else f"{line.sku} {line.name}"))
        blocks.append(_pair(f"  {house.quantity(line)} {house.by} {price}", amount))
    return blocks


def _weighed(chance: Random, house: House, lines: tuple[Line, ...]) -> list[Block]:
    unit = chance.choice(("kg", " kg", "公斤" if house.chinese else "kg"))
    per = chance.choice((f"/{unit.strip()}", ""))
    blocks: list[Block] = []
    for line in lines:
        price, amount = _amounts(house, line)
        blocks.append(_text(line.name if line.sku is None else f"{line.sku} {line.name}"))
        if line.quantity is None:
            blocks.append(_pair(f"  {house.quantity(line)}{unit} {house.by} {price}{per}", amount))
        else:
            blocks.append(_pair(f"  {house.quantity(line)} {house.by} {price}", amount))
    return blocks


def _counted(chance: Random, house: House, lines: tuple[Line, ...]) -> list[Block]:
    widths = (4, 18, 10) if house.columns == 32 else (6, 30, 12)
    blocks: list[Block] = []
    for line in lines:
        blocks.append(
            _table(widths, "llr", None, [[f"{line.quantity}", line.name, _amounts(house, line)[1]]])
        )
        if chance.random() < 0.3:
            blocks.append(_text(f"    + {chance.choice(house.words.wishes)}"))
    return blocks


def _dishes(chance: Random, house: House, lines: tuple[Line, ...]) -> list[Block]:
    widths = (17, 6, 9) if house.columns == 32 else (28, 8, 12)
    form = chance.choice(("x{}", "{}", "{}份" if house.chinese else "{}"))
    rows = [[line.name, form.format(line.quantity), _amounts(house, line)[1]] for line in lines]
    words = house.words
    heading = [words.name, words.quantity[0], words.amount[1]] if house.headings else None
    return [_table(widths, "lrr", heading, rows)]


LAYOUTS: dict[str, Callable[[Random, House, tuple[Line, ...]], list[Block]]] = {
    "columns": _columns,
    "name_above": _name_above,
    "times": _times,
    "numbered": _numbered,
    "weighed": _weighed,
    "counted": _counted,
    "dishes": _dishes,
    "ruled": _ruled,
}


def _amounts(house: House, line: Line) -> tuple[str, str]:
    assert line.price is not None
    assert line.amount is not None
    return house.money(line.price), house.money(line.amount)


def _sums(chance: Random, house: House, receipt: Receipt) -> list[Block]:
    words, sign = house.words, house.sign
    assert receipt.subtotal is not None
    assert receipt.total is not None
    blocks: list[Block] = []
    if chance.random() < 0.3:
        pieces = sum(1 if line.quantity is None else line.quantity for line in receipt.lines)
        blocks.append(_pair(chance.choice(words.pieces), f"{pieces}"))
    total = chance.choice(words.total)
    subtotal = chance.choice([one for one in words.subtotal if one != total])
    if receipt.discount or receipt.tax or chance.random() < 0.3:
        blocks.append(_pair(subtotal, house.money(receipt.subtotal)))
    if receipt.discount:
        shown = receipt.discount if chance.random() < 0.4 else -receipt.discount
        blocks.append(_pair(chance.choice(words.discount), house.money(shown)))
    if receipt.tax:
        blocks.append(_pair(chance.choice(words.tax), house.money(receipt.tax)))
    colon = chance.choice(("", ":", "：" if house.chinese else ":"))
    blocks.append(_pair(f"{total}{colon}", house.money(receipt.total, sign), bold=True, tall=house.big_total))
    if receipt.tax_included:
        blocks.append(_pair(words.tax_included, house.money(receipt.tax_included)))
    return blocks


def _foot(chance: Random, house: House, receipt: Receipt) -> list[Block]:
    words = house.words
    blocks: list[Block] = []
    if receipt.payment is not None and receipt.tendered is not None:
        blocks.append(_pair(receipt.payment, house.money(receipt.tendered)))
        if receipt.change or (receipt.payment == words.cash and chance.random() < 0.5):
            blocks.append(_pair(words.change, house.money(receipt.change or 0)))
    if chance.random() < 0.25:
        blocks.append(_pair(words.balance, house.money(chance.randint(0, 90_000))))
        blocks.append(_pair(words.points, f"{chance.randint(0, 300)}"))
    blocks.append(_rule(house))
    if chance.random() < 0.25:
        blocks.append({"block": "qr", "data": f"https://shop.example/r/{receipt.number}"})
    elif chance.random() < 0.2:
        blocks.append({"block": "barcode", "data": f"{receipt.number}".replace("-", "")})
    blocks.append(_text(chance.choice(words.thanks), align="center"))
    if receipt.payment == words.cash:
        blocks.append({"block": "drawer"})
    return [*blocks, {"block": "feed", "lines": chance.randint(1, 3)}, {"block": "cut"}]


def _title(house: House, text: str) -> Block:
    wide = columns_of(text) * 2 <= house.columns
    return _text(text, align="center", bold=True, wide=wide, tall=True)


def _text(
    text: str, align: str = "left", bold: bool = False, wide: bool = False, tall: bool = False
) -> Block:
    return {"block": "text", "text": text, "align": align, "bold": bold, "wide": wide, "tall": tall}


def _pair(left: str, right: str, bold: bool = False, tall: bool = False) -> Block:
    return {"block": "pair", "left": left, "right": right, "bold": bold, "tall": tall}


def _table(
    widths: tuple[int, ...], sides: str, heading: list[str] | None, rows: list[list[str]], frame: bool = False
) -> Block:
    columns = [
        {"width": width, "align": {"l": "left", "r": "right"}[side]}
        for width, side in zip(widths, sides, strict=True)
    ]
    return {"block": "table", "columns": columns, "heading": heading, "rows": rows, "frame": frame}


def _rule(house: House) -> Block:
    return {"block": "rule", "mark": house.rule}
