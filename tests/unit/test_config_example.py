"""The examples that the documentation shows can be used as they stand, and every setting is described."""

from __future__ import annotations

import ast
import json
import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from tillbox.agent.config import BoxConfig, FleetBoxConfig
from tillbox.cloud_bridge.config import CoreConfig
from tillbox.contracts.settings import SettingsWrong, load
from tillbox.hardware.registry import Group

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = [("box.example.json", BoxConfig), ("core.example.json", CoreConfig)]


def models_in(annotation: object) -> set[type[BaseModel]]:
    """The models that a setting is made of, and those that they are made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        parts = [field.annotation for field in annotation.model_fields.values()]
        return {annotation}.union(*map(models_in, parts))
    return set().union(*map(models_in, get_args(annotation)))


DRIVERS = {
    point.load().options
    for group in Group
    for point in entry_points(group=group)
    if point.value.startswith("tillbox.")
}
MODELS = sorted(
    models_in(BoxConfig) | models_in(FleetBoxConfig) | models_in(CoreConfig) | DRIVERS,
    key=lambda model: model.__name__,
)


def left_out(config: BaseModel, where: str = "") -> list[str]:
    """Settings that a file does not name, in whichever part of it."""
    found = [f"{where}{name}" for name in type(config).model_fields if name not in config.model_fields_set]
    for name in config.model_fields_set:
        told = getattr(config, name)
        for part in told if isinstance(told, tuple) else (told,):
            found += left_out(part, f"{where}{name}.") if isinstance(part, BaseModel) else []
    return found


def with_everything(text: str) -> str:
    """A TOML file with every line switched on that has one # before it and no space after."""
    return re.sub(r"^#(?=[\w\[])", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize(("name", "model"), EXAMPLES)
def test_the_example_is_right_and_has_every_setting(name: str, model: type[BaseModel]) -> None:
    config = load(DOCS / name, model)
    assert config.model_fields_set == set(model.model_fields)
    if model is CoreConfig:
        assert left_out(config) == []


def test_a_file_may_be_toml_and_a_broken_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "core.toml"
    path.write_text(
        "database = 'sqlite:///core.db'\nhttp_port = 8081\n[wallet]\nurl = 'http://w'\nmerchant = 'm'\nsecret = 's'\n"
        "[broker]\nhost = 'b'\nport = 8883\nauthority = 'a'\ncertificate = 'c'\nkey = 'k'\n"
    )
    assert load(path, CoreConfig).broker.port == 8883
    path.write_text("database = ")
    with pytest.raises(SettingsWrong, match="is no TOML"):
        load(path, CoreConfig)


def test_a_box_of_a_fleet_is_told_about_its_machine_alone(tmp_path: Path) -> None:
    config = load(DOCS / "box.fleet.example.toml", FleetBoxConfig)
    assert config.fleet.claim_port == 8884
    whole = tmp_path / "box.toml"
    whole.write_text(with_everything((DOCS / "box.fleet.example.toml").read_text()))
    assert left_out(load(whole, FleetBoxConfig).fleet) == []
    with pytest.raises(SettingsWrong, match="tenant"):
        load(DOCS / "box.fleet.example.toml", BoxConfig)


def test_settings_are_looked_for_in_every_part_of_the_file() -> None:
    names = {model.__name__ for model in MODELS}
    assert names >= {"Broker", "Reader", "ReceiptPrinter", "Display", "Voice", "Api", "Tap", "Goods"}
    assert names >= {"SerialOptions", "KeysOptions", "VfdOptions", "Led8Options", "SerialPrinterOptions"}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_setting_says_what_it_is(model: type[BaseModel]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("printer", "'192.168.1.50'", "is no address: write host:port"),
        ("printer", "'printer:'", "is no address: write host:port"),
        ("issuers", "['no key']", "issuers.0: Value error, a public key is 64 hexadecimal digits"),
        ("readers", "[{'kind': 'camera', 'name': 'eye', 'address': 'front'}]", "'front' is no camera"),
        ("screenport", "1", "screenport: Extra inputs are not permitted"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_before_anything_starts(
    tmp_path: Path, setting: str, value: str, said: str
) -> None:
    example = json.loads((DOCS / "box.example.json").read_text()) | {setting: ast.literal_eval(value)}
    path = tmp_path / "box.json"
    path.write_text(json.dumps(example))
    with pytest.raises(SettingsWrong, match=said.replace("(", "[(]")):
        load(path, BoxConfig)
