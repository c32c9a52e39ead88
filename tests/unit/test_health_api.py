"""The fleet's health over HTTP: who may read it, what it says, and that a bound is a bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx
import pytest
from fastapi import FastAPI

from tillbox.cloud_bridge.api.fleet import add_fleet_api
from tillbox.cloud_bridge.api.keys import new_key
from tillbox.cloud_bridge.console.auth import new_password
from tillbox.cloud_bridge.fleet import alerting, presence
from tillbox.cloud_bridge.fleet.acts import Fleet
from tillbox.cloud_bridge.fleet.onlooker import Onlooker
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.store.database import Database, open_database
from tillbox.contracts import topics
from tillbox.contracts.messages import Alert, Alerts, Promise, State, Telemetry

NOW = 1_790_000_000_000
INC = "a1" * 8
LISTS = ("alerts", "alert-events", "health")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'core.db'}")
    yield opened
    opened.close()


@dataclass(frozen=True)
class Client:
    """A program with a key."""

    app: FastAPI
    key: str

    def get(self, name: str, *, key: str | None = None, **query: int) -> httpx.Response:
        async def ask() -> httpx.Response:
            headers = {"Authorization": f"Bearer {key or self.key}"}
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://core", headers=headers
            ) as client:
                return await client.get(f"/api/1/{name}", params=query)

        return anyio.run(ask)


@pytest.fixture
def client(database: Database) -> Client:
    app = FastAPI()
    fleet = Fleet(bytes(32), "corner-tea", "127.0.0.1", 8884, 100, 1_000, Schedule())
    new_password(database, "ann", chance=bytes, role="viewer")
    key = new_key(database, "screen", "viewer", owner="ann", now_ms=NOW, chance=bytes)
    assert isinstance(key, str)
    onlooker = Onlooker(database, now_ms=lambda: NOW, steady_ms=lambda: NOW)
    add_fleet_api(
        app, database, fleet, now_ms=lambda: NOW, chance=bytes, done=lambda: None, onlooker=onlooker
    )
    return Client(app, key)


@pytest.mark.parametrize("name", LISTS)
def test_without_a_key_nothing_is_said(client: Client, name: str) -> None:
    assert client.get(name, key="tbk_none").status_code == 401


def test_a_viewer_reads_how_everything_is(client: Client, database: Database) -> None:
    assert [client.get(name).json() for name in LISTS] == [[], [], []]
    state = State(s="online", inc=INC)
    told = Telemetry(inc=INC, seq=1, pending=0, printer="ready", promise=Promise(days=9, redeem=31_200))
    words = [
        presence.Word("box-1", topics.state_up("box-1"), state.model_dump_json().encode()),
        presence.Word(
            "box-1", topics.telemetry_up("box-1"), told.model_dump_json(exclude_none=True).encode()
        ),
    ]
    alerts = Alerts(inc=INC, open=(Alert(kind="hot", detail="84 °C", since_ms=NOW),))
    with database.writing() as connection:
        presence.take(connection, words, now_ms=NOW)
        alerting.take(connection, [("box-1", alerts.model_dump_json().encode())], now_ms=NOW)
    (store,) = client.get("alerts").json()
    assert [(row["kind"], row["detail"]) for row in store["alerts"]] == [("hot", "84 °C")]
    (event,) = client.get("alert-events").json()
    assert client.get("alert-events", after=event["id"]).json() == []
    (row,) = client.get("health").json()
    assert (row["state"], row["alerts"], row["telemetry"]["printer"]) == ("online", ["hot"], "ready")
    assert row["promise_en"] == "can sell 9 more days, redeem 312.00 yuan more, every sale is with the core"


@pytest.mark.parametrize("most", [-1, 0, 10**9])
def test_however_many_are_asked_for_the_answer_is_bounded(
    client: Client, database: Database, most: int
) -> None:
    alerts = Alerts(inc=INC, open=(Alert(kind="hot", since_ms=NOW),))
    with database.writing() as connection:
        alerting.take(connection, [("box-1", alerts.model_dump_json().encode())], now_ms=NOW)
    for name in ("alerts", "alert-events"):
        assert len(client.get(name, most=most).json()) == (most > 0)
