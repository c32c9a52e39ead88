"""The remote shell's own line: what core and box say to each other through a broker that is believed in nothing.

Both ends draw an X25519 key for one session. The core's is in the command that the fleet signs, the box's comes back under the
box's own signature; what follows from both seals every frame (ChaCha20-Poly1305), a key for each direction. Whoever holds the
line reads nothing, types nothing, and repeats nothing: a count that is sealed once is never opened twice.

A `Channel` is one end. It keeps no time and touches no line: frames that are lost are sealed anew and sent again, in order, a
few at a time, so that neither end ever holds more than its window.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .verdicts import Reason, Refused, Text

MINUTES_MAX = 60
"""Longer is no visit, it is a door left open."""
KEY_BYTES = 32
DATA_BYTES_MAX = 4_096
WINDOW = 4  # frames on their way: 16 KB, which a slow line carries in a few seconds
WAITING_MAX = 16  # and those that wait behind them: what was typed or pasted ahead
FRAME_BYTES_MAX = DATA_BYTES_MAX + 64
AGAIN_MS = 2_000  # longer than a slow line's round trip
BEAT_MS = 5_000
SILENT_MS = 60_000
"""An end that hears nothing for so long ends the session."""
COLUMNS_MAX = ROWS_MAX = 500
_CONTEXT = b"tillbox shell 1\n"
_FRAME, _PIECE, _SIZE = struct.Struct(">16sQ"), struct.Struct(">BQQ"), struct.Struct(">HH")


class Kind(IntEnum):
    """What a frame carries."""

    BEAT = 0
    """Nothing but how far the other end was heard."""
    DATA = 1
    SIZE = 2
    """Columns and rows of the window that looks on."""
    CLOSE = 3
    """To the box: end it. From the box: it is over, and why."""


class End(StrEnum):
    """Why a session is over."""

    EXITED = "exited"
    CLOSED = "closed"
    TIME_OVER = "time_over"
    TILL = "till"
    SILENT = "silent"
    FULL = "full"
    UNRECORDED = "unrecorded"
    FAULT = "fault"


GOOD = frozenset({End.EXITED, End.CLOSED})
"""As whoever opened it wanted."""

SAYS: dict[End, Text] = {
    End.EXITED: Text("命令行已退出", "The shell was left."),
    End.CLOSED: Text("打开它的人已结束", "It was ended by whoever opened it."),
    End.TIME_OVER: Text("时间到", "Its time was over."),
    End.TILL: Text("收银台结束了它", "It was ended at the till."),
    End.SILENT: Text("线路断了一分钟", "Nothing was heard for a minute."),
    End.FULL: Text("录像已满", "Its recording was full."),
    End.UNRECORDED: Text("录像写不下去", "Its recording could not be written."),
    End.FAULT: Text("盒子上出了错", "The box could not do it; its log says why."),
}


@dataclass(frozen=True, slots=True)
class Keys:
    """What seals the two directions of one session."""

    up: bytes
    down: bytes


def public_of(private: bytes) -> bytes:
    """The public part of an X25519 key."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def agreed(shell: str, *, core: bytes, box: bytes) -> bytes:
    """What the box signs: this session, and the keys of both its ends."""
    return UUID(shell).bytes + core + box


def keys_of(private: bytes, other: bytes, *, transcript: bytes) -> Keys | Refused:
    """The session's keys, from one's own private part, the other's public one and what both know. A public key that is none
    is refused."""
    try:
        secret = X25519PrivateKey.from_private_bytes(private).exchange(
            X25519PublicKey.from_public_bytes(other)
        )
    except ValueError:
        return Refused(Reason.NOT_UNDERSTOOD)
    both = HKDF(hashes.SHA256(), 2 * KEY_BYTES, salt=None, info=_CONTEXT + transcript).derive(secret)
    return Keys(up=both[:KEY_BYTES], down=both[KEY_BYTES:])


def size_bytes(columns: int, rows: int) -> bytes:
    """A window's size as it travels, within what a window is."""
    return _SIZE.pack(max(1, min(COLUMNS_MAX, columns)), max(1, min(ROWS_MAX, rows)))


def size_of(body: bytes) -> tuple[int, int] | None:
    """Columns and rows, or None where it is no size."""
    if len(body) != _SIZE.size:
        return None
    columns, rows = _SIZE.unpack(body)
    return (columns, rows) if 1 <= columns <= COLUMNS_MAX and 1 <= rows <= ROWS_MAX else None


@dataclass(slots=True)
class _Piece:
    number: int
    kind: Kind
    body: bytes
    said_ms: int | None = None


class Channel:
    """One end of one session. Use it from one thread."""

    def __init__(self, shell: str, *, send: bytes, receive: bytes, now_ms: int) -> None:
        self._shell = UUID(shell).bytes
        self._seals, self._opens = ChaCha20Poly1305(send), ChaCha20Poly1305(receive)
        self._sealed = self._opened = 0
        self._waiting: deque[_Piece] = deque()
        self._last = self._heard = 0
        self._owes = False
        self._said_ms = now_ms - BEAT_MS
        self.heard_ms = now_ms
        """When something genuine was heard last."""

    @property
    def has_room(self) -> bool:
        """Whether what is said now goes out now."""
        return len(self._waiting) < WINDOW

    def has_room_for(self, pieces: int) -> bool:
        """Whether so much more would be taken."""
        return len(self._waiting) + pieces < WAITING_MAX

    @property
    def is_idle(self) -> bool:
        """Whether the other end has all that was said."""
        return not self._waiting

    def say(self, kind: Kind, body: bytes = b"") -> bool:
        """Something to be carried, in order; False where too much waits."""
        assert len(body) <= DATA_BYTES_MAX, "cut it where it is read"
        if len(self._waiting) >= WAITING_MAX:
            return False
        self._last += 1
        self._waiting.append(_Piece(self._last, kind, body))
        return True

    def hear(self, frame: bytes, now_ms: int) -> list[tuple[Kind, bytes]] | Refused:
        """What a frame brings, each thing once and in order. Never raises: whatever is not of this session, of the other
        direction, or was opened before is refused."""
        opened = self._open(frame)
        if opened is None:
            return Refused(Reason.SHELL_FOREIGN)
        kind, number, acknowledged, body = opened
        self.heard_ms = now_ms
        while self._waiting and self._waiting[0].number <= min(acknowledged, self._last):
            self._waiting.popleft()
        if kind is Kind.BEAT:
            return []
        self._owes = True
        if number != self._heard + 1:
            return []
        self._heard = number
        return [(kind, body)]

    def due(self, now_ms: int, *, quiet: bool = False) -> list[bytes]:
        """Frames to be sent now. Where it is to be `quiet`, only the least: that this end lives, and what it has heard."""
        frames = []
        for piece in list(self._waiting)[: 0 if quiet else WINDOW]:
            if piece.said_ms is None or now_ms - piece.said_ms >= AGAIN_MS:
                piece.said_ms = now_ms
                frames.append(self._seal(piece.kind, piece.number, piece.body))
        if not frames and (self._owes or now_ms - self._said_ms >= BEAT_MS):
            frames.append(self._seal(Kind.BEAT, 0, b""))
        if frames:
            self._owes, self._said_ms = False, now_ms
        return frames

    def _seal(self, kind: Kind, number: int, body: bytes) -> bytes:
        # Also what is sent again has a count of its own: a nonce is used once.
        self._sealed += 1
        plain = _PIECE.pack(kind, number, self._heard) + body
        head = _FRAME.pack(self._shell, self._sealed)
        return head + self._seals.encrypt(_nonce(self._sealed), plain, head)

    def _open(self, frame: bytes) -> tuple[Kind, int, int, bytes] | None:
        if not _FRAME.size + _PIECE.size <= len(frame) <= FRAME_BYTES_MAX:
            return None
        head = frame[: _FRAME.size]
        shell, count = _FRAME.unpack(head)
        if shell != self._shell or count <= self._opened:
            return None
        try:
            plain = self._opens.decrypt(_nonce(count), frame[_FRAME.size :], head)
            number, acknowledged = _PIECE.unpack(plain[: _PIECE.size])[1:]
            kind = Kind(plain[0])
        except (InvalidTag, ValueError, struct.error):
            return None
        self._opened = count
        return kind, number, acknowledged, plain[_PIECE.size :]


def shell_of(frame: bytes) -> str:
    """The session that a frame says it is of; nothing is proven by it. Empty where it is no frame."""
    return str(UUID(bytes=frame[:16])) if len(frame) >= _FRAME.size else ""


def _nonce(count: int) -> bytes:
    return bytes(4) + count.to_bytes(8, "big")
