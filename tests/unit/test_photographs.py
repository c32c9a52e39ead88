"""A stranger's photograph: small, upright, without notes; or a refusal."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image
from tests.core_alone import photograph

from tillbox.cloud_bridge.fleet import photographs
from tillbox.cloud_bridge.fleet.photographs import JPEG_BYTES_MAX, PHOTO_BYTES_MAX, SIDE_MAX, small_jpeg
from tillbox.contracts.verdicts import Reason, Refused


def opened(found: bytes | Refused) -> Image.Image:
    assert isinstance(found, bytes), found
    assert len(found) <= JPEG_BYTES_MAX
    image = Image.open(io.BytesIO(found))
    assert image.format == "JPEG"
    image.load()
    return image


def test_a_phones_photograph_gets_small_and_upright_and_says_no_more_where_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lay on its side
    exif.get_ifd(0x8825)[1] = "N"  # GPSLatitudeRef
    exif[0x010E] = "the shop of Ann"
    data = photograph((4_000, 3_000), exif=exif, comment=b"the shop of Ann", icc_profile=b"x" * 200)
    assert b"Ann" in data
    small = small_jpeg(data)
    image = opened(small)
    assert image.size == (SIDE_MAX * 3 // 4, SIDE_MAX), "upright"
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert isinstance(small, bytes)
    assert b"Ann" not in small


def test_what_cannot_be_made_small_by_quality_gets_smaller() -> None:
    noise = Image.effect_noise((1_600, 1_600), 200)
    out = io.BytesIO()
    noise.save(out, "PNG")
    assert max(opened(small_jpeg(out.getvalue())).size) < SIDE_MAX


@pytest.mark.parametrize(("form", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"), ("WEBP", "RGBA"), ("JPEG", "CMYK"), ("PNG", "I;16")])  # fmt: skip
def test_every_kind_of_picture_comes_out_as_the_same_kind(form: str, mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (30, 20)).save(out, form)
    assert opened(small_jpeg(out.getvalue())).mode == "RGB"


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that unpacks to gigabytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


def scans(count: int) -> bytes:
    """A progressive JPEG whose last pass over itself is made so many times more."""
    out = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * (count + 1) + data[-2:]


def wide(mode: str, *, progressive: bool = False) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (6_000, 3_000)).save(out, "JPEG", progressive=progressive)
    return out.getvalue()


NO = {
    "a thousand scans": (scans(1_000), Reason.NO_PICTURE),
    "progressive and large": (wide("L", progressive=True), Reason.PICTURE_TOO_LARGE),
    "four colours and large": (wide("CMYK"), Reason.PICTURE_TOO_LARGE),
    "empty": (b"", Reason.NO_PICTURE),
    "text": (b"this is no picture", Reason.NO_PICTURE),
    "torn": (photograph((400, 300))[:900], Reason.NO_PICTURE),
    "gif": (b"GIF89a" + bytes(40), Reason.NO_PICTURE),
    "bomb": (bomb(60_000, 60_000), Reason.PICTURE_TOO_LARGE),
    "small bomb": (bomb(5_000, 5_000), Reason.PICTURE_TOO_LARGE),
    "heavy": (bytes(PHOTO_BYTES_MAX + 1), Reason.PICTURE_TOO_LARGE),
    "program": (Path("/bin/ls").read_bytes()[:50_000], Reason.NO_PICTURE),
}


def test_a_progressive_photograph_is_taken_and_so_is_a_large_plain_one() -> None:
    assert opened(small_jpeg(scans(0))).size == (64, 64)
    assert opened(small_jpeg(wide("RGB"))).size == (SIDE_MAX, SIDE_MAX // 2)


def test_who_comes_while_another_is_worked_on_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs, "PATIENCE_S", 0.01)
    with photographs._ONE_AT_A_TIME:
        assert small_jpeg(scans(0)) == Refused(Reason.PICTURE_BUSY)
    assert isinstance(small_jpeg(scans(0)), bytes)


@pytest.mark.parametrize("case", NO)
def test_what_is_no_photograph_is_refused(case: str) -> None:
    data, reason = NO[case]
    found = small_jpeg(data)
    assert isinstance(found, Refused)
    assert found.reason is reason
