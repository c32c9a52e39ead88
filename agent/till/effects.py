"""Everything that a till can want done. The runtime does it, in the order given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tillbox.agent.words import Word
from tillbox.broker.journal import Draft
from tillbox.contracts.messages import Sale, Wire
from tillbox.contracts.money import Amount
from tillbox.contracts.verdicts import Refused

from .state import Moment, Till


@dataclass(frozen=True, slots=True)
class Record:
    """Commit these records in one transaction, before any later effect."""

    drafts: tuple[Draft, ...]


@dataclass(frozen=True, slots=True)
class Witness:
    """Raise the witness to this count before anybody sees the result."""

    count: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the core; answers come back as events, or not at all."""

    name: str
    body: Wire


@dataclass(frozen=True, slots=True)
class Greet:
    """Say hello to the core: where this boot's journal stands, and what time is it?"""


@dataclass(frozen=True, slots=True)
class Patience:
    """Send `PatienceEnded(of)` after so long."""

    of: str
    wait_ms: int


@dataclass(frozen=True, slots=True)
class Show:
    """Tell the cashier. `values` fill the gaps of the word; how an amount is written is the screen's affair."""

    what: Word | Refused
    values: tuple[str | Amount, ...] = ()


@dataclass(frozen=True, slots=True)
class Slip:
    """What is to be printed; receipts.py makes a document of it."""

    kind: Literal["receipt", "copy", "void", "refund"]
    id: str
    sale: str
    content: Sale
    amount: int
    voided: bool = False
    refunded: int = 0
    """What became of the sale since, for a copy: it must not pass for a receipt of goods still paid for."""


@dataclass(frozen=True, slots=True)
class Print:
    """Print a slip."""

    slip: Slip


@dataclass(frozen=True, slots=True)
class Kick:
    """Open the drawer, and say why."""

    reason: str


Effect = Record | Witness | Ask | Greet | Patience | Show | Print | Kick


Step = tuple[Till, tuple[Effect, ...]]


Handler = Callable[[Till, Any, Moment], Step]
"""A handler takes the one event of its row; that the event is of its row's type is the table's doing."""
