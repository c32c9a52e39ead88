"""How one shop's receipts are laid out, as data: a few lines of a small language, and nothing that can run.

    Template(name="columns", rows=["{name} {qty} {price} {amount}"])
    Template(name="code below", rows=["{name}\\n{sku?} {qty} {price} {amount}"])

A row is what one item looks like. `{name}` is text, `{sku}` a code, `{qty}` a number of pieces or a weight, `{count}` a
number of pieces in a column of its own, `{price}` and `{amount}` money; a question mark makes a field optional. One space
is white between words or columns, two are white between columns, a new line is the next line of the paper. Rows are
tried in order; `name_goes_on` says where a name that is too long goes on.
"""

from __future__ import annotations

import functools
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tillbox.contracts.settings import Strict

from .names import Breaks

SIGN = "[￥¥$£€\ufffd]"  # the last: a sign of a code page that is not known
MONEY = rf"[-−]?\s?{SIGN}?\s?[-−]?(?:\d{{1,3}}(?:,\d{{3}}){{1,2}}|\d{{1,7}})\.\d{{2}}-?"
UNIT = "kg|公斤|千克|斤|g|克|lb|份|件|个|只|瓶|盒|包|杯|袋|条|支|pcs?|ea"
NAME = r"\S+(?: \S+)*?"
FIELDS = {
    "name": NAME,
    "sku": r"[A-Za-z]{0,3}\d{3,18}",
    "qty": rf"-?\d{{1,5}}(?:\.\d{{1,3}})? ?(?:{UNIT})?",
    "count": rf"[x×X*]? ?-?\d{{1,4}} ?(?:{UNIT})?",
    "price": rf"{MONEY}(?: ?/ ?(?:{UNIT}))?",
    "amount": MONEY,
}
TIMES = r"[x×X*@]"
_FIELD = re.compile(r"\{(\w+)(\??)\}")


def _is_row(text: str) -> str:
    used = [found.group(1) for found in _FIELD.finditer(text)]
    wrong = [name for name in used if name not in FIELDS]
    if wrong:
        raise ValueError(f"there is no field {wrong[0]!r}; choose from {', '.join(FIELDS)}")
    if len(set(used)) != len(used) or "amount" not in used or "name" not in used:
        raise ValueError("a row has a name and an amount, and every field once")
    return text


Row = Annotated[str, AfterValidator(_is_row)]


class Template(Strict):
    """One layout. `start` is the line after which the items begin, where the shop's paper has one that says so."""

    name: str = Field(max_length=60)
    rows: tuple[Row, ...] = Field(min_length=1, max_length=8)
    name_goes_on: Literal["before", "after"] = "after"
    breaks: Breaks | None = Field(default=None, description="How this shop breaks long names; unknown for a strange shop.")  # fmt: skip
    wishes: bool = Field(default=False, description="Lines that begin with + or - belong to the dish above.")
    start: str = Field(default="", max_length=60)

    @property
    def price_first(self) -> bool | None:
        """Whether the price stands before the quantity; None where a row does not have both."""
        row = self.rows[0]
        return None if "{price}" not in row or "{qty}" not in row else row.find("{price}") < row.find("{qty}")


@functools.cache
def row_patterns(row: str) -> tuple[re.Pattern[str], ...]:
    """The patterns of a row, one for each line of the paper."""
    return tuple(re.compile(_pattern(line)) for line in row.split("\n"))


def _pattern(line: str) -> str:
    out, at = "^", 0
    for found in _FIELD.finditer(line):
        out += _literal(line[at : found.start()])
        at = found.end()
        name, optional = found.groups()
        field = f"(?P<{name}>{FIELDS[name]})"
        if optional:
            gap = re.match(r" *", line[at:])
            assert gap is not None
            at += gap.end()
            out += f"(?:{field}{_literal(gap.group())})?"
        else:
            out += field
    return out + _literal(line[at:]) + "$"


def _literal(text: str) -> str:
    parts = []
    for part in re.findall(r" +|[^ ]+", text):
        if part.isspace():
            parts.append(" {2,}" if len(part) > 1 else " +")
        else:
            parts.append(TIMES if part == "x" else re.escape(part))
    out = "".join(parts)
    # The sign between quantity and price may stand close to both.
    return re.sub(rf" \+{re.escape(TIMES)} \+", f" *{TIMES} *", out)


TEMPLATES: tuple[Template, ...] = (
    Template(name="columns", rows=("{name} {qty} {price} {amount}",)),
    Template(name="columns, price first", rows=("{name} {price} {qty} {amount}",)),
    Template(name="code first", rows=("{sku} {name} {qty} {price} {amount}",)),
    Template(name="name above", rows=("{name}\n{sku?} {qty} {price} {amount}",), name_goes_on="before"),
    Template(
        name="name above, price first", rows=("{name}\n{sku?} {price} {qty} {amount}",), name_goes_on="before"
    ),
    Template(
        name="times",
        rows=("{sku?} {name}\n{qty} x {price} {amount}", "{name}  {amount}"),
        name_goes_on="before",
    ),
    Template(name="count first", rows=("{count}  {name} {amount}",), wishes=True),
    Template(name="count behind", rows=("{name} {count}  {amount}",)),
)
"""The layouts that most shops print. A shop whose paper is another gets its own by `tillbox tap learn`."""
