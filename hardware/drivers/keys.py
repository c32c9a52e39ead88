"""What a scanner types as a keyboard: key events in, whole scans out. Pure; it opens nothing and knows no clock.

A scanner plays a US keyboard, so the table here is the whole layout: no desktop, no input method and no
setting of the box comes between. What a key means with which other key held is `_Hands`; where a scan ends is
`framing.py`. Once the kernel says that it dropped events, the scan that they belonged to is thrown away whole:
what is left of it looks like a code, and is another one.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from .framing import Framer, Overrun, Suffix

EVENT = struct.Struct(
    "@LLHHi"
)  # struct input_event of linux/input.h: seconds, microseconds, kind, code, value

EV_SYN, EV_KEY = 0, 1  # kinds of event; lights, scan codes and the others say nothing that was typed
SYN_REPORT, SYN_DROPPED = 0, 3
RELEASED, PRESSED = 0, 1  # 2 is a key that is held and repeats: a stuck key is no code

ENTER, KEYPAD_ENTER, TAB, CAPS_LOCK = 28, 96, 15, 58
SHIFTS, CONTROLS, ALTS = {42, 54}, {29, 97}, {56, 100}
NUMBER_DIGITS_MAX = 5  # a byte under Alt has three or four; one more, and it is no byte

# Key codes of linux/input-event-codes.h: the first key of each row, its signs, and the same with shift.
ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
)
KEYPAD = "789-456+1230."  # from key 71 on; digits whatever NumLock says, for a scanner never means an arrow
KEYPAD_DIGITS = {71 + at: sign for at, sign in enumerate(KEYPAD) if sign.isdigit()}

PLAIN: dict[int, int] = {
    **{first + at: ord(sign) for first, signs, _ in ROWS for at, sign in enumerate(signs)},
    **{71 + at: ord(sign) for at, sign in enumerate(KEYPAD)},
    **dict.fromkeys((ENTER, KEYPAD_ENTER), 0x0D),
    TAB: 0x09,
    55: ord("*"),
    98: ord("/"),
}
SHIFTED: dict[int, int] = PLAIN | {
    first + at: ord(sign) for first, _, signs in ROWS for at, sign in enumerate(signs)
}


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """One event of an input device. `at_ms` is the kernel's stamp, of when the key was pressed."""

    at_ms: int
    kind: int
    code: int
    value: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """The kernel threw events away because nobody read them in time; the scan they belong to is gone."""


Ended = bytes | Overrun | Dropped


def events(data: bytes) -> list[KeyEvent]:
    """What a read of an input device gave; ValueError if it is cut in the middle of an event."""
    if len(data) % EVENT.size:
        raise ValueError(f"{len(data)} bytes are not whole events of {EVENT.size}")
    return [
        KeyEvent(seconds * 1000 + microseconds // 1000, kind, code, value)
        for seconds, microseconds, kind, code, value in EVENT.iter_unpack(data)
    ]


class KeyStream:
    """Makes scans of key events.

    stream = KeyStream(Suffix.CR, gap_ms=150, patience_ms=1_000)
    stream.feed(KeyEvent(5, EV_KEY, 7, PRESSED))         -> []
    stream.feed(KeyEvent(9, EV_KEY, ENTER, PRESSED))     -> [b"6"]

    The suffix is Enter (CR) or Tab; a keyboard has no other key that ends a line.
    """

    def __init__(self, suffix: Suffix, gap_ms: int, patience_ms: int) -> None:
        if suffix not in (Suffix.CR, Suffix.TAB):
            raise ValueError(f"No key types {suffix.name}. A scanner that is a keyboard ends with CR or TAB.")
        self._suffix = suffix.value
        self._patience_ms = patience_ms
        self._framer = Framer(suffix, gap_ms, patience_ms)
        self._hands = _Hands()
        self._draining = False  # events are missing, up to the next SYN_REPORT
        self._spoiled = False  # so is a part of this scan, up to its suffix or a silence
        self._last_ms = 0

    def feed(self, event: KeyEvent) -> Sequence[Ended]:
        """Take one event; give what it ends."""
        if event.kind == EV_SYN:
            return self._synchronise(event)
        if event.kind != EV_KEY or self._draining:
            return []
        typed = self._hands.move(event.code, event.value)
        if self._spoiled:
            return self._let_pass(typed, event.at_ms)
        return self._framer.feed(typed, event.at_ms) if typed else []

    def silence(self, now_ms: int) -> Sequence[Ended]:
        """Nothing has been typed until now; give what that ends."""
        if self._spoiled:
            # The long patience: the rest of a spoiled scan that stalled once more must not begin a new one.
            if now_ms - self._last_ms >= self._patience_ms:
                self._spoiled = False
            return []
        return self._framer.silence(now_ms)

    def forget(self) -> None:
        """Begin anew: the keyboard was opened, or went away with a key down."""
        self._framer.forget()
        self._hands = _Hands()
        self._draining = self._spoiled = False

    def _synchronise(self, event: KeyEvent) -> Sequence[Ended]:
        if event.code == SYN_REPORT:
            self._draining = False
        if event.code != SYN_DROPPED:
            return []
        told = self._spoiled  # a reader that is late drops again and again; one word is enough for one scan
        self.forget()
        self._draining = self._spoiled = True
        self._last_ms = event.at_ms
        return [] if told else [Dropped()]

    def _let_pass(self, typed: bytes, now_ms: int) -> Sequence[Ended]:
        if typed:
            self._last_ms = now_ms
            self._spoiled = typed != self._suffix
        return []


class _Hands:
    """Which keys are held, and so what the next one types."""

    def __init__(self) -> None:
        self._held: set[int] = set()
        self._caps = False
        self._number = ""

    def move(self, code: int, value: int) -> bytes:
        """What one press or release types; nothing for most of them."""
        if code in SHIFTS | CONTROLS | ALTS:
            return self._hold(code, value)
        if value != PRESSED:
            return b""
        if code == CAPS_LOCK:
            self._caps = not self._caps
            return b""
        if self._held & ALTS:
            self._number = (self._number + KEYPAD_DIGITS.get(code, ""))[:NUMBER_DIGITS_MAX]
            return b""
        return self._type(code)

    def _hold(self, code: int, value: int) -> bytes:
        """A modifier goes down or up. A number typed on the keypad under Alt is a sign: Alt 029 is GS."""
        if value != RELEASED:
            self._held.add(code)
            return b""
        self._held.discard(code)
        if code not in ALTS:
            return b""
        number, self._number = self._number, ""
        return bytes([int(number)]) if number and int(number) < 256 else b""

    def _type(self, code: int) -> bytes:
        """A sign, or nothing for a key that has none: NumLock, function keys, arrows."""
        sign = (SHIFTED if self._held & SHIFTS else PLAIN).get(code)
        if sign is None:
            return b""
        if self._held & CONTROLS and sign >= ord("@"):
            return bytes([sign & 0x1F])  # Ctrl and ] is GS, which parts the fields of a GS1 code
        letter = chr(sign)
        return (letter.swapcase() if self._caps else letter).encode()
