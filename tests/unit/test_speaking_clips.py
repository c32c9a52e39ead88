"""Recorded words, joined: whole sentences or none, and the same sound for the same amount."""

from __future__ import annotations

import io
import re
import tempfile
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbox.contracts.money import CNY, Amount
from tillbox.hardware.simulated.speaker import record_clips, write_clip
from tillbox.hardware.speaking.amounts import LANGUAGES, amount_words
from tillbox.hardware.speaking.clips import CLIP_BYTES_MAX, clip_names, length_s, load_clips

DOC = Path(__file__).parents[2] / "docs/voice.md"
WORDS = amount_words(Amount(100502, CNY), "zh")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    record_clips(tmp_path)
    return tmp_path


def samples(sound: bytes | None) -> str:
    assert sound is not None
    with wave.open(io.BytesIO(sound)) as opened:
        assert (opened.getnchannels(), opened.getsampwidth(), opened.getframerate()) == (1, 2, 22_050)
        return opened.readframes(opened.getnframes()).replace(b"\0", b"").decode()


def test_the_words_are_joined_in_order_and_always_alike(folder: Path) -> None:
    sound = load_clips(folder, "zh").join(WORDS)
    assert samples(sound) == "一千零五元零二分"
    assert sound == load_clips(folder, "zh").join(WORDS)


def test_a_sentence_with_a_missing_word_is_not_begun(folder: Path) -> None:
    (folder / "zh/零.wav").unlink()
    clips = load_clips(folder, "zh")
    assert clips.join(WORDS) is None
    assert samples(clips.join(("五", "元"))) == "五元"
    assert clips.problems == ()


def test_a_clip_of_another_format_is_left_out_and_named(folder: Path) -> None:
    write_clip(folder / "zh/零.wav", "零", rate_hz=8_000)
    clips = load_clips(folder, "zh")
    assert clips.join(WORDS) is None
    assert clips.problems == ("零.wav: its format is not that of the others",)


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[:20],
        lambda whole: whole[:-1],
        lambda whole: whole[:44],
        lambda whole: b"ID3" + whole,
        lambda whole: whole[:24] + bytes(4) + whole[28:],
        lambda whole: whole + bytes(CLIP_BYTES_MAX),
    ],
    ids=["empty", "no format", "torn", "no sound", "an MP3", "no rate", "a film"],
)
def test_a_damaged_clip_is_left_out_and_named(folder: Path, damage) -> None:
    clip = folder / "zh/零.wav"
    clip.write_bytes(damage(clip.read_bytes()))
    clips = load_clips(folder, "zh")
    assert clips.join(WORDS) is None
    assert len(clips.problems) == 1
    assert clips.problems[0].startswith("零.wav: ")


def test_where_there_are_no_clips_nothing_is_joined(tmp_path: Path) -> None:
    clips = load_clips(tmp_path / "nothing here", "en")
    assert clips.join(("five", "yuan")) is None
    assert clips.problems == ()


@given(st.binary(max_size=200) | st.binary(max_size=80).map(lambda end: WHOLE[:36] + end))
def test_whatever_lies_in_a_clip_breaks_nothing(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "zh/元.wav"
        clip.parent.mkdir()
        clip.write_bytes(data)
        clips = load_clips(Path(folder), "zh")
        assert (clips.join(("元",)) is None) == bool(clips.problems)


def test_the_length_of_a_sound_is_known_even_if_its_header_is_not() -> None:
    header = bytes.fromhex(
        "5249464624f0ff7f57415645666d74201000000001000100 22560000 44ac0000 02001000 64617461 00f0ff7f"
    )
    assert length_s(header + bytes(44_100)) == 1.0
    assert length_s(b"RIFF") == 0.0


def test_the_documentation_lists_every_clip() -> None:
    listed = re.search(r"```text\n(.*?)```", DOC.read_text(), re.DOTALL)
    assert listed is not None
    assert listed[1].split() == list(clip_names()), "write the list in docs/voice.md anew"
    assert all(f"{language}/" in listed[1] for language in LANGUAGES)


def _whole() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write_clip(Path(folder) / "one.wav", "one")
        return (Path(folder) / "one.wav").read_bytes()


WHOLE = _whole()
