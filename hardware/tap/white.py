"""How much white belongs to a letter, so that a space can be told from a narrow letter's sides. Pure.

Where letters are as wide as they are, two ones stand further apart than two words may. Each gap inside a word is what one
letter leaves behind it and the next before it; from enough gaps both are worked out.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from .aligning import PICTURE, Typed, text_of
from .glyphs import Glyph, GlyphBook, is_space, pair

ROUNDS = 60  # of working out each letter's own white; it stands still after twenty


def own_white(
    lines: Sequence[Typed], glyphs: dict[str, Glyph], gaps: dict[str, float], space_dots: float
) -> None:
    """How much white belongs to each letter's sides, from the gaps inside words: each gap is what the one leaves behind
    it and the other before it. A letter that always stands alone is measured across its spaces."""
    pairs = [(name.partition(" ")[0], name.partition(" ")[2], gap) for name, gap in gaps.items()]
    after = {one: gap / 2 for one, _, gap in pairs}
    before = {other: gap / 2 for _, other, gap in pairs}
    for _ in range(ROUNDS):
        sums: dict[str, list[float]] = defaultdict(list)
        for one, other, gap in pairs:
            sums[one].append(gap - before[other])
        after = {digest: statistics.fmean(some) for digest, some in sums.items()}
        sums = defaultdict(list)
        for one, other, gap in pairs:
            sums[other].append(gap - after[one])
        before = {digest: statistics.fmean(some) for digest, some in sums.items()}
    _alone(lines, after, before, gaps, space_dots)
    for digest, glyph in glyphs.items():
        sides = {
            "before": _rounded(before.get(digest, glyph.before)),
            "after": _rounded(after.get(digest, glyph.after)),
        }
        glyphs[digest] = glyph.model_copy(update=sides)


def _alone(
    lines: Sequence[Typed],
    after: dict[str, float],
    before: dict[str, float],
    gaps: dict[str, float],
    space_dots: float,
) -> None:
    """The sides that no gap inside a word shows, where one space is all that stands between."""
    seen_after: dict[str, list[float]] = defaultdict(list)
    seen_before: dict[str, list[float]] = defaultdict(list)
    for one, other, gap in _gaps(lines, spaces=True):
        if one not in after and other in before:
            seen_after[one].append(gap - space_dots - before[other])
        if one in after and other not in before:
            seen_before[other].append(gap - space_dots - after[one])
        if one not in after and other not in before and 0 <= gap - space_dots < space_dots:
            gaps.setdefault(pair(one, other), gap - space_dots)
    for side, seen in ((after, seen_after), (before, seen_before)):
        narrowest = {digest: min(some) for digest, some in seen.items()}
        side.update({digest: dots for digest, dots in narrowest.items() if abs(dots) < space_dots / 2})


def _rounded(dots: float | None) -> float | None:
    return None if dots is None else round(dots, 2)


def _gaps(lines: Sequence[Typed], *, spaces: bool) -> Iterator[tuple[str, str, int]]:
    """Two shapes that follow each other and the white between them, inside words or across spaces."""
    for line in lines:
        if line.letters == PICTURE:
            continue
        for one, other in pairwise(line.found):
            if (other.first in line.spaces) is spaces:
                names = [line.strip.digest(some.left, some.right) for some in (one, other)]
                yield names[0], names[1], other.left - one.right


def gaps_inside(lines: Sequence[Typed], book: GlyphBook) -> dict[str, float]:
    gaps: dict[str, list[float]] = defaultdict(list)
    for one, other, gap in _gaps(lines, spaces=False):
        gaps[pair(one, other)].append(gap)
    return {**book.gaps, **{name: statistics.median(some) for name, some in gaps.items()}}


def checked_spaces(
    lines: Sequence[Typed], glyphs: dict[str, Glyph], gaps: dict[str, float], space_dots: float
) -> dict[int, str]:
    """The lines in which white is not where the person typed a space."""
    wrong: dict[int, str] = {}
    for line in lines:
        for one, other in pairwise(line.found):
            names = [line.strip.digest(some.left, some.right) for some in (one, other)]
            after, before = glyphs[names[0]].after, glyphs[names[1]].before
            if after is None or before is None or line.letters == PICTURE:
                continue
            white = other.left - one.right - gaps.get(pair(*names), after + before)
            typed = other.first in line.spaces
            if is_space(white, space_dots) is not typed:
                between = f"between {text_of(line, one)!r} and {text_of(line, other)!r}"
                wrong[line.number] = f"the paper shows {'no' if typed else 'a'} space {between}"
    return wrong
