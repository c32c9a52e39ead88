"""Letters on a drawn receipt, known by their exact dots. Pure, and no reading of pictures as people do it.

A driver draws the same letter with the same dots each time. So a letter is its bitmap: cut out by white rows and white
columns (or by the cells of a till that draws in cells), hashed, and looked up in a book that was learned from receipts of
the same till. A shape that is not in the book is a letter that is not known, and nothing is guessed: one wrong dot makes
a line unreadable, never another line. There is no OCR here, because for money a good guess is the worst answer.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from tillbox.contracts.settings import Strict

from .grid import CELL_DOTS, WHITE, WORD_GAP_COLUMNS, GridLine, Span
from .raster import Rows
from .strips import Strip, pieces, strips

LINES_MAX = 500  # a picture of more lines is a report, or noise that would take minutes
PARTS_MAX = 4  # so many pieces stand side by side in one Hanzi
TOUCHING_DOTS_MAX = 160  # a wider piece is a line or a picture, and is not tried to be cut
OWN_DOTS_MIN, OWN_DOTS_MAX = (
    -1.0,
    4.0,
)  # white that a letter brings on one side, where nothing has shown how much
UNKNOWN = "\ufffd"
"""Stands for a shape that is not known, and is the text of one that two letters share."""


class Glyph(Strict):
    """One shape. `text` is empty for a picture that says nothing, UNKNOWN for a shape that two letters share; `before`
    and `after` are the white dots that belong to it, unset where no neighbour has shown them."""

    text: Annotated[str, Field(max_length=8)]
    cells: Annotated[int, Field(ge=0, le=16)] = Field(default=1, description="Half-width cells.")
    before: float | None = None
    after: float | None = None


class GlyphBook(Strict):
    """What a till's shapes mean: the digest of their dots, and the letters. Learned by `tillbox tap learn-glyphs`."""

    glyphs: dict[str, Glyph] = Field(default_factory=dict)
    cell_dots: Annotated[int, Field(ge=0, le=48)] = Field(
        default=0, description="Dots of a half-width cell where the till draws in cells; 0 where it does not."
    )
    space_dots: float = Field(default=6.0, gt=0, description="How wide a space between words is.")
    gaps: dict[str, float] = Field(
        default_factory=dict,
        description="White dots between two shapes inside a word, for each pair that was seen.",
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """A known shape and the columns of its dots, or of its cells."""

    digest: str
    glyph: Glyph
    left: int
    right: int


def read_lines(rows: Rows, book: GlyphBook, start: int = 0, end: int = 0) -> list[GridLine]:
    """The lines of a drawn paper, top to bottom; a line with a letter that is not known is marked so."""
    found = strips(rows)
    if len(found) > LINES_MAX:
        return [GridLine(UNKNOWN, (Span(UNKNOWN, 0, 1),), start, end, unknown=True)]
    return [_grid_line(strip, book, start, end) for strip in found]


# reading a line


def _grid_line(strip: Strip, book: GlyphBook, start: int, end: int) -> GridLine:
    right = strip.ink.bit_length()
    if strip.rule or strip.picture:
        columns = round(right / CELL_DOTS)
        return GridLine("", (), start, end, rule=strip.rule, picture=strip.picture, right=columns)
    known = _by_cells(strip, book) if book.cell_dots else _by_gaps(strip, book)
    spans = _spans(known) if known is not None else None
    if spans is None:
        return GridLine(
            _as_far_as_known(strip, book), (Span(UNKNOWN, 0, right / CELL_DOTS),), start, end, unknown=True
        )
    text = "  ".join(span.text for span in spans)
    return GridLine(text, tuple(spans), start, end, picture=not text, right=round(right / CELL_DOTS))


@dataclass(frozen=True, slots=True)
class _Word:
    """A letter with the white that stands before it, beyond its own: None where nobody can tell."""

    seen: Seen
    white: float | None
    space: bool | None


def _by_cells(strip: Strip, book: GlyphBook) -> list[_Word] | None:
    """The letters of a till that draws in cells: the one way to lay cells over the line that explains every dot."""
    ways: list[tuple[int, list[Seen]]] = []
    for cell in (book.cell_dots, 2 * book.cell_dots):
        for phase in range(cell):
            seen = _in_cells(strip, book, cell, phase)
            if seen and all(_text(seen) != _text(other) for _, other in ways):
                ways.append((cell, seen))
    if len(ways) != 1:
        return None
    cell, found = ways[0]
    words = []
    for last, one in pairwise([None, *found]):
        assert one is not None
        white = one.left - last.right if last else 0
        words.append(_Word(one, white * book.cell_dots / cell, bool(last) and white >= cell))
    return words


def _in_cells(strip: Strip, book: GlyphBook, cell: int, phase: int) -> list[Seen] | None:
    """Whole cells as places, so that white is counted in cells."""
    found: list[Seen] = []
    left, end = phase - cell, strip.ink.bit_length()
    while left < end:
        for cells in (2, 1):
            ink = strip.trimmed(max(0, left), left + cells * cell) if left + cells * cell > 0 else None
            if ink is None:
                left += cells * cell
                break
            digest = strip.digest(*ink)
            glyph = book.glyphs.get(digest)
            if glyph and glyph.text != UNKNOWN and glyph.cells == cells:
                found.append(Seen(digest, glyph, left, left + cells * cell))
                left += cells * cell
                break
        else:
            return None
    return found


def _by_gaps(strip: Strip, book: GlyphBook) -> list[_Word] | None:
    """The letters of a till that sets them side by side: the one way to read all pieces."""
    ways: list[list[Seen]] = [[]]
    found = pieces(strip)
    after: list[list[list[Seen]]] = [[] for _ in found] + [[[]]]
    for at in reversed(range(len(found))):
        for parts in range(1, min(PARTS_MAX, len(found) - at) + 1):
            left, right = found[at][0], found[at + parts - 1][1]
            if parts > 1 and right - left > 1.3 * max(len(strip.rows), strip.usual):
                break
            for begin in _pieces_known(strip, book, left, right, whole=parts > 1):
                after[at] += [begin + rest for rest in after[at + parts]]
        after[at] = _different(after[at])
    ways = after[0]
    return _with_white(ways[0], book) if len(ways) == 1 else None


def _pieces_known(
    strip: Strip, book: GlyphBook, left: int, right: int, *, whole: bool
) -> Iterator[list[Seen]]:
    """The letters in one piece: one that is known, or known ones that touch where their own white says they do."""
    digest = strip.digest(left, right)
    glyph = book.glyphs.get(digest)
    if glyph is not None:
        if glyph.text != UNKNOWN:
            yield [Seen(digest, glyph, left, right)]
        return
    if whole or right - left > TOUCHING_DOTS_MAX:
        return
    for cut in range(left + 2, right - 1):
        digest = strip.digest(left, cut)
        glyph = book.glyphs.get(digest)
        if glyph is None or glyph.text in ("", UNKNOWN):
            continue
        first = Seen(digest, glyph, left, cut)
        for rest in _pieces_known(strip, book, cut, right, whole=False):
            least, most = _white(first, rest[0], book.gaps)
            if -1.0 < least <= most < 1.0:
                yield [first, *rest]


def _different(ways: list[list[Seen]]) -> list[list[Seen]]:
    """At most two ways that say different things; two are as bad as many."""
    if not ways:
        return []
    other = next((way for way in ways if _text(way) != _text(ways[0])), None)
    return ways[:1] if other is None else [ways[0], other]


def _text(seen: Sequence[Seen]) -> str:
    return "".join(one.glyph.text for one in seen)


def _with_white(found: list[Seen], book: GlyphBook) -> list[_Word]:
    words = []
    for last, one in pairwise([None, *found]):
        assert one is not None
        least, most = _white(last, one, book.gaps) if last else (0.0, 0.0)
        space = is_space(least, book.space_dots)
        sure = space is is_space(most, book.space_dots) and _is_column(least) is _is_column(most)
        words.append(_Word(one, least if sure else None, space))
    return words


def _is_column(white: float) -> bool:
    return white >= WORD_GAP_COLUMNS * CELL_DOTS


def _white(last: Seen, one: Seen, gaps: dict[str, float]) -> tuple[float, float]:
    """The white between two letters beyond their own, at least and at most: none inside a word."""
    gap, usual = one.left - last.right, gaps.get(pair(last.digest, one.digest))
    if usual is not None:
        return gap - usual, gap - usual
    least, most = float(gap), float(gap)
    for own in (last.glyph.after, one.glyph.before):
        least -= OWN_DOTS_MAX if own is None else own
        most -= OWN_DOTS_MIN if own is None else own
    return least, most


def pair(one: str, other: str) -> str:
    """The name of two shapes that stand side by side."""
    return f"{one} {other}"


def is_space(white: float, space_dots: float) -> bool | None:
    """Whether so much white beyond the letters' own is a space; None where it lies between."""
    if abs(white - space_dots / 2) < space_dots / 6:
        return None
    return white > space_dots / 2


def _spans(words: list[_Word]) -> list[Span] | None:
    """Letters that stand together, as the printer's own letters are laid in `grid.py`."""
    spans: list[Span] = []
    white, skipped = 0.0, False
    for word in words:
        if word.white is None or word.space is None:
            return None
        left, right, text = word.seen.left / CELL_DOTS, word.seen.right / CELL_DOTS, word.seen.glyph.text
        white += word.white
        if not text or text in WHITE:
            white, skipped = white + word.seen.right - word.seen.left, True
            continue
        if not spans or _is_column(white):
            spans.append(Span(text, left, right))
        else:
            space = " " * (word.space or skipped)
            spans[-1] = Span(spans[-1].text + space + text, spans[-1].left, right)
        white, skipped = 0.0, False
    return spans


def _as_far_as_known(strip: Strip, book: GlyphBook) -> str:
    """For a person: what is known of a line, and a sign for each piece that is not."""
    found = (book.glyphs.get(strip.digest(*piece)) for piece in pieces(strip))
    return "".join(glyph.text if glyph else UNKNOWN for glyph in found) or UNKNOWN


def same_letter(one: str, other: str) -> bool:
    """Whether two texts are the same letters but for their width: `：` and `:` may have the same dots."""
    return unicodedata.normalize("NFKC", one) == unicodedata.normalize("NFKC", other)
