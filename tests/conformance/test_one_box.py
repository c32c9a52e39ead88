"""One box through the doors of a running core: accepted with a photograph or without, its twin and its timeline."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import select
from tests.core_alone import CoreAlone, core_alone, now_ms, photograph
from typer.testing import CliRunner

from tillbox.agent.provisioning.keystore import FileKeyStore
from tillbox.cloud_bridge.api.keys import new_key
from tillbox.cloud_bridge.fleet.commands import fleet
from tillbox.cloud_bridge.store import fleet_lists, tables

BIRTH = b'{"checks": []}'


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreAlone]:
    with core_alone(tmp_path_factory.mktemp("core")) as running:
        places = [{"store": "s1", "lane": f"l{lane}", "title": "茶铺"} for lane in range(1, 8)]
        running.do("plan-places", places=places)
        running.do("decide-settings", scope="tenant", settings={"tenant": "corner-tea"})
        yield running


class Visitor:
    """Somebody at the console."""

    def __init__(self, core: CoreAlone, role: str) -> None:
        self.web = httpx.Client(base_url=core.url, headers={"Origin": core.url}, timeout=30)
        said = {"name": role, "password": core.operator(role)}
        assert self.web.post("/login", data=said).status_code == 303
        self.csrf = self.web.get("/coupons").text.partition('name="csrf" value="')[2].partition('"')[0]

    def post(self, path: str, said: dict[str, str], **files: Any) -> httpx.Response:
        return self.web.post(path, data={"csrf": self.csrf, **said}, files=files or None)


@pytest.fixture(scope="module")
def engineer(core: CoreAlone) -> Iterator[Visitor]:
    visitor = Visitor(core, "engineer")
    yield visitor
    visitor.web.close()


@pytest.fixture(scope="module")
def operator(core: CoreAlone) -> Iterator[Visitor]:
    visitor = Visitor(core, "operator")
    yield visitor
    visitor.web.close()


def slip(core: CoreAlone, place: str, folder: Path) -> dict[str, str]:
    """What the page behind a birth slip says of a new box."""
    box = FileKeyStore(folder / "box.key")
    proof = core.let_in(place, box, BIRTH)
    return {"device": box.device, "proof": proof, "next": f"/field/{box.device}?s={proof}"}


def is_accepted(core: CoreAlone, device: str) -> bool:
    with core.database.reading() as connection:
        query = select(tables.binding.c.accepted_ms).where(tables.binding.c.device == device)
        return connection.execute(query).scalar() is not None


def test_a_photograph_is_kept_small_and_shown_to_operators(
    core: CoreAlone, engineer: Visitor, operator: Visitor, tmp_path: Path
) -> None:
    said = slip(core, "s1/l1", tmp_path)
    answer = engineer.post(
        "/do/accept-box", said, photo=("IMG.jpg", photograph((3_000, 2_000)), "image/jpeg")
    )
    assert answer.headers["location"].endswith("&photo=kept")
    assert is_accepted(core, said["device"])
    shown = operator.web.get(f"/boxes/{said['device']}/photo")
    assert shown.headers["content-type"] == "image/jpeg"
    assert Image.open(BytesIO(shown.content)).size == (1_600, 1_067)
    assert f'src="/boxes/{said["device"]}/photo"' in operator.web.get(f"/boxes/{said['device']}").text
    assert engineer.web.get(f"/boxes/{said['device']}/photo").status_code == 403
    assert f'src="/boxes/{said["device"]}/photo"' not in engineer.web.get(f"/boxes/{said['device']}").text


BAD = {
    "text": (b"this is no picture", "no_picture"),
    "torn": (photograph((900, 900))[:2_000], "no_picture"),
    "heavy": (photograph() + bytes(9_000_000), "picture_too_large"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_acceptance_stands_when_its_photograph_is_none(
    core: CoreAlone, engineer: Visitor, tmp_path: Path, case: str
) -> None:
    data, reason = BAD[case]
    said = slip(core, f"s1/l{2 + list(BAD).index(case)}", tmp_path)
    answer = engineer.post("/do/accept-box", said, photo=("x.jpg", data, "image/jpeg"))
    assert answer.headers["location"].endswith(f"&photo={reason}")
    assert is_accepted(core, said["device"])
    page = engineer.web.get(answer.headers["location"]).text
    assert 'role="alert"' in page
    assert 'action="/do/add-photo"' in page
    again = engineer.post("/do/add-photo", said, photo=("x.png", photograph(form="PNG"), "image/png"))
    assert again.headers["location"].endswith("&photo=kept")


def test_without_a_photograph_it_is_accepted_and_without_the_slip_nothing_is_kept(
    core: CoreAlone, engineer: Visitor, tmp_path: Path
) -> None:
    said = slip(core, "s1/l5", tmp_path)
    other = {**said, "proof": "another"}
    picture = ("x.jpg", photograph(), "image/jpeg")
    assert engineer.post("/do/accept-box", other, photo=picture).status_code == 409
    assert (
        engineer.post("/do/add-photo", other, photo=picture).headers["location"].endswith("slip_of_another")
    )
    assert not is_accepted(core, said["device"])
    empty = ("", b"", "application/octet-stream")
    assert engineer.post("/do/accept-box", said, photo=empty).headers["location"] == said["next"]
    assert is_accepted(core, said["device"])
    with core.database.reading() as connection:
        assert fleet_lists.photo(connection, said["device"]) is None


def test_no_other_form_takes_files_or_much(core: CoreAlone, engineer: Visitor, operator: Visitor) -> None:
    heavy, file = "x" * 20_000, ("x.jpg", photograph(), "image/jpeg")
    assert operator.post("/do/save-view", {"name": heavy}).status_code == 403
    assert operator.post("/do/save-view", {"name": "x"}, photo=file).status_code == 400
    assert operator.post("/settings", {"scope": "tenant", "step": "more"}, photo=file).status_code == 400
    assert operator.post("/settings", {"scope": "tenant", "shop": "x" * 500_000}).status_code == 403
    viewer = Visitor(core, "viewer")
    assert viewer.post("/do/accept-box", {"device": "b"}, photo=file).status_code == 400
    assert viewer.post("/settings", {"scope": "tenant", "step": "decide"}).status_code == 403
    assert engineer.post("/settings", {"scope": "tenant", "step": "decide"}).status_code == 403
    elsewhere = {"Origin": "http://elsewhere"}
    forged = {"csrf": operator.csrf, "scope": "tenant", "step": "decide"}
    assert operator.web.post("/settings", data=forged, headers=elsewhere).status_code == 403
    assert operator.web.post("/settings", data={**forged, "csrf": "guess"}).status_code == 403
    viewer.web.close()


def test_a_shop_list_of_five_hundred_goods_goes_through_the_form(core: CoreAlone, operator: Visitor) -> None:
    typed = {"scope": "store:s9", "based_on": "0", "decide.goods": "on"}
    for number in range(500):
        typed |= {f"goods.{number}.gtin": "6901234567892", f"goods.{number}.name": "冰糖雪梨汁茉莉花茶大杯", f"goods.{number}.price": "12.50"}  # fmt: skip
    seen = operator.post("/settings", {**typed, "step": "preview"})
    assert (seen.status_code, seen.text.count("冰糖雪梨汁茉莉花茶大杯")) == (200, 500)
    assert operator.post("/settings", {**typed, "step": "decide"}).status_code == 303


def test_the_command_line_tells_what_lies_between_and_what_happened(core: CoreAlone, tmp_path: Path) -> None:
    box = FileKeyStore(tmp_path / "box.key")
    core.let_in("s1/l7", box, BIRTH)
    key = tmp_path / "api.key"
    core.operator("viewer")
    made = new_key(core.database, "cli", "viewer", owner="viewer", now_ms=now_ms(), chance=os.urandom)
    assert isinstance(made, str)
    key.write_text(made)
    key.chmod(0o600)
    door = ["--core", core.url, "--key-file", str(key)]

    def run(*said: str) -> str:
        found = CliRunner().invoke(fleet, [*said, *door])
        assert found.exit_code == 0, found.output
        return found.stdout

    twin = json.loads(run("diff", "s1/l7", "--json"))
    assert (twin["device"], twin["version"], twin["used_version"]) == (box.device, 1, None)
    assert run("diff", box.device) == ""
    told = json.loads(run("timeline", "s1/l7", "--json"))["timeline"]
    assert {"bound", "certified", "settings_made"} <= {one["what"] for one in told}
    assert (
        json.loads(run("timeline", box.device, "--kind", "place", "--json"))["timeline"][0]["kind"] == "place"
    )
    assert "bound" in run("timeline", box.device)
    nobody = CliRunner().invoke(fleet, ["diff", "s1/l6", *door])
    assert nobody.exit_code
    photo = core.do("add-photo", device=box.device, picture=b64encode(photograph()).decode())
    assert photo.position == "s1/l7"
