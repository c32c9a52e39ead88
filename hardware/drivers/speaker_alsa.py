"""A loudspeaker on the box's sound card: recorded words where there are, else `espeak-ng`, played by `aplay`.

Both are programs of the system, so no library of sound is needed. What cannot be said now is not said later: the
amount stands on the screen as well. It does not decide what is worth saying, and touches no volume.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from tillbox.contracts.money import CNY
from tillbox.hardware.ports import DeviceBack, DeviceTrouble, Language, Tell, TroubleKind, Utterance
from tillbox.hardware.registry import Driver, Options
from tillbox.hardware.speaking.amounts import LANGUAGES, Words, spoken, written
from tillbox.hardware.speaking.clips import Clips, length_s, load_clips
from tillbox.hardware.speaking.waiting import WAITING_MAX, is_fresh

from .programs import ProgramHung, ProgramMissing, Programs, is_installed
from .worker import monotonic_ms

log = structlog.get_logger(__name__)

TURN_S = 0.1  # how long one look into the queue waits; the bound of `stop` between two utterances
VOICE_S = 3.0  # espeak-ng needs 0.1 s for the longest amount; a small busy box may take ten times that
PLAY_GRACE_S = 3.0  # beyond its own length, for a sound card that has to wake up
STOP_S = 3.0
TROUBLES_NAMED_MAX = 3  # of many bad clips a person mends the first few and looks again

VOICES: dict[Language, str] = {"zh": "cmn-latn-pinyin", "en": "en"}
"""espeak-ng's names. Its own Chinese voice, `cmn`, spells Hanzi with English letters (1.51, Debian 12)."""


class AlsaSpeaker:
    """A `Speaker` for whatever `aplay` reaches.

    AlsaSpeaker("voice", clips=Path("/etc/tillbox/voice"))
    AlsaSpeaker("voice", player=("aplay", "-q", "-D", "plughw:1"))
    """

    def __init__(
        self,
        name: str,
        *,
        clips: Path | None = None,
        player: tuple[str, ...] = ("aplay", "-q"),
        synthesizer: str = "espeak-ng",
        clock_ms: Callable[[], int] = monotonic_ms,
    ) -> None:
        self._name = name
        self._folder = clips
        self._player = player
        self._synthesizer = synthesizer
        self._clock_ms = clock_ms
        self._clips: dict[Language, Clips] = {}
        self._waiting: queue.Queue[Utterance] = queue.Queue(WAITING_MAX)
        self._programs = Programs()
        self._stopping = threading.Event()
        self._told: DeviceTrouble | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def name(self) -> str:
        """What the shop calls it."""
        return self._name

    def start(self, trouble: Tell) -> None:
        """Begin to speak, on a thread of its own."""
        self._trouble = trouble
        self._thread.start()

    def say(self, utterance: Utterance) -> bool:
        """Put it into the queue; False if it would not be said."""
        if self._stopping.is_set() or utterance.amount.unit != CNY or not self._is_fresh(utterance):
            return False
        try:
            self._waiting.put_nowait(utterance)
        except queue.Full:
            return False
        return True

    def stop(self) -> None:
        """Cut it short and end the thread."""
        self._stopping.set()
        self._programs.stop()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(STOP_S)

    # on its own thread

    def _run(self) -> None:
        self._begin()
        while not self._stopping.is_set():
            try:
                self._turn(self._waiting.get(timeout=TURN_S))
            except queue.Empty:
                continue
            except Exception as fault:
                # A fault of ours must not silence the shop for the rest of the day.
                log.exception("speaker.fault", device=self._name)
                self._tell(TroubleKind.SILENT, f"A fault of ours ({type(fault).__name__}). It goes on.")

    def _begin(self) -> None:
        """Read the clips; say what is missing before the first customer would have heard it."""
        if self._folder is not None:
            self._clips = {language: load_clips(self._folder, language) for language in LANGUAGES}
        bad = [problem for clips in self._clips.values() for problem in clips.problems]
        if bad:
            named = "; ".join(bad[:TROUBLES_NAMED_MAX])
            hint = f"{len(bad)} voice clips cannot be used. Record them anew: {named}."
            self._report(DeviceTrouble(self._name, TroubleKind.UNREADABLE, hint))
        silent = not any(clips.frames for clips in self._clips.values())
        for program in (self._player[0], *((self._synthesizer,) if silent else ())):
            if not is_installed(program):
                self._tell(TroubleKind.LOST, self._missing(program))
                return

    def _turn(self, utterance: Utterance) -> None:
        try:
            heard = self._utter(utterance)
        except ProgramMissing as missing:
            self._tell(TroubleKind.LOST, self._missing(missing.program))
        except ProgramHung as hung:
            self._tell(TroubleKind.SILENT, DUMB if hung.program == self._synthesizer else HUNG)
        else:
            if heard:
                self._back()

    def _utter(self, utterance: Utterance) -> bool:
        """Make the sound and play it, if it is not too late. False if nothing was heard."""
        words = spoken(utterance)
        clips = self._clips.get(utterance.language, Clips())
        sound = clips.join(words) or self._voice(words, utterance.language)
        if not sound:
            self._tell(TroubleKind.SILENT, DUMB)
            return False
        # Asked last: making the sound takes its time on a busy box.
        if not self._is_fresh(utterance):
            log.info("speaker.stale", device=self._name, kind=utterance.kind)
            return False
        played = self._programs.run(self._player, sound, length_s(sound) + PLAY_GRACE_S)
        if played.code:
            self._tell(TroubleKind.SILENT, _complaint(played.complaint))
        return not played.code

    def _voice(self, words: Words, language: Language) -> bytes:
        arguments = (self._synthesizer, "-v", VOICES[language], "--stdout", written(words, language))
        made = self._programs.run(arguments, b"", VOICE_S)
        return made.said if made.said.startswith(b"RIFF") and not made.code else b""

    def _is_fresh(self, utterance: Utterance) -> bool:
        return is_fresh(utterance, self._clock_ms())

    def _missing(self, program: str) -> str:
        return NO_VOICE if program == self._synthesizer else NO_PLAYER

    def _tell(self, kind: TroubleKind, hint: str) -> None:
        """Say it once, and again only if it has become something else."""
        trouble = DeviceTrouble(self._name, kind, hint)
        if trouble != self._told:
            self._told = trouble
            self._report(trouble)

    def _back(self) -> None:
        if self._told is not None:
            self._told = None
            self._report(DeviceBack(self._name))

    def _report(self, news: DeviceTrouble | DeviceBack) -> None:
        # Whatever `stop` cut short is no trouble.
        if not self._stopping.is_set():
            self._trouble(news)


NO_PLAYER = "Nothing can play sound on this box: install the package alsa-utils."
NO_VOICE = "Words without a recording have nothing to read them: install the package espeak-ng."
DUMB = "espeak-ng makes no sound: install the packages espeak-ng and espeak-ng-data anew."
HUNG = "The sound card does not take the sound. Pull the speaker's plug and put it in again."


def _complaint(text: str) -> str:
    """What a person can do about what the player complained of. Its own words are not shown: they may be anything."""
    if "busy" in text:
        return "Another program holds the sound card. Close that one."
    if "No such" in text:
        return "There is no sound card. Is the speaker's plug in?"
    return (
        "The sound card does not play. Is the speaker's plug in, and this program's user in the group audio?"
    )


def _make(name: str, address: str, _: Options) -> AlsaSpeaker:
    return AlsaSpeaker(name, clips=Path(address) if address else None)


ALSA = Driver(_make)
