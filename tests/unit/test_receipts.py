"""The paper of each slip: as a person reads it and as the printer hears it, byte for byte."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tillbox.agent.receipts import Shop, slip_document
from tillbox.agent.till import Slip
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.messages import CouponUse, Line, Sale, Tender
from tillbox.hardware.decoding import decode
from tillbox.hardware.printing import encode
from tillbox.hardware.printing.document import QR, BarCode, Cut, Document, Kick, cells, clean, wrap
from tillbox.hardware.printing.document import Line as TextLine
from tillbox.hardware.printing.drawing import system_letters
from tillbox.hardware.printing.paper import text_of
from tillbox.hardware.printing.profiles import NARROW, PROFILES, WIDE, Profile
from tillbox.hardware.simulated.paper import paper_picture, paper_text, read

GOLDEN = Path(__file__).parents[1] / "golden/receipts"
ID = "0199a3c4-5b00-7a10-8c4e-2f6d1b9e0a71"
SHOP = Shop("街角茶铺 Corner Tea", "box-1", "https://tea.example/r/")
AT = TimeInterval(1_793_880_000_000, 1_793_880_001_000)
HOSTILE = "\x1bp\x00\x32\x32\x1dVA\x00\x10\x14\x01 茶\u202e ¥5 \U0001f375"
CASH = Sale(
    lines=(
        Line(name="茉莉花茶 Jasmine tea", price=1200),
        Line(
            name="一份名字很长很长很长很长很长很长很长很长的点心拼盘 A platter with a long name",
            price=3350,
            quantity=3,
        ),
        Line(name=HOSTILE, price=650),
    ),
    total=11_900,
    tender=Tender(type="cash", amount=11_900, received=12_000),
    online=False,
    number=42,
)
WALLET = Sale(
    lines=CASH.lines[:1],
    total=1200,
    discount=500,
    tender=Tender(type="merchant_scan", amount=700, attempt=ID),
    coupon=CouponUse(template="tea5", serial=455, lease=ID, discount=500, rights_count=3),
    online=True,
    number=43,
)
SLIPS = {
    "cash-offline": Slip("receipt", ID, ID, CASH, 11_900),
    "wallet-coupon": Slip("receipt", ID, ID, WALLET, 700),
    "copy-refunded": Slip("copy", ID, ID, CASH, 11_900, refunded=250),
    "copy-voided": Slip("copy", ID, ID, WALLET, 700, voided=True),
    "void": Slip("void", ID, ID, WALLET, 700),
    "refund": Slip("refund", ID, ID, CASH, 250),
}
PAPERS = {
    "80": WIDE,
    "58": NARROW,
    "58-no-qr": replace(NARROW, native_qr=False),
    "80-star": PROFILES["star-80"],
}


@pytest.mark.parametrize("name", SLIPS)
@pytest.mark.parametrize(("paper", "profile"), PAPERS.items())
def test_the_paper_is_as_it_was(
    name: str, paper: str, profile: Profile, golden: Callable[[Path, str], None]
) -> None:
    document = slip_document(SLIPS[name], SHOP, AT, "2026-11-05 12:00")
    golden(GOLDEN / f"{name}.{paper}.txt", text_of(document, profile.columns))
    golden(GOLDEN / f"{name}.{paper}.hex", _hex(encode(document, profile)))


@pytest.mark.parametrize("name", SLIPS)
@pytest.mark.parametrize(("paper", "profile"), PAPERS.items())
def test_what_the_printer_makes_of_the_bytes_is_what_the_document_says(
    name: str, paper: str, profile: Profile
) -> None:
    """The eye that reads the bytes back was written apart from the encoder."""
    document = slip_document(SLIPS[name], SHOP, AT, "2026-11-05 12:00")
    data = encode(document, profile)
    seen = read(data, int(paper[:2]), profile.language)
    assert not seen.unknown
    assert (seen.cuts, seen.kicks) == (1, 0), "no name on it opens the drawer or cuts the paper"
    said = paper_text(data, int(paper[:2]), profile.language).splitlines()
    meant = [line.strip() for line in text_of(document, profile.columns).splitlines()]
    meant = [line for line in meant if line and not line.startswith(("[QR", "==="))]
    printed = [line.strip() for line in said if line.strip()]
    tea = "\U0001f375" if profile.alphabet == "utf-8" else "？"
    assert "".join(printed).replace(" ", "") == "".join(meant).replace(" ", "").replace("\U0001f375", tea)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 8, [""]),
        ("Sold offline", 8, ["Sold", "offline"]),
        ("离线成交 Sold offline", 10, ["离线成交", "Sold", "offline"]),
        ("茉莉花茶", 5, ["茉莉", "花茶"]),
        ("0199a3c4-5b00", 8, ["0199a3c4", "-5b00"]),
        ("a  b", 8, ["a  b"]),
        ("茶，Tea", 4, ["茶，", "Tea"]),
    ],
)
def test_a_line_breaks_where_a_person_would_break_it(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width) == lines


@given(text=st.text(max_size=80), width=st.integers(2, 48))
def test_no_line_is_wider_than_the_paper_and_nothing_is_lost(text: str, width: int) -> None:
    lines = wrap(clean(text), width)
    assert all(cells(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == clean(text).replace(" ", "")


CODES = Document(
    (
        TextLine("钱箱 drawer"),
        QR("https://tea.example/r/0199a3c4"),
        BarCode("TEA-0042 {b}"),
        BarCode("6901234567892", "ean_13"),
        Kick(),
        Cut(),
    )
)


@pytest.mark.parametrize("name", PROFILES)
def test_every_printer_prints_codes_that_a_scanner_reads(name: str) -> None:
    profile = PROFILES[name]
    data = encode(CODES, profile, system_letters())
    width_mm = 80 if profile.dots == 576 else 58
    seen = read(data, width_mm, profile.language)
    assert not seen.unknown
    assert seen.kicks == (
        0 if profile.language == "star" else 1
    )  # Star's is a bell that its eye does not count
    picture = np.asarray(Image.open(io.BytesIO(paper_picture(data, width_mm, profile.language))).convert("L"))
    assert {one.text for one in decode(picture)} == {
        "https://tea.example/r/0199a3c4",
        "TEA-0042 {b}",
        "6901234567892",
    }


def test_what_a_printers_own_letters_lack_is_drawn_and_stays_in_its_columns() -> None:
    """A printer of Latin letters prints a Chinese receipt; the lines that it knows go out as text."""
    letters = system_letters()
    assert letters is not None, "fonts-wqy-microhei is a system package of this project"
    document = slip_document(SLIPS["wallet-coupon"], SHOP, AT, "2026-11-05 12:00")
    drawn = read(encode(document, PROFILES["latin-80"], letters))
    plain = read(encode(document, PROFILES["latin-80"]))
    assert not drawn.unknown
    pictures = [line for line in drawn.lines if isinstance(line, Image.Image)]
    assert len(pictures) > 5
    assert all(picture.width <= 576 for picture in pictures)
    assert "0199a3c4-5b00-7a10-8c4e-2f6d1b9e0a71" in paper_text(
        encode(document, PROFILES["latin-80"], letters)
    )
    assert "??" in paper_text(encode(document, PROFILES["latin-80"]))
    assert len(plain.lines) >= len(pictures)


@given(text=st.text(alphabet=st.characters(), max_size=60), name=st.sampled_from(sorted(PROFILES)))
def test_no_text_opens_the_drawer_cuts_the_paper_or_says_a_command(text: str, name: str) -> None:
    profile = PROFILES[name]
    bare = read(encode(Document((TextLine(""), TextLine("", bold=True))), profile), 80, profile.language)
    seen = read(encode(Document((TextLine(text), TextLine(text, bold=True))), profile), 80, profile.language)
    assert (seen.unknown, seen.cuts, seen.kicks) == (bare.unknown, 0, 0)


@pytest.mark.parametrize("text", ["", "tea\x1e\x07", "tea\n", "茶", "x" * 61])
def test_bars_take_only_what_cannot_end_their_command(text: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        BarCode(text)
    with pytest.raises(ValueError, match="EAN-13"):
        BarCode("123", "ean_13")


def test_a_box_that_does_not_know_the_hour_prints_none() -> None:
    document = slip_document(SLIPS["wallet-coupon"], SHOP, TimeInterval(0, 2**47), "")
    assert "时间待校准" in text_of(document)


def _hex(data: bytes) -> str:
    rows = (data[start : start + 32] for start in range(0, len(data), 32))
    return "\n".join(row.hex(" ") for row in rows) + "\n"
