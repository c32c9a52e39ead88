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
OTHER_PIXELS_MAX = 17_000_000  # unpacked whole: 68 MB with transparency; so are progressive JPEGs, and slowly those of four colours
SCANS_MAX = 20
"""A progressive JPEG has ten, and one in its thumbnail; each is another pass over the whole picture."""
SIDE_MAX = 1_600
JPEG_BYTES_MAX = 300_000
QUALITIES = (85, 75, 60)
_ONE_AT_A_TIME = threading.Lock()  # the memory of one is a tenth of a small core's
PATIENCE_S = 2.0  # the largest takes one; who waits holds one of the console's threads
_SCAN = b"\xff\xda"  # in a scan's own bytes no 0xff stands before anything but 0x00


def small_jpeg(data: bytes) -> bytes | Refused:
    """The picture anew. Never raises."""
    if len(data) > PHOTO_BYTES_MAX:
        return Refused(Reason.PICTURE_TOO_LARGE, f"{len(data)} bytes; at most {PHOTO_BYTES_MAX}")
    if not _ONE_AT_A_TIME.acquire(timeout=PATIENCE_S):
        return Refused(Reason.PICTURE_BUSY)
    try:
        image = _unpacked(data)
        return image if isinstance(image, Refused) else _packed(image)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return Refused(Reason.PICTURE_TOO_LARGE)
    except UnidentifiedImageError:
        return Refused(Reason.NO_PICTURE, f"it is none of {', '.join(FORMATS)}")
    except Exception:
        # Pillow's readers raise whatever their parsing meets: OSError, SyntaxError, struct.error and more.
        return Refused(Reason.NO_PICTURE, "it is torn or damaged")
    finally:
        _ONE_AT_A_TIME.release()


def _unpacked(data: bytes) -> Image.Image | Refused:
    """Upright, on white, and no larger than it is kept. Its size is judged before anything is unpacked."""
    image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    plain = image.format == "JPEG" and image.mode in ("RGB", "L") and "progressive" not in image.info
    most = JPEG_PIXELS_MAX if plain else OTHER_PIXELS_MAX
    if image.width * image.height > most:
        return Refused(Reason.PICTURE_TOO_LARGE, f"{image.width} × {image.height}")
    if image.format in ("JPEG", "MPO") and data.count(_SCAN) > SCANS_MAX:
        return Refused(Reason.NO_PICTURE, f"it is drawn in {data.count(_SCAN)} scans; at most {SCANS_MAX}")
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
