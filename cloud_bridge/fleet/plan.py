"""A plan of places as a table: which stores have which lanes. Every row is right, or none is taken."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from tillbox.contracts.settings import Strict

COLUMNS = {
    "store": ("store", "门店"),
    "lane": ("lane", "收银位", "通道"),
    "title": ("title", "名称", "店名"),
    "group": ("group", "分组"),
}
ROWS_MAX = 10_000
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,23}")


@dataclass(frozen=True, slots=True)
class BadPlan:
    """Every row that is wrong, and why."""

    rows: tuple[str, ...]


class Row(Strict):
    """One place."""

    store: str
    lane: str
    title: str
    group: str = ""

    @property
    def place(self) -> str:
        """Its name."""
        return f"{self.store}/{self.lane}"


def read_plan(data: bytes) -> list[Row] | BadPlan:
    """The places of a CSV file in UTF-8 (with or without a byte order mark) or GB 18030, its columns named in Chinese or
    English, in any order."""
    text = _text(data)
    if text is None:
        return BadPlan(("the file is neither UTF-8 nor GB 18030: save it as CSV in UTF-8",))
    lines = csv.DictReader(io.StringIO(text, newline=""))
    named = {name: _column(name, lines.fieldnames or ()) for name in COLUMNS}
    missing = [name for name in ("store", "lane", "title") if named[name] is None]
    if missing:
        return BadPlan(
            (f"the first line names no column {', '.join(missing)}: it is store,lane,title,group",)
        )
    rows, bad, seen = [], [], set()
    for number, cells in enumerate(lines, start=2):
        row = Row(**{name: (cells.get(column or "") or "").strip() for name, column in named.items()})
        why = _wrong(row) or ("the place is there twice" if row.place in seen else "")
        seen.add(row.place)
        if why:
            bad.append(f"line {number}: {why}")
        rows.append(row)
        if number > ROWS_MAX + 1:
            return BadPlan((f"a plan has at most {ROWS_MAX} rows: cut it into several",))
    if not rows:
        bad.append("there is no place in it")
    return BadPlan(tuple(bad)) if bad else rows


def _text(data: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _column(name: str, there: object) -> str | None:
    assert isinstance(there, (list, tuple))
    wanted = {one.lower() for one in COLUMNS[name]}
    return next((one for one in there if one and one.strip().lower() in wanted), None)


def _wrong(row: Row) -> str:
    for name in ("store", "lane"):
        if not _NAME.fullmatch(getattr(row, name)):
            return f"the {name} is up to 24 small letters, digits, - and _, not {getattr(row, name)[:30]!r}"
    if row.group and not _NAME.fullmatch(row.group):
        return f"the group is up to 24 small letters, digits, - and _, not {row.group[:30]!r}"
    return "" if 1 <= len(row.title) <= 40 and row.title.isprintable() else "the title has 1 to 40 letters"
