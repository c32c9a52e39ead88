"""Claims as they were just made: a code for the box's camera and letters for a person, this once. It is a page for a phone
that is held before a box, and for a printer; what is in it is stored nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from tillbox.cloud_bridge.fleet.acts import ClaimMade, ClaimsMade
from tillbox.hardware.printing.labels.label import QUIET_MODULES, qr_rows


@dataclass(frozen=True, slots=True)
class Sheet:
    """One claim. `path` draws the dark squares, in a drawing that is `side` squares wide."""

    claim: ClaimMade
    path: str
    side: int


@dataclass(frozen=True, slots=True)
class ClaimsPage:
    """In the order asked for, and the way back."""

    sheets: tuple[Sheet, ...]
    back: str


def show(made: BaseModel, back: str, _: Mapping[str, str]) -> ClaimsPage:
    """What `make-claims` and `replace-box` gave."""
    assert isinstance(made, ClaimsMade), made
    return ClaimsPage(tuple(sheet(claim) for claim in made.claims), back)


def sheet(claim: ClaimMade) -> Sheet:
    """A claim with its drawing."""
    rows = qr_rows(claim.code)
    path = "".join(
        f"M{x + QUIET_MODULES} {y + QUIET_MODULES}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, dark in enumerate(row)
        if dark == "1"
    )
    return Sheet(claim, path, len(rows) + 2 * QUIET_MODULES)
