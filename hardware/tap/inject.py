"""A code of ours on another till's paper, just before its last cut. Pure: bytes and silences in, bytes out.

Everything is passed on as it comes, but the cut and what follows it: whether a cut is the last one shows in what comes
next. If more text comes, it was not, and goes on untouched. If the till falls silent or hangs up, it was, and the code
goes before it. The till's own bytes are never changed, and their order never.
"""

from __future__ import annotations

from collections.abc import Callable

from .stream import PAPER_TOKENS_MAX, Settings, Tapped, read_paper
from .tokens import Kind, Token, Tokeniser

HOLD_MS = 300  # so long a cut may wait for what follows it; a person does not notice it
HELD_BYTES_MAX = 4_096  # a till that sends so much after a cut is in its next paper

CodeFor = Callable[[Tapped], bytes]
"""What is to be printed before the cut of a paper; empty for nothing."""


class Injector:
    """One till's stream on its way to the printer.

    injector = Injector(code_for, Settings())
    injector.feed(b"... \\x1dV\\x00")    -> everything before the cut
    injector.quiet()                   -> the code, and the cut
    """

    def __init__(self, code_for: CodeFor, settings: Settings, at: int = 0) -> None:
        self._code_for, self._settings = code_for, settings
        self._tokeniser = Tokeniser(at)
        self._paper: list[Token] = []
        self._bytes = b""  # not passed on yet; begins at `_from` of the stream
        self._from = at
        self._cut: int | None = None  # where the held cut begins

    @property
    def holds(self) -> bool:
        """Whether a cut waits: ask `quiet` when nothing has come for `HOLD_MS`."""
        return self._cut is not None

    def feed(self, data: bytes) -> bytes:
        """What may be passed on now."""
        self._bytes += data
        out = b""
        for token in self._tokeniser.feed(data):
            if token.cuts:
                out += self._release(coded=False)
                self._cut = token.start
            elif self._cut is None:
                self._paper.append(token)
                if len(self._paper) > PAPER_TOKENS_MAX:
                    self._paper = []  # no receipt is so long, and no code belongs on it
            elif token.kind is Kind.TEXT or token.end - self._cut > HELD_BYTES_MAX:
                out += self._release(coded=False)
                self._paper = [token]
        return out + self._pass_on()

    def quiet(self) -> bytes:
        """Nothing more comes: the code and the held cut, if one is held."""
        return self._release(coded=True)

    def end(self) -> bytes:
        """The till hung up: everything that is left."""
        out = self._release(coded=True)
        rest, self._bytes = self._bytes, b""
        return out + rest

    def _release(self, *, coded: bool) -> bytes:
        """Let the held cut go, with its code or without."""
        if self._cut is None:
            return b""
        cut, self._cut = self._cut, None
        before = self._take(cut)
        code = self._code_for(read_paper(self._paper, self._settings, cut)) if coded and self._paper else b""
        self._paper = []
        return before + code + (self._take(self._from + len(self._bytes)) if coded else b"")

    def _pass_on(self) -> bytes:
        """Everything up to a held cut, or up to what may become one."""
        if self._cut is not None:
            return self._take(self._cut)
        # Half a picture goes on at once; half a cut waits for the other half.
        begun = self._tokeniser.begun
        held = len(begun) if begun in (b"\x1d", b"\x1b") or begun.startswith(b"\x1dV") else 0
        return self._take(self._from + len(self._bytes) - held)

    def _take(self, until: int) -> bytes:
        size = max(0, until - self._from)
        out, self._bytes = self._bytes[:size], self._bytes[size:]
        self._from += len(out)
        return out


def slip_before_cut(data: bytes, paper: Tapped) -> bytes:
    """Bytes of ours for `code_for`, with the till's state put back after them: no initialisation, which would wipe what
    the till had set, and its own alignment again."""
    return data.removeprefix(b"\x1b@\x1c&") + b"\n\x1ba" + bytes([paper.sheet.align])
