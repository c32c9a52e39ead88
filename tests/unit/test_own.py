"""What a process has to itself, and what it says where it cannot have it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tillbox.agent.witness import FileWitness
from tillbox.broker.own import TakenAlready, own_file, own_port
from tillbox.cloud_bridge.store.database import open_database

ROOT = Path(__file__).parents[2]
TILLBOX = [sys.executable, "-c", "from tillbox.main import main; main()"]


def test_a_file_belongs_to_one_process_until_it_ends(tmp_path: Path) -> None:
    mine = own_file(tmp_path / "state/journal.db")
    assert mine is not None
    with pytest.raises(TakenAlready, match="another process works on"):
        own_file(tmp_path / "state/journal.db")
    mine.close()
    again = own_file(tmp_path / "state/journal.db")
    assert again is not None
    again.close()


def test_a_medium_that_is_out_of_reach_is_for_others_to_say(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    assert own_file(tmp_path / "a file/journal.db") is None


def test_a_taken_port_is_said_before_anything_starts() -> None:
    with own_port(0) as door, pytest.raises(TakenAlready, match="is taken: end what uses it"):
        own_port(door.getsockname()[1])


def test_two_boxes_never_work_on_one_journal(tmp_path: Path) -> None:
    config = json.loads((ROOT / "docs/box.example.json").read_text())
    config |= {"state": str(tmp_path / "state"), "screen_port": 0, "readers": [], "witness": None}
    (tmp_path / "box.json").write_text(json.dumps(config))
    mine = own_file(tmp_path / "state/journal.db")
    assert mine is not None
    said = subprocess.run(
        [*TILLBOX, "box", "--config", str(tmp_path / "box.json")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert said.returncode == 1
    assert said.stderr.startswith("tillbox box: another process works on")
    mine.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"database": "nonsense"}, "write sqlite:///path"),
        ({}, "wallet.secret"),
        ({"wallet": {"url": "wallet", "merchant": "a", "secret": "/s"}}, "wallet.url"),
    ],
)
def test_a_core_that_cannot_start_says_why_and_makes_nothing(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    config = json.loads((ROOT / "docs/core.example.json").read_text())
    config |= {"database": f"sqlite:///{tmp_path / 'core.db'}"} | change
    (tmp_path / "core.json").write_text(json.dumps(config))
    answer = subprocess.run(
        [*TILLBOX, "core", "run", "--config", str(tmp_path / "core.json")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert answer.returncode == 1
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "core.db").exists()


def test_who_is_let_in_gets_a_page_in_two_pieces_at_once() -> None:
    """Nagle and a delayed acknowledgement together are 40 ms for every page."""
    with own_port(0) as door, socket.create_connection(door.getsockname()) as _:
        inside, _ = door.accept()
        with inside:
            assert inside.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_database_that_was_closed_is_whole_in_its_file(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'core.db'}")
    with database.reading():
        pass
    database.close()
    assert (tmp_path / "core.db").stat().st_size > 50_000
    assert not (tmp_path / "core.db-wal").exists()


def test_a_witness_whose_medium_is_not_there_is_none_and_is_not_made_elsewhere(tmp_path: Path) -> None:
    away = FileWitness(tmp_path / "usb/witness")
    assert away.read() is None
    with pytest.raises(OSError, match="usb"):
        away.raise_to(3)
    assert not (tmp_path / "usb").exists()
    (tmp_path / "usb").mkdir()
    away.raise_to(3)
    assert away.read() == 3
    away.raise_to(2)
    assert away.read() == 3


@pytest.mark.slow
def test_what_is_installed_from_a_checkout_has_its_command_and_its_pages(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path, ROOT],
        check=True, capture_output=True, timeout=100,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert names >= {
        "tillbox/main.py",
        "tillbox/agent/till/table.py",
        "tillbox/agent/screen/templates/till.html",
        "tillbox/cloud_bridge/console/pages/sales/page.html",
        "tillbox/cloud_bridge/store/migrations/versions/r0002_free_is_unspent.py",
        "tillbox/broker/mosquitto/acl",
    }
    assert not [name for name in names if name.startswith(("src/", "tests/"))]
