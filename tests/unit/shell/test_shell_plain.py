"""What a terminal showed, as text: as a person saw it, and without a single control character."""

from __future__ import annotations

import unicodedata
from random import Random

import pytest

from tillbox.cloud_bridge.fleet.plain import LINE_MAX, plain
from tillbox.cloud_bridge.fleet.terminal import _tell


@pytest.mark.parametrize(
    ("shown", "lines"),
    [
        ("$ ls\r\n\x1b[?2004l\ra  b\r\n", ["$ ls", "a  b"]),
        ("\x1b]0;a title\x07$ \x1b[01;34mbin\x1b[0m\n", ["$ bin"]),
        ("\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\\n", ["link"]),
        ("ech\b\b\bECHO\n", ["ECHO"]),
        ("12 %\r100 %\n", ["100 %"]),
        ("secret\x1b[2K\rgone\n", ["gone"]),
        ("abc\x1b[2D\x1b[Kx\n", ["ax"]),
        ("abc\x1b[3D\x1b[1Px\n", ["xc"]),
        ("a\tb\n", ["a       b"]),
        ("one\x1b[2J\x1b[Htwo", ["one", "two"]),
        ("\x1bP+q544e\x1b\\x\x90data\x9cy\n", ["xy"]),
        ("\x9b31mred\x1b(B\n", ["red"]),
        ("\x1b[31\x18m\n", ["m"]),
        ("中\u202e文\n", ["中文"]),
        ("", []),
    ],
)
def test_it_reads_as_the_terminal_did(shown: str, lines: list[str]) -> None:
    assert plain([shown]) == lines
    assert plain(shown) == lines, "however it is cut"


def test_a_reason_of_a_box_tells_a_terminal_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    _tell("over\x1b]0;mine\x07\x9b2J\r\n\u202e")
    assert (
        capsys.readouterr().err == "\r[tillbox] over\\u001b]0;mine\\u0007\\u009b2J\\u000d\\u000a\\u202e\r\n"
    )


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_shown_there_is_no_control_character_and_no_line_without_end(seed: int) -> None:
    random = Random(seed)
    letters = "\x1b\x1b[[];?0199\x07\x9b\x9c\x90\r\n\b\tPXKHJmhCDGP@A\u202e\x7f\x00中x"
    shown = "".join(random.choices(letters, k=5_000)) + "\x1b[99999C" + "y" * (2 * LINE_MAX)
    lines = plain([shown])
    assert not [c for line in lines for c in line if unicodedata.category(c)[0] == "C"], f"seed {seed}"
    assert max(map(len, lines)) <= LINE_MAX + 1
