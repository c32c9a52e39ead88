"""A free range names only numbers that may be lent at once.

Until now the numbers of a lease that was given back were free as a whole, those that had been spent among them;
every grant looked at all of them again. Those are taken out here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Split the ranges around what was spent."""
    free = sa.table("free_range", sa.column("template"), sa.column("first"), sa.column("last"))
    balance = sa.table("balance", sa.column("account"), sa.column("minor"))
    connection = op.get_bind()
    spent: dict[str, set[int]] = {}
    names = sa.select(balance.c.account).where(balance.c.account.like("coupon:%"), balance.c.minor > 0)
    for account in connection.execute(names).scalars():
        _, template, serial = account.split(":")
        spent.setdefault(template, set()).add(int(serial))
    for template, first, last in connection.execute(sa.select(free)).all():
        gone = sorted(n for n in spent.get(template, ()) if first <= n <= last)
        if not gone:
            continue
        connection.execute(sa.delete(free).where(free.c.template == template, free.c.first == first))
        for low, high in zip([first, *(n + 1 for n in gone)], [*(n - 1 for n in gone), last], strict=True):
            if low <= high:
                connection.execute(sa.insert(free).values(template=template, first=low, last=high))
