"""The files of a box's log: JSON lines, masked, bounded, and begun anew by command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.test_errands import Till, config
from tests.unit.test_runtime import Counter

from tillbox.agent.app import Box
from tillbox.agent.logs import FILE_BYTES, FILES, NAME, LogFiles, log_files


@pytest.fixture
def files(tmp_path: Path) -> Iterator[LogFiles]:
    made = LogFiles(tmp_path / "logs")
    yield made
    made.close()


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "logs" / NAME).read_text().splitlines()]


def test_a_line_is_json_and_nothing_in_it_is_a_customers_or_a_secret(files: LogFiles, tmp_path: Path) -> None:
    said = {
        "event": "code 134567890123456789",
        "phone": 13812345678,
        "token": "abcdef123456",
        "n": 7,
        "up": True,
    }
    assert files(None, "warning", said) is said, "whoever is behind it hears it as it was"
    fault = OSError("13812345678 is no device")
    files(None, "error", {"event": "x", "exc_info": fault, "path": Path("/dev/null")})
    first, second = lines(tmp_path)
    assert (first["level"], first["n"], first["up"]) == ("warning", 7, True)
    assert (first["phone"], first["token"]) == ("138***78", "***")
    assert first["event"] == "code 134***89"
    assert "138***78 is no device" in str(second["exception"])
    assert second["path"] == "/dev/null"


def test_the_files_are_bounded_whatever_is_logged(files: LogFiles, tmp_path: Path) -> None:
    assert (files._files.maxBytes, FILES * FILE_BYTES) == (FILE_BYTES, 10_000_000)
    files._files.maxBytes = 20_000
    for number in range(FILES * 8):
        files(None, "info", {"event": "x" * 10_000, "n": number})
    sizes = [path.stat().st_size for path in (tmp_path / "logs").iterdir()]
    assert len(sizes) == FILES
    assert max(sizes) <= 20_000


def test_head_office_has_a_new_file_begun(files: LogFiles, tmp_path: Path) -> None:
    box = Box(config(tmp_path, None))
    box.logs = files
    till = Till(box, tmp_path, Counter())
    till.boot()
    files(None, "info", {"event": "before"})
    command = till.command("rotate-logs")
    till.turn()
    (*_, last) = till.said(command)
    assert last["state"] == "successful"
    newest, older = json.loads(last["result"])["files"]
    assert (newest, older["name"]) == ({"name": NAME, "bytes": 0}, f"{NAME}.1")
    assert older["bytes"] > 0
    files(None, "info", {"event": "after"})
    assert [line["event"] for line in lines(tmp_path)] == ["after"]
    till.journal.close()


def test_a_box_without_log_files_says_so(tmp_path: Path) -> None:
    till = Till(Box(config(tmp_path, None)), tmp_path, Counter())
    till.boot()
    command = till.command("rotate-logs")
    till.turn()
    assert till.life(command)[-1] == "failed"
    assert "keeps no log files" in till.said(command)[-1]["reason"]
    till.journal.close()


def test_a_folder_that_cannot_be_used_keeps_no_box_from_selling(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert log_files(tmp_path / "file") is None
    assert log_files(None) is None
