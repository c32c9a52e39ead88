"""Frames from a USB camera or a film, by OpenCV. Imported only where there is one: it takes 60 MB.

A Raspberry Pi's ribbon camera is not reached this way.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

# Read once, when OpenCV is loaded. Ten seconds is its own patience with a camera that stopped, and it writes
# a warning for each time that an absent one is tried.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")

import cv2
import numpy as np

from tillbox.hardware.decoding import Picture
from tillbox.hardware.ports import DeviceLost

from .worker import monotonic_ms

STALE_MS = 50  # what was queued for so long shows where the customer was
FILM_FRAME_MS = 100  # for films that do not say how fast they are


class V4L2Frames:
    """A USB camera: `/dev/video0` is 0. `opened` opens it by its number."""

    steady = True

    def __init__(
        self,
        index: int,
        *,
        opened: Callable[[int], cv2.VideoCapture] = lambda index: cv2.VideoCapture(index, cv2.CAP_V4L2),
        clock_ms: Callable[[], int] = monotonic_ms,
    ) -> None:
        self._index = index
        self._opened = opened
        self._clock_ms = clock_ms
        self._camera: cv2.VideoCapture | None = None

    def open(self) -> None:
        """Open the camera, with a queue of one: an old frame shows a customer who has gone."""
        self._camera = self._opened(self._index)
        if not self._camera.isOpened():
            raise self._lost()
        self._camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._asked_ms = self._clock_ms()

    def next(self, wait_ms: int) -> Picture | None:  # noqa: ARG002 - the camera sets the pace
        """The next frame; OpenCV waits for it itself. The queued one is as old as the last call, so it is thrown
        away after a while."""
        assert self._camera is not None, "a frame before open"
        if self._clock_ms() - self._asked_ms > STALE_MS:
            self._camera.grab()
        came, frame = self._camera.read()
        self._asked_ms = self._clock_ms()
        if not came:
            raise self._lost()
        return _grey(frame)

    def close(self) -> None:
        """Give the camera back."""
        if self._camera is not None:
            self._camera.release()
            self._camera = None

    def _lost(self) -> DeviceLost:
        device = f"/dev/video{self._index}"
        return DeviceLost(device, f"Is the camera's cable in? Nothing answers at {device}.")


class FilmFrames:
    """A film, played at its own pace and over again; frames that the reader is too slow for are skipped."""

    steady = True

    def __init__(self, path: str, clock_ms: Callable[[], int] = monotonic_ms) -> None:
        self._path = path
        self._clock_ms = clock_ms
        self._film: cv2.VideoCapture | None = None

    def open(self) -> None:
        """Open the film at its beginning."""
        self._film = cv2.VideoCapture(self._path)
        if not self._film.isOpened() or not self._film.grab():
            raise DeviceLost(self._path, f"Is {self._path} a film?")
        frames_per_second = self._film.get(cv2.CAP_PROP_FPS)
        self._frame_ms = 1000 / frames_per_second if frames_per_second > 0 else FILM_FRAME_MS
        self._rewind()

    def next(self, wait_ms: int) -> Picture | None:
        """The frame whose time it is, or None until it is."""
        assert self._film is not None, "a frame before open"
        early_ms = self._started_ms + self._shown * self._frame_ms - self._clock_ms()
        if early_ms > 0:
            time.sleep(min(early_ms, wait_ms) / 1000)
            if early_ms > wait_ms:
                return None
        while self._started_ms + (self._shown + 1) * self._frame_ms < self._clock_ms():
            if not self._film.grab():
                break
            self._shown += 1
        came, frame = self._film.read()
        self._shown += 1
        if not came:
            self._rewind()
            return None
        return _grey(frame)

    def close(self) -> None:
        """Let go of the film."""
        if self._film is not None:
            self._film.release()
            self._film = None

    def _rewind(self) -> None:
        assert self._film is not None, "a film before open"
        self._film.set(cv2.CAP_PROP_POS_FRAMES, 0)
        self._started_ms = self._clock_ms()
        self._shown = 0


def _grey(frame: object) -> Picture:
    picture = np.asarray(frame, dtype=np.uint8)
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
