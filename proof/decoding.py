"""How well codes are read: the cascade beside each decoder alone, on the same pictures, in the same run.

A folder of pictures has the truth beside them: `NAME.txt` is what `NAME.png` says, or `NAME.bin` where it says
bytes. In a folder whose name begins with `falsepositives` no picture says anything, and each read is wrong.
A picture without truth elsewhere is left out. Without photographs, pictures are made (`pictures.py`).

A picture is read right when one of its reads is the truth, and wrong when there are reads and none is. What is
read beside the truth may be a second code that is truly there, so it is named for a person to look at.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import zxingcpp
from pyzbar import pyzbar

from tillbox.contracts.verdicts import Refused
from tillbox.hardware.decoding import Picture, decode, load

from .pictures import KINDS, make

ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
NOTHING = "falsepositives"
MADE = 28  # pictures of each kind: four for each fault

Read = tuple[bytes, str]
"""One code as a decoder read it: its bytes, and its text for people."""

Reader = Callable[[Picture], list[Read]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture and what is on it: nothing where `says` is None."""

    name: str
    picture: Picture
    says: bytes | None

    def is_said_by(self, read: Read) -> bool:
        """Whether a read is right: the same bytes, or the same text, for bytes of another alphabet."""
        assert self.says is not None
        raw, text = read
        return raw == self.says or _plain(text.encode()) == _plain(self.says)


@dataclass(slots=True)
class Score:
    """How one reader did on one set."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    def take(self, sample: Sample, reads: list[Read], milliseconds: float) -> None:
        """Count one picture."""
        self.milliseconds.append(milliseconds)
        good = [read for read in reads if sample.says is not None and sample.is_said_by(read)]
        self.right += bool(good)
        if len(good) < len(reads):
            (self.beside if good else self.wrong).append(sample.name)

    def __add__(self, other: Score) -> Score:
        return Score(
            self.right + other.right,
            self.wrong + other.wrong,
            self.beside + other.beside,
            self.milliseconds + other.milliseconds,
        )

    def document(self) -> dict[str, Any]:
        """As it is printed. The times are in milliseconds."""
        times = sorted(self.milliseconds) or [0.0]
        return {
            "right": self.right,
            "share": round(self.right / len(times), 3),
            "wrong": len(self.wrong),
            "wrong_ones": self.wrong,
            "beside": self.beside,
            "median_ms": round(statistics.median(times), 1),
            "p95_ms": round(times[min(len(times) - 1, int(len(times) * 0.95))], 1),
        }


Row = dict[str, Any]
"""One set: its `name`, how many `pictures` it has, and a score's document for each reader."""


def run(images: Path | None, said: Callable[[str], None]) -> list[Row]:
    """Every folder of pictures below `images`, or the pictures that we make; and all together last. `said` hears
    the name of each set as it begins."""
    sets = _folders(images) if images else [(kind, partial(_made, kind)) for kind in KINDS]
    rows: list[Row] = []
    total = {name: Score() for name in READERS}
    for name, pictures in sets:
        said(name)
        scores = _measured(pictures())
        rows.append(_row(name, scores))
        total = {reader: total[reader] + score for reader, score in scores.items()}
    return [*rows, _row("all", total)]


def _row(name: str, scores: dict[str, Score]) -> Row:
    count = len(scores["tillbox"].milliseconds)
    return {"name": name, "pictures": count, **{one: score.document() for one, score in scores.items()}}


def _measured(pictures: Iterator[Sample]) -> dict[str, Score]:
    scores = {name: Score() for name in READERS}
    for sample in pictures:
        for name, read in READERS.items():
            began_ns = time.perf_counter_ns()
            reads = read(sample.picture)
            scores[name].take(sample, reads, (time.perf_counter_ns() - began_ns) / 1e6)
    return scores


def _folders(images: Path) -> list[tuple[str, Callable[[], Iterator[Sample]]]]:
    below = sorted(one for one in images.iterdir() if one.is_dir()) or [images]
    return [(one.name, partial(samples, one)) for one in below]


def samples(folder: Path) -> Iterator[Sample]:
    """The pictures of a folder that say something known, or are known to say nothing."""
    for path in sorted(folder.iterdir()):
        says = _truth(path)
        known = says is not None or folder.name.startswith(NOTHING)
        if path.suffix.lower() in ENDINGS and known:
            picture = load(path)
            if not isinstance(picture, Refused):
                yield Sample(f"{folder.name}/{path.name}", picture, says)


def _made(kind: str) -> Iterator[Sample]:
    return (Sample(one.name, one.picture, one.says) for one in make(kind, MADE, seed=1))


def _truth(path: Path) -> bytes | None:
    found = (path.with_suffix(ending) for ending in (".bin", ".txt"))
    return next((one.read_bytes() for one in found if one.is_file()), None)


def _plain(raw: bytes) -> str:
    """A text without the line end of its file; a UPC-A as the EAN-13 that it is, with a nought before it."""
    text = raw.decode("utf-8", "backslashreplace").strip("\r\n").replace("\r\n", "\n")
    return text.zfill(13) if text.isascii() and text.isdecimal() and len(text) in (12, 13) else text


def _ours(picture: Picture) -> list[Read]:
    return [(one.raw, one.text) for one in decode(picture)]


# each decoder as it comes


def _pyzbar(picture: Picture) -> list[Read]:
    try:
        found = pyzbar.decode(picture)
    except ValueError:  # it cannot name the direction of some codes, and loses the picture
        return []
    return [(bytes(one.data), one.data.decode("utf-8", "replace")) for one in found]


def _zxing(picture: Picture) -> list[Read]:
    found = zxingcpp.read_barcodes(picture, text_mode=zxingcpp.TextMode.Plain)
    return [(bytes(one.bytes), one.text) for one in found]


def _opencv(picture: Picture) -> list[Read]:
    texts: list[str] = []
    try:
        texts += _QR.detectAndDecodeMulti(picture)[1]
        texts.append(_STRIPES.detectAndDecode(picture)[0])
    except (UnicodeDecodeError, cv2.error):  # bytes that are no text, and pictures that it stumbles over
        pass
    return [(text.encode(), text) for text in texts if text]


_QR = cv2.QRCodeDetector()
_STRIPES = cv2.barcode.BarcodeDetector()

READERS: dict[str, Reader] = {"tillbox": _ours, "pyzbar": _pyzbar, "zxing-cpp": _zxing, "opencv": _opencv}
