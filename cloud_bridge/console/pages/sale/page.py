"""One sale, down to its record and its postings."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.formats import yuan
from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.letters import visible
from tillbox.cloud_bridge.store import reading
from tillbox.cloud_bridge.store.reading import PostingRow, SaleDetail

Line = tuple[str, int, str]
"""Name, quantity, sum."""


@dataclass(frozen=True, slots=True)
class SalePage:
    """`transactions` are the sale's, its payment's and its reversals': id, kind, legs."""

    sale: SaleDetail
    lines: tuple[Line, ...]
    transactions: tuple[tuple[str, str, tuple[PostingRow, ...]], ...]

    @property
    def balanced(self) -> bool:
        """Whether every transaction sums to zero in every unit."""
        return not any(
            sum(leg.minor for leg in legs if leg.unit == unit)
            for _, _, legs in self.transactions
            for unit in {leg.unit for leg in legs}
        )


def show(connection: Connection, asked: Asked) -> SalePage | None:
    """The sale of that id."""
    found = reading.sale(connection, asked.names["tid"][:36])
    return sale_page(found) if found else None


def sale_page(sale: SaleDetail) -> SalePage:
    """A sale's page."""
    grouped: dict[tuple[str, str], list[PostingRow]] = {}
    for posting in sale.postings:
        grouped.setdefault((posting.tid, posting.kind), []).append(posting)
    transactions = tuple((tid, kind, tuple(legs)) for (tid, kind), legs in grouped.items())
    return SalePage(sale, lines_of(sale), transactions)


def lines_of(sale: SaleDetail) -> tuple[Line, ...]:
    """What was sold, as the box wrote it down."""
    return tuple(
        (visible(str(line["name"])), int(line["quantity"]), yuan(int(line["price"]) * int(line["quantity"])))
        for line in sale.record["body"]["lines"]
    )
