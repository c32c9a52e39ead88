"""The bench of the decoders, and what its made pictures found."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from tillbox.hardware.decoding import decode
from tillbox.proof.commands import bench
from tillbox.proof.decoding import Sample, Score
from tillbox.proof.pictures import KINDS, make

pytestmark = pytest.mark.slow


def write(folder: Path, kind: str, count: int) -> None:
    folder.mkdir(parents=True)
    for one in make(kind, count, seed=1):
        Image.fromarray(one.picture).save(folder / f"{one.name}.png")
        (folder / f"{one.name}.txt").write_bytes(one.says + b"\n")


def test_a_folder_of_pictures_is_measured_beside_each_decoder_alone(tmp_path: Path) -> None:
    write(tmp_path / "photos/payment", "payment", 2)
    write(tmp_path / "photos/falsepositives-1", "payment", 1)
    for truth in (tmp_path / "photos/falsepositives-1").glob("*.txt"):
        truth.unlink()
    report = tmp_path / "decoding.md"
    arguments = ["decode", "--images", str(tmp_path / "photos"), "--json", "--write", str(report)]
    answer = CliRunner().invoke(bench, arguments)
    assert answer.exit_code == 1, "a code in a folder of false positives is a wrong read"
    rows = {row["name"]: row for row in json.loads(answer.stdout.splitlines()[-1])["sets"]}
    assert (rows["payment"]["pictures"], rows["payment"]["tillbox"]["right"]) == (2, 2)
    assert (rows["falsepositives-1"]["tillbox"]["right"], rows["falsepositives-1"]["tillbox"]["wrong"]) == (
        0,
        1,
    )
    assert rows["all"]["pictures"] == 3
    assert set(rows["all"]) >= {"tillbox", "pyzbar", "zxing-cpp", "opencv"}
    assert "payment" in report.read_text()


@pytest.mark.parametrize("where", ["nowhere", "empty"])
def test_where_there_is_nothing_to_measure_it_says_so(tmp_path: Path, where: str) -> None:
    (tmp_path / "empty").mkdir()
    answer = CliRunner().invoke(bench, ["decode", "--images", str(tmp_path / where)])
    assert answer.exit_code == 1
    assert "no folder of pictures" in str(answer.exception) or "no picture with its truth" in str(
        answer.exception
    )


def test_a_read_is_right_wrong_or_beside_the_right_one() -> None:
    sample = Sample("one.png", next(make("goods", 1, seed=1)).picture, b"0023942431015")
    score = Score()
    score.take(sample, [(b"023942431015", "023942431015")], 1.0)
    score.take(sample, [(b"9074932437075", "9074932437075")], 2.0)
    score.take(sample, [(b"0023942431015", "0023942431015"), (b"x", "x")], 3.0)
    score.take(sample, [], 4.0)
    assert (score.right, score.wrong, score.beside) == (2, ["one.png"], ["one.png"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_clean_picture_of_each_kind_is_read(kind: str) -> None:
    made = next(make(kind, 1, seed=5))
    assert [one.raw for one in decode(made.picture)] == [made.says]


@pytest.mark.parametrize(("number", "seed"), [(2, 6), (44, 7)])
def test_a_code_that_motion_made_another_of_is_not_sold(number: int, seed: int) -> None:
    """Blur along the bars drew an 8 as a 2 three times over, and the check digit agreed."""
    made = next(islice(make("goods", 105, seed), number, None))
    assert all(one.raw == made.says for one in decode(made.picture))
