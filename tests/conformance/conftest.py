"""What several suites of this folder need."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tillbox.cloud_bridge.store.database import Database, open_database

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def sqlite_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all its tables, to be copied: to make them takes longer than most tests."""
    path = tmp_path_factory.mktemp("made") / "core.db"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def postgres_made(postgres: str) -> str:
    """The same on the server; its name."""
    _say(postgres, "CREATE DATABASE made")
    open_database(f"{postgres}/made").close()
    return "made"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        path = shutil.copyfile(request.getfixturevalue("sqlite_made"), tmp_path / "core.db")
        url = f"sqlite:///{path}"
    else:
        server, made = request.getfixturevalue("postgres"), request.getfixturevalue("postgres_made")
        name = f"core{next(_numbers)}"
        _say(server, f"CREATE DATABASE {name} TEMPLATE {made}")
        url = f"{server}/{name}"
    opened = open_database(url)
    yield opened
    opened.close()


def _say(server: str, statement: str) -> None:
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
