"""A document as plain text: the same paper, for the till's screen and for golden files."""

from __future__ import annotations

from .document import QR, Columns, Cut, Document, Feed, Line, Rule, cells, clean, set_columns, wrap


def text_of(document: Document, columns: int = 48) -> str:
    """What a person would read, line by line."""
    lines: list[str] = []
    for part in document.parts:
        match part:
            case Line():
                lines += [_aligned(text, part.align, columns) for text in wrap(clean(part.text), columns)]
            case Columns():
                lines += set_columns(clean(part.left), clean(part.right), columns)
            case Rule():
                lines.append("-" * columns)
            case QR():
                lines.append(_aligned(f"[QR {clean(part.text)[: columns - 5]}]", "center", columns))
            case Feed():
                lines += [""] * part.lines
            case Cut():
                lines.append("=" * columns)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _aligned(text: str, align: str, columns: int) -> str:
    room = columns - cells(text)
    left = {"left": 0, "center": room // 2, "right": room}[align]
    return " " * max(0, left) + text
