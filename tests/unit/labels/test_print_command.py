"""`tillbox print` as a shop uses it: a table, a printer, and mistakes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.codes import CouponClaims, SignedEnvelope, kid_of, open_envelope, verify_coupon
from tillbox.hardware import registry
from tillbox.hardware.decoding import decode, load
from tillbox.hardware.drivers import manners, wires
from tillbox.hardware.labels.commands import printing
from tillbox.hardware.ports import PrintEnd, PrinterState, PrintOutcome
from tillbox.hardware.printing.labels import eye
from tillbox.hardware.printing.labels.sheet import grid_for
from tillbox.hardware.simulated.printer import SimulatedPrinter
from tillbox.hardware.simulated.tongues import Condition

pytestmark = pytest.mark.slow

GOODS = "名称,价格,单位,条码\n冰红茶,3.50,瓶,6901234567892\n茉莉花茶 Jasmine,12.5,100g,96385074\n散装瓜子,￥8,斤,LOOSE-17\n"
SEED = bytes(range(32))


def tillbox_print(*words: object) -> Result:
    return CliRunner().invoke(printing, [str(word) for word in words])


def summary(*words: object) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(tillbox_print(*words, "--json").stdout)
    return document


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    (folder / "goods.csv").write_bytes(text.encode(encoding))
    return folder / "goods.csv"


def codes_on(path: Path) -> list[str]:
    picture = load(path)
    assert isinstance(picture, np.ndarray)
    return [found.text for found in decode(picture)]


@pytest.fixture
def issuer(tmp_path: Path) -> Path:
    path = tmp_path / "issuer.key"
    path.write_text(SEED.hex() + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture(params=["tspl", "zpl"])
def printer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedPrinter]:
    monkeypatch.setattr(manners, "ANSWER_S", 0.3)
    monkeypatch.setattr(manners, "PAPER_S", 1.0)
    monkeypatch.setattr(wires, "CONNECT_S", 0.3)
    twin = SimulatedPrinter(language=request.param)
    twin.language = request.param  # type: ignore[attr-defined]
    yield twin
    twin.close()


def test_a_plate_is_a_picture_that_a_phone_reads(tmp_path: Path) -> None:
    path = tmp_path / "plate.png"
    done = tillbox_print(
        "plate",
        "--title",
        "山间茶铺",
        "--text",
        "https://tea.example/t/8",
        "--number",
        "8",
        "--to",
        "png",
        path,
    )
    assert done.exit_code == 0, done.output
    assert codes_on(path) == ["https://tea.example/t/8"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_a_table_prints_whatever_the_shops_computer_wrote(
    tmp_path: Path, printer: SimulatedPrinter, encoding: str
) -> None:
    language = printer.language  # type: ignore[attr-defined]
    done = summary(
        "label", "--csv", table(tmp_path, GOODS, encoding), "--size", "60x40",
        "--printer", f"network:127.0.0.1:{printer.port}", "--language", language, "--copies", 2,
    )  # fmt: skip
    assert (done["ok"], done["out"], done["bad"]) == (True, 3, [])
    seen = [eye.read(slip.data, language) for slip in printer.papers]
    assert [one.labels[0].copies for one in seen] == [2, 2, 2]
    texts = [decode(np.asarray(one.labels[0].picture))[0].text for one in seen]
    assert texts == ["6901234567892", "96385074", "LOOSE-17"]


def test_a_batch_that_ran_out_of_paper_says_where_to_go_on(tmp_path: Path, printer: SimulatedPrinter) -> None:
    words = ["label", "--csv", table(tmp_path, GOODS), "--size", "60x40"]
    words += ["--printer", f"network:127.0.0.1:{printer.port}", "--language", printer.language]  # type: ignore[attr-defined]
    printer.fault = Condition.PAPER_OUT
    done = tillbox_print(*words)
    assert done.exit_code == 1
    assert "put in a new roll; go on with --begin-at 1" in done.output
    printer.mend()
    assert summary(*words, "--begin-at", 2)["out"] == 2
    assert len(printer.papers) == 2


class Hurried:
    """A printer whose shopkeeper presses Ctrl-C at the second label."""

    name = "labels"

    def __init__(self) -> None:
        self.jobs: list[bytes] = []

    def print(self, data: bytes) -> PrintOutcome:
        if self.jobs:
            raise KeyboardInterrupt
        self.jobs.append(data)
        return PrintOutcome(PrintEnd.CONFIRMED, PrinterState.READY)

    def state(self) -> PrinterState:
        return PrinterState.READY


def test_a_batch_that_a_person_stops_says_where_it_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(registry, "label_printer", lambda *_: Hurried())
    words = ["label", "--csv", table(tmp_path, GOODS), "--size", "60x40", "--printer", "usb:/dev/usb/lp1"]
    done = summary(*words)
    assert (done["ok"], done["out"]) == (False, 1)
    assert "label 2 (line 3): stopped by Ctrl-C" in done["error"]
    assert "--begin-at 3" in done["error"]
    assert "behind them" in summary(*words, "--begin-at", 4)["error"]


BAD_TABLE = (
    "name,price,code\n"
    "冰红茶,3.50,6901234567891\n"  # its check digit
    '"two\nlines",3.50,96385074\n'
    "茶,three,96385074\n"
    "茶,3.50\n"
    "茶 🍵,3.50,96385074\n"
    "茶,3.50,6.90123E+12\n"
    "\n"
    "茶,3.50,96385074\n"
)


def test_every_bad_row_is_named_and_nothing_is_printed(tmp_path: Path) -> None:
    out = tmp_path / "labels.tspl"
    words = ["label", "--csv", table(tmp_path, BAD_TABLE), "--to", "tspl", out]
    done = summary(*words)
    assert not done["ok"]
    assert not out.exists()
    why = {one["where"]: one["why"] for one in done["bad"]}
    assert list(why) == ["line 6", "line 2", "line 3", "line 5", "line 7", "line 8"]
    assert "it would be 2" in why["line 2"]
    assert "cannot be seen" in why["line 3"]
    assert "no amount" in why["line 5"]
    assert "2 cells" in why["line 6"]
    assert "🍵" in why["line 7"]
    assert "spreadsheet" in why["line 8"]
    skipped = summary(*words, "--skip-bad")
    assert (skipped["ok"], skipped["out"], len(skipped["bad"])) == (True, 1, 6)
    assert len(eye.read(out.read_bytes(), "tspl").labels) == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"name,cost\nTea,1\n", "a column 'cost'"),
        (b"name,name\nTea,1\n", "twice"),
        (b"", "empty"),
        (b"name,code\n", "no row"),
        (b'name,code\n"Tea,1\n', "quote"),
        (b"name,code\n\xff\xff\xff,1\n", "neither UTF-8 nor GBK"),
        (b"name,code\n" + b"Tea,A1\n" * 2_001, "more than 2000 rows"),
    ],
)
def test_a_table_that_is_none_is_refused_whole(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "goods.csv").write_bytes(data)
    done = tillbox_print("label", "--csv", tmp_path / "goods.csv", "--to", "png", tmp_path / "out")
    assert done.exit_code == 1
    assert says in done.output
    assert not (tmp_path / "out").exists()


def test_a_code_that_the_label_is_too_small_for_stops_the_batch(tmp_path: Path) -> None:
    words = ["plate", "--text", "https://tea.example/" + "a" * 300, "--size", "25x25", "--to", "zpl"]
    done = tillbox_print(*words, tmp_path / "plate.zpl")
    assert done.exit_code == 1
    assert "take a larger label" in done.output
    assert not (tmp_path / "plate.zpl").exists()


def test_24_coupons_on_one_sheet_are_all_genuine(tmp_path: Path, issuer: Path) -> None:
    path = tmp_path / "coupons.pdf"
    done = summary(*coupon_words(issuer), "--first", 1, "--last", 24, "--to", "pdf", path)
    assert (done["ok"], done["out"]) == (True, 24)
    document = pypdfium2.PdfDocument(path.read_bytes())
    assert len(document) == 1
    page = document[0].render(scale=300 / 72).to_pil().convert("L")
    document.close()
    found = decode(np.asarray(page))
    serials = sorted(claims_of(one.text, bytes.fromhex(done["issuer"])).serial or 0 for one in found)
    assert serials == list(range(1, 25))


def test_a_sheet_has_as_many_pages_as_it_needs(tmp_path: Path) -> None:
    words = ["claim", "--link", "https://tea.example/c/{id}", "--first", 9, "--last", 40, "--size", "40x50"]
    assert summary(*words, "--to", "pdf", tmp_path / "claims.pdf")["out"] == 32
    document = pypdfium2.PdfDocument((tmp_path / "claims.pdf").read_bytes())
    grid = grid_for(40, 50)
    assert [len(document), getattr(grid, "places", 0)] == [2, 20]
    texts = [one.text for one in decode(np.asarray(document[1].render(scale=300 / 72).to_pil().convert("L")))]
    document.close()
    assert sorted(texts) == [f"https://tea.example/c/{number:06d}" for number in range(29, 41)]


def test_the_key_is_in_nothing_that_leaves(tmp_path: Path, issuer: Path) -> None:
    out = tmp_path / "out"
    done = tillbox_print(*coupon_words(issuer), "--first", 1, "--last", 2, "--to", "tspl", out)
    assert done.exit_code == 0, done.output
    left = [done.output.encode(), *(path.read_bytes() for path in out.iterdir())]
    assert len(left) == 3
    assert not any(SEED in one or SEED.hex().encode() in one.lower() for one in left)


def test_a_key_in_pem_signs_as_well(tmp_path: Path) -> None:
    path = tmp_path / "issuer.pem"
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    none = serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, none))
    path.chmod(0o600)
    done = summary(*coupon_words(path), "--poster", "--to", "png", tmp_path / "poster.png")
    assert done["issuer"] == key.public_key().public_bytes_raw().hex()
    (text,) = codes_on(tmp_path / "poster.png")
    assert claims_of(text, key.public_key().public_bytes_raw()).serial is None


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        (SEED.hex(), 0o644, "chmod 600"),
        (SEED.hex()[:-2], 0o600, "no Ed25519 key"),
        ("", 0o600, "no Ed25519 key"),
        (None, 0o600, "cannot be read"),
    ],
)
def test_a_key_that_is_none_is_refused_without_showing_it(
    tmp_path: Path, text: str | None, mode: int, says: str
) -> None:
    path = tmp_path / "issuer.key"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    done = tillbox_print(*coupon_words(path), "--poster", "--to", "png", tmp_path / "poster.png")
    assert done.exit_code == 1
    assert says in done.output
    assert SEED.hex()[:16] not in done.output
    assert not (tmp_path / "poster.png").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "say where"),
        (["--to", "png", "x.png", "--printer", "usb:/dev/usb/lp1"], "say where"),
        (["--to", "gif", "x.gif"], "the formats are"),
        (["--printer", "pigeon:home"], "no driver 'pigeon'"),
        (["--printer", "network:nowhere"], "host:port"),
        (["--to", "png", "x.png", "--size", "40"], "write 40x30"),
        (["--to", "png", "x.png", "--size", "400x30"], "from 15 to 300"),
        (["--to", "png", "x.png", "--dots", "9"], "203 dpi"),
        (["--to", "png", "x.png", "--copies", "2"], "copying it"),
        (["--to", "png", "/proc/nowhere/x.png"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_made(words: list[str], says: str) -> None:
    done = tillbox_print("plate", "--text", "https://tea.example", *words)
    assert done.exit_code == 1
    assert says in done.output
    assert "Traceback" not in done.output


def coupon_words(issuer: Path) -> list[object]:
    return [
        "coupon", "--issuer-key", issuer, "--tenant", "tea-shop", "--template", "spring-tea",
        "--title", "春茶立减 Spring tea", "--discount", "5", "--threshold", "20", "--until", "2031-12-31",
    ]  # fmt: skip


def claims_of(text: str, public_key: bytes) -> CouponClaims:
    envelope = open_envelope(text)
    assert isinstance(envelope, SignedEnvelope)
    keys = {kid_of(public_key): (public_key,)}
    claims = verify_coupon(envelope, keys=keys, tenant="tea-shop", now=TimeInterval(1, 2))
    assert isinstance(claims, CouponClaims)
    return claims
