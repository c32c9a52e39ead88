"""Opening pictures that strangers send: photos, scraps, and a kilobyte that wants to be a gigabyte."""

from __future__ import annotations

import io
import os
import random
import resource
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tillbox.contracts.verdicts import Reason, Refused
from tillbox.hardware.decoding import load
from tillbox.hardware.decoding.picture import FILE_BYTES_MAX


def saved(image: Image.Image, kind: str, **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def slope(mode: str = "L") -> Image.Image:
    return Image.linear_gradient("L").convert(mode)


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(9)))
        + chunk(b"IEND", b"")
    )


def webp_that_claims(width: int, height: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 1
    small = saved(slope(), "WEBP", lossless=True, exif=exif)
    at = small.index(b"VP8X") + 12
    return (
        small[:at] + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little") + small[at + 6 :]
    )


def jpeg_that_claims(width: int, height: int) -> bytes:
    small = saved(slope(), "JPEG")
    at = small.index(b"\xff\xc0") + 5
    return small[:at] + struct.pack(">HH", height, width) + small[at + 4 :]


def why(refusal: object) -> str:
    assert isinstance(refusal, Refused)
    assert refusal.reason is Reason.NO_PICTURE
    return refusal.detail


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("mode", ["L", "RGB", "1"])
def test_a_picture_of_any_kind_becomes_grey(kind: str, mode: str) -> None:
    picture = load(saved(slope(mode), kind))
    assert isinstance(picture, np.ndarray)
    assert (picture.shape, picture.dtype) == ((256, 256), np.uint8)
    assert picture[0].mean() < 10
    assert picture[-1].mean() > 245


def test_black_on_nothing_is_black_on_white() -> None:
    drawn = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    drawn.paste((0, 0, 0, 255), (10, 10, 20, 20))
    picture = load(saved(drawn, "PNG"))
    assert isinstance(picture, np.ndarray)
    assert (picture[0, 0], picture[15, 15]) == (255, 0)


def test_sixteen_bits_keep_their_greys() -> None:
    deep = Image.fromarray(np.array([[0, 0x8000, 0xFFFF]], dtype=np.uint16))
    picture = load(saved(deep, "PNG"))
    assert isinstance(picture, np.ndarray)
    assert picture.tolist() == [[0, 0x80, 0xFF]]


def test_a_photo_is_turned_as_the_phone_noted() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 90 degrees
    picture = load(saved(slope(), "JPEG", exif=exif))
    assert isinstance(picture, np.ndarray)
    assert picture[:, 0].mean() > 200 > 50 > picture[:, -1].mean()


def test_a_broken_note_does_not_cost_the_photo() -> None:
    for note in (
        b"MM\x00*\xff\xff\xff\xff",
        b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00" + b"\xff" * 8,
    ):
        picture = load(saved(slope(), "JPEG", exif=b"Exif\x00\x00" + note))
        assert isinstance(picture, np.ndarray)


def test_what_is_no_picture_is_refused_with_a_reason_that_helps(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("milk, tea")
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe")
    assert "no such file" in why(load(tmp_path / "nothing.png"))
    assert "no such file" in why(load(tmp_path / ("long" * 4) / "x.png"))
    assert "folder" in why(load(tmp_path))
    assert "PNG, JPEG or WEBP" in why(load(tmp_path / "notes.txt"))
    assert "empty" in why(load(tmp_path / "empty.png"))
    assert "no file" in why(load(tmp_path / "pipe"))
    assert "cannot be read" in why(load(tmp_path / ("long" * 100)))
    assert "cannot be read" in why(load("a\0b"))
    assert "empty" in why(load(b""))
    assert "PNG, JPEG or WEBP" in why(load(saved(slope(), "BMP")))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_half_a_picture_is_no_picture(kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(7).integers(0, 255, (200, 200), dtype=np.uint8))
    whole = saved(noise, kind)
    assert "torn" in why(load(whole[: len(whole) // 2]))


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "film.png").open("wb") as film:
        film.truncate(40 * FILE_BYTES_MAX)  # a hole: it takes no disk
    assert "20 MB" in why(load(tmp_path / "film.png"))


@pytest.mark.parametrize("claims", [png_that_claims, webp_that_claims, jpeg_that_claims])
@pytest.mark.parametrize("side", [6_400, 9_700, 14_000])
def test_a_bomb_is_refused_by_its_header_and_takes_no_memory(claims, side: int) -> None:
    bomb = claims(side, side)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    why(load(bomb))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_a_gigapixel_says_megapixels() -> None:
    assert "40 megapixels" in why(load(png_that_claims(30_000, 30_000)))
    assert "40 megapixels" in why(load(png_that_claims(6_400, 6_400)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("seed", range(40))
def test_no_damage_makes_more_than_a_refusal(kind: str, seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(saved(slope("RGB").resize((60, 40)), kind))
    for _ in range(chance.randint(1, 12)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    picture = load(bytes(data))
    assert isinstance(picture, np.ndarray | Refused)
