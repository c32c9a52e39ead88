"""Opening a picture that a stranger sent: bytes or a file become a grey array, or a refusal that says why.

Nothing is unpacked before its size is known, since a kilobyte can unpack to gigabytes. A torn picture is no
picture: half a code on its upper half must not look like a shop that shows none.
"""

from __future__ import annotations

import io
import stat
import threading
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import (
    Image,
    ImageOps,
    JpegImagePlugin,  # noqa: F401 - loaded here, so that Pillow does not load forty of them for one WebP
    PngImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from tillbox.contracts.verdicts import Reason, Refused

FORMATS = ("PNG", "JPEG", "WEBP")
FILE_BYTES_MAX = 20_000_000  # a phone's largest photo is about half of it
SIDE_MAX = 30_000  # the decoders count to 32,767
PIXELS_MAX = 40_000_000  # 40 MB in grey, which a small box still has
_ONE_AT_A_TIME = threading.Lock()  # a small box has memory for one; and warning filters are the process's

Picture = NDArray[np.uint8]


def load(picture: bytes | str | Path) -> Picture | Refused:
    """A grey picture, upright and on white, or why there is none. Never raises."""
    data = picture if isinstance(picture, bytes) else _read(Path(picture))
    if isinstance(data, Refused):
        return data
    if not data:
        return _no("it is empty")
    if len(data) > FILE_BYTES_MAX:
        return _no(f"it has more than {FILE_BYTES_MAX // 1_000_000} MB")
    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow remarks on broken notes; the cashier cannot mend them
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _unpack(data)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return _too_many_pixels()
    except UnidentifiedImageError:
        return _no(f"it is no {', '.join(FORMATS[:-1])} or {FORMATS[-1]}")
    except Exception:
        # Pillow's readers raise whatever their parsing meets: OSError, SyntaxError, struct.error and more.
        return _no("it is torn or damaged")


def _read(path: Path) -> bytes | Refused:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return _no("it is a folder; name the pictures in it")
        if not stat.S_ISREG(status.st_mode):
            return _no("it is no file")  # reading a pipe would wait for ever
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return _no("there is no such file")
    except PermissionError:
        return _no("this user may not read it")
    except (OSError, ValueError) as why:
        return _no(f"it cannot be read: {getattr(why, 'strerror', None) or 'its name is no path'}")


def _unpack(data: bytes) -> Picture | Refused:
    image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    if image.width * image.height > PIXELS_MAX:
        return _too_many_pixels()
    if max(image.size) > SIDE_MAX:
        return _no(f"one side is longer than {SIDE_MAX} pixels")
    image.draft("L", image.size)  # a JPEG holds its grey apart; the colours need not be unpacked
    return np.asarray(_grey(_upright(image)))


def _upright(image: Image.Image) -> Image.Image:
    """A phone writes the picture as its sensor lies, and notes how to turn it."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        # A broken note says nothing about the picture, and the decoders read any way up. If it is the
        # picture that is broken, unpacking it says so next.
        return image


def _grey(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):  # 16 bits a pixel, which convert("L") would clip to white
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        # Codes are saved black on nothing, and nothing converts to black.
        colours = image.convert("RGBA")
        white = Image.new("RGBA", colours.size, "white")
        return Image.alpha_composite(white, colours).convert("L")
    return image.convert("L")


def _too_many_pixels() -> Refused:
    return _no(f"it has more than {PIXELS_MAX // 1_000_000} megapixels")


def _no(why: str) -> Refused:
    return Refused(Reason.NO_PICTURE, why)
