"""What stands below the items: subtotals, discounts, taxes, totals. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .figures import money
from .grid import GridLine
from .template import MONEY
from .words import LABELS, Label

SUM_LINES_MAX = 24


@dataclass(frozen=True, slots=True)
class Sums:
    """What stands below the items."""

    subtotals: tuple[int, ...] = ()
    discounts: tuple[int, ...] = ()
    taxes: tuple[int, ...] = ()
    totals: tuple[int, ...] = ()
    strange: str = ""


def begins_sums(row: GridLine) -> bool:
    label = label_of(row.text)
    return label is not None and label[0] in (
        Label.SUBTOTAL,
        Label.TOTAL,
        Label.DISCOUNT,
        Label.TAX,
        Label.TAX_INCLUDED,
        Label.COUNT,
    )


def sums_of(rows: list[GridLine]) -> Sums:
    found: dict[Label, list[int]] = {label: [] for label in Label}
    strange = ""
    for row in rows[:SUM_LINES_MAX]:
        label = label_of(row.text)
        if label is not None and label[1] is not None:
            found[label[0]].append(label[1])
        elif label is None and re.search(rf" {MONEY}$", row.text):
            # An unknown sum before the total, or a surcharge or a second receipt behind it.
            strange = strange or row.text
    return Sums(
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


def label_of(text: str) -> tuple[Label, int | None] | None:
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
    amount = money(found["figure"]) if "." in found["figure"] else None
    return None if amount is None and label in (Label.TOTAL, Label.SUBTOTAL) else (label, amount)
