"""A sound card without a sound: programs that stand in for `aplay` and `espeak-ng`, and keep what was played.

The real driver runs them as it runs the real ones. What "sounds" is text: the samples of a word are its own UTF-8
letters, so that a test can read what a customer would have heard.
"""

from __future__ import annotations

import sys
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

from tillbox.hardware.speaking.clips import HEADER_BYTES, clip_names

RATE_HZ = 22_050


@dataclass(frozen=True, slots=True)
class Played:
    """One sound: when it began on the monotonic clock, and the WAV as it came."""

    at_ms: int
    wav: bytes

    @property
    def text(self) -> str:
        """What was heard, if it came from this twin's clips or its synthesizer."""
        return self.wav[HEADER_BYTES:].replace(b"\0", b"").decode()


class SimulatedSpeaker:
    """The twin of a sound card.

    twin = SimulatedSpeaker()
    speaker = AlsaSpeaker("voice", trouble=..., player=twin.player, synthesizer=twin.synthesizer)
    twin.busy(); twin.hang(); twin.absent(); twin.mend()
    twin.played[-1].text                # 到账十二元
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="speaker-")
        self._root = Path(self._folder.name)
        (self._root / "played").mkdir()
        self._fault = self._root / "fault"
        self.mend()
        self.with_synthesizer()

    @property
    def player(self) -> tuple[str, ...]:
        """What to call in place of `aplay -q`."""
        return (str(self._root / "aplay"), "-q")

    @property
    def synthesizer(self) -> str:
        """What to call in place of `espeak-ng`."""
        return str(self._root / "espeak-ng")

    @property
    def played(self) -> list[Played]:
        """Everything that was played to its end, in order."""
        paths = sorted((self._root / "played").glob("*.wav"))
        return [Played(int(path.stem) // 1_000_000, path.read_bytes()) for path in paths]

    @property
    def begun(self) -> int:
        """How often something began to play, also if it never came to its end."""
        return len(list((self._root / "played").glob("*.begun")))

    def busy(self) -> None:
        """Another program holds the card."""
        self._fault.write_text("audio open error: Device or resource busy")

    def no_card(self) -> None:
        """The USB sound card was pulled."""
        self._fault.write_text("audio open error: No such file or directory")

    def hang(self) -> None:
        """The card takes nothing and never ends."""
        self._fault.write_text("hang")

    def slow(self) -> None:
        """It takes a second longer than the sound."""
        self._fault.write_text("slow")

    def absent(self) -> None:
        """There is no such program on this box."""
        (self._root / "aplay").unlink(missing_ok=True)

    def mend(self) -> None:
        """Everything is well again."""
        self._fault.write_text("")
        self._install("aplay", _APLAY)

    def with_synthesizer(self) -> None:
        """Install its espeak-ng."""
        self._install("espeak-ng", _ESPEAK)

    def without_synthesizer(self) -> None:
        """Take its espeak-ng off the box."""
        (self._root / "espeak-ng").unlink(missing_ok=True)

    def dumb_synthesizer(self) -> None:
        """Its espeak-ng has lost its data, as after half an installation."""
        self._install("espeak-ng", "sys.exit(1)")

    def close(self) -> None:
        """Leave nothing behind."""
        self._folder.cleanup()

    def _install(self, name: str, program: str) -> None:
        head = (
            f"#!{sys.executable} -IS\nimport pathlib, sys, time\nroot = pathlib.Path({str(self._root)!r})\n"
        )
        new = self._root / f"{name}.new"
        new.write_text(head + program)
        new.chmod(0o755)
        new.rename(self._root / name)


def record_clips(folder: Path) -> None:
    """A whole set of clips as `load_clips` wants it; each word's samples are its letters."""
    for name in clip_names():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_clip(path, path.stem)


def write_clip(path: Path, word: str, rate_hz: int = RATE_HZ) -> None:
    """One clip, mono and of 16 bits."""
    data = word.encode()
    with wave.open(str(path), "wb") as clip:
        clip.setnchannels(1)
        clip.setsampwidth(2)
        clip.setframerate(rate_hz)
        clip.writeframes(data + b"\0" * (len(data) % 2))


_APLAY = """
began = time.monotonic_ns()
fault = (root / "fault").read_text()
(root / "played" / f"{began}.begun").touch()
if fault == "hang":
    time.sleep(3600)
if "error" in fault:
    sys.exit(f"aplay: main:831: {fault}")
sound = sys.stdin.buffer.read()
if fault == "slow":
    time.sleep(1)
(root / "played" / f"{began}.part").write_bytes(sound)
(root / "played" / f"{began}.part").rename(root / "played" / f"{began}.wav")
"""

# The header of a WAV whose length is not known yet, byte for byte as espeak-ng 1.51 writes it.
_ESPEAK = """
head = "52494646 24f0ff7f 57415645 666d7420 10000000 01000100 22560000 44ac0000 02001000 64617461 00f0ff7f"
sys.stdout.buffer.write(bytes.fromhex(head) + sys.argv[-1].encode() + b"\\0" * (len(sys.argv[-1].encode()) % 2))
"""
