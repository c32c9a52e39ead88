"""A no: what happened, why, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

from tillbox.contracts.verdicts import Reason


@dataclass(frozen=True, slots=True)
class ForbiddenPage:
    """Why not."""

    reason: Reason
    detail: str = ""
    back: str = "/"
