"""What becomes of a command, for whoever decides about one and whoever does it; neither knows the other for it."""

from __future__ import annotations

from dataclasses import dataclass

from tillbox.contracts.commands import State


@dataclass(frozen=True, slots=True)
class Move:
    """The next state of a command, and why."""

    state: State
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went. `parts` are a result that is too large for one record."""

    state: State
    reason: str = ""
    result: str = ""
    parts: tuple[str, ...] = ()
