"""What each page shows: one frozen dataclass a page, made from the store's rows. Pure."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from tillbox.cloud_bridge.store.reading import (
    AlarmRow,
    BoxDetail,
    BoxRow,
    CouponDetail,
    Day,
    PostingRow,
    RefusedRow,
    SaleDetail,
    SaleRow,
)
from tillbox.contracts.money import CNY, MINOR_MAX, Amount, Unit

from .words import alarm_text, fact_text, reason_text, word

YEAR_9000_MS = 221_845_392_000_000  # what a box says beyond it is no time; the library ends at 9999


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page has around it."""

    language: str
    operator: str
    csrf: str
    page: str

    def word(self, name: str) -> str:
        """A fixed word in the page's language."""
        return word(name, self.language)

    def fact(self, name: str) -> str:
        """A kind or a state from the book, in words."""
        return fact_text(name, self.language)


@dataclass(frozen=True, slots=True)
class SalesPage:
    """The newest sales."""

    rows: tuple[SaleRow, ...]
    today: Day
    older: str
    """The address of the next page; empty on the last."""


@dataclass(frozen=True, slots=True)
class SalePage:
    """One sale down to its postings."""

    sale: SaleDetail
    lines: tuple[tuple[str, int, str], ...]
    transactions: tuple[tuple[str, str, tuple[PostingRow, ...]], ...]
    balanced: bool


@dataclass(frozen=True, slots=True)
class BoxesPage:
    """Every box."""

    rows: tuple[BoxRow, ...]


@dataclass(frozen=True, slots=True)
class BoxPage:
    """One box."""

    box: BoxDetail


@dataclass(frozen=True, slots=True)
class CouponsPage:
    """Every template with its leases."""

    coupons: tuple[CouponDetail, ...]


@dataclass(frozen=True, slots=True)
class AccountPage:
    """What one balance is made of."""

    name: str
    postings: tuple[PostingRow, ...]
    sums: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TroublePage:
    """What somebody must look at."""

    alarms: tuple[AlarmRow, ...]
    refused: tuple[RefusedRow, ...]
    payments: tuple[tuple[str, str, int, str, int], ...]
    away: tuple[BoxRow, ...]

    @property
    def all_well(self) -> bool:
        """Whether there is nothing to look at."""
        return not (self.alarms or self.refused or self.payments or self.away)


def sale_page(sale: SaleDetail) -> SalePage:
    """A sale's page."""
    lines = tuple(
        (visible(str(line["name"])), int(line["quantity"]), yuan(int(line["price"]) * int(line["quantity"])))
        for line in sale.record["body"]["lines"]
    )
    grouped: dict[tuple[str, str], list[PostingRow]] = {}
    for posting in sale.postings:
        grouped.setdefault((posting.tid, posting.kind), []).append(posting)
    transactions = tuple((tid, kind, tuple(legs)) for (tid, kind), legs in grouped.items())
    balanced = all(not any(_sums(legs).values()) for _, _, legs in transactions)
    return SalePage(sale, lines, transactions, balanced)


def account_page(name: str, postings: list[PostingRow]) -> AccountPage:
    """An account's page."""
    sums = tuple((unit, amount(minor, unit)) for unit, minor in sorted(_sums(postings).items()))
    return AccountPage(visible(name), tuple(postings), sums)


def _sums(postings: tuple[PostingRow, ...] | list[PostingRow]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for posting in postings:
        sums[posting.unit] += posting.minor
    return sums


def yuan(minor: int) -> str:
    """Fen as a person reads them."""
    return Amount(minor, CNY).decimal() if abs(minor) <= MINOR_MAX else f"{minor} / 100"


def amount(minor: int, unit: str) -> str:
    """An amount of any unit."""
    return str(Amount(minor, Unit.parse(unit)))


def seen(row: SaleRow) -> str:
    """A sale as a place in the list, for the address of the next page."""
    return f"{row.received_ms}-{row.tid}"


def place(text: str) -> tuple[int, str] | None:
    """A place in the list from an address; None where it is none."""
    ms, _, tid = text.partition("-")
    return (int(ms), tid[:36]) if ms.isascii() and ms.isdecimal() and len(ms) < 15 else None


def midnight_ms(now_ms: int) -> int:
    """When the day of `now_ms` began, in the machine's own zone."""
    now = datetime.fromtimestamp(now_ms / 1000).astimezone()
    return int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def megabytes(count: int | None) -> str:
    """Bytes as a person reads them; a dash where they are not known."""
    return f"{count / 2**20:,.0f} MB" if count is not None else "–"


def when(ms: int | None) -> str:
    """A time in the machine's own zone; a dash where there is none."""
    if not ms or ms > YEAR_9000_MS:
        return "–"
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%m-%d %H:%M:%S")


def visible(text: str) -> str:
    """Text from a device, with what cannot be seen made visible."""
    hidden = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}
    return "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in hidden else c for c in text)


FILTERS = {
    "yuan": yuan,
    "megabytes": megabytes,
    "amount": amount,
    "when": when,
    "visible": visible,
    "reason": reason_text,
    "alarm": alarm_text,
}
