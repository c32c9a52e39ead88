"""What holds always, whatever the rule: sums are zero per unit, no account leaves its limits, nothing is
changed or deleted, a correction is a reversal.

A rule makes an `Entry`: the legs it wants, and what to book instead where a limit forbids a part of it.
`decide` looks at the balances and answers with the legs to post. It reads nothing and writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tillbox.contracts.money import Amount, Unit
from tillbox.contracts.verdicts import Reason

from .accounts import limits_of

Key = tuple[str, str]
"""An account and a unit, as text: what a balance is kept under."""

Balances = Mapping[Key, int]


@dataclass(frozen=True, slots=True)
class Leg:
    """So much into one account (out of it, where negative)."""

    account: str
    amount: Amount

    @property
    def key(self) -> Key:
        """The balance that this leg moves."""
        return self.account, str(self.amount.unit)


def leg(account: str, minor: int, unit: Unit) -> Leg:
    """A leg, written short."""
    return Leg(account, Amount(minor, unit))


@dataclass(frozen=True, slots=True)
class Part:
    """Legs that stand or fall together. `otherwise` is booked in their place when a limit forbids them,
    for facts that have already happened; without it the whole entry is refused."""

    legs: tuple[Leg, ...]
    otherwise: tuple[Leg, ...] | None = None
    reason: Reason = Reason.NOT_UNDERSTOOD


@dataclass(frozen=True, slots=True)
class Entry:
    """What a rule wants to book."""

    parts: tuple[Part, ...]

    def keys(self) -> tuple[Key, ...]:
        """The balances that the decision needs, in the one order in which every writer locks them."""
        return tuple(
            sorted({one.key for part in self.parts for one in (*part.legs, *(part.otherwise or ()))})
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """The legs to post. `variances` say what was booked otherwise; `refused` that nothing is booked."""

    legs: tuple[Leg, ...] = ()
    variances: tuple[Reason, ...] = ()
    refused: Reason | None = None


def decide(entry: Entry, balances: Balances) -> Decision:
    """What to post of an entry, given the balances of `entry.keys()` (a missing one is zero)."""
    moved: Counter[Key] = Counter()
    legs: list[Leg] = []
    variances: list[Reason] = []
    for part in entry.parts:
        if _within(part.legs, moved, balances):
            chosen = part.legs
        elif part.otherwise is None:
            return Decision(refused=part.reason)
        else:
            chosen = part.otherwise
            variances.append(part.reason)
        for one in chosen:
            moved[one.key] += one.amount.minor
        legs.extend(chosen)
    posted = tuple(one for one in legs if one.amount)
    assert not any(sums(posted).values()), f"an entry that does not balance: {posted}"
    return Decision(posted, tuple(variances))


def reversal(legs: Iterable[Leg]) -> tuple[Leg, ...]:
    """The same legs the other way round."""
    return tuple(Leg(one.account, -one.amount) for one in legs)


def sums(legs: Iterable[Leg]) -> dict[Unit, int]:
    """The sum of legs per unit; all zero in every transaction."""
    result: Counter[Unit] = Counter()
    for one in legs:
        result[one.amount.unit] += one.amount.minor
    return dict(result)


def _within(legs: Iterable[Leg], moved: Mapping[Key, int], balances: Balances) -> bool:
    after: Counter[Key] = Counter()
    for one in legs:
        after[one.key] += one.amount.minor
    return all(
        limits_of(account).allow(balances.get((account, unit), 0) + moved.get((account, unit), 0) + change)
        for (account, unit), change in after.items()
    )
