"""A plan of places as a table: which stores have which lanes. Every row is right, or none is taken."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from tillbox.contracts.settings import Strict

from .views import Title

COLUMNS = {
    "store": ("store", "门店"),
    "lane": ("lane", "收银位", "通道"),
    "title": ("title", "名称", "店名"),
    "group": ("group", "分组"),
}
ROWS_MAX = 10_000
NAME = "[a-z0-9][a-z0-9_-]{0,23}"
Part = Annotated[str, StringConstraints(pattern=f"^{NAME}$")]


@dataclass(frozen=True, slots=True)
class BadPlan:
    """Every row that is wrong, and why."""

    rows: tuple[str, ...]


class PlannedPlace(Strict):
    """One lane of a store."""

    store: Part
    lane: Part
    title: Title = Field(description="The shop's name.")
    group: Annotated[str, StringConstraints(pattern=rf"^(?:{NAME})?$")] = ""

    @property
    def place(self) -> str:
        """Its name."""
        return f"{self.store}/{self.lane}"


def read_plan(data: bytes) -> list[PlannedPlace] | BadPlan:
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
        told = {name: (cells.get(column or "") or "").strip() for name, column in named.items()}
        try:
            row = PlannedPlace.model_validate(told)
        except ValidationError as fault:
            bad.append(f"line {number}: {_wrong(str(fault.errors()[0]['loc'][0]), told)}")
        else:
            if row.place in seen:
                bad.append(f"line {number}: the place is there twice")
            seen.add(row.place)
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


def _wrong(name: str, told: dict[str, str]) -> str:
    if name == "title":
        return "the title has 1 to 40 letters"
    return f"the {name} is up to 24 small letters, digits, - and _, not {told[name][:30]!r}"
