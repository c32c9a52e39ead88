"""A till's shapes learned from one receipt whose text a person has typed. Pure.

The person types what stands there, line by line; this finds which dots each letter is. It believes nobody: a line whose
letters and pieces fit in no way, or in two ways, is refused by its number, and one shape that would be two letters stops
the lesson, because either the text is wrong or the font draws them alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .aligning import PICTURE, Typed, aligned, is_wide, text_of, typed_line
from .glyphs import UNKNOWN, Glyph, GlyphBook, same_letter
from .grid import is_rule
from .raster import Rows
from .strips import strips
from .white import checked_spaces, gaps_inside, own_white


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learned: the book with its new shapes, and the numbers of the typed lines that do not fit, with why."""

    book: GlyphBook
    learned: int
    refused: dict[int, str]


def teach(rows: Rows, text: str, book: GlyphBook, *, alike: bool = False) -> Lesson | str:
    """The book after one more receipt, or what is wrong with the lesson. `alike` says that the text is right and the
    font draws two letters with the same dots: such a shape is never read."""
    drawn = [strip for strip in strips(rows) if not (strip.rule or strip.picture)]
    typed = [
        (number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not is_rule(line.strip())
    ]
    if len(drawn) != len(typed):
        return (
            f"The receipt has {len(drawn)} lines of letters and the text has {len(typed)}. Leave out lines across the"
            f" paper, codes and tall pictures, and write {PICTURE} for a low one."
        )
    lines = [typed_line(number, strip, line) for (number, line), strip in zip(typed, drawn, strict=True)]
    refused, cell = aligned(lines, book)
    sure = [line for line in lines if line.number not in refused]
    meanings = _meanings(sure, book)
    doubtful = {digest: said for digest, said in meanings.items() if len(said) > 1}
    if doubtful and not alike:
        return _what_differs(next(iter(doubtful.values())))
    glyphs = _glyphs(sure, meanings, book)
    gaps: dict[str, float] = {}
    if not cell:
        gaps = gaps_inside(sure, book)
        own_white(sure, glyphs, gaps, book.space_dots)
        refused |= checked_spaces(sure, glyphs, gaps, book.space_dots)
    if not sure:
        return "Nothing could be learned: " + "; ".join(
            f"line {number}: {why}" for number, why in refused.items()
        )
    learned = len(set(glyphs) - set(book.glyphs))
    return Lesson(
        GlyphBook(glyphs=glyphs, cell_dots=cell, space_dots=book.space_dots, gaps=gaps), learned, refused
    )


def _meanings(lines: Sequence[Typed], book: GlyphBook) -> dict[str, list[tuple[int, str]]]:
    """Each shape's letters that differ, with the first line that says so; 0 is the book."""
    said: dict[str, list[tuple[int, str]]] = {}
    for line in lines:
        for window in line.found:
            digest, text = line.strip.digest(window.left, window.right), text_of(line, window)
            known = book.glyphs.get(digest)
            all_said = said.setdefault(digest, [(0, known.text)] if known else [])
            if not any(same_letter(text, other) for _, other in all_said):
                all_said.append((line.number, text))
    return said


def _what_differs(said: Sequence[tuple[int, str]]) -> str:
    (first, one), (second, other) = said[:2]
    where = f"line {first}" if first else "an earlier lesson"
    return (
        f"One shape is {one!r} in {where} and {other!r} in line {second}. Correct the text; if this font really draws"
        " them alike, say so with --alike, and lines with them are never read."
    )


def _glyphs(
    lines: Sequence[Typed], meanings: dict[str, list[tuple[int, str]]], book: GlyphBook
) -> dict[str, Glyph]:
    glyphs = dict(book.glyphs)
    for line in lines:
        for window in line.found:
            digest, text = line.strip.digest(window.left, window.right), text_of(line, window)
            if len(meanings[digest]) > 1:
                glyphs[digest] = Glyph(text=UNKNOWN)
            elif digest not in glyphs:
                cells = sum(2 if is_wide(one) else 1 for one in text)
                glyphs[digest] = Glyph(text=text, cells=cells)
    return glyphs
