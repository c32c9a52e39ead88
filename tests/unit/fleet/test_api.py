"""The fleet over HTTP: a key and its role, refusals as sentences, nothing read from whoever has no key, and a description."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from tillbox.cloud_bridge.api.fleet import add_fleet_api
from tillbox.cloud_bridge.api.keys import new_key
from tillbox.cloud_bridge.console.app import build_console
from tillbox.cloud_bridge.console.changes import Changes
from tillbox.cloud_bridge.fleet.acts import ACTS, Fleet
from tillbox.cloud_bridge.fleet.onlooker import Onlooker
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.store.database import open_database

NOW = 1_790_000_000_000
FLEET = Fleet(bytes(32), "corner-tea", "127.0.0.1", 8884, 100, 1_000, Schedule())
PLACES = {"places": [{"store": "s1", "lane": "l1", "title": "茶铺"}]}


class Head:
    """A core's web server, and keys to it."""

    def __init__(self, folder: Path) -> None:
        self.done = 0
        self.database = open_database(f"sqlite:///{folder / 'core.db'}")
        chance = lambda count: bytes(range(count))  # noqa: E731
        app = build_console(self.database, Changes(), now_ms=lambda: NOW, chance=chance)
        onlooker = Onlooker(self.database, now_ms=lambda: NOW)
        add_fleet_api(
            app, self.database, FLEET, now_ms=lambda: NOW, chance=chance, done=self._done, onlooker=onlooker
        )
        door = socket.create_server(("127.0.0.1", 0))
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, args=([door],), daemon=True)
        self.thread.start()
        self.web = httpx.Client(base_url=f"http://127.0.0.1:{door.getsockname()[1]}", timeout=10)
        self.keys = {
            role: new_key(
                self.database, role, role, now_ms=NOW, chance=lambda count, at=at: bytes([at]) * count
            )
            for at, role in enumerate(("viewer", "engineer", "operator", "admin"))
        }

    def close(self) -> None:
        self.web.close()
        self.server.should_exit = True
        self.thread.join(5)
        self.database.close()

    def _done(self) -> None:
        self.done += 1

    def key(self, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[role]}"}


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Head]:
    opened = Head(tmp_path)
    yield opened
    opened.close()


def test_a_key_does_what_its_role_may(head: Head) -> None:
    url = "/api/1/acts/plan-places"
    assert head.web.post(url, json=PLACES).status_code == 401
    assert head.web.post(url, json=PLACES, headers={"Authorization": "Bearer tbk_guess"}).status_code == 401
    assert head.web.post(url, json=PLACES, headers=head.key("engineer")).status_code == 403
    assert head.web.post(url, json=PLACES, headers=head.key("operator")).json() == {"places": 1}
    assert head.done == 1
    (place,) = head.web.get("/api/1/places", headers=head.key("viewer")).json()
    assert place["position"] == "s1/l1"
    assert head.web.get("/api/1/audit", headers=head.key("viewer")).status_code == 403
    (row,) = head.web.get("/api/1/audit", headers=head.key("operator")).json()
    assert (row["who"], row["act"]) == ("key operator", "plan-places")


def test_a_no_is_a_sentence_in_both_languages(head: Head) -> None:
    answer = head.web.post("/api/1/acts/replace-box", json={"place": "s9/l9"}, headers=head.key("admin"))
    assert answer.status_code == 409
    said = answer.json()
    assert said["refused"] == "position_empty"
    assert said["zh"]
    assert said["en"]
    assert head.done == 0
    wrong = head.web.post("/api/1/acts/replace-box", json={"place": "S 9"}, headers=head.key("admin"))
    assert wrong.status_code == 422


def test_a_new_key_ends_the_one_before(head: Head) -> None:
    old = head.key("viewer")
    new_key(head.database, "viewer", "viewer", now_ms=NOW, chance=lambda count: b"\x09" * count)
    assert head.web.get("/api/1/places", headers=old).status_code == 401


def test_whoever_sends_too_much_is_not_read(head: Head) -> None:
    huge = head.web.post("/api/1/acts/plan-places", content=b"x" * 4_000_001, headers=head.key("admin"))
    assert huge.status_code == 413

    def endless() -> Iterator[bytes]:
        yield b"x"

    assert head.web.post("/api/1/acts/plan-places", content=endless()).status_code == 413


def test_everything_that_can_be_done_is_described(head: Head) -> None:
    found = head.web.get("/api/1/openapi.json").json()
    assert {f"/api/1/acts/{name}" for name in ACTS} <= set(found["paths"])
    for name in ACTS:
        assert "requestBody" in found["paths"][f"/api/1/acts/{name}"]["post"], name
