"""How the lines of a receipt stand on paper: one function for each layout. Pure."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from blocks import Block, House, columns_of, pair, rule, table, text
from receipts import Line


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
    return [table(widths, "lrrr", heading if house.headings or frame else None, rows, frame)]


def _ruled(chance: Random, house: House, lines: tuple[Line, ...]) -> list[Block]:
    return _columns(chance, house, lines, frame=True)


def _name_above(_: Random, house: House, lines: tuple[Line, ...]) -> list[Block]:
    widths, words = (13, 4, 7, 8) if house.columns == 32 else (18, 8, 10, 12), house.words
    blocks: list[Block] = []
    if house.headings:
        blocks.append(text(words.name))
        blocks.append(
            table(widths, "lrrr", [words.code, words.quantity[0], words.price, words.amount[0]], [])
        )
        blocks.append(rule(house))
    for line in lines:
        blocks.append(text(line.name))
        blocks.append(
            table(widths, "lrrr", None, [[line.sku or "", house.quantity(line), *_amounts(house, line)]])
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
            table(widths, "lrrr", [words.name, words.price, words.quantity[0], words.amount[0]], [])
        )
    for place, line in enumerate(lines, 1):
        price, amount = _amounts(house, line)
        blocks.append(text(f"{place}{dot} {line.name}"))
        blocks.append(
            table(widths, "lrrr", None, [[line.sku or "", price, f"{house.quantity(line)}", amount]])
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
            blocks.append(pair(line.name, amount))
            continue
        blocks.append(text(line.name if line.sku is None else f"{line.sku} {line.name}"))
        blocks.append(pair(f"  {house.quantity(line)} {house.by} {price}", amount))
    return blocks


def _weighed(chance: Random, house: House, lines: tuple[Line, ...]) -> list[Block]:
    unit = chance.choice(("kg", " kg", "公斤" if house.chinese else "kg"))
    per = chance.choice((f"/{unit.strip()}", ""))
    blocks: list[Block] = []
    for line in lines:
        price, amount = _amounts(house, line)
        blocks.append(text(line.name if line.sku is None else f"{line.sku} {line.name}"))
        if line.quantity is None:
            blocks.append(pair(f"  {house.quantity(line)}{unit} {house.by} {price}{per}", amount))
        else:
            blocks.append(pair(f"  {house.quantity(line)} {house.by} {price}", amount))
    return blocks


def _counted(chance: Random, house: House, lines: tuple[Line, ...]) -> list[Block]:
    widths = (4, 18, 10) if house.columns == 32 else (6, 30, 12)
    blocks: list[Block] = []
    for line in lines:
        blocks.append(table(widths, "llr", None, [[f"{line.quantity}", line.name, _amounts(house, line)[1]]]))
        if chance.random() < 0.3:
            blocks.append(text(f"    + {chance.choice(house.words.wishes)}"))
    return blocks


def _dishes(chance: Random, house: House, lines: tuple[Line, ...]) -> list[Block]:
    widths = (17, 6, 9) if house.columns == 32 else (28, 8, 12)
    form = chance.choice(("x{}", "{}", "{}份" if house.chinese else "{}"))
    rows = [[line.name, form.format(line.quantity), _amounts(house, line)[1]] for line in lines]
    words = house.words
    heading = [words.name, words.quantity[0], words.amount[1]] if house.headings else None
    return [table(widths, "lrr", heading, rows)]


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
