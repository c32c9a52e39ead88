"""Recordings of single words, joined: the same amount is the same sound every time, from any box.

A folder has a WAV file for each word, named by it (`zh/元.wav`, `en/five.wav`). All of a language are of one format,
as the joined sound has one header. A file that is damaged, of another format or too long counts as missing and is
named; a missing word makes no half sentence: `join` says None, and somebody else speaks.
"""

from __future__ import annotations

import io
import wave
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tillbox.hardware.ports import Language

from .amounts import LANGUAGES, Words, vocabulary

HEADER_BYTES = 44
CLIP_BYTES_MAX = 1_000_000  # five seconds in studio quality; a word takes half of one


@dataclass(frozen=True, slots=True)
class Format:
    """What two clips must share to be joined."""

    channels: int
    sample_bytes: int
    rate_hz: int


@dataclass(frozen=True, slots=True)
class Clips:
    """The words of one language that there are recordings of. `problems` names the files that were left out, and
    why, for a person."""

    format: Format | None = None
    frames: dict[str, bytes] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def join(self, words: Words) -> bytes | None:
        """One WAV of all these words; None if any of them is missing."""
        if self.format is None or not all(word in self.frames for word in words):
            return None
        out = io.BytesIO()
        with wave.open(out, "wb") as joined:
            joined.setnchannels(self.format.channels)
            joined.setsampwidth(self.format.sample_bytes)
            joined.setframerate(self.format.rate_hz)
            joined.writeframes(b"".join(self.frames[word] for word in words))
        return out.getvalue()


def load_clips(folder: Path, language: Language) -> Clips:
    """The clips of one language, held in memory so that a card pulled later changes nothing."""
    found: dict[str, tuple[Format, bytes]] = {}
    problems = []
    for word in vocabulary(language):
        clip = _read(folder / clip_name(word, language))
        if isinstance(clip, str):
            problems.append(f"{word}.wav: {clip}")
        elif clip is not None:
            found[word] = clip
    if not found:
        return Clips(problems=tuple(problems))
    common = Counter(form for form, _ in found.values()).most_common(1)[0][0]
    odd = [f"{word}.wav: its format is not that of the others" for word in found if found[word][0] != common]
    frames = {word: data for word, (form, data) in found.items() if form == common}
    return Clips(common, frames, (*problems, *odd))


def length_s(sound: bytes) -> float:
    """How long a WAV is, by its size: a program that pipes one does not know its length when it writes the header."""
    bytes_per_s = int.from_bytes(sound[28:32], "little")
    return max(0, len(sound) - HEADER_BYTES) / bytes_per_s if bytes_per_s else 0.0


def clip_name(word: str, language: Language) -> str:
    """Where the recording of a word lies in the folder."""
    return f"{language}/{word}.wav"


def clip_names() -> tuple[str, ...]:
    """Every file that a whole set of recordings has."""
    return tuple(clip_name(word, language) for language in LANGUAGES for word in vocabulary(language))


def _read(path: Path) -> tuple[Format, bytes] | str | None:
    """A clip, or what is wrong with it; None if there is none."""
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > CLIP_BYTES_MAX:
            return "it is longer than a word"
        with wave.open(io.BytesIO(path.read_bytes())) as clip:
            form = Format(clip.getnchannels(), clip.getsampwidth(), clip.getframerate())
            frames = clip.getnframes()
            data = clip.readframes(frames)
    except (OSError, EOFError, wave.Error, RuntimeError):
        # RuntimeError is what `wave` raises for a chunk that is longer than its file.
        return "it cannot be read as PCM in WAV"
    if not data or len(data) != frames * form.channels * form.sample_bytes:
        return "it is empty, or its end is missing"
    return (form, data) if form.rate_hz else "it has no speed"
