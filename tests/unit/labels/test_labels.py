"""Labels on paper: what the printer's eye sees of the bytes, and that no text is ever a command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from PIL import ImageChops

from tillbox.contracts.money import CNY, Amount
from tillbox.hardware.labels.making import Made, Ready, reads_back, ready
from tillbox.hardware.labels.table import Bad
from tillbox.hardware.printing.document import Picture
from tillbox.hardware.printing.labels import designs, eye, tspl, zpl
from tillbox.hardware.printing.labels.designs import Paper
from tillbox.hardware.printing.labels.label import (
    Bars,
    Block,
    Box,
    DotsPerMm,
    Frame,
    Label,
    QrCode,
    Text,
    Unfit,
    code_box,
)
from tillbox.hardware.printing.labels.label_picture import label_picture
from tillbox.hardware.printing.labels.layout import Part, fit
from tillbox.hardware.printing.labels.typeface import Drawn, Typeface, system_typeface

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[2] / "golden/labels"
FACE = system_typeface()
LATIN = Typeface(None)
ENCODERS = {"tspl": tspl.encode, "zpl": zpl.encode}
SAYS = 'Tea "5" \\ ^XA ~HS _41'

GOLDEN_LABELS = {
    "plain": Label(
        60,
        30,
        (
            Frame(Box(8, 8, 464, 224), 4),
            QrCode(48, 48, "https://tea.example/t/8", 4),
            Bars(220, 60, "96385074", "ean_8", 2, 60),
            Block(Box(220, 140, 120, 3)),
            Text(220, 150, "Tea 12.50", 20),
        ),
    ),
    "awkward": Label(
        60,
        30,
        (
            QrCode(40, 20, SAYS, 4),
            Bars(200, 20, 'A-"1"^2', "code_128", 2, 60),
            Text(200, 90, SAYS, 16, bold=True),
        ),
        dots_per_mm=8,
    ),
    "drawn": Label(60, 30, (QrCode(40, 20, "茶", 5), Bars(220, 20, "A>B", "code_128", 2, 60))),
}


@pytest.mark.parametrize("name", GOLDEN_LABELS)
@pytest.mark.parametrize("language", ENCODERS)
def test_the_bytes_are_those_that_were_looked_at(
    golden: Callable[[Path, str], None], name: str, language: str
) -> None:
    """Letters here are Pillow's own font's, which comes with the lock; a new Pillow may draw them anew."""
    data = ENCODERS[language](GOLDEN_LABELS[name], LATIN, 2)
    text = data.decode("ascii") if language == "zpl" else data.hex("\n", 40) + "\n"
    golden(GOLDEN / f"{name}.{language}{'' if language == 'zpl' else '.hex'}", text)


@pytest.mark.parametrize("name", GOLDEN_LABELS)
@pytest.mark.parametrize("language", ENCODERS)
def test_what_a_printer_would_print_reads_back(name: str, language: str) -> None:
    label = GOLDEN_LABELS[name]
    seen = eye.read(ENCODERS[language](label, LATIN, 3), language)
    assert not seen.unknown
    assert [one.copies for one in seen.labels] == [3]
    assert seen.labels[0].picture.size == (label.box.width, label.box.height)
    assert reads_back(seen.labels[0].picture, label, 8)


def test_both_languages_put_every_code_where_the_layout_has_it() -> None:
    """A QR code of Zebra's sinks by the height of the bars before it."""
    label = Label(
        60, 40, (Bars(60, 20, "6901234567892", "ean_13", 2, 80), QrCode(320, 60, "https://tea.example", 4))
    )
    boxes = [code_box(code) for code in label.codes]
    for language, encode in ENCODERS.items():
        page = eye.read(encode(label, LATIN), language).labels[0].picture
        for box in boxes:
            cut = page.crop((box.left - 8, box.top - 8, box.left + box.width + 8, box.top + box.height + 8))
            ink = cut.point(lambda level: 255 - level).getbbox()
            assert ink == (8, 8, 8 + box.width, 8 + box.height), (language, box)


COMMANDS = [
    "^XZ",
    "~JR",
    "^FS",
    "PRINT 1,9",
    "\r\nCLS\r\n",
    '\\["]',
    "\\[R]",
    "\x1b!R",
    "_5E",
    "\u202e",
    "🍵",
]
LINK, NAME = "https://tea.example/t/8", "茉莉花茶 Jasmine tea"
DESIGNS: dict[str, Callable[[Paper], Label | Unfit]] = {
    "plate": lambda paper: designs.plate(
        paper, title="山间茶铺", subtitle="扫码点单", text=LINK, number="08"
    ),
    "bare plate": lambda paper: designs.plate(paper, title="", subtitle="", text=LINK, number=""),
    "goods": lambda paper: designs.goods(
        paper, name=NAME, price=Amount(1250, CNY), unit="100g", code="6901234567892", kind="ean_13"
    ),
    "goods without a price": lambda paper: designs.goods(
        paper, name=NAME, price=None, unit="", code="A-17", kind="code_128"
    ),
    "claim": lambda paper: designs.claim(paper, title=NAME, link=LINK, number="000123"),
}


@pytest.mark.parametrize("dots", [8, 12])
@pytest.mark.parametrize("size", [(40, 30), (60, 80), (50, 31), (37, 53), (100, 60)])
@pytest.mark.parametrize("name", DESIGNS)
def test_both_languages_print_what_the_picture_shows(
    name: str, size: tuple[int, int], dots: DotsPerMm
) -> None:
    """Dot for dot but for the squares inside a QR code, which a printer may choose otherwise."""
    label = DESIGNS[name](Paper(*size, FACE, dots))
    assert not isinstance(label, Unfit)
    (box,) = (code_box(code) for code in label.codes)
    assert box.left > 0
    assert box.top + box.height <= label.box.height
    shown = label_picture(label, FACE)
    for language, encode in ENCODERS.items():
        printed = eye.read(encode(label, FACE), language, dots).labels[0].picture
        differs = ImageChops.difference(shown, printed)
        differs.paste(0, (box.left, box.top, box.left + box.width, box.top + box.height))
        assert differs.getbbox() is None, language
        assert reads_back(printed, label, dots)


RUDE = st.lists(
    st.one_of(
        st.sampled_from(COMMANDS),
        st.sampled_from('"^~\\[]_>,;\r\n\x00\x02\x18\xa0é茶'),
        st.characters(codec="utf-8"),
    ),
    min_size=1,
    max_size=12,
).map("".join)
ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12)
HEADS = {"tspl": ["SIZE", "DIRECTION", "REFERENCE", "CLS"], "zpl": ["^XA", "^PW", "^LL", "^LH"]}
CODES = {
    "tspl": {"QRCODE", "BARCODE", "BITMAP"},
    "zpl": {"^FO", "^BY", "^BQ", "^BC", "^FH", "^FD", "^GF", "^FS"},
}
ENDS = {"tspl": ["PRINT"], "zpl": ["^PQ", "^XZ"]}


@settings(max_examples=80, deadline=None)
@example(name='"', code='say \\[R] and \\["]', bars='\\[L]"1"', language="tspl")
@example(name="^XZ", code="_5E^XZ~JR", bars=">;12>0", language="zpl")
@given(name=RUDE, code=RUDE, bars=ASCII, language=st.sampled_from(["tspl", "zpl"]))
def test_no_name_and_no_code_is_ever_a_command(name: str, code: str, bars: str, language: str) -> None:
    assume(code != bars)  # a camera takes one text in two codes for one thing; no design has both
    label = Label(
        100,
        50,
        (Text(20, 20, name, 24), QrCode(40, 100, code, 4), Bars(420, 100, bars, "code_128", 2, 60)),
    )
    seen = eye.read(ENCODERS[language](label, FACE), language)
    assert not seen.unknown
    assert [one.copies for one in seen.labels] == [1]
    head, end = HEADS[language], ENDS[language]
    assert seen.commands[: len(head)] == head
    assert seen.commands[-len(end) :] == end
    assert set(seen.commands[len(head) : -len(end)]) <= CODES[language]
    assert reads_back(seen.labels[0].picture, label, 8)


class RudeFont(Typeface):
    """Letters whose dots are, to a TSPL printer, the command that restarts it."""

    def draw(self, text: Text, scale: int = 1) -> Drawn | None:
        return Drawn(0, 0, Picture(24, (bytes(byte ^ 0xFF for byte in b"\x1b!R"),) * 3))


def test_no_picture_is_a_command_that_a_printer_obeys_at_once() -> None:
    data = tspl.encode(Label(40, 30, (Text(8, 8, "any", 16),)), RudeFont(None))
    assert b"\x1b!" not in data
    seen = eye.read(data, "tspl")
    assert (seen.commands[-2:], dict(seen.unknown)) == (["BITMAP", "PRINT"], {})


def test_the_eye_counts_what_it_does_not_know() -> None:
    assert eye.read(b'SIZE 40 mm,30 mm\r\nCLS\r\nTEXT 1,1,"3",0,1,1,"x"\r\n', "tspl").unknown
    assert eye.read(b"^XA^PW10^LL10~JR^XZ", "zpl").unknown
    assert eye.read(b'SIZE 40 mm,30 mm\r\nQRCODE 9,9,M,4,A,0,M2,S7,"a"b"\r\n', "tspl").unknown


@pytest.mark.parametrize("size", [(40, 30), (60, 40), (30, 20), (50, 80)])
@pytest.mark.parametrize(
    "name", ["茶", "云南古树普洱茶饼 Yunnan old tree Pu'er, cake 357g", "x" * 200, "茶" * 200]
)
def test_texts_stay_on_the_label_whatever_their_length(size: tuple[int, int], name: str) -> None:
    label = designs.goods(
        Paper(*size, FACE), name=name, price=Amount(12345600, CNY), unit="瓶", code="96385074", kind="ean_8"
    )
    assert not isinstance(label, Unfit)
    for element in label.elements:
        if isinstance(element, Text) and (drawn := FACE.draw(element)) is not None:
            assert drawn.left >= 0
            assert drawn.left + drawn.picture.width <= label.box.width
            assert drawn.top + len(drawn.picture.rows) <= label.box.height


def test_a_long_name_wraps_then_shrinks_then_ends_in_an_ellipsis() -> None:
    box = Box(0, 0, 200, 60)
    short = fit(Part("茶", 1), box, FACE, 8)
    longer = fit(Part("云南古树普洱茶饼，三五七克", 1, lines_max=2), box, FACE, 8)
    too_long = fit(Part("云南古树普洱茶饼" * 9, 1, lines_max=2), box, FACE, 8)
    assert [len(lines) for lines in (short, longer, too_long)] == [1, 2, 2]
    assert short[0].size > longer[0].size > too_long[0].size
    assert too_long[-1].text.endswith("…")
    assert not longer[1].text.startswith("，")


def test_a_code_that_would_be_too_fine_is_refused_with_what_to_do() -> None:
    small, long = Paper(20, 20, FACE), "https://tea.example/" + "a" * 200
    for made in (
        designs.plate(small, title="茶铺", subtitle="", text=long, number="8"),
        designs.goods(small, name="茶", price=None, unit="", code="6901234567892", kind="ean_13"),
    ):
        assert isinstance(made, Unfit)
        assert "take a" in made.why
        assert "mm" in made.why


@pytest.mark.parametrize("how", ["tspl", "zpl", "png"])
def test_a_code_that_only_a_perfect_picture_shows_does_not_count(how: str) -> None:
    """One dot for a square: a decoder reads that from a file, and no scanner from paper."""
    fine = Made("line 2", Label(40, 30, (QrCode(40, 40, "https://tea.example/t/8?" + "x" * 90, 1),)))
    assert isinstance(ready(fine, how, LATIN, 1), Bad)  # type: ignore[arg-type]
    good = Made("line 3", Label(40, 30, (QrCode(40, 40, "https://tea.example/t/8", 4),)))
    assert isinstance(ready(good, how, LATIN, 1), Ready)  # type: ignore[arg-type]


def test_a_label_that_says_something_else_than_it_should_does_not_count() -> None:
    meant = Label(40, 30, (QrCode(40, 40, "https://tea.example/t/8", 4),))
    other = Label(40, 30, (QrCode(40, 40, "https://tea.example/t/9", 4),))
    picture = eye.read(tspl.encode(other, LATIN), "tspl").labels[0].picture
    assert not reads_back(picture, meant, 8)
    assert reads_back(picture, other, 8)


@settings(max_examples=60, deadline=None)
@given(digits=st.text("0123456789", min_size=7, max_size=12), letters=ASCII)
def test_all_bars_read_back(digits: str, letters: str) -> None:
    short = len(digits) < 12
    body = digits[:7] if short else digits
    sum_ = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(body)))
    ean = Bars(100, 30, f"{body}{-sum_ % 10}", "ean_8" if short else "ean_13", 3, 80)
    for bars in (ean, Bars(100, 30, letters, "code_128", 2, 80)):
        label = Label(100, 50, (bars,))
        for language, encode in ENCODERS.items():
            assert reads_back(eye.read(encode(label, LATIN), language).labels[0].picture, label, 8), language
