"""The paper of each slip: as a person reads it and as the printer hears it, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbox.agent.receipts import Shop, slip_document
from tillbox.agent.till import Slip
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.messages import CouponUse, Line, Sale, Tender
from tillbox.hardware.printing.document import cells, clean, wrap
from tillbox.hardware.printing.escpos import NARROW, WIDE, Profile, encode
from tillbox.hardware.printing.paper import text_of
from tillbox.hardware.simulated.paper import paper_text, read

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
PROFILES = {"80": WIDE, "58": NARROW, "58-no-qr": replace(NARROW, native_qr=False)}


@pytest.mark.parametrize("name", SLIPS)
@pytest.mark.parametrize(("paper", "profile"), PROFILES.items())
def test_the_paper_is_as_it_was(
    name: str, paper: str, profile: Profile, golden: Callable[[Path, str], None]
) -> None:
    document = slip_document(SLIPS[name], SHOP, AT, "2026-11-05 12:00")
    golden(GOLDEN / f"{name}.{paper}.txt", text_of(document, profile.columns))
    golden(GOLDEN / f"{name}.{paper}.hex", _hex(encode(document, profile)))


@pytest.mark.parametrize("name", SLIPS)
@pytest.mark.parametrize(("paper", "profile"), PROFILES.items())
def test_what_the_printer_makes_of_the_bytes_is_what_the_document_says(
    name: str, paper: str, profile: Profile
) -> None:
    """The eye that reads the bytes back was written apart from the encoder."""
    document = slip_document(SLIPS[name], SHOP, AT, "2026-11-05 12:00")
    data = encode(document, profile)
    seen = read(data, int(paper[:2]))
    assert not seen.unknown
    assert (seen.cuts, seen.kicks) == (1, 0), "no name on it opens the drawer or cuts the paper"
    said = paper_text(data, int(paper[:2])).splitlines()
    meant = [line.strip() for line in text_of(document, profile.columns).splitlines()]
    meant = [line for line in meant if line and not line.startswith(("[QR", "==="))]
    printed = [line.strip() for line in said if line.strip()]
    assert "".join(printed).replace(" ", "") == "".join(meant).replace(" ", "").replace("\U0001f375", "？")


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


def test_a_box_that_does_not_know_the_hour_prints_none() -> None:
    document = slip_document(SLIPS["wallet-coupon"], SHOP, TimeInterval(0, 2**47), "")
    assert "时间待校准" in text_of(document)


def _hex(data: bytes) -> str:
    rows = (data[start : start + 32] for start in range(0, len(data), 32))
    return "\n".join(row.hex(" ") for row in rows) + "\n"
