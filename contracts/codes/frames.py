"""A message as a row of QR codes, for a box that has a screen or a printer left and no line. Pure.

Each code says which message it is a part of, which part, and of how many; they may be read in any order, twice, by
different readers. The message is compressed, bounded, and must prove itself by its own signature: a part proves nothing.

    TBR1:<base45 of CBOR [message id, index, total, chunk]>
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from dataclasses import dataclass, field

import cbor2

from tillbox.contracts.packing import inflated

from .base45 import decode, encode

PREFIX = "TBR1:"
CHUNK_BYTES = 600
"""About 950 letters: a code of some 93 squares a side, which a cheap camera reads from a screen."""
TOTAL_MAX = 120  # 72 KB compressed, some thousand sales
MESSAGE_BYTES_MAX = 250_000
MESSAGES_MAX = 4  # half-read messages remembered; who reads a fifth begins it anew
ID_BYTES = 4


def frames(message: bytes) -> list[str]:
    """The message as codes. ValueError where it is larger than so many codes hold."""
    packed = zlib.compress(message, 9)
    chunks = [packed[at : at + CHUNK_BYTES] for at in range(0, len(packed), CHUNK_BYTES)]
    if len(chunks) > TOTAL_MAX:
        raise ValueError(f"{len(chunks)} codes would be needed and {TOTAL_MAX} are the most")
    name = zlib.crc32(message).to_bytes(ID_BYTES, "big")
    parts = [[name, at, len(chunks), chunk] for at, chunk in enumerate(chunks)]
    return [PREFIX + encode(cbor2.dumps(part, canonical=True)) for part in parts]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a message is read; `message` once it is whole."""

    have: int
    total: int
    message: bytes | None = None


@dataclass(slots=True)
class Collector:
    """Reads codes in any order."""

    _parts: OrderedDict[tuple[bytes, int], dict[int, bytes]] = field(default_factory=OrderedDict)

    def add(self, text: str) -> Progress | None:
        """What one more code brings; None where it is no part of a message, or the whole is damaged."""
        found = _part(text)
        if found is None:
            return None
        name, at, total, chunk = found
        parts = self._parts.setdefault((name, total), {})
        self._parts.move_to_end((name, total))
        while len(self._parts) > MESSAGES_MAX:
            self._parts.popitem(last=False)
        parts[at] = chunk
        if len(parts) < total:
            return Progress(len(parts), total)
        del self._parts[name, total]
        message = inflated(b"".join(parts[index] for index in range(total)), most=MESSAGE_BYTES_MAX)
        whole = message is not None and zlib.crc32(message).to_bytes(ID_BYTES, "big") == name
        return Progress(total, total, message) if whole else None


def _part(text: str) -> tuple[bytes, int, int, bytes] | None:
    if not text.startswith(PREFIX):
        return None
    try:
        found = cbor2.loads(decode(text.removeprefix(PREFIX)[: 2 * CHUNK_BYTES]))
        name, at, total, chunk = found
    except (ValueError, TypeError, RecursionError, cbor2.CBORError):
        return None
    right = type(name) is bytes and len(name) == ID_BYTES and type(at) is int and type(total) is int
    if not right or not 0 <= at < total <= TOTAL_MAX or type(chunk) is not bytes or len(chunk) > CHUNK_BYTES:
        return None
    return name, at, total, chunk
