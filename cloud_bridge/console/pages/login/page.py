"""The door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class LoginPage:
    """`refused` says why the last try failed; empty before the first."""

    refused: Literal["", "wrong", "wait"] = ""
