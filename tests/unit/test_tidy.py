"""The house rules that a machine can see."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tillbox.agent.words import WORDS, Word
from tillbox.cloud_bridge.console import words as console
from tillbox.contracts.verdicts import TEXTS, Reason

ROOT = Path(__file__).parents[2]
ROOMS = ("contracts", "hardware", "broker", "agent", "cloud_bridge", "proof", "demo")
CODE = [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "node_modules" not in path.parts]


def test_the_links_lead_home() -> None:
    for room in ROOMS:
        assert (ROOT / "src/tillbox" / room).resolve() == ROOT / room


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_room_is_imported_by_its_bare_name(path: Path) -> None:
    assert not re.search(rf"^\s*(from|import) ({'|'.join(ROOMS)})\b", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    "home",
    [path.parent for path in CODE if path.name == "__init__.py" and path.is_relative_to(ROOT / "hardware")],
    ids=lambda home: str(home.relative_to(ROOT)),
)
def test_every_room_of_the_devices_has_a_map_of_all_that_is_in_it(home: Path) -> None:
    words = ast.get_docstring(ast.parse((home / "__init__.py").read_text())) or ""
    files = [path.name for path in home.glob("*.py") if path.name != "__init__.py"]
    rooms = [f"{path.parent.name}/" for path in home.glob("*/__init__.py")]
    assert [name for name in files + rooms if f"`{name}`" not in words] == []


def test_only_the_clocks_know_what_time_it_is() -> None:
    pure = [path for path in CODE if path.parts[len(ROOT.parts)] in ("contracts", "agent", "cloud_bridge")]
    clock = re.compile(r"\btime\.(time|time_ns|monotonic)\(|datetime\.now\(")
    # launcher.py stands alone beside the slots and can import no clock of ours
    allowed = {"clock.py", "app.py", "sandbox_server.py", "sandbox_notices.py", "launcher.py"}
    assert [str(path) for path in pure if clock.search(path.read_text()) and path.name not in allowed] == []


def test_every_reason_and_every_word_speaks_both_languages() -> None:
    assert set(TEXTS) == set(Reason)
    assert set(WORDS) == set(Word)
    for text in (*TEXTS.values(), *WORDS.values(), *console.WORDS.values()):
        assert text.zh
        assert text.en


def test_no_file_names_where_packages_come_from() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    address = re.compile(r"https?://[^\s\"']*(simple/|registry\.|\.whl|\.tgz)")
    locks = [name for name in tracked if name.endswith((".lock", ".json", ".toml", "Makefile"))]
    assert [name for name in locks if address.search((ROOT / name).read_text(errors="replace"))] == []
