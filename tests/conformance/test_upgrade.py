"""The core's tables as the migrations make them, on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import Engine

from tillbox.cloud_bridge.store.database import Database, open_database
from tillbox.cloud_bridge.store.tables import metadata
from tillbox.cloud_bridge.store.upgrade import HERE, StoreUnknown

NEWEST = "0011"
_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Iterator[str]]:
    """Addresses of empty databases."""
    if request.param == "sqlite":
        yield (f"sqlite:///{tmp_path / f'core{n}.db'}" for n in _numbers)
        return
    server = request.getfixturevalue("postgres")
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    yield (_made(engine, server, f"upgrade{n}") for n in _numbers)
    engine.dispose()


def _made(engine: Engine, server: str, name: str) -> str:
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    return f"{server}/{name}"


def triggers(connection: Connection) -> set[str]:
    if connection.dialect.name == "sqlite":
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type='trigger'"))
    else:
        names = connection.execute(text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"))
    return set(names.scalars())


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(urls: Iterator[str]) -> None:
    upgraded = open_database(next(urls))
    fresh = Database(create_engine(next(urls)))
    fresh.create()
    with upgraded.writing() as left, fresh.writing() as right:
        assert compare_metadata(MigrationContext.configure(left), metadata) == []
        assert triggers(left) == triggers(right) != set()
    upgraded.close()
    fresh.close()


def test_an_upgraded_database_is_left_alone_by_the_next_start(urls: Iterator[str]) -> None:
    url = next(urls)
    for _ in range(2):
        database = open_database(url)
        with database.reading() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == NEWEST
        database.close()


def test_a_database_of_newer_software_is_refused_and_not_touched(urls: Iterator[str]) -> None:
    url = next(urls)
    database = open_database(url)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num='9999'"))
    database.close()
    with pytest.raises(StoreUnknown, match=rf"9999.*up to {NEWEST}"):
        open_database(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
    engine.dispose()


def test_tables_without_a_version_mark_are_not_guessed_about(urls: Iterator[str]) -> None:
    url = next(urls)
    unmarked = Database(create_engine(url))
    unmarked.create()
    unmarked.close()
    with pytest.raises(StoreUnknown, match="no version mark"):
        open_database(url)


def test_an_upgrade_that_fails_leaves_nothing_behind(
    urls: Iterator[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = next(urls)

    def fails(*_: object) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr("tillbox.cloud_bridge.store.append_only.protect", fails)
        with pytest.raises(OSError, match="the disk is gone"):
            open_database(url)
    engine = create_engine(url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    open_database(url).close()


def test_a_key_that_had_no_owner_ends_and_so_does_what_waited_for_a_word_on_it(urls: Iterator[str]) -> None:
    url = next(urls)
    engine = create_engine(url)
    old = Config()
    old.set_main_option("script_location", str(HERE))
    with engine.begin() as connection:
        old.attributes["connection"] = connection
        command.upgrade(old, "0008")
        connection.execute(text("INSERT INTO api_token VALUES ('h', 'stock', 'operator', 1)"))
        connection.execute(text("INSERT INTO operator VALUES ('ann', 'p', 'operator')"))
        for name, who, state in (
            ("1", "key stock", "awaiting"),
            ("2", "ann", "awaiting"),
            ("3", "key stock", "done"),
        ):
            asked = {"id": name, "who": who, "state": state, "none": b"{}"}
            connection.execute(
                text(
                    "INSERT INTO bulk (id, verb, asked, boxes, made_by, state, why, wave, made_ms) "
                    "VALUES (:id, 'restart', :none, :none, :who, :state, '', 0, 1)"
                ),
                asked,
            )
    engine.dispose()
    database = open_database(url)
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM api_token")).scalar_one() == 0
        states = connection.execute(text("SELECT state FROM bulk ORDER BY id")).scalars().all()
    assert states == ["stopped", "awaiting", "done"]
    database.close()
