"""A camera as a code reader: frames in, each code once out.

It looks closely when something moved and seldom when nothing does, hands over everything that one frame shows as
one delivery, and says when the camera is gone or silent. Where the frames come from is the source's affair
(`frames.py`), what is on them the decoders'.
"""

from __future__ import annotations

from collections.abc import Callable

from tillbox.contracts.codes.reads import CodeRead
from tillbox.contracts.verdicts import Refused
from tillbox.hardware.decoding import Found, Picture, decode
from tillbox.hardware.ports import DeviceBack, TroubleKind
from tillbox.hardware.registry import Driver, Options

from .frames import FolderFrames, FrameSource
from .light import Light
from .repeats import Repeats
from .watch import Watch
from .worker import WorkedReader, monotonic_ms

REPEAT_MS = 1_500  # a phone that shakes is out of sight for less; two customers are further apart
LOOK_AGAIN_MS = 500  # how often a still picture is looked at again: a code may come into focus
FRAME_MS = (
    40  # a frame that took so long is not looked at more closely, unless a reading on it waits for that
)
SILENT_MS = 5_000  # a camera gives five frames a second in the dark
TURN_MS = 50


class CameraReader(WorkedReader):
    """A `CodeReader` for any source of frames.

    reader = CameraReader("eye", V4L2Frames(0))
    reader = CameraReader("eye", SimulatedCamera())
    """

    def __init__(
        self,
        name: str,
        source: FrameSource,
        *,
        repeat_ms: int = REPEAT_MS,
        look_again_ms: int = LOOK_AGAIN_MS,
        silent_ms: int = SILENT_MS,
        clock_ms: Callable[[], int] = monotonic_ms,
    ) -> None:
        super().__init__(name, clock_ms)
        self._source = source
        self._repeats = Repeats(repeat_ms)
        self._watch = Watch(repeat_ms=repeat_ms, look_again_ms=look_again_ms)
        self._silent_ms = silent_ms

    def open(self) -> None:
        """Open the source; what it was said to suffer from is over."""
        self._heard_ms = self._clock_ms()
        self._silent = self._torn = self._blind = False
        self._light = Light()
        self._watch.forget(self._heard_ms)
        self._source.open()

    def turn(self) -> None:
        """Look at the next frame, if there is one."""
        frame = self._source.next(TURN_MS)
        now_ms = self._clock_ms()
        if self._worker.stopping:
            return
        if frame is None:
            self._note_absence(now_ms)
            return
        self._note_frame(frame, now_ms)
        if not isinstance(frame, Refused):
            self._look(frame, now_ms)

    def close(self) -> None:
        """Let go of the source."""
        self._source.close()

    def _look(self, picture: Picture, now_ms: int) -> None:
        if self._source.steady:
            self._note_light(picture, now_ms)
            fresh = self._watch.see(picture, now_ms, lambda: self._clock_ms() - now_ms > FRAME_MS)
            if fresh:
                self._hand_over(fresh)
            return
        found = decode(picture)  # a picture in a folder is all that there will be
        fresh = self._repeats.fresh(found, now_ms)
        # Somebody who puts a picture before the box waits for a word; a camera sees empty counters all day.
        if fresh or not found:
            self._hand_over(fresh)

    def _hand_over(self, fresh: tuple[Found, ...]) -> None:
        if not self._worker.stopping:
            self._deliver(tuple(CodeRead(one.raw, one.symbology, self._name, one.aim) for one in fresh))

    def _note_absence(self, now_ms: int) -> None:
        if not self._source.steady:
            self._repeats.fresh((), now_ms)  # a picture in a folder was shown once and taken away
        elif now_ms - self._heard_ms >= self._silent_ms:
            if not self._silent:
                self._silent = True
                hint = "The camera is there and shows nothing new. Pull its cable and put it back."
                self._say(TroubleKind.SILENT, hint)
            # Many a stalled camera runs again once it is opened anew; it is tried as long as it is silent.
            self._heard_ms = now_ms
            self._source.close()
            self._source.open()

    def _note_light(self, picture: Picture, now_ms: int) -> None:
        wrong = self._light.wrong(picture, now_ms)
        if wrong and not self._blind:
            self._say(TroubleKind.BLIND, wrong)
        elif self._blind and not wrong:
            self._trouble(DeviceBack(self._name))
        self._blind = bool(wrong)

    def _note_frame(self, frame: Picture | Refused, now_ms: int) -> None:
        self._heard_ms = now_ms
        if self._silent:
            self._silent = False
            self._trouble(DeviceBack(self._name))
        # Once for a row of torn frames: a bad cable tears ten a second.
        if isinstance(frame, Refused) and not self._torn:
            self._say(TroubleKind.UNREADABLE, frame.say("en"))
        self._torn = isinstance(frame, Refused)


# the drivers that a configuration may name


def _camera(name: str, address: str, _: Options) -> CameraReader:
    from .frames_opencv import V4L2Frames

    number = address.removeprefix("/dev/video")
    if not number.isdecimal():
        raise ValueError(f"{address!r} is no camera. Give its number, or /dev/video and its number.")
    return CameraReader(name, V4L2Frames(int(number)))


def _folder(name: str, address: str, _: Options) -> CameraReader:
    return CameraReader(name, FolderFrames(address))


def _film(name: str, address: str, _: Options) -> CameraReader:
    from .frames_opencv import FilmFrames

    return CameraReader(name, FilmFrames(address))


CAMERA = Driver(_camera)
FOLDER = Driver(_folder)
FILM = Driver(_film)
