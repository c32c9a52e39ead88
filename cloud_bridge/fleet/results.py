"""What a box says came of a command, opened for people: its results are JSON, and a bundle of diagnostics comes packed and in
parts. It comes from outside: what cannot be read is shown as it is, and nothing unpacks to more than a bound. Pure.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tillbox.cloud_bridge.store.command_lists import CommandEvent

UNPACKED_BYTES_MAX = 2_000_000  # a bundle is some 200 KB
_GZIP = 31  # zlib's word for gzip with its header


def result_of(events: Iterable[CommandEvent]) -> Any:
    """The result; text where it is no JSON, None where there is none."""
    told = list(events)
    packed = "".join(one.result for one in sorted(told, key=lambda one: one.part) if one.part)
    bundle = unpacked(packed) if packed else None
    if bundle is not None:
        return bundle
    last = next((one.result for one in reversed(told) if one.result and not one.part), "")
    return (_json(last) or last) if last else None


def unpacked(packed: str) -> Any:
    """What base64 of gzipped JSON says; None where it is none, or too large."""
    try:
        opened = zlib.decompressobj(_GZIP)
        data = opened.decompress(base64.b64decode(packed, validate=True), UNPACKED_BYTES_MAX)
    except (ValueError, zlib.error):
        return None
    return _json(data.decode("utf-8", "replace")) if opened.eof else None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
