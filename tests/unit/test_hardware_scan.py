"""`tillbox scan` as an engineer runs it: a real process, pictures made here, and what it says about them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import segno
import zxingcpp
from PIL import Image

PAYMENT, GOODS, LINK = "287634438256643940", "6901234567892", "https://shop.example/menu"


def scan(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    program = "from tillbox.main import main; main()"
    command = [sys.executable, "-c", program, "scan", *map(str, arguments)]
    wide = os.environ | {"COLUMNS": "200"} | environment
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=wide)


def lines(done: subprocess.CompletedProcess[str]) -> list[dict]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def bars(kind: str, text: str) -> np.ndarray:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat[kind])
    return np.pad(np.array(code.to_image(scale=3)), 20, constant_values=255)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    segno.make(LINK, micro=False).save(str(folder / "link.png"), scale=5)
    segno.make("\x1b[31mred\x1b[0m [bold]", micro=False).save(str(folder / "escape.png"), scale=5)
    segno.make("满 30 减 5", micro=False).save(str(folder / "chinese.png"), scale=5)
    Image.fromarray(bars("EAN13", GOODS)).save(folder / "goods.webp", lossless=True)
    Image.fromarray(bars("Code128", PAYMENT)).save(folder / "payment.jpg", quality=90)
    both = [bars("Code128", PAYMENT), bars("EAN13", GOODS)]
    width = max(part.shape[1] for part in both)
    stacked = [np.pad(part, ((0, 40), (0, width - part.shape[1])), constant_values=255) for part in both]
    Image.fromarray(np.vstack(stacked)).save(folder / "both.png")
    Image.new("L", (300, 200), 200).save(folder / "wall.png")
    (folder / "notes.txt").write_text("milk, tea")
    (folder / "torn.png").write_bytes((folder / "both.png").read_bytes()[:200])
    return folder


def test_each_picture_is_one_line_of_json_with_everything_on_it(pictures: Path) -> None:
    names = ["link.png", "goods.webp", "payment.jpg", "both.png"]
    done = scan("--json", *(pictures / name for name in names))
    assert (done.returncode, done.stderr) == (0, "")
    link, goods, payment, both = lines(done)
    assert set(link) == {"path", "ok", "codes", "milliseconds", "error"}
    assert link["path"] == str(pictures / "link.png")
    assert (link["ok"], link["error"]) == (True, None)
    assert link["milliseconds"] > 0
    assert link["codes"] == [
        {"symbology": "qr", "text": LINK, "says": {"family": "link", "url": LINK, "host": "shop.example"}}
    ]
    assert goods["codes"] == [
        {"symbology": "ean_13", "text": GOODS, "says": {"family": "goods", "gtin": GOODS}}
    ]
    assert payment["codes"][0]["text"] == PAYMENT
    assert payment["codes"][0]["says"]["family"] == "payment"
    assert {code["text"] for code in both["codes"]} == {PAYMENT, GOODS}


def test_what_is_no_picture_is_told_and_the_others_are_still_read(pictures: Path) -> None:
    wrong = {
        "nothing.png": "there is no such file",
        ".": "it is a folder",
        "notes.txt": "PNG, JPEG or WEBP",
        "torn.png": "torn or damaged",
    }
    done = scan("--json", *(pictures / name for name in wrong), pictures / "goods.webp")
    assert done.returncode == 1
    *refused, goods = lines(done)
    for answer, complaint, why in zip(refused, done.stderr.splitlines(), wrong.values(), strict=True):
        assert (answer["ok"], answer["codes"]) == (False, [])
        assert why in answer["error"]
        assert answer["path"] in complaint
        assert why in complaint
    assert goods["ok"]
    assert goods["codes"][0]["text"] == GOODS


def test_a_picture_without_a_code_is_fine_and_empty(pictures: Path) -> None:
    done = scan("--json", pictures / "wall.png")
    assert done.returncode == 0
    assert [(answer["ok"], answer["codes"], answer["error"]) for answer in lines(done)] == [(True, [], None)]


def test_the_mode_decides_what_bare_digits_are(pictures: Path) -> None:
    families = {}
    for mode in ("payment", "goods"):
        (answer,) = lines(scan("--json", "--mode", mode, pictures / "payment.jpg"))
        families[mode] = answer["codes"][0]["says"]["family"]
    # Eighteen digits are a carton's number too, and a shelf shows no payment codes.
    assert families == {"payment": "payment", "goods": "refused"}
    assert scan("--mode", "kitchen", pictures / "payment.jpg").returncode == 2


def test_a_code_cannot_paint_on_the_engineers_terminal(pictures: Path) -> None:
    table, document = scan(pictures / "escape.png"), scan("--json", pictures / "escape.png")
    assert "\x1b" not in table.stdout + document.stdout
    assert "\\x1b[31mred" in table.stdout
    assert "[bold]" in table.stdout
    assert lines(document)[0]["codes"][0]["text"] == "\x1b[31mred\x1b[0m [bold]"


def test_a_terminal_that_knows_no_chinese_shows_it_all_the_same(pictures: Path) -> None:
    done = scan(pictures / "chinese.png", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "\\u6ee1" in done.stdout


def test_nor_can_the_name_of_a_file(pictures: Path) -> None:
    name = b"\xff\x1b[31m.png"
    done = scan(pictures / "wall.png", name.decode("utf-8", "surrogateescape"))
    assert done.returncode == 1
    assert "\x1b" not in done.stdout + done.stderr
    assert "\\x1b[31m.png: no picture" in done.stderr


def test_without_json_there_is_a_table(pictures: Path) -> None:
    done = scan(pictures / "goods.webp", pictures / "wall.png", pictures / "notes.txt")
    assert done.returncode == 1
    for word in ("symbology", "ean_13", GOODS, "goods: gtin", "no code", "no picture"):
        assert word in done.stdout


def test_help_teaches_with_examples_and_nothing_to_read_is_a_mistake() -> None:
    taught = scan("--help")
    assert taught.returncode == 0
    assert "tillbox scan --mode goods shelf/*.webp" in taught.stdout
    assert '"symbology": "ean_13"' in taught.stdout
    assert scan().returncode == 2
