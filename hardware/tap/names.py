"""Names that did not fit on their line, put together again. Pure.

A till breaks a long name in one of two ways, and all of a receipt in the same: between words, or where the column ends,
in the middle of a word. Which one it was can be seen where a piece ends before its column does. Where it cannot be seen
and would matter, the name is not known, and says so.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Breaks = Literal["words", "anywhere"]
EDGE_COLUMNS = 1.5  # a piece that ends a space before its column's end is at the end too


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a name, and the columns that it takes."""

    text: str
    left: float
    right: float


Name = tuple[Piece, ...]


def join_names(
    names: Sequence[Name], *, breaks: Breaks | None = None, width: float | None = None
) -> list[str] | None:
    """The names of one receipt; None where nobody can tell how one of them goes on.

    `breaks` is how this shop breaks names, where that is known. `width` is the column at which the names' column ends;
    None where it ends at its widest broken piece.
    """
    broken = [piece.right for name in names for piece in name[:-1]]
    limit = width if width is not None else max(broken, default=0.0)
    by_words = [_between_words(name) for name in names]
    anywhere = [_at_the_edge(name, limit) for name in names]
    if breaks == "anywhere":
        return anywhere
    at_edge = all(limit - right < EDGE_COLUMNS for right in broken)
    if breaks == "words" or not at_edge:
        return None if any(map(_hides_a_space, names)) else by_words
    return by_words if by_words == anywhere and not any(map(_hides_a_space, names)) else None


def _hides_a_space(name: Name) -> bool:
    """Whether a piece ends in Latin and the next begins in Chinese, or the other way round: there may have been a
    space, and nothing shows it."""
    return any(one.text[-1].isascii() != other.text[0].isascii() for one, other in itertools.pairwise(name))


def _at_the_edge(name: Name, limit: float) -> str:
    """A space was there if the piece ends before the edge, or the next begins after it."""
    text, first = name[0].text, name[0].left
    for one, other in itertools.pairwise(name):
        space = limit - one.right > 0.5 or other.left - first > 0.5
        text += " " * space + other.text
    return text


def _between_words(name: Name) -> str:
    """Latin words had a space between them; Chinese letters had none, and what ends with a hyphen goes on."""
    text = name[0].text
    for piece in name[1:]:
        latin = text[-1:].isascii() and piece.text[:1].isascii() and text[-1:] not in "-/"
        text += " " * latin + piece.text
    return text


def without_numbers(names: Sequence[str]) -> list[str] | None:
    """Names without the numbers that a receipt puts before them, where they count from one. None where one name alone
    begins with a bare 1, which may be its own."""
    numbered = [re.match(r"(\d{1,3})(?:[.、)]\s*|\s+)(\S.*)$", name) for name in names]
    if any(found is None or int(found[1]) != place for place, found in enumerate(numbered, 1)):
        return list(names)
    if len(names) == 1 and not re.match(r"1[.、)]", names[0]):
        return None
    return [found[2] for found in numbered if found is not None]
