"""`hardware/QUALITY.toml`: every driver of ours is graded, and its grade is what its rules add up to."""

from __future__ import annotations

import importlib
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from tillbox.hardware.registry import Group

ROOT = Path(__file__).parents[2]
QUALITY: dict[str, dict[str, dict[str, Any]]] = tomllib.loads((ROOT / "hardware/QUALITY.toml").read_text())
GRADES = {
    "bronze": ("twin", "suite"),
    "silver": ("lost_once", "hints"),
    "gold": ("options", "docs"),
    "platinum": ("kernel", "hardware"),
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
    assert (ROOT / entry["suite"]).is_file()
    if str(entry["docs"]).endswith(".md"):
        assert (ROOT / entry["docs"]).is_file()
    module, _, twin = entry["twin"].partition(":")
    if twin:
        assert hasattr(importlib.import_module(module), twin)
        assert twin in (ROOT / entry["suite"]).read_text()


def _is_exempt(rule: str, value: object) -> bool:
    """A sentence instead of `true` says why a rule is not kept; twin, suite and docs name what keeps it."""
    return rule not in ("twin", "suite", "docs") and value is not True
