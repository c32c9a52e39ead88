"""A table as a shop's computer writes it: CSV in UTF-8, GBK or Excel's UTF-16. Nothing in it is guessed at: what is
wrong is named with its line. Pure."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

FILE_BYTES_MAX = 5_000_000
ROWS_MAX = 2_000  # a batch is made and read back before any of it is printed: this is a minute
CELL_MAX = 700  # a QR code holds 600 bytes


@dataclass(frozen=True, slots=True)
class Row:
    """What one label is to say, by column; `where` is its line in the file or its number in the series."""

    where: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that no label is made from, and why."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Table:
    """The rows, and those of which nothing can be made."""

    rows: tuple[Row, ...]
    bad: tuple[Bad, ...] = ()


Columns = Mapping[str, tuple[str, ...]]
"""The columns of a kind, each with the other names that a shop writes above it."""


def read_table(data: bytes, columns: Columns) -> Table | str:
    """The rows, good and bad, or why there is no table."""
    if len(data) > FILE_BYTES_MAX:
        return f"the table has more than {FILE_BYTES_MAX // 1_000_000} MB"
    text = _text(data)
    if text is None:
        return "the table is neither UTF-8 nor GBK: save it as 'CSV UTF-8'"
    head, _, _ = text.partition("\n")
    between = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True)
    rows: list[Row] = []
    bad: list[Bad] = []
    try:
        names = _names(next(reader, []), columns)
        if isinstance(names, str):
            return names
        began = reader.line_num + 1
        for cells in reader:
            where, began = f"line {began}", reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) + len(bad) >= ROWS_MAX:
                return f"the table has more than {ROWS_MAX} rows: cut it into several"
            why = _wrong(cells, names)
            if why:
                bad.append(Bad(where, why))
            else:
                rows.append(Row(where, dict(zip(names, (cell.strip() for cell in cells), strict=True))))
    except csv.Error as wrong:
        return f"line {reader.line_num}: {wrong}: is a quote missing?"
    return Table(tuple(rows), tuple(bad)) if rows or bad else "the table has no row below its names"


def _text(data: bytes) -> str | None:
    is_utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encodings = ["utf-16"] if is_utf_16 else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _names(head: list[str], columns: Columns) -> list[str] | str:
    known = {name: name for name in columns}
    known |= {other: name for name, others in columns.items() for other in others}
    written = [cell.strip().lower() for cell in head]
    strange = [cell[:20] for cell in written if cell not in known]
    if not written or strange:
        called = ", ".join("/".join((name, *others)) for name, others in columns.items())
        what = f"has a column {strange[0]!r}" if strange else "is empty"
        return f"the first line {what}; its columns are named: {called}"
    names = [known[cell] for cell in written]
    twice = next((name for name in names if names.count(name) > 1), None)
    return f"the column {twice} is there twice" if twice else names


def _wrong(cells: list[str], names: list[str]) -> str:
    if len(cells) != len(names):
        return f"{len(cells)} cells where there are {len(names)} columns: is there a comma inside a text? Put it in quotes"
    long = next((name for name, cell in zip(names, cells, strict=True) if len(cell) > CELL_MAX), None)
    return f"{long} has more than {CELL_MAX} letters" if long else ""
