"""A till's shapes learned from one receipt whose text a person has typed. Pure.

The person types what stands there, line by line; this finds which dots each letter is. It believes nobody: a line whose
letters and pieces fit in no way, or in two ways, is refused by its number, and one shape that would be two letters stops
the lesson, because either the text is wrong or the font draws them alike.
"""

from __future__ import annotations

import statistics
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .glyphs import PARTS_MAX, UNKNOWN, Glyph, GlyphBook, Strip, is_space, pieces, same_letter, strips
from .grid import CELL_DOTS, is_rule
from .raster import Rows

PICTURE = "(picture)"
"""What a person types for a drawn line that says nothing: a small logo."""
SPLIT = frozenset("\"“”„…‰%«»‖")  # narrow letters that have white columns inside
ROUNDS = 60  # of working out each letter's own white; it stands still after twenty
FITS_DOTS = 2.0  # a letter's white is rounded to dots on both sides
LETTERS_MAX = 200  # on one line
TOGETHER_MAX = 3  # letters that touch are learned together, up to so many


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learned: the book with its new shapes, and the numbers of the typed lines that do not fit, with why."""

    book: GlyphBook
    learned: int
    refused: dict[int, str]


@dataclass(slots=True)
class _Line:
    """One drawn line and what a person says stands there; `spaces` are the places before which a space was typed."""

    number: int
    strip: Strip
    letters: str
    spaces: frozenset[int]
    found: list[_Window] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Window:
    """Letters `first` up to `last` stand in the columns `left` to `right`."""

    first: int
    last: int
    left: int
    right: int


def teach(rows: Rows, text: str, book: GlyphBook, *, alike: bool = False) -> Lesson | str:
    """The book after one more receipt, or what is wrong with the lesson. `alike` says that the text is right and the
    font draws two letters with the same dots: such a shape is never read."""
    drawn = [strip for strip in strips(rows) if not (strip.rule or strip.picture)]
    typed = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and not is_rule(line.strip())]
    if len(drawn) != len(typed):
        return (
            f"The receipt has {len(drawn)} lines of letters and the text has {len(typed)}. Leave out lines across the"
            f" paper, codes and tall pictures, and write {PICTURE} for a low one."
        )
    lines = [_line(number, strip, line) for (number, line), strip in zip(typed, drawn, strict=True)]
    refused, cell = _aligned(lines, book)
    sure = [line for line in lines if line.number not in refused]
    meanings = _meanings(sure, book)
    doubtful = {digest: said for digest, said in meanings.items() if len(said) > 1}
    if doubtful and not alike:
        return _what_differs(next(iter(doubtful.values())))
    glyphs = _glyphs(sure, meanings, book, cell)
    space = book.space_dots
    if not cell:
        _own_white(sure, glyphs, book)
        space, wrong = _checked_spaces(sure, glyphs, book.space_dots)
        refused |= wrong
    if not glyphs:
        return "Nothing could be learned: " + "; ".join(f"line {number}: {why}" for number, why in refused.items())
    learned = len(set(glyphs) - set(book.glyphs))
    return Lesson(GlyphBook(glyphs={**book.glyphs, **glyphs}, cell_dots=cell, space_dots=space), learned, refused)


def _line(number: int, strip: Strip, line: str) -> _Line:
    words = [line.strip()] if line.strip() == PICTURE else line.split()
    spaces, count = set(), 0
    for word in words:
        spaces.add(count)
        count += len(word)
    return _Line(number, strip, "".join(words)[:LETTERS_MAX], frozenset(spaces))


def _aligned(lines: list[_Line], book: GlyphBook) -> tuple[dict[int, str], int]:
    """Find every line's letters, side by side or in cells, whichever refuses fewer lines."""
    by_cells = {} if book.glyphs and not book.cell_dots else _align_cells(lines, book)
    if book.cell_dots:
        return by_cells, CELL_DOTS
    in_cells = [line.found for line in lines]
    by_gaps = _align_gaps(lines, book)
    if book.glyphs or len(by_gaps) < len(by_cells):
        return by_gaps, 0
    for line, found in zip(lines, in_cells, strict=True):
        line.found = found
    return by_cells, CELL_DOTS


# side by side


def _align_gaps(lines: list[_Line], book: GlyphBook) -> dict[int, str]:
    """The easy lines first; what they teach decides the others."""
    known = {digest: glyph.text for digest, glyph in book.glyphs.items() if glyph.text != UNKNOWN}
    sizes: dict[str, set[tuple[int, int]]] = defaultdict(set)
    refused = {line.number: "" for line in lines}
    for together in range(TOGETHER_MAX + 3):
        again = True
        while again:
            again = False
            for line in lines:
                if line.number not in refused:
                    continue
                ways = _ways(line, known, sizes, together)
                refused[line.number] = _why_not(line, ways)
                if len(ways) == 1:
                    del refused[line.number]
                    line.found, again = ways[0], True
                    for window in line.found:
                        digest = line.strip.digest(window.left, window.right)
                        known.setdefault(digest, line.letters[window.first : window.last])
                        sizes[line.letters[window.first : window.last]].add(_size(line.strip, window))
    return refused


def _why_not(line: _Line, ways: list[list[_Window]]) -> str:
    if ways:
        return "its letters fit the paper in more than one way; another receipt may decide it"
    count = len(pieces(line.strip))
    return f"{len(line.letters)} letters were typed, and the {count} pieces on the paper cannot be these"


def _ways(
    line: _Line, known: dict[str, str], sizes: dict[str, set[tuple[int, int]]], together: int
) -> list[list[_Window]]:
    """At most two ways to lay the letters over the pieces, with at most so many groups of touching letters."""
    if line.letters == PICTURE:
        return [[_Window(0, len(PICTURE), *piece) for piece in pieces(line.strip)]]
    found, letters = pieces(line.strip), line.letters
    ways: dict[tuple[int, int, int], list[list[_Window]]] = {(len(letters), len(found), 0): [[]]}
    for at in reversed(range(len(letters))):
        for piece in reversed(range(len(found))):
            for window, end in _windows(line, found, at, piece, known, sizes):
                cost = window.last - window.first - 1
                for groups in range(together + 1 - bool(cost)):
                    rests = ways.get((window.last, end, groups), [])
                    fitting = [[window, *rest] for rest in rests if _follows(line, window, rest)]
                    here = ways.setdefault((at, piece, groups + bool(cost)), [])
                    here += fitting[: 2 - len(here)]
    fewest = (ways.get((0, 0, groups), []) for groups in range(together + 1))
    return next((some for some in fewest if some), [])


def _windows(
    line: _Line,
    found: list[tuple[int, int]],
    at: int,
    piece: int,
    known: dict[str, str],
    sizes: dict[str, set[tuple[int, int]]],
) -> Iterator[tuple[_Window, int]]:
    """Where the letters from a place on may stand, from a piece on: one letter in pieces, or some in one piece."""
    letter, em = line.letters[at], max(len(line.strip.rows), line.strip.usual)
    most = PARTS_MAX if _is_wide(letter) else 3 if letter in SPLIT else 1
    options = [(1, parts) for parts in range(1, min(most, len(found) - piece) + 1)]
    if not _is_wide(letter):
        options += [(count, 1) for count in range(2, TOGETHER_MAX + 1) if _one_word(line, at, count)]
    for count, parts in options:
        window = _Window(at, at + count, found[piece][0], found[piece + parts - 1][1])
        width, text = window.right - window.left, line.letters[at : at + count]
        if width > em * (1.2 if count == 1 else count) or (count > 1 and width < 0.3 * em * count):
            continue
        meaning = known.get(line.strip.digest(window.left, window.right))
        if meaning is not None and not same_letter(meaning, text):
            continue
        if meaning is None and not _may_be(_size(line.strip, window), sizes.get(text)):
            continue
        yield window, piece + parts


def _one_word(line: _Line, at: int, count: int) -> bool:
    letters = line.letters[at : at + count]
    inside = range(at + 1, at + count)
    return len(letters) == count and not any(map(_is_wide, letters)) and not any(one in line.spaces for one in inside)


def _may_be(size: tuple[int, int], seen: set[tuple[int, int]] | None) -> bool:
    """A letter that was seen is as large again, a dot bolder, or of another size altogether."""
    if not seen:
        return True
    near = any(abs(size[0] - wide) <= 2 and abs(size[1] - high) <= 2 for wide, high in seen)
    return near or all(not 0.8 < size[1] / high < 1.25 for _, high in seen)


def _size(strip: Strip, window: _Window) -> tuple[int, int]:
    mask = (1 << window.right - window.left) - 1
    inked = [at for at, row in enumerate(strip.rows) if row >> window.left & mask]
    return window.right - window.left, inked[-1] - inked[0] + 1


def _follows(line: _Line, window: _Window, rest: list[_Window]) -> bool:
    """Whether the white between two letters can be that within a word, or between two."""
    if not rest:
        return True
    following = rest[0]
    gap, em = following.left - window.right, max(len(line.strip.rows), line.strip.usual)
    if following.first in line.spaces:
        return gap >= 3
    hanzi = all(unicodedata.category(line.letters[one.first]) == "Lo" for one in (window, following))
    if hanzi:
        pitch = (following.left + following.right - window.left - window.right) / 2
        return 0.6 * em < pitch < 1.4 * em
    return gap < 0.7 * em


# in cells


def _align_cells(lines: list[_Line], book: GlyphBook) -> dict[int, str]:
    """Lay cells over each line so that every letter has its own and every space is white."""
    refused: dict[int, str] = {}
    known = {digest: glyph.text for digest, glyph in book.glyphs.items()}
    usual: dict[int, int] = defaultdict(int)
    options = {line.number: _laid(line, known) for line in lines}
    for laid in options.values():
        best = min((crossed for crossed, _, _ in laid), default=0)
        for crossed, phase, _ in laid:
            usual[phase] += crossed == best
    for line in lines:
        laid = options[line.number]
        if not laid:
            refused[line.number] = f"{len(line.letters)} letters were typed, and the paper has cells for others"
            continue
        _, _, line.found = min(laid, key=lambda one: (one[0], -usual[one[1]]))
    return refused


def _laid(line: _Line, known: dict[str, str]) -> list[tuple[int, int, list[_Window]]]:
    """Each way to lay the cells: how many dots cross from one cell to the next, where the cells begin, and the letters."""
    if line.letters == PICTURE:
        return [(0, 0, [_Window(0, len(PICTURE), *piece) for piece in pieces(line.strip)])]
    laid = []
    for cell in (CELL_DOTS, 2 * CELL_DOTS):
        for phase in range(cell):
            found = _in_cells(line, cell, phase)
            if found is not None and _agrees(line, found, known):
                laid.append((_crossed(line.strip, cell, phase), phase % CELL_DOTS, found))
    return laid


def _in_cells(line: _Line, cell: int, phase: int) -> list[_Window] | None:
    found: list[_Window] = []
    left, end = phase - cell, line.strip.ink.bit_length()
    for at, letter in enumerate(line.letters):
        white = 0
        while left < end and (left + cell <= 0 or line.strip.trimmed(max(0, left), left + cell) is None):
            left, white = left + cell, white + 1
        if at and (white > 0) != (at in line.spaces) and not (white == 1 and _is_wide(letter)):
            return None
        width = cell * (2 if _is_wide(letter) else 1)
        # A full-width stop stands in the second or the first half of its two cells.
        ink = line.strip.trimmed(max(0, left), left + width)
        if ink is None:
            return None
        found.append(_Window(at, at + 1, *ink))
        left += width
    return found if left >= end else None


def _agrees(line: _Line, found: list[_Window], known: dict[str, str]) -> bool:
    return all(
        same_letter(known.get(line.strip.digest(one.left, one.right), line.letters[one.first]), line.letters[one.first])
        for one in found
    )


def _crossed(strip: Strip, cell: int, phase: int) -> int:
    edges = 0
    for edge in range(phase or cell, strip.ink.bit_length(), cell):
        edges |= 3 << edge - 1
    return sum(((row & edges) & (row & edges) >> 1).bit_count() for row in strip.rows)


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


# what was found


def _meanings(lines: Sequence[_Line], book: GlyphBook) -> dict[str, list[tuple[int, str]]]:
    """Each shape's letters that differ, with the first line that says so; 0 is the book."""
    said: dict[str, list[tuple[int, str]]] = {}
    for line in lines:
        for window in line.found:
            digest, text = line.strip.digest(window.left, window.right), _text(line, window)
            known = book.glyphs.get(digest)
            all_said = said.setdefault(digest, [(0, known.text)] if known else [])
            if not any(same_letter(text, other) for _, other in all_said):
                all_said.append((line.number, text))
    return said


def _text(line: _Line, window: _Window) -> str:
    return "" if line.letters == PICTURE else line.letters[window.first : window.last]


def _what_differs(said: Sequence[tuple[int, str]]) -> str:
    (first, one), (second, other) = said[:2]
    where = f"line {first}" if first else "an earlier lesson"
    return (
        f"One shape is {one!r} in {where} and {other!r} in line {second}. Correct the text; if this font really draws"
        " them alike, say so with --alike, and lines with them are never read."
    )


def _glyphs(
    lines: Sequence[_Line], meanings: dict[str, list[tuple[int, str]]], book: GlyphBook, cell: int
) -> dict[str, Glyph]:
    glyphs: dict[str, Glyph] = {}
    for line in lines:
        for window in line.found:
            digest, text = line.strip.digest(window.left, window.right), _text(line, window)
            known = book.glyphs.get(digest)
            if len(meanings[digest]) > 1:
                glyphs[digest] = Glyph(text=UNKNOWN)
            elif digest not in glyphs:
                cells = sum(2 if _is_wide(one) else 1 for one in text)
                glyphs[digest] = known or Glyph(text=text, cells=cells)
    return glyphs


def _own_white(lines: Sequence[_Line], glyphs: dict[str, Glyph], book: GlyphBook) -> None:
    """How much white belongs to each letter's sides, from the gaps inside words: each gap is what the one leaves behind
    it and the other before it. What an earlier lesson found out stays."""
    gaps: dict[tuple[str, str], float] = {
        pair: statistics.median(seen) for pair, seen in _gaps_inside(lines).items()
    }
    after = {digest: glyph.after for digest, glyph in book.glyphs.items() if glyph.after is not None}
    before = {digest: glyph.before for digest, glyph in book.glyphs.items() if glyph.before is not None}
    fixed_after, fixed_before = frozenset(after), frozenset(before)
    for one, other in gaps:
        after.setdefault(one, gaps[one, other] / 2)
        before.setdefault(other, gaps[one, other] / 2)
    for _ in range(ROUNDS):
        for side, fixed in ((after, fixed_after), (before, fixed_before)):
            sums: dict[str, list[float]] = defaultdict(list)
            for (one, other), gap in gaps.items():
                if side is after:
                    sums[one].append(gap - before[other])
                else:
                    sums[other].append(gap - after[one])
            side.update({digest: statistics.fmean(some) for digest, some in sums.items() if digest not in fixed})
    for digest, glyph in glyphs.items():
        sides = {"before": _rounded(before.get(digest)), "after": _rounded(after.get(digest))}
        glyphs[digest] = glyph.model_copy(update=sides)


def _rounded(dots: float | None) -> float | None:
    return None if dots is None else round(dots, 2)


def _gaps_inside(lines: Sequence[_Line]) -> dict[tuple[str, str], list[int]]:
    gaps: dict[tuple[str, str], list[int]] = defaultdict(list)
    for line in lines:
        if line.letters == PICTURE:
            continue
        for one, other in zip(line.found, line.found[1:], strict=False):
            if other.first not in line.spaces:
                pair = (line.strip.digest(one.left, one.right), line.strip.digest(other.left, other.right))
                gaps[pair].append(other.left - one.right)
    return gaps


def _checked_spaces(
    lines: Sequence[_Line], glyphs: dict[str, Glyph], space_dots: float
) -> tuple[float, dict[int, str]]:
    """The narrowest space, and the lines in which white is not where the person typed a space."""
    wrong: dict[int, str] = {}
    for line in lines:
        for one, other in zip(line.found, line.found[1:], strict=False):
            last, following = (glyphs[line.strip.digest(some.left, some.right)] for some in (one, other))
            if last.after is None or following.before is None or line.letters == PICTURE:
                continue
            white = other.left - one.right - last.after - following.before
            typed = other.first in line.spaces
            if is_space(white, space_dots) is not typed:
                between = f"between {_text(line, one)!r} and {_text(line, other)!r}"
                wrong[line.number] = f"the paper shows {'no' if typed else 'a'} space {between}"
    return space_dots, wrong
