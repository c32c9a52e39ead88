"""A recording of a terminal as the field writes it: asciicast v2, a JSON document in a line for what it is, and one for each
event. Any player of such files plays it."""

from __future__ import annotations

import codecs
import json

OUT, IN, SIZE = "o", "i", "r"
COLUMNS, ROWS = 80, 24


def head(*, title: str, begun_ms: int) -> str:
    """The first line; `begun_ms` is what the hour was believed to be."""
    told = {"version": 2, "width": COLUMNS, "height": ROWS, "timestamp": begun_ms // 1000, "title": title}
    return json.dumps(told, ensure_ascii=True) + "\n"


class Tape:
    """Makes the lines after the first. A letter that comes in two halves is written once it is whole; what is no text is
    replaced, as a terminal does."""

    def __init__(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {way: decoder("replace") for way in (OUT, IN, SIZE)}

    def line(self, at_ms: int, way: str, data: bytes) -> str:
        """One event, so long after the beginning; empty where there is nothing to be written yet."""
        text = self._decoders[way].decode(data)
        return json.dumps([at_ms / 1000, way, text], ensure_ascii=True) + "\n" if text else ""
