"""Two slots and the launcher beside them: what is started, how often, and what a damaged card leaves."""

from __future__ import annotations

import ast
import json
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.releases import archive, wheel

from tillbox.agent.updates import launcher
from tillbox.agent.updates.launcher import (
    KEPT,
    STARTS_MAX,
    TRIES_MAX,
    State,
    Verdict,
    bootable,
    choose,
    conclude,
    read_state,
    write_state,
)
from tillbox.agent.updates.machine import Release
from tillbox.agent.updates.slots import ArchiveWrong, Slots, unpack

BOTH = {"a": True, "b": False}
TRIAL = State("a", trial="b", version="0.2.0")


def release(version: str) -> Release:
    return Release(version, f"tillbox-{version}-any.zip", version * 8, 1, "lock")


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    made = Slots(tmp_path / "updates")
    made.seed(archive(tmp_path, "0.1.0"), "lock")
    return made


def test_a_seeded_box_has_one_slot_that_can_be_started_and_a_launcher(slots: Slots) -> None:
    assert (slots.state(), bootable(slots.root)) == (State("a"), {"a": True})
    assert slots.told("a")["version"] == "0.1.0"
    assert slots.base_lock() == "lock"
    assert (slots.root / "launcher.py").read_bytes() == Path(launcher.__file__).read_bytes()
    assert (slots.lib("a") / "tillbox" / "main.py").exists()


def test_what_is_unpacked_is_not_on_trial_until_somebody_says_so(slots: Slots, tmp_path: Path) -> None:
    assert slots.stage(archive(tmp_path, "0.2.0"), release("0.2.0")) == "b"
    assert choose(slots.state(), bootable(slots.root))[0] == "a"
    slots.arm(release("0.2.0"))
    assert choose(read_state(slots.root), bootable(slots.root))[0] == "b"


def test_a_trial_gets_so_many_starts_and_then_the_good_slot_goes_on_with_the_reason() -> None:
    state = TRIAL
    for start in range(1, STARTS_MAX + 1):
        slot, after = choose(state, BOTH)
        assert after is not None
        assert (slot, after.starts) == ("b", start)
        state = after
    slot, after = choose(state, BOTH)
    assert after is not None
    assert (slot, after.trial, after.last["kept"]) == ("a", "", False)
    assert "power went" in after.refused["0.2.0"]["en"]


def test_a_trial_that_is_damaged_on_the_card_is_not_started() -> None:
    slot, after = choose(TRIAL, {"a": True})
    assert after is not None
    assert (slot, "damaged" in after.last["en"]) == ("a", True)


@pytest.mark.parametrize(
    ("whole", "slot"),
    [({"a": False, "b": True}, "b"), ({"a": True, "b": False}, "a"), ({"b": False}, "b"), ({}, "")],
)
def test_without_a_state_file_a_slot_that_was_kept_once_is_started_or_any_that_is_whole(
    whole: dict[str, bool], slot: str
) -> None:
    assert choose(None, whole)[0] == slot


def test_a_good_slot_that_is_damaged_gives_way_to_the_other(slots: Slots, tmp_path: Path) -> None:
    slots.stage(archive(tmp_path, "0.2.0"), release("0.2.0"))
    (slots.lib("a") / "tillbox" / "main.py").write_bytes(b"\0" * 20)
    slot, after = choose(read_state(slots.root), bootable(slots.root))
    assert (slot, after) == ("b", State("b"))


def test_a_kept_trial_is_the_good_slot_and_a_failed_one_is_remembered() -> None:
    assert conclude(TRIAL, KEPT, 7.04) == State("b", last={"version": "0.2.0", "kept": True, "seconds": 7.0, "zh": KEPT.zh, "en": KEPT.en})  # fmt: skip
    failed = conclude(TRIAL, launcher.ended(-9), 1.0)
    assert (failed.good, failed.trial, set(failed.refused)) == ("a", "", {"0.2.0"})
    assert "signal 9" in failed.last["en"]


def test_a_line_that_was_down_in_a_trial_costs_a_release_one_try_and_not_its_life() -> None:
    perhaps = Verdict(False, "云端没有确认", "The core did not acknowledge.", lasting=False)
    state = TRIAL
    for tries in range(1, TRIES_MAX):
        state = conclude(state, perhaps, 1.0)
        assert (state.good, state.trial, state.tries, state.refused) == ("a", "", {"0.2.0": tries}, {})
        state = replace(state, trial="b", version="0.2.0")
    state = conclude(state, perhaps, 1.0)
    assert (set(state.refused), state.tries) == ({"0.2.0"}, {})


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-9], lambda data: b"", lambda data: data.replace(b'"a"', b'"b"')]
)
def test_a_state_file_that_is_not_what_was_written_is_none(slots: Slots, spoil: object) -> None:
    path = slots.root / "state.json"
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    assert read_state(slots.root) is None
    assert slots.state() == State("a")


def test_the_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    state = State(
        "b",
        "a",
        2,
        "0.2.0",
        {"0.1.9": {"zh": "坏", "en": "bad"}},
        {"0.1.8": 1},
        {"version": "0.1.9", "kept": False},
    )
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state


def test_an_archive_that_is_none_leaves_the_good_slot_alone(slots: Slots, tmp_path: Path) -> None:
    path = tmp_path / "hotel.zip"
    path.write_bytes(b"<html>")
    with pytest.raises(ArchiveWrong, match="is no release"):
        slots.stage(path, release("0.2.0"))
    assert bootable(slots.root) == {"a": True}


def test_a_wheel_writes_nothing_outside_its_slot_and_no_scripts(tmp_path: Path) -> None:
    inside = wheel(
        tmp_path,
        "0.2.0",
        {"tillbox-0.2.0.data/scripts/sudo": "x", "tillbox-0.2.0.data/purelib/extra.py": "y"},
    )
    outside = wheel(tmp_path, "0.3.0", {"../../evil.py": "x"})
    for path in (inside, outside):
        with zipfile.ZipFile(tmp_path / f"{path.name}.zip", "w") as whole:
            whole.writestr("manifest.json", json.dumps({"version": "1", "wheels": [path.name]}))
            whole.write(path, path.name)
    unpack(tmp_path / f"{inside.name}.zip", tmp_path / "lib")
    assert (tmp_path / "lib" / "extra.py").exists()
    assert not list((tmp_path / "lib").rglob("sudo"))
    with pytest.raises(ArchiveWrong, match="outside the slot"):
        unpack(tmp_path / f"{outside.name}.zip", tmp_path / "lib")
    assert not (tmp_path / "evil.py").exists()


def test_the_launcher_needs_nothing_but_python() -> None:
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(launcher.__file__).read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." if node.level else (node.module or "").partition(".")[0])
    assert found - sys.stdlib_module_names == set()
