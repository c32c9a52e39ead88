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
from tillbox.cloud_bridge.api.keys import KeyRefused, new_key
from tillbox.cloud_bridge.console.app import build_console
from tillbox.cloud_bridge.console.auth import new_password, remove_operator
from tillbox.cloud_bridge.console.changes import Changes
from tillbox.cloud_bridge.fleet.acts import ACTS, ROLES, Fleet
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
        onlooker = Onlooker(self.database, now_ms=lambda: NOW, steady_ms=lambda: NOW)
        add_fleet_api(
            app, self.database, FLEET, now_ms=lambda: NOW, chance=chance, done=self._done, onlooker=onlooker
        )
        door = socket.create_server(("127.0.0.1", 0))
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, args=([door],), daemon=True)
        self.thread.start()
        self.web = httpx.Client(base_url=f"http://127.0.0.1:{door.getsockname()[1]}", timeout=10)
        self.keys = {}
        for at, role in enumerate(ROLES):
            self.person(f"of-{role}", role)
            self.keys[role] = self.new_key(role, role, f"of-{role}", bytes([at]))

    def person(self, name: str, role: str) -> None:
        new_password(self.database, name, chance=bytes, role=role)

    def new_key(self, name: str, role: str, owner: str, byte: bytes) -> str:
        made = new_key(self.database, name, role, owner=owner, now_ms=NOW, chance=lambda count: byte * count)
        assert isinstance(made, str), made
        return made

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
    assert (row["who"], row["act"]) == ("key operator of of-operator", "plan-places")


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
    head.new_key("viewer", "viewer", "of-viewer", b"\x09")
    assert head.web.get("/api/1/places", headers=old).status_code == 401


def test_a_key_never_may_more_than_its_owner_may_today(head: Head) -> None:
    head.person("ann", "operator")
    key = {"Authorization": f"Bearer {head.new_key('stock', 'operator', 'ann', b'a')}"}
    less = {"Authorization": f"Bearer {head.new_key('screen', 'viewer', 'ann', b'b')}"}

    def may(key: dict[str, str]) -> tuple[int, int]:
        return (
            head.web.get("/api/1/places", headers=key).status_code,
            head.web.post("/api/1/acts/plan-places", json=PLACES, headers=key).status_code,
        )

    assert (may(key), may(less)) == ((200, 200), (200, 403))
    head.person("ann", "viewer")
    assert (may(key), may(less)) == ((200, 403), (200, 403)), "lowered with their person"
    head.person("ann", "admin")
    assert (may(key), may(less)) == ((200, 200), (200, 403)), "and no higher than they were made"
    assert remove_operator(head.database, "ann")
    assert (may(key), may(less)) == ((401, 401), (401, 401))
    head.person("ann", "admin")
    assert may(key) == (401, 401), "another ann is another person"
    assert not remove_operator(head.database, "nobody")


@pytest.mark.parametrize(
    ("owner", "role", "why"),
    [
        ("nobody", "viewer", "there is no operator nobody"),
        (
            "of-engineer",
            "operator",
            "of-engineer has the role engineer, and a key of theirs may not have operator",
        ),
        ("a" * 36, "viewer", "more than 40 letters"),
    ],
)
def test_no_key_is_made_without_somebody_who_answers_for_it(
    head: Head, owner: str, role: str, why: str
) -> None:
    found = new_key(head.database, "stock", role, owner=owner, now_ms=NOW, chance=bytes)
    assert isinstance(found, KeyRefused)
    assert why in found.why


def test_whoever_sends_too_much_is_not_read(head: Head) -> None:
    huge = head.web.post("/api/1/acts/plan-places", content=b"x" * 4_000_001, headers=head.key("admin"))
    assert huge.status_code == 413

    def endless() -> Iterator[bytes]:
        yield b"x"

    assert head.web.post("/api/1/acts/plan-places", content=endless()).status_code == 413


def test_what_nobody_said_is_not_said_for_them(head: Head) -> None:
    """A box shows itself for half an hour at the most; where no minutes were named, an hour is not asked for."""
    wanted = {"box": "s9/l9", "verb": "watch", "what": "log"}
    said = head.web.post("/api/1/acts/send-command", json=wanted, headers=head.key("operator"))
    assert said.json()["refused"] == "no_box_there"


def test_everything_that_can_be_done_is_described(head: Head) -> None:
    assert head.web.get("/api/1/openapi.json").status_code == 401
    found = head.web.get("/api/1/openapi.json", headers=head.key("viewer")).json()
    assert {f"/api/1/acts/{name}" for name in ACTS} <= set(found["paths"])
    for name in ACTS:
        assert "requestBody" in found["paths"][f"/api/1/acts/{name}"]["post"], name
