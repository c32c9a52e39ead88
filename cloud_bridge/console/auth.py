"""Who may see the console: operators with argon2id hashes, and sessions kept on the server.

Only the SHA-256 of a session's token is stored; a stolen database opens no session. Tokens are 256 bits, new
at each login; forms carry a token of their session; a name that fails too often has to wait.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from sqlalchemy import delete, insert, select, update

from tillbox.cloud_bridge.store.database import Database, upsert
from tillbox.cloud_bridge.store.tables import api_token, operator, session

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's least for argon2id: 19 MiB and two passes, some 50 ms here; a Pi can still serve a login."""

IDLE_MS = 8 * 3_600_000  # a working day
LIFE_MS = 7 * 24 * 3_600_000
FAILURES_MAX = 5
WAIT_MS = 60_000
HASHES_AT_ONCE = 2  # 19 MiB each
NAMES_MAX = 1_000  # names whose failures are remembered; more is an attack, and all wait


@dataclass(frozen=True, slots=True)
class Session:
    """Who is asking, and the token that their forms must carry."""

    operator: str
    csrf: str
    role: str


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """Why not. It does not say whether the name exists."""

    too_often: bool


class Doorkeeper:
    """Opens, finds and closes sessions."""

    def __init__(
        self, database: Database, *, now_ms: Callable[[], int], chance: Callable[[int], bytes]
    ) -> None:
        self._database, self._now_ms, self._chance = database, now_ms, chance
        self._failures: dict[str, tuple[int, int]] = {}
        self._counting = threading.Lock()
        self._hashing = threading.Semaphore(HASHES_AT_ONCE)
        self._nobody = HASHER.hash(chance(16))

    def login(self, name: str, password: str) -> str | LoginRefused:
        """A new session's token for the right password."""
        now_ms = self._now_ms()
        if not self._may_try(name, now_ms):
            return LoginRefused(too_often=True)
        with self._database.reading() as connection:
            known = connection.execute(
                select(operator.c.password_hash).where(operator.c.name == name)
            ).scalar()
        with self._hashing:
            right = _is_right(known or self._nobody, password)
        if not right or known is None:
            return LoginRefused(too_often=False)
        with self._counting:
            self._failures.pop(name, None)
        return self._open(name, now_ms)

    def _may_try(self, name: str, now_ms: int) -> bool:
        """Count the try before it is made: sixty at once are sixty. What is a minute old is forgotten."""
        with self._counting:
            for old in [one for one, (_, since) in self._failures.items() if now_ms - since >= WAIT_MS]:
                del self._failures[old]
            count, _ = self._failures.get(name, (0, 0))
            if count >= FAILURES_MAX or len(self._failures) >= NAMES_MAX:
                return False
            self._failures[name] = count + 1, now_ms
            return True

    def find(self, token: str) -> Session | None:
        """The session of a token, if it is alive."""
        now_ms = self._now_ms()
        where = session.c.token_hash == _hash(token)
        query = select(session, operator.c.role).join(operator, operator.c.name == session.c.operator)
        with self._database.reading() as connection:
            row = connection.execute(query.where(where)).one_or_none()
        if row is None or now_ms - row.seen_ms > IDLE_MS or now_ms - row.opened_ms > LIFE_MS:
            return None
        if now_ms - row.seen_ms > 60_000:
            with self._database.writing() as connection:
                connection.execute(update(session).where(where).values(seen_ms=now_ms))
        return Session(row.operator, row.csrf, row.role)

    def close(self, token: str) -> None:
        """Log out."""
        with self._database.writing() as connection:
            connection.execute(delete(session).where(session.c.token_hash == _hash(token)))

    def _open(self, name: str, now_ms: int) -> str:
        token = self._chance(32).hex()
        row = {
            "token_hash": _hash(token),
            "operator": name,
            "csrf": self._chance(32).hex(),
            "opened_ms": now_ms,
            "seen_ms": now_ms,
        }
        with self._database.writing() as connection:
            connection.execute(delete(session).where(session.c.opened_ms < now_ms - LIFE_MS))
            connection.execute(insert(session), row)
        return token


def new_password(
    database: Database, name: str, *, chance: Callable[[int], bytes], role: str = "admin"
) -> str:
    """A fresh password for an operator, who is made where missing. It is returned once and stored hashed."""
    password = "-".join(chance(3).hex() for _ in range(4))
    with database.writing() as connection:
        row = {"name": name, "password_hash": HASHER.hash(password), "role": role}
        upsert(connection, operator, [row], "name")
        connection.execute(delete(session).where(session.c.operator == name))
    return password


def remove_operator(database: Database, name: str) -> bool:
    """Somebody has gone: their password, sessions and keys end. False where there was nobody of that name."""
    with database.writing() as connection:
        # The keys too: another person by the same name, later, must not inherit them.
        connection.execute(delete(api_token).where(api_token.c.owner == name))
        connection.execute(delete(session).where(session.c.operator == name))
        return connection.execute(delete(operator).where(operator.c.name == name)).rowcount > 0


def is_same(given: str, wanted: str) -> bool:
    """Compare two tokens without saying how much of them agrees."""
    return secrets.compare_digest(given.encode(), wanted.encode())


def _is_right(hashed: str, password: str) -> bool:
    try:
        return HASHER.verify(hashed, password)
    except Argon2Error:
        return False


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
