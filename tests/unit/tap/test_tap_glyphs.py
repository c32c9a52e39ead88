"""Receipts that a driver drew: learned from a few, the others read exactly or not at all."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.unit.tap.test_tap_reading import NO_SALE, says_the_truth
from typer.testing import CliRunner

from tillbox.contracts.settings import load
from tillbox.hardware.tap.commands import tap
from tillbox.hardware.tap.drawn import lesson
from tillbox.hardware.tap.glyphs import UNKNOWN, GlyphBook
from tillbox.hardware.tap.learn import Profile
from tillbox.hardware.tap.raster import picture_of
from tillbox.hardware.tap.reading import UNKNOWN_LETTER, Verdict
from tillbox.hardware.tap.stream import papers_of
from tillbox.hardware.tap.tokens import tokens

pytestmark = pytest.mark.slow

DRAWER = Path(__file__).parents[2] / "tap_streams/by_picture.py"


@dataclass(frozen=True, slots=True)
class Drawn:
    """One receipt: its bytes, what a person types who reads it, and the truth."""

    data: bytes
    typed: str
    truth: dict[str, Any]


def drawn(font: str, seeds: int, *more: str) -> list[Drawn]:
    said = subprocess.run(
        [sys.executable, str(DRAWER), "--font", font, "--seeds", str(seeds), *more],
        capture_output=True, check=True, text=True, timeout=100,
    )  # fmt: skip
    rows = [json.loads(line) for line in said.stdout.splitlines()]
    return [Drawn(base64.b64decode(row["data"]), row["typed"], row["truth"]) for row in rows]


def taught(receipts: list[Drawn]) -> tuple[Profile, int]:
    """A profile after lessons, and how many lines were refused."""
    profile, refused = Profile(), 0
    for one in receipts:
        found = lesson(one.data, one.typed, profile)
        if not isinstance(found, str):
            profile, _, wrong = found
            refused += len(wrong)
    return Profile.model_validate_json(profile.model_dump_json(exclude_none=True)), refused


@pytest.mark.parametrize("font", ["beside", "cells"])
def test_a_receipt_that_was_learned_is_read_however_it_is_sent(font: str) -> None:
    ways = {way: drawn(font, 3, "--send", way) for way in ("raster", "columns", "stored", "short")}
    profile, refused = taught(ways["raster"])
    assert not refused
    for receipts in ways.values():
        readings = [papers_of(one.data, profile.settings())[0].reading for one in receipts]
        for reading, one in zip(readings, receipts, strict=True):
            assert UNKNOWN_LETTER not in reading.why
            assert reading.verdict is not Verdict.RECONCILED or says_the_truth(reading, one.truth)
        assert any(reading.verdict is Verdict.RECONCILED for reading in readings)


@pytest.mark.slow
@pytest.mark.drill
@pytest.mark.parametrize(("font", "least"), [("beside", 45), ("cells", 65)])
def test_others_are_read_exactly_or_not_at_all(font: str, least: int) -> None:
    receipts = drawn(font, 240)
    profile, refused = taught(receipts[:40])
    right = unknown = other = 0
    for one in receipts[40:]:
        reading = papers_of(one.data, profile.settings())[0].reading
        if reading.verdict is Verdict.RECONCILED:
            assert says_the_truth(reading, one.truth), one.truth["seed"]
            right += 1
        elif one.truth["kind"] not in NO_SALE:
            unknown += reading.why == UNKNOWN_LETTER
            other += reading.why != UNKNOWN_LETTER
    print(
        f"{font}: {right} right, 0 wrong, {unknown} with an unknown letter, {other} not reconciled; {refused} lines refused"
    )
    assert right >= least


@pytest.mark.parametrize("font", ["beside", "cells"])
def test_one_wrong_dot_makes_a_paper_unread_and_never_another_paper(font: str) -> None:
    one = next(each for each in drawn(font, 12, "--send", "raster") if each.truth["kind"] == "sale")
    profile, _ = taught([one])
    sound = papers_of(one.data, profile.settings())[0].reading
    black = [at for at, byte in enumerate(one.data) if byte and 20 < at < len(one.data) - 40]
    chance, unread = random.Random(7), 0
    for at in chance.sample(black, 40):
        bit = 1 << chance.randrange(8)
        damaged = one.data[:at] + bytes([one.data[at] ^ bit]) + one.data[at + 1 :]
        for paper in papers_of(damaged, profile.settings()):
            if paper.reading.verdict is Verdict.RECONCILED:
                assert (paper.reading.items, paper.reading.total) == (sound.items, sound.total)
            else:
                unread += 1
    assert unread > 20


def test_a_till_without_a_book_draws_pictures() -> None:
    one = drawn("cells", 1)[0]
    assert papers_of(one.data)[0].reading.why == "nothing but commands, or a picture"


def test_a_line_that_is_typed_wrong_is_refused_by_its_number_and_the_others_are_learned() -> None:
    one = drawn("cells", 1)[0]
    lines = one.typed.splitlines()
    number = next(at for at, line in enumerate(lines, 1) if len(line.replace(" ", "")) > 6)
    lines[number - 1] = lines[number - 1][:-1]
    found = lesson(one.data, "\n".join(lines), Profile())
    assert not isinstance(found, str)
    assert list(found[2]) == [number]
    assert found[0].glyphs is not None
    assert found[0].glyphs.glyphs


def test_one_shape_that_is_two_letters_stops_the_lesson_unless_the_font_is_so() -> None:
    one = drawn("cells", 1)[0]
    typed = one.typed.replace("0", "O", 1)
    found = lesson(one.data, typed, Profile())
    assert isinstance(found, str)
    assert "One shape is" in found
    alike = lesson(one.data, typed, Profile(), alike=True)
    assert not isinstance(alike, str)
    assert alike[0].glyphs is not None
    assert UNKNOWN in {glyph.text for glyph in alike[0].glyphs.glyphs.values()}
    assert papers_of(one.data, alike[0].settings())[0].reading.why == UNKNOWN_LETTER


@pytest.mark.parametrize(("typed", "said"), [("", "lines of letters"), ("one line\n", "lines of letters")])
def test_a_text_of_another_receipt_is_refused_in_a_sentence(typed: str, said: str) -> None:
    found = lesson(drawn("cells", 1)[0].data, typed, Profile())
    assert isinstance(found, str)
    assert said in found


def test_letters_that_are_sent_as_letters_need_no_lesson() -> None:
    found = lesson(b"\x1b@Tea 3.50\n\x1dV\x00", "Tea 3.50", Profile())
    assert isinstance(found, str)
    assert "is not drawn" in found


@pytest.mark.parametrize(
    ("sent", "rows"),
    [
        (b"\x1b*\x21\x01\x00\x80\x00\x01\n", [1, *[0] * 22, 1]),
        (b"\x1b*\x20\x01\x00\x80\x00\x01\n", [3, *[0] * 22, 3]),
        (b"\x1b*\x00\x01\x00\x81\n", [*[3] * 3, *[0] * 18, *[3] * 3]),
        (b"\x1b*\x01\x01\x00\x81\n", [*[1] * 3, *[0] * 18, *[1] * 3]),
        (b"\x1b*\x01\x01\x00\x80\x1b*\x01\x01\x00\x80\n", [*[3] * 3, *[0] * 21]),
        (b"\x1dv0\x00\x01\x00\x02\x00\x80\x01", [1, 128]),
        (b"\x1dv0\x03\x01\x00\x01\x00\xc0", [15, 15]),
        (b"\x1d(L\x0c\x000p0\x01\x011\x03\x00\x02\x00\xff\x80\x1d(L\x02\x0002", [7, 1]),
        (b"\x1d8L\x0c\x00\x00\x000p0\x02\x011\x02\x00\x02\x00\x80\x40\x1d(L\x02\x0002", [3, 12]),
        (b"\x1d(L\x0c\x000q0\x01\x011\x02\x00\x02\x00\x80\x40\x1d(L\x02\x0002", [1, 2]),
        (b"\x1ba\x01\x1dv0\x00\x01\x00\x01\x00\xff", [0xFF << 4]),
    ],
    ids=["24 dots", "24 dots single", "8 dots", "8 dots double", "two beside", "raster", "raster larger", "stored",
         "stored long", "stored by columns", "centred"],
)  # fmt: skip
def test_each_command_burns_the_dots_that_the_printer_would(sent: bytes, rows: list[int]) -> None:
    assert picture_of(tokens(sent), 16) == rows


def test_a_picture_of_six_hundred_lines_is_no_receipt_and_takes_no_time() -> None:
    rows = b"\x55" * 48 + bytes(48 * 5)
    data = b"\x1dv0\x00\x30\x00\x10\x0e" + rows * 600
    assert (
        papers_of(data, Profile(glyphs=GlyphBook(cell_dots=12)).settings())[0].reading.why == UNKNOWN_LETTER
    )


def test_noise_that_claims_to_be_pictures_ends_nothing() -> None:
    chance, profile = random.Random(3), Profile(glyphs=GlyphBook())
    heads = (b"\x1dv0", b"\x1b*", b"\x1d(L", b"\x1d8L", b"\x1b3", b"\x1dL")
    for _ in range(300):
        data = b"".join(chance.choice(heads) + chance.randbytes(chance.randrange(40)) for _ in range(6))
        papers_of(data, profile.settings())


def test_a_lesson_at_the_command_line_ends_in_the_tills_profile(tmp_path: Path) -> None:
    one = next(each for each in drawn("cells", 12) if each.truth["kind"] == "sale")
    receipt, text, profile = tmp_path / "one.bin", tmp_path / "one.txt", tmp_path / "shop.json"
    receipt.write_bytes(one.data)
    text.write_text(one.typed)
    call = ["learn-glyphs", str(receipt), "--text", str(text), "--write", str(profile)]
    assert CliRunner().invoke(tap, call).exit_code == 0
    assert papers_of(one.data, load(profile, Profile).settings())[0].reading.why != UNKNOWN_LETTER
    text.write_text(one.typed.replace(one.typed.splitlines()[0], "Nobody's shop", 1))
    again = CliRunner().invoke(tap, call)
    assert again.exit_code == 1
    assert "line 1 is refused" in again.output
