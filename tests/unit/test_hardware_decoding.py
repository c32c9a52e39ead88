"""Reading pictures of codes: real decoders on pictures made here, and the rule that judges what they say."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import segno
import zxingcpp
from PIL import Image, ImageFilter

from tillbox.contracts.codes.reads import Symbology
from tillbox.hardware.decoding import Found, decode, load
from tillbox.hardware.decoding.cascade import settled, tally
from tillbox.hardware.decoding.looks import look_zbar, look_zxing
from tillbox.hardware.decoding.patches import patches
from tillbox.hardware.decoding.stripes import Witness

PAYMENT = "287634438256643940"
DRAWINGS = {
    Symbology.QR: ("QRCode", "TB1:COUPON", "TB1:COUPON"),
    Symbology.MICRO_QR: ("MicroQRCode", "12345", "12345"),
    Symbology.DATA_MATRIX: ("DataMatrix", "MEMBER-7", "MEMBER-7"),
    Symbology.AZTEC: ("Aztec", "MEMBER-7", "MEMBER-7"),
    Symbology.PDF417: ("PDF417", "MEMBER-7", "MEMBER-7"),
    Symbology.EAN_13: ("EAN13", "6901234567892", "6901234567892"),
    Symbology.EAN_8: ("EAN8", "96385074", "96385074"),
    Symbology.UPC_E: ("UPCE", "01234565", "0012345000065"),
    Symbology.CODE_128: ("Code128", PAYMENT, PAYMENT),
    Symbology.CODE_39: ("Code39", "SHELF-12", "SHELF-12"),
    Symbology.CODE_93: ("Code93", "SHELF-12", "SHELF-12"),
    Symbology.ITF: ("ITF", "10012345600019", "10012345600019"),
    Symbology.CODABAR: ("Codabar", "A40156B", "A40156B"),
    Symbology.DATABAR: ("DataBarOmni", "0100012345600012", "0100012345600012"),
}


def drawn(kind: str, text: str | bytes, scale: int = 3) -> np.ndarray:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat[kind])
    return np.pad(np.array(code.to_image(scale=scale)), 20, constant_values=255)


def qr(content: str | bytes, scale: int = 4, border: int = 4) -> np.ndarray:
    out = io.BytesIO()
    segno.make(content, micro=False).save(out, kind="png", scale=scale, border=border)
    picture = load(out.getvalue())
    assert isinstance(picture, np.ndarray)
    return picture


def counter(*pictures: np.ndarray) -> np.ndarray:
    """Several codes beside each other on a white counter."""
    height = max(len(picture) for picture in pictures)
    padded = [
        np.pad(picture, ((0, height - len(picture)), (10, 10)), constant_values=255) for picture in pictures
    ]
    return np.hstack(padded)


def says(picture: np.ndarray) -> set[tuple[Symbology, bytes]]:
    return {(one.symbology, one.raw) for one in decode(picture)}


@pytest.mark.parametrize("symbology", list(DRAWINGS))
def test_every_drawing_is_read_byte_for_byte(symbology: Symbology) -> None:
    kind, text, raw = DRAWINGS[symbology]
    assert says(drawn(kind, text)) == {(symbology, raw.encode())}


def test_upc_a_arrives_as_the_ean_13_it_is() -> None:
    assert says(drawn("UPCA", "036000291452")) == {(Symbology.EAN_13, b"0036000291452")}


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
@pytest.mark.parametrize("symbology", [Symbology.QR, Symbology.EAN_13, Symbology.CODE_128])
def test_a_code_may_be_held_any_way_up(symbology: Symbology, quarter_turns: int) -> None:
    kind, text, raw = DRAWINGS[symbology]
    assert says(np.rot90(drawn(kind, text), quarter_turns)) == {(symbology, raw.encode())}


def test_a_code_may_be_white_on_black() -> None:
    assert says(255 - qr(PAYMENT)) == {(Symbology.QR, PAYMENT.encode())}


def test_a_payment_code_and_a_coupon_are_read_from_one_photo() -> None:
    photo = counter(drawn("Code128", PAYMENT), qr("TB1:COUPON"), drawn("EAN13", "6901234567892"))
    assert says(photo) == {
        (Symbology.CODE_128, PAYMENT.encode()),
        (Symbology.QR, b"TB1:COUPON"),
        (Symbology.EAN_13, b"6901234567892"),
    }


def test_the_same_label_twice_is_one_code() -> None:
    assert len(decode(counter(qr("TB1:COUPON"), qr("TB1:COUPON")))) == 1


@pytest.mark.parametrize(
    "content", ["满 30 减 5", "a\x1b[31mb\nc", "满减".encode("gb18030"), bytes(range(256))]
)
def test_what_is_in_a_qr_code_comes_out_as_it_went_in(content: str | bytes) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    assert says(qr(content)) == {(Symbology.QR, raw)}


def test_text_is_for_people_and_in_their_alphabet() -> None:
    assert [one.text for one in decode(qr("满 30 减 5"))] == ["满 30 减 5"]


def test_where_a_code_was_is_told_in_pixels_of_the_picture() -> None:
    small = qr(PAYMENT, scale=1)
    shown = np.full((300, 400), 255, dtype=np.uint8)
    shown[200 : 200 + len(small), 300 : 300 + len(small)] = small
    (one,) = decode(shown)
    assert all(300 <= x <= 330 and 200 <= y <= 230 for x, y in one.corners)


def test_a_small_blurred_code_is_read_at_twice_its_size_and_is_where_it_is() -> None:
    small = Image.fromarray(qr(PAYMENT, scale=4, border=6)).resize((39, 39), Image.Resampling.BILINEAR)
    shown = np.asarray(small)
    assert look_zxing(shown) == look_zbar(shown) == ()
    (one,) = decode(shown)
    assert one.raw == PAYMENT.encode()
    assert all(3 <= x <= 36 and 3 <= y <= 36 for x, y in one.corners)


GS1 = "(01)06901234567892(10)A1(21)7"


@pytest.mark.parametrize(
    ("kind", "text", "aim"),
    [
        ("Code128", PAYMENT, "]C0"),
        ("Code128", GS1, "]C1"),
        ("DataMatrix", GS1, "]d2"),
        ("QRCode", PAYMENT, "]Q1"),
        ("QRCode", GS1, "]Q3"),
        ("EAN13", "6901234567892", "]E0"),
    ],
)
def test_the_kind_of_a_code_is_told_as_a_scanner_tells_it(kind: str, text: str, aim: str) -> None:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat[kind], gs1=text == GS1)
    (one,) = decode(np.pad(np.array(code.to_image(scale=3)), 20, constant_values=255))
    raw = b"010690123456789210A1\x1d217" if text == GS1 else text.encode()
    assert (one.aim, one.raw) == (aim, raw)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (480, 640)])
def test_a_picture_without_a_code_is_no_trouble(shape: tuple[int, int]) -> None:
    assert decode(np.full(shape, 255, dtype=np.uint8)) == ()
    assert decode(np.random.default_rng(1).integers(0, 255, shape, dtype=np.uint8)) == ()


# the rule, on readings that no camera has to make first

HERE = ((0, 0), (100, 0), (100, 50), (0, 50))
THERE = ((500, 0), (600, 0), (600, 50), (500, 50))


def read(text: str, symbology: Symbology = Symbology.EAN_13, corners: tuple = HERE) -> Found:
    return Found(text.encode(), text, symbology, corners)


TEA, MILK = read("6901234567892"), read("6907234567890")
TEA_TOO = replace(TEA, by="zbar")
MILK_TOO = replace(MILK, by="zbar")
SMALL = read("96385074", Symbology.EAN_8, THERE)
COUPON = read("TB1:COUPON", Symbology.QR)


class Stripes:
    """A witness that says what the story wants."""

    def __init__(self, **words: bool) -> None:
        self.words = words

    def says(self, found: Found) -> bool | None:
        return {TEA.text: self.words.get("tea"), MILK.text: self.words.get("milk")}.get(found.text)


POOR, FOR_TEA, AGAINST_TEA = Stripes(), Stripes(tea=True, milk=False), Stripes(tea=False)
BOTH = Stripes(tea=True, milk=True)


@pytest.mark.parametrize(
    ("story", "looks", "witness", "counts"),
    [
        ("a strong code counts at once", [(COUPON,)], None, {COUPON}),
        ("one look at a weak code is hearsay", [(TEA,)], None, set()),
        ("two decoders are not enough before the stripes were asked", [(TEA,), (TEA_TOO,)], None, set()),
        ("two decoders are a read where the stripes are too poor", [(TEA,), (TEA_TOO,)], POOR, {TEA}),
        ("two looks of one decoder are one witness", [(TEA,), (TEA,)], POOR, set()),
        ("one look is a read where the stripes agree", [(TEA,)], FOR_TEA, {TEA}),
        ("no read where the stripes contradict, however many read it", [(TEA,), (TEA_TOO,)], AGAINST_TEA, set()),
        ("two that disagree are none", [(TEA,), (MILK_TOO,)], POOR, set()),
        ("and a third does not break the tie", [(TEA,), (MILK,), (TEA_TOO,)], POOR, set()),
        ("but the stripes do", [(TEA,), (MILK,), (MILK_TOO,)], FOR_TEA, {TEA}),
        ("unless they agree with both", [(TEA,), (MILK_TOO,)], BOTH, set()),
        ("a look that sees nothing takes no side", [(TEA,), (), (TEA_TOO,)], POOR, {TEA}),
        ("what has no stripes of this kind counts when two looks agree", [(SMALL,), (SMALL,)], None, {SMALL}),
        ("two codes in two places do not quarrel", [(TEA, SMALL), (TEA_TOO, SMALL)], POOR, {TEA, SMALL}),
        ("stripes inside a QR code are no product", [(COUPON, TEA), (TEA_TOO,)], FOR_TEA, {COUPON}),
        ("a code seen in two places was not seen twice", [(TEA,), (replace(TEA_TOO, corners=THERE),)], POOR, set()),
    ],
)  # fmt: skip
def test_when_a_code_counts(
    story: str, looks: list[tuple[Found, ...]], witness: Stripes | None, counts: set[Found]
) -> None:
    counted = {one.text for one in tally(looks, witness)}  # type: ignore[arg-type]
    assert counted == {one.text for one in counts}, story


def test_looking_ends_when_more_looks_would_not_help() -> None:
    def done(*looks: tuple[Found, ...], witness: Stripes | None = None) -> bool:
        return settled(looks, witness)  # type: ignore[arg-type]

    assert done((COUPON,))
    assert not done((TEA,))
    assert not done((TEA,), (TEA_TOO,)), "the stripes have not been asked"
    assert done((TEA,), (TEA_TOO,), witness=POOR)
    assert not done((COUPON, SMALL)), "the small one may yet count"
    assert not done((COUPON, replace(TEA, corners=THERE)), witness=POOR)
    assert done((COUPON, replace(TEA, corners=THERE)), witness=AGAINST_TEA)
    assert not done((), (), ())


def test_who_has_waited_long_enough_still_gets_the_word_of_the_stripes() -> None:
    assert says_in_haste(drawn("EAN13", "6901234567892")) == {b"6901234567892"}
    assert says_in_haste(np.full((480, 640), 255, dtype=np.uint8)) == set()


def says_in_haste(picture: np.ndarray) -> set[bytes]:
    return {one.raw for one in decode(picture, enough=lambda: True)}


# the stripes themselves


def photographed(
    text: str, *, module: float, blur: float, noise: float, turn: float = 0, seed: int = 1
) -> np.ndarray:
    """A goods code as a cheap camera sees it: `module` pixels a module, out of focus, noisy, turned by degrees."""
    sharp = Image.fromarray(drawn("EAN13", text, scale=8))
    size = (round(sharp.width * module / 8), round(sharp.height * module / 8))
    seen = sharp.resize(size, Image.Resampling.BOX).rotate(turn, expand=True, fillcolor=255)
    seen = seen.filter(ImageFilter.GaussianBlur(blur))
    dim = np.asarray(seen, dtype=float) * 0.4 + 60
    return np.clip(np.random.default_rng(seed).normal(dim, noise), 0, 255).astype(np.uint8)


def witness_of(picture: np.ndarray) -> Witness:
    return Witness(picture, patches(picture))


def test_stripes_beside_a_code_do_not_keep_it_from_being_confirmed() -> None:
    label = drawn("EAN13", "6901234567892")
    grille = np.where(np.arange(300) % 6 < 3, 40, 255).astype(np.uint8)
    beside = np.hstack([label, np.repeat(grille[None, :], len(label), axis=0)])
    picture = np.pad(beside, 20, constant_values=255)
    (right,) = (one for one in look_zxing(picture) if one.symbology is Symbology.EAN_13)
    wrong = replace(right, raw=b"6907234567890", text="6907234567890")
    assert witness_of(picture).says(right) is True
    assert witness_of(picture).says(wrong) is not True


CODES = ["6901234567892", "4006381333931", "0036000291452", "9780804816632", "2000000000008"]


@pytest.mark.parametrize("text", CODES)
@pytest.mark.parametrize("turn", [0, 7, 90, 180])
def test_stripes_are_read_whole_any_way_up(text: str, turn: float) -> None:
    (found,) = witness_of(photographed(text, module=3, blur=1, noise=4, turn=turn)).found
    assert (found.text, found.by) == (text, "stripes")


def test_stripes_are_read_where_bars_have_run_into_each_other() -> None:
    pictures = [photographed(text, module=3, blur=1.8, noise=2) for text in CODES]
    assert [look_zxing(one) + look_zbar(one) for one in pictures] == [()] * len(CODES)
    read = [[one.text for one in witness_of(picture).found] for picture in pictures]
    assert sum(one == [text] for one, text in zip(read, CODES, strict=True)) >= 4
    assert all(one in ([], [text]) for one, text in zip(read, CODES, strict=True))


@pytest.mark.parametrize("text", CODES)
def test_stripes_confirm_what_is_drawn_and_contradict_what_is_not(text: str) -> None:
    picture = photographed(text, module=3, blur=1, noise=4)
    witness = witness_of(picture)
    here = ((0, 0), (picture.shape[1], picture.shape[0]))
    other = next(one for one in CODES if one != text)
    assert witness.says(read(text, corners=here)) is True
    assert witness.says(read(other, corners=here)) is False
    assert witness.says(read("96385074", corners=here)) is not True


@pytest.mark.parametrize("seed", range(6))
def test_stripes_that_are_no_code_are_not_read(seed: int) -> None:
    random = np.random.default_rng(seed)
    bars = np.repeat(random.integers(0, 2, 140), 4)[None, :] * 200 + 30
    picture = np.clip(random.normal(np.repeat(bars, 160, axis=0), 6), 0, 255).astype(np.uint8)
    assert witness_of(picture).found == ()
    assert witness_of(drawn("Code128", PAYMENT)).found == ()
