"""What a person typed laid over what a till drew: which dots are which letter. Pure.

A letter is one piece between white columns, a Hanzi up to four, and letters that touch are one piece together; or every
letter has its cells. All ways are counted: a line that fits in no way or in two is refused, and easier lines, which come
first, decide what the harder ones may be.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from .glyphs import PARTS_MAX, UNKNOWN, GlyphBook, same_letter
from .grid import CELL_DOTS
from .strips import Strip, pieces

PICTURE = "(picture)"
"""What a person types for a drawn line that says nothing: a small logo."""
SPLIT = frozenset('"“”„…‰%«»‖')  # narrow letters that have white columns inside
LETTERS_MAX = 200  # on one line
TOGETHER_MAX = 3  # letters that touch are learned together, up to so many
GROUPS_MAX = 5  # of touching letters on one line


@dataclass(slots=True)
class Typed:
    """One drawn line and what a person says stands there; `spaces` are the places before which a space was typed."""

    number: int
    strip: Strip
    letters: str
    spaces: frozenset[int]
    found: list[Window] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Window:
    """Letters `first` up to `last` stand in the columns `left` to `right`."""

    first: int
    last: int
    left: int
    right: int


def typed_line(number: int, strip: Strip, line: str) -> Typed:
    words = [line.strip()] if line.strip() == PICTURE else line.split()
    spaces, count = set(), 0
    for word in words:
        spaces.add(count)
        count += len(word)
    return Typed(number, strip, "".join(words)[:LETTERS_MAX], frozenset(spaces))


def text_of(line: Typed, window: Window) -> str:
    return "" if line.letters == PICTURE else line.letters[window.first : window.last]


def aligned(lines: list[Typed], book: GlyphBook) -> tuple[dict[int, str], int]:
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


def _align_gaps(lines: list[Typed], book: GlyphBook) -> dict[int, str]:
    """The easy lines first; what they teach decides the others."""
    known = {digest: glyph.text for digest, glyph in book.glyphs.items() if glyph.text != UNKNOWN}
    sizes: dict[str, set[tuple[int, int]]] = defaultdict(set)
    refused = {line.number: "" for line in lines}
    for together in range(GROUPS_MAX + 1):
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


def _why_not(line: Typed, ways: list[list[Window]]) -> str:
    if ways:
        return "its letters fit the paper in more than one way; another receipt may decide it"
    count = len(pieces(line.strip))
    return f"{len(line.letters)} letters were typed, and the {count} pieces on the paper cannot be these"


def _ways(
    line: Typed, known: dict[str, str], sizes: dict[str, set[tuple[int, int]]], together: int
) -> list[list[Window]]:
    """At most two ways to lay the letters over the pieces, with at most so many groups of touching letters."""
    if line.letters == PICTURE:
        return [[Window(0, len(PICTURE), *piece) for piece in pieces(line.strip)]]
    found, letters = pieces(line.strip), line.letters
    ways: dict[tuple[int, int, int], list[list[Window]]] = {(len(letters), len(found), 0): [[]]}
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
    line: Typed,
    found: list[tuple[int, int]],
    at: int,
    piece: int,
    known: dict[str, str],
    sizes: dict[str, set[tuple[int, int]]],
) -> Iterator[tuple[Window, int]]:
    """Where the letters from a place on may stand, from a piece on: one letter in pieces, or some in one piece."""
    letter, em = line.letters[at], max(len(line.strip.rows), line.strip.usual)
    most = PARTS_MAX if is_wide(letter) else 3 if letter in SPLIT else 1
    options = [(1, parts) for parts in range(1, min(most, len(found) - piece) + 1)]
    if not is_wide(letter):
        options += [(count, 1) for count in range(2, TOGETHER_MAX + 1) if _one_word(line, at, count)]
    for count, parts in options:
        window = Window(at, at + count, found[piece][0], found[piece + parts - 1][1])
        width, text = window.right - window.left, line.letters[at : at + count]
        if width > em * (count if count > 1 else 1.1 if is_wide(letter) else 1.3) or (
            count > 1 and width < 0.3 * em * count
        ):
            continue
        meaning = known.get(line.strip.digest(window.left, window.right))
        if meaning is not None and not same_letter(meaning, text):
            continue
        if meaning is None and not _may_be(_size(line.strip, window), sizes.get(text)):
            continue
        yield window, piece + parts


def _one_word(line: Typed, at: int, count: int) -> bool:
    letters = line.letters[at : at + count]
    inside = range(at + 1, at + count)
    return (
        len(letters) == count
        and not any(map(is_wide, letters))
        and not any(one in line.spaces for one in inside)
    )


def _may_be(size: tuple[int, int], seen: set[tuple[int, int]] | None) -> bool:
    """A letter that was seen is as large again, a dot bolder, or of another size altogether."""
    if not seen:
        return True
    near = any(abs(size[0] - wide) <= 2 and abs(size[1] - high) <= 2 for wide, high in seen)
    return near or all(not 0.8 < size[1] / high < 1.25 for _, high in seen)


def _size(strip: Strip, window: Window) -> tuple[int, int]:
    mask = (1 << window.right - window.left) - 1
    inked = [at for at, row in enumerate(strip.rows) if row >> window.left & mask]
    return window.right - window.left, inked[-1] - inked[0] + 1


def _follows(line: Typed, window: Window, rest: list[Window]) -> bool:
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
        return 0.72 * em < pitch < 1.2 * em
    return gap < 0.7 * em


# in cells


def _align_cells(lines: list[Typed], book: GlyphBook) -> dict[int, str]:
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
            refused[line.number] = (
                f"{len(line.letters)} letters were typed, and the paper has cells for others"
            )
            continue
        _, _, line.found = min(laid, key=lambda one: (one[0], -usual[one[1]]))
    return refused


def _laid(line: Typed, known: dict[str, str]) -> list[tuple[int, int, list[Window]]]:
    """Each way to lay the cells: how many dots cross from one cell to the next, where the cells begin, and the letters."""
    if line.letters == PICTURE:
        return [(0, 0, [Window(0, len(PICTURE), *piece) for piece in pieces(line.strip)])]
    laid = []
    for cell in (CELL_DOTS, 2 * CELL_DOTS):
        for phase in range(cell):
            found = _in_cells(line, cell, phase)
            if found is not None and _agrees(line, found, known):
                laid.append((_crossed(line.strip, cell, phase), phase % CELL_DOTS, found))
    return laid


def _in_cells(line: Typed, cell: int, phase: int) -> list[Window] | None:
    found: list[Window] = []
    left, end = phase - cell, line.strip.ink.bit_length()
    for at, letter in enumerate(line.letters):
        white = 0
        while left < end and (left + cell <= 0 or line.strip.trimmed(max(0, left), left + cell) is None):
            left, white = left + cell, white + 1
        if at and (white > 0) != (at in line.spaces) and not (white == 1 and is_wide(letter)):
            return None
        width = cell * (2 if is_wide(letter) else 1)
        # A full-width stop stands in the second or the first half of its two cells.
        ink = line.strip.trimmed(max(0, left), left + width)
        if ink is None:
            return None
        found.append(Window(at, at + 1, *ink))
        left += width
    return found if left >= end else None


def _agrees(line: Typed, found: list[Window], known: dict[str, str]) -> bool:
    return all(
        same_letter(
            known.get(line.strip.digest(one.left, one.right), line.letters[one.first]),
            line.letters[one.first],
        )
        for one in found
    )


def _crossed(strip: Strip, cell: int, phase: int) -> int:
    edges = 0
    for edge in range(phase or cell, strip.ink.bit_length(), cell):
        edges |= 3 << edge - 1
    return sum(((row & edges) & (row & edges) >> 1).bit_count() for row in strip.rows)


def is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"
