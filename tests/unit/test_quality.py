"""`hardware/QUALITY.toml`: every driver of ours is graded, and its grade is what its rules add up to."""

from __future__ import annotations

import importlib
import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from tillbox.hardware.registry import (
    Group,
    NoSuchDriver,
    display,
    label_printer,
    printer,
    reader,
    speaker,
)

ROOT = Path(__file__).parents[2]
QUALITY: dict[str, dict[str, dict[str, Any]]] = tomllib.loads((ROOT / "hardware/QUALITY.toml").read_text())
GRADES = {
    "bronze": ("twin", "suite"),
    "silver": ("lost_once", "hints"),
    "gold": ("options", "docs"),
    "platinum": ("kernel", "hardware"),
}
MAKERS = {
    Group.CODE_READERS: reader,
    Group.PRINTERS: printer,
    Group.LABEL_PRINTERS: label_printer,
    Group.DISPLAYS: display,
    Group.SPEAKERS: speaker,
}
OURS = [
    (str(group).removeprefix("tillbox."), point.name)
    for group in Group
    for point in entry_points(group=group)
    if point.value.startswith("tillbox.")
]


def rules_of(group: str, name: str) -> dict[str, Any]:
    entry = QUALITY[group][name]
    like = entry.get("like")
    return rules_of(*like.split(".")) if like else entry


def test_every_driver_is_graded_and_nothing_else_is() -> None:
    assert {(group, name) for group, drivers in QUALITY.items() for name in drivers} == set(OURS)


@pytest.mark.parametrize(("group", "name"), OURS)
def test_a_grade_is_what_the_rules_add_up_to(group: str, name: str) -> None:
    entry = rules_of(group, name)
    earned = ""
    for grade, rules in GRADES.items():
        if any(_is_exempt(rule, entry[rule]) for rule in rules):
            break
        earned = grade
    assert entry["grade"] == earned


@pytest.mark.parametrize(("group", "name"), OURS)
def test_what_it_names_is_there(group: str, name: str) -> None:
    entry = rules_of(group, name)
    suite = (ROOT / entry["suite"]).read_text()
    module, _, twin = entry["twin"].partition(":")
    if twin:
        assert hasattr(importlib.import_module(module), twin)
        assert twin in suite
    if entry["kernel"] is True:
        assert "pytest.mark.device" in suite


@pytest.mark.parametrize(("group", "name"), OURS)
def test_its_doc_says_by_which_kind_it_is_asked_for(group: str, name: str) -> None:
    doc = (ROOT / rules_of(group, name)["docs"]).read_text()
    assert re.search(rf'`{name}`|"kind": "{name}"', doc)


@pytest.mark.parametrize(("group", "name"), [one for one in OURS if rules_of(*one)["options"] is True])
def test_an_option_that_is_misspelt_or_wrong_is_refused_by_its_name(group: str, name: str) -> None:
    (point,) = entry_points(group=f"tillbox.{group}", name=name)
    for option in ("colour", *point.load().options.model_fields):
        with pytest.raises(NoSuchDriver, match=f"'{name}' does not take {option}"):
            MAKERS[Group(point.group)](name, "device", "", {option: ["none", "takes", "a", "list"]})


def _is_exempt(rule: str, value: object) -> bool:
    """A sentence instead of `true` says why a rule is not kept; twin, suite and docs name what keeps it."""
    return rule not in ("twin", "suite", "docs") and value is not True
