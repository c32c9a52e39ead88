"""What somebody who watches over the core is told, without a session: one word, and nothing of the shop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from tests.unit.test_core_worker import Desk, NoChannel

from tillbox.cloud_bridge.app import HANGS_MS, Core
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.probes import add_probes
from tillbox.cloud_bridge.store.database import Database, open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'core.db'}")
    yield opened
    opened.close()


class Watch:
    """A core that is looked at from outside, on a clock of the test's."""

    def __init__(self, database: Database) -> None:
        self.now_ms = 1_790_000_000_000
        self.core = Core(
            database=database,
            line=Desk(),
            channel=NoChannel(),
            schedule=Schedule(),
            now_ms=lambda: self.now_ms,
            chance=bytes,
        )
        self.app = FastAPI()
        add_probes(self.app, self.core)

    def says(self, path: str) -> tuple[int, str]:
        async def ask() -> httpx.Response:
            way = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=way, base_url="http://core") as visitor:
                return await visitor.get(path)

        answer = asyncio.run(ask())
        return answer.status_code, answer.text


def test_a_core_that_is_well_says_so_at_both_doors(database: Database) -> None:
    watch = Watch(database)
    assert watch.says("/livez") == watch.says("/healthz") == (200, "well\n")


def test_a_store_that_is_away_is_said_and_is_no_reason_to_start_the_core_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(_: Database) -> None:
        raise OperationalError("connect to db.example as tillbox", None, OSError("gone"))

    monkeypatch.setattr(Database, "reading", unreachable)
    watch = Watch(database)
    assert watch.says("/healthz") == (503, "the store does not answer\n")
    assert watch.says("/livez") == (200, "well\n")


def test_a_worker_that_does_not_come_round_hangs(database: Database) -> None:
    watch = Watch(database)
    watch.now_ms += HANGS_MS + 1
    assert watch.says("/livez") == (503, "the worker hangs\n")
    watch.core.start()
    watch.core.stop()
    assert watch.says("/livez") == (200, "well\n")
