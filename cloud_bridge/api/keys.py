"""Programs that may use the API: each has a key, shown once and kept as a hash, and a role as people have one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from tillbox.cloud_bridge.store.database import Database
from tillbox.cloud_bridge.store.tables import api_token

PREFIX = "tbk_"
"""So that a key in a log or a repository is recognised as one."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    name: str
    role: str


def new_key(database: Database, name: str, role: str, *, now_ms: int, chance: Callable[[int], bytes]) -> str:
    """A fresh key for a program; the one before ends."""
    key = PREFIX + chance(32).hex()
    row = {"token_hash": _hash(key), "name": name, "role": role, "made_ms": now_ms}
    with database.writing() as connection:
        connection.execute(delete(api_token).where(api_token.c.name == name))
        connection.execute(insert(api_token), row)
    return key


def caller_of(database: Database, header: str) -> Caller | None:
    """Whose key an Authorization header carries."""
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer" or not key.startswith(PREFIX):
        return None
    with database.reading() as connection:
        row = connection.execute(select(api_token).where(api_token.c.token_hash == _hash(key))).one_or_none()
    return Caller(f"key {row.name}", row.role) if row is not None else None


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
