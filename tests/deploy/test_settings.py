"""The configuration that the packages bring: it can be used as it comes, names every setting, and is what the code means."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel
from tests.deploy.machine import ROOT
from tests.unit.test_config_example import left_out, models_in, with_everything

from tillbox.agent.config import BoxConfig
from tillbox.broker.mosquitto.server import CONFIG, INFLIGHT_MAX, QUEUE_BYTES_MAX, QUEUE_MAX
from tillbox.cloud_bridge.config import CoreConfig
from tillbox.contracts.settings import load

DEPLOY = ROOT / "deploy"
BOX = DEPLOY / "debian/tillbox-box/root/etc/tillbox/box.toml"
CORE = DEPLOY / "debian/tillbox-core/root/etc/tillbox/core.toml"
CONTAINER = DEPLOY / "container/core.toml"
BROKER = DEPLOY / "debian/tillbox-core/root/etc/tillbox/mosquitto.conf"
FILES = [(BOX, BoxConfig), (CORE, CoreConfig), (CONTAINER, CoreConfig)]


@pytest.mark.parametrize(("path", "model"), FILES, ids=lambda one: getattr(one, "stem", ""))
def test_the_file_can_be_used_as_it_comes(path: Path, model: type[BaseModel]) -> None:
    load(path, model)


@pytest.mark.parametrize(("path", "model"), FILES[:2], ids=lambda one: getattr(one, "stem", ""))
def test_the_file_names_every_setting_and_what_is_switched_off_can_be_switched_on(
    path: Path, model: type[BaseModel], tmp_path: Path
) -> None:
    whole = tmp_path / path.name
    whole.write_text(with_everything(path.read_text()))
    assert load(whole, model).model_fields_set == set(model.model_fields)
    named = re.findall(r"^(\w+) = |^\[+([\w.]+)\]", whole.read_text(), re.MULTILINE)
    settings = {name for one in models_in(model) for name in one.model_fields}
    assert settings - {name for pair in named for part in pair for name in part.split(".")} == set()
    if model is CoreConfig:
        assert left_out(load(whole, model)) == [], "in its own part of the file"


def test_a_default_that_the_core_s_file_shows_is_the_default() -> None:
    shown = dict(re.findall(r"^#(\w+) = \"?([\w.]+)", CORE.read_text().partition("\n[")[0], re.MULTILINE))
    assert shown == {name: str(CoreConfig.model_fields[name].default) for name in shown}
    assert len(shown) == 4


def test_a_shell_that_takes_too_much_memory_does_not_end_the_till() -> None:
    unit = (DEPLOY / "debian/tillbox-box/root/usr/lib/systemd/system/tillbox-box.service").read_text()
    assert "\nOOMPolicy=continue\n" in unit, (
        "systemd would stop the service with its first task that is ended so"
    )


def test_the_packaged_broker_is_the_broker_that_the_tests_run() -> None:
    """All but where its files lie, where it listens and where it logs to."""
    place = {"user", "acl_file", "log_dest", "listener", "cafile", "crlfile", "certfile", "keyfile"}
    place |= {"password_file", "include_dir"}  # the two other doors are written by a command
    ours, tested = (
        [line for line in text.splitlines() if re.match("[a-z]", line) and line.split()[0] not in place]
        for text in (BROKER.read_text(), _filled(CONFIG))
    )
    assert ours == tested
    assert re.findall(r"^listener (.*)", BROKER.read_text(), re.MULTILINE) == ["8883"]


def test_the_cluster_s_core_is_told_what_the_container_s_is() -> None:
    """Kustomize takes no file from outside its own folder. EMQX reads no revocation list, so none is laid for it."""
    told = tomllib.loads(CONTAINER.read_text())
    del told["fleet"]["revocations"]
    assert tomllib.loads((DEPLOY / "kubernetes/core.toml").read_text()) == told


def _filled(template: str) -> str:
    """The broker of the tests, with its figures put in."""
    figures = {
        "user": "",
        "doors": "",
        "queue": QUEUE_MAX,
        "queue_bytes": QUEUE_BYTES_MAX,
        "inflight": INFLIGHT_MAX,
    }
    for name, figure in figures.items():
        template = template.replace(f"{{{name}}}", f"{figure}")
    return template
