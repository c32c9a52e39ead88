"""Many labels on A4 sheets, as a PDF: a grid with margins, and marks to cut along. Pure.

Codes, frames and rules are exact rectangles; letters are drawn at 24 dots a millimetre, finer than an office printer
prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .label import Label, Text, Unfit, blocks
from .label_picture import drawn_texts
from .pdf import Page, pdf
from .typeface import Typeface

A4_MM = (210, 297)
LETTERS_DOTS_PER_MM = 24
MARK_MM, MARK_AWAY_MM, MARK_THICK_MM = 3.0, 1.0, 0.1


@dataclass(frozen=True, slots=True)
class Grid:
    """How labels of one size lie on A4, all lengths in millimetres; they stand in its middle."""

    width: int
    height: int
    columns: int
    rows: int
    gap: int

    @property
    def places(self) -> int:
        """How many labels one sheet has."""
        return self.columns * self.rows

    def corner(self, place: int) -> tuple[float, float]:
        """The left and the top of a place, counted row by row."""
        row, column = divmod(place, self.columns)
        left, top = self.origin
        return left + column * (self.width + self.gap), top + row * (self.height + self.gap)

    @property
    def origin(self) -> tuple[float, float]:
        """The left and the top of the first place."""
        across = self.columns * (self.width + self.gap) - self.gap
        down = self.rows * (self.height + self.gap) - self.gap
        return (A4_MM[0] - across) / 2, (A4_MM[1] - down) / 2


def grid_for(width_mm: int, height_mm: int, *, margin_mm: int = 8, gap_mm: int = 2) -> Grid | Unfit:
    """As many as A4 takes."""
    columns = (A4_MM[0] - 2 * margin_mm + gap_mm) // (width_mm + gap_mm)
    rows = (A4_MM[1] - 2 * margin_mm + gap_mm) // (height_mm + gap_mm)
    if columns < 1 or rows < 1:
        return Unfit(
            f"a label of {width_mm}x{height_mm} mm does not fit on A4 with margins of {margin_mm} mm"
        )
    return Grid(width_mm, height_mm, columns, rows, gap_mm)


def sheets(labels: Sequence[Label], grid: Grid, typeface: Typeface, *, marks: bool = True) -> bytes:
    """The PDF; labels are all of the grid's size."""
    pages = []
    for first in range(0, len(labels), grid.places):
        page = Page(*A4_MM)
        for place, label in enumerate(labels[first : first + grid.places]):
            _draw(page, label, grid.corner(place), typeface)
        if marks:
            for mark in _marks(grid):
                page.rectangle(*mark)
            page.fill()
        pages.append(page)
    return pdf(pages)


def _draw(page: Page, label: Label, corner: tuple[float, float], typeface: Typeface) -> None:
    (left, top), dots = corner, label.dots_per_mm
    for element in label.elements:
        if not isinstance(element, Text):
            for box in blocks(element):
                page.rectangle(
                    left + box.left / dots, top + box.top / dots, box.width / dots, box.height / dots
                )
            page.fill()
    scale = LETTERS_DOTS_PER_MM // dots
    for drawn in drawn_texts(label, typeface, scale):
        at = left + drawn.left / dots / scale, top + drawn.top / dots / scale
        page.picture(drawn.picture, *at, LETTERS_DOTS_PER_MM)


def _marks(grid: Grid) -> Iterator[tuple[float, float, float, float]]:
    """Short lines in the margins, at both sides of each row and column."""
    left, top = grid.origin
    right = left + grid.columns * (grid.width + grid.gap) - grid.gap
    foot = top + grid.rows * (grid.height + grid.gap) - grid.gap
    half = MARK_THICK_MM / 2
    for column in range(grid.columns):
        for x in (grid.corner(column)[0], grid.corner(column)[0] + grid.width):
            yield x - half, top - MARK_AWAY_MM - MARK_MM, MARK_THICK_MM, MARK_MM
            yield x - half, foot + MARK_AWAY_MM, MARK_THICK_MM, MARK_MM
    for row in range(grid.rows):
        head = grid.corner(row * grid.columns)[1]
        for y in (head, head + grid.height):
            yield left - MARK_AWAY_MM - MARK_MM, y - half, MARK_MM, MARK_THICK_MM
            yield right + MARK_AWAY_MM, y - half, MARK_MM, MARK_THICK_MM
