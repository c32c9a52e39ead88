"""Programs that may use the API: each has a key, shown once and kept as a hash, and a person whom it belongs to.

A key does what its person does: never more than they may today, and nothing once they are gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from tillbox.cloud_bridge.fleet.acts import ROLES, may
from tillbox.cloud_bridge.store.database import Database
from tillbox.cloud_bridge.store.tables import api_token, operator

PREFIX = "tbk_"
"""So that a key in a log or a repository is recognised as one."""
NAMES_MAX = 40  # of key and owner together: the audit log has 48 letters for `key NAME of OWNER`


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, by which key, and what that may now."""

    person: str
    key: str
    role: str


@dataclass(frozen=True, slots=True)
class KeyRefused:
    """No key was made, and why."""

    why: str


def new_key(
    database: Database, name: str, role: str, *, owner: str, now_ms: int, chance: Callable[[int], bytes]
) -> str | KeyRefused:
    """A fresh key for a program of somebody's; the one before ends."""
    if len(name) + len(owner) > NAMES_MAX:
        return KeyRefused(
            f"the names of key and owner have more than {NAMES_MAX} letters: take a shorter one"
        )
    key = PREFIX + chance(32).hex()
    row = {"token_hash": _hash(key), "name": name, "role": role, "owner": owner, "made_ms": now_ms}
    with database.writing() as connection:
        held = connection.execute(select(operator.c.role).where(operator.c.name == owner)).scalar()
        if held is None:
            return KeyRefused(f"there is no operator {owner}: make one with `tillbox core operator {owner}`")
        if not may(held, role):
            return KeyRefused(f"{owner} has the role {held}, and a key of theirs may not have {role}")
        connection.execute(delete(api_token).where(api_token.c.name == name))
        connection.execute(insert(api_token), row)
    return key


def caller_of(database: Database, header: str) -> Caller | None:
    """Whose key an Authorization header carries. The lesser counts of the key's role and its owner's."""
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer" or not key.startswith(PREFIX):
        return None
    query = (
        select(api_token.c.name, api_token.c.owner, api_token.c.role, operator.c.role.label("owners"))
        .join(operator, operator.c.name == api_token.c.owner)
        .where(api_token.c.token_hash == _hash(key))
    )
    with database.reading() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    both = [role for role in ROLES if may(row.role, role) and may(row.owners, role)]
    return Caller(row.owner, row.name, both[-1] if both else "")


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
