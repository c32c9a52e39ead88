"""A stranger's photograph becomes a small picture of our own: upright, at most 1,600 pixels wide or high, some 300 KB, and
without anything that a camera wrote beside it (where the shop is, whose phone it was). Or it is refused, and why.
"""

from __future__ import annotations

import io
import threading

from PIL import Image, ImageOps, UnidentifiedImageError

from tillbox.contracts.verdicts import Reason, Refused

PHOTO_BYTES_MAX = 8_000_000  # a phone's twelve megapixels at their finest
FORMATS = ("JPEG", "PNG", "WEBP")
JPEG_PIXELS_MAX = 52_000_000  # a JPEG is unpacked at a fraction of its size
OTHER_PIXELS_MAX = 17_000_000  # unpacked whole: 68 MB with transparency
SIDE_MAX = 1_600
JPEG_BYTES_MAX = 300_000
QUALITIES = (85, 75, 60)
_ONE_AT_A_TIME = threading.Lock()  # the memory of one is a tenth of a small core's


def small_jpeg(data: bytes) -> bytes | Refused:
    """The picture anew. Never raises."""
    if len(data) > PHOTO_BYTES_MAX:
        return Refused(Reason.PICTURE_TOO_LARGE, f"{len(data)} bytes; at most {PHOTO_BYTES_MAX}")
    try:
        with _ONE_AT_A_TIME:
            image = _unpacked(data)
            return image if isinstance(image, Refused) else _packed(image)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return Refused(Reason.PICTURE_TOO_LARGE)
    except UnidentifiedImageError:
        return Refused(Reason.NO_PICTURE, f"it is none of {', '.join(FORMATS)}")
    except Exception:
        # Pillow's readers raise whatever their parsing meets: OSError, SyntaxError, struct.error and more.
        return Refused(Reason.NO_PICTURE, "it is torn or damaged")


def _unpacked(data: bytes) -> Image.Image | Refused:
    """Upright, on white, and no larger than it is kept. Its size is judged before anything is unpacked."""
    image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    most = JPEG_PIXELS_MAX if image.format == "JPEG" else OTHER_PIXELS_MAX
    if image.width * image.height > most:
        return Refused(Reason.PICTURE_TOO_LARGE, f"{image.width} × {image.height}")
    image.draft("RGB", (SIDE_MAX, SIDE_MAX))
    image.load()
    image.thumbnail((SIDE_MAX, SIDE_MAX))
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    # A new picture: what hung on the old one (notes, place, comment, colours) stays behind.
    clean = Image.new("RGB", upright.size, "white")
    clean.paste(upright, mask=upright)
    return clean


def _packed(image: Image.Image) -> bytes:
    """As fine as fits; what does not fit even coarse gets smaller."""
    while True:
        for quality in QUALITIES:
            out = io.BytesIO()
            image.save(out, "JPEG", quality=quality, optimize=True)
            if out.tell() <= JPEG_BYTES_MAX:
                return out.getvalue()
        image = image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)))
