"""The door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class LoginPage:
    """`refused` says why the last try failed; empty before the first. `next` is where somebody wanted to go."""

    refused: Literal["", "wrong", "wait"] = ""
    next: str = "/"
