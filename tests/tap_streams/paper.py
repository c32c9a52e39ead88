"""What a till puts on paper for a receipt: blocks that each generator prints in its own way. Pure.

A block is a dictionary: `text`, `pair` (a label and its value at the right margin), `table`, `rule`, `logo`, `qr`,
`barcode`, `feed`, `drawer`, `ask` (the till asks the printer how it is) and `cut`. Nothing here knows a byte of
ESC/POS, and nothing here is truth: how a shop says it (headings, signs, labels, extra lines) is drawn from the seed.
"""

from __future__ import annotations

from random import Random

from blocks import Block, House, columns_of, pair, rule, text
from layouts import LAYOUTS
from logo import logo
from receipts import DRAWER, KITCHEN, PREBILL, REFUND, REPRINT, STATUS, VOID, WIDTHS_MM, Receipt
from words import WORDS, ZH, Words


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
        rule(house),
    ]
    return [*asks, *body, *_sums(chance, house, receipt), *_foot(chance, house, receipt)]


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
        text(f"{words.table}: {chance.randint(1, 40)}", tall=True),
        text(f"{words.number[0]}: {receipt.number}"),
        text(receipt.date or ""),
        rule(house),
    ]
    for line in receipt.lines:
        blocks.append(text(f"{line.quantity} x {line.name}", tall=True, bold=True))
        if chance.random() < 0.3:
            blocks.append(text(f"   - {chance.choice(words.wishes)}"))
    return [*blocks, rule(house)]


def _head(chance: Random, house: House, receipt: Receipt) -> list[Block]:
    words = house.words
    blocks: list[Block] = []
    if chance.random() < 0.2:
        blocks.append({"block": "logo", "png": logo(receipt.seed)})
    blocks.append(_title(house, chance.choice(words.shops)))
    blocks += [text(street, align="center") for street in words.streets if chance.random() < 0.5]
    blocks += [text(mark, align="center", bold=True) for mark in _marks(chance, words, receipt)]
    blocks.append(text(f"{chance.choice(words.number)}: {receipt.number}"))
    if receipt.original:
        blocks.append(text(f"{words.original}: {receipt.original}"))
    if receipt.layout in ("dishes", "counted") and chance.random() < 0.6:
        blocks.append(text(f"{words.table}: {chance.randint(1, 40)}"))
    if chance.random() < 0.5:
        blocks.append(text(f"{words.date}: {receipt.date}"))
        blocks.append(text(f"{words.cashier}: {chance.randint(1, 99):03}"))
    else:
        blocks.append(pair(receipt.date or "", f"{chance.randint(1, 9):02}"))
    return [*blocks, rule(house)]


def _marks(chance: Random, words: Words, receipt: Receipt) -> list[str]:
    marks = {PREBILL: words.prebill, REFUND: words.refund, VOID: words.void, REPRINT: words.reprint}
    return [chance.choice(marks[receipt.kind])] if receipt.kind in marks else []


def _sums(chance: Random, house: House, receipt: Receipt) -> list[Block]:
    words, sign = house.words, house.sign
    assert receipt.subtotal is not None
    assert receipt.total is not None
    blocks: list[Block] = []
    if chance.random() < 0.3:
        pieces = sum(1 if line.quantity is None else line.quantity for line in receipt.lines)
        blocks.append(pair(chance.choice(words.pieces), f"{pieces}"))
    total = chance.choice(words.total)
    subtotal = chance.choice([one for one in words.subtotal if one != total])
    if receipt.discount or receipt.tax or chance.random() < 0.3:
        blocks.append(pair(subtotal, house.money(receipt.subtotal)))
    if receipt.discount:
        shown = receipt.discount if chance.random() < 0.4 else -receipt.discount
        blocks.append(pair(chance.choice(words.discount), house.money(shown)))
    if receipt.tax:
        blocks.append(pair(chance.choice(words.tax), house.money(receipt.tax)))
    colon = chance.choice(("", ":", "：" if house.chinese else ":"))
    blocks.append(pair(f"{total}{colon}", house.money(receipt.total, sign), bold=True, tall=house.big_total))
    if receipt.tax_included:
        blocks.append(pair(words.tax_included, house.money(receipt.tax_included)))
    return blocks


def _foot(chance: Random, house: House, receipt: Receipt) -> list[Block]:
    words = house.words
    blocks: list[Block] = []
    if receipt.payment is not None and receipt.tendered is not None:
        blocks.append(pair(receipt.payment, house.money(receipt.tendered)))
        if receipt.change or (receipt.payment == words.cash and chance.random() < 0.5):
            blocks.append(pair(words.change, house.money(receipt.change or 0)))
    if chance.random() < 0.25:
        blocks.append(pair(words.balance, house.money(chance.randint(0, 90_000))))
        blocks.append(pair(words.points, f"{chance.randint(0, 300)}"))
    blocks.append(rule(house))
    if chance.random() < 0.25:
        blocks.append({"block": "qr", "data": f"https://shop.example/r/{receipt.number}"})
    elif chance.random() < 0.2:
        blocks.append({"block": "barcode", "data": f"{receipt.number}".replace("-", "")})
    blocks.append(text(chance.choice(words.thanks), align="center"))
    if receipt.payment == words.cash:
        blocks.append({"block": "drawer"})
    return [*blocks, {"block": "feed", "lines": chance.randint(1, 3)}, {"block": "cut"}]


def _title(house: House, words: str) -> Block:
    wide = columns_of(words) * 2 <= house.columns
    return text(words, align="center", bold=True, wide=wide, tall=True)
