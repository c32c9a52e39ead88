"""What a box says does not write in an operator's terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from tillbox.cloud_bridge.fleet import board, commands, top, watch_line
from tillbox.cloud_bridge.fleet.commands import fleet
from tillbox.contracts.commands import MANY, Verb

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"


def table() -> None:
    commands._table(("why",), ((EVIL,),))


def standing() -> None:
    place = {
        "stage": "enrolled", "device": EVIL, "tested": True, "since_ms": 0, "place": EVIL, "title": EVIL,
    }  # fmt: skip
    found = {"counts": dict.fromkeys(board.STAGES, 0), "places": [place], "now_ms": 1}
    Console(highlight=False).print(
        board.drawn(found | {"places": [place | {"stage": next(iter(board.STAGES))}]})
    )


def fleet_top() -> None:
    row: dict[str, Any] = {
        "money_waits_ms": None, "telemetry": {"printer": EVIL, "parts": {"printer": EVIL}}, "position": EVIL,
        "device": EVIL, "state": EVIL, "software": EVIL, "alerts": [EVIL], "pending": 0,
    }  # fmt: skip
    for cell in top.cells(row):
        print(cell.plain)


def refused() -> None:
    with commands._said():
        from tillbox.cloud_bridge.fleet.client import ApiRefused

        raise ApiRefused(EVIL)


@pytest.mark.parametrize("print_it", [table, standing, fleet_top, refused])
def test_no_word_of_a_box_is_obeyed_by_a_terminal(
    print_it: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        print_it()
        said = capsys.readouterr().out
    except SystemExit as end:
        said = str(end.code)
    assert "\\u001b" in said
    assert not set(EVIL) & set("\x1b\x07\x9b\u202e") & set(said)


def test_a_line_of_a_log_bears_the_clock_of_the_line_above_it() -> None:
    line = watch_line._line({"at_ms": 1_790_000_000_000, "level": "info", "text": EVIL})
    assert line.startswith(commands._when(1_790_000_000_000) + ":")
    assert "\x1b" not in line
    assert watch_line._line({"at_ms": 10**15, "level": "info", "text": "x"}), "no hour is not the end"


@pytest.mark.parametrize("command", ["command", "command-many"])
def test_only_what_can_be_sent_is_offered(command: str) -> None:
    said = " ".join(CliRunner().invoke(fleet, [command, "--help"]).output.split())
    assert all(verb.value in said for verb in MANY)
    for verb in (Verb.WATCH, Verb.SHELL):
        assert verb not in MANY
        found = CliRunner().invoke(
            fleet, [command, "s1/l1", verb.value] if command == "command" else [command, verb.value, "s1"]
        )
        assert found.exit_code == 2
        assert f"tillbox fleet {verb.value}" in said
