"""What support gets to see of a box: gzipped JSON in as few records as it takes. Pure.

Nothing in it is secret: the doctor's page, versions, how the till stands and the last lines of the log, masked.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from typing import Any

from tillbox.contracts.messages import RESULT_CHARACTERS_MAX, canonical

PARTS_MAX = 16  # 24 KB of gzip are some 200 KB of text; a journal is never pruned


def parts_of(document: dict[str, Any], lines: Sequence[str]) -> tuple[str, ...]:
    """The bundle in pieces of a record's size. What is too much loses its oldest lines."""
    kept = list(lines)
    while True:
        packed = base64.b64encode(gzip.compress(canonical({**document, "log": kept}), mtime=0)).decode()
        parts = tuple(
            packed[at : at + RESULT_CHARACTERS_MAX] for at in range(0, len(packed), RESULT_CHARACTERS_MAX)
        )
        if len(parts) <= PARTS_MAX or not kept:
            return parts[:PARTS_MAX]
        kept = kept[len(kept) // 2 + 1 :]
