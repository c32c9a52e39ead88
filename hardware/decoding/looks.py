"""The two decoders, each as one look at a grey picture. Neither is believed here; `cascade.py` judges.

zxing-cpp is fast and reads everything. zbar reads blurred one-dimensional codes that it misses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import zxingcpp

from tillbox.contracts.codes.reads import Symbology

from .found import Found
from .picture import Picture

try:
    from pyzbar import pyzbar

    _zbar: Any = pyzbar
except ImportError:  # the package, or the system's libzbar that it loads
    _zbar = None

Look = Callable[[Picture], tuple[Found, ...]]

_Format = zxingcpp.BarcodeFormat

# By kind and not by variant: a stacked DataBar is a DataBar to a till.
_LINEAR: dict[Any, Symbology] = {
    _Format.Code128: Symbology.CODE_128,
    _Format.Code39: Symbology.CODE_39,
    _Format.Code93: Symbology.CODE_93,
    _Format.ITF: Symbology.ITF,
    _Format.Codabar: Symbology.CODABAR,
    _Format.DataBar: Symbology.DATABAR,
    _Format.EANUPC: Symbology.EAN_13,
}
_SQUARE: dict[Any, Symbology] = {
    _Format.QRCode: Symbology.QR,
    _Format.DataMatrix: Symbology.DATA_MATRIX,
    _Format.Aztec: Symbology.AZTEC,
    _Format.PDF417: Symbology.PDF417,
}
_KINDS = _LINEAR | _SQUARE
_VARIANTS: dict[Any, Symbology] = {
    _Format.MicroQRCode: Symbology.MICRO_QR,
    _Format.EAN8: Symbology.EAN_8,
    _Format.UPCA: Symbology.UPC_A,
    _Format.UPCE: Symbology.UPC_E,
}


def _zxing(*formats: Any, flat: bool = False, quick: bool = False) -> Look:
    """A look of zxing-cpp. `flat`: with one threshold for the whole picture, for codes that are drawn with
    pictures in them. `quick`: a third of the time, for no code that is inverted, nor bars that lie."""
    wanted = zxingcpp.BarcodeFormats(list(formats))
    binarizer = zxingcpp.Binarizer.GlobalHistogram if flat else zxingcpp.Binarizer.LocalAverage

    def look(picture: Picture) -> tuple[Found, ...]:
        reads = zxingcpp.read_barcodes(
            picture,
            formats=wanted,
            try_rotate=not quick,
            try_downscale=not quick,
            try_invert=not quick,
            text_mode=zxingcpp.TextMode.Plain,
            binarizer=binarizer,
        )
        return tuple(map(_from_zxing, reads))

    return look


def _from_zxing(read: Any) -> Found:
    kind = _KINDS.get(read.symbology, Symbology.UNKNOWN)
    at = read.position
    corners = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
    return Found(
        raw=bytes(read.bytes),
        text=read.text,
        symbology=_VARIANTS.get(read.format, kind),
        corners=tuple((corner.x, corner.y) for corner in corners),
        by="zxing",
        aim=read.symbology_identifier,
    )


look_zxing = _zxing(*_KINDS)
look_zxing_flat = _zxing(*_KINDS, flat=True)
look_qr_quick = _zxing(_Format.QRCode, quick=True)
look_square_quick = _zxing(*_SQUARE, quick=True)
look_linear_quick = _zxing(*_LINEAR, quick=True)


def look_zbar(picture: Picture) -> tuple[Found, ...]:
    """What zbar reads of the drawings that a shop has; nothing where zbar is not installed."""
    if _zbar is None:
        return ()
    try:
        reads = _zbar.decode(picture, symbols=[_zbar.ZBarSymbol[name] for name in (*_ZBAR_KINDS, "UPCE")])
    except ValueError:
        # pyzbar cannot name the direction of a QR code that is one part of several, and loses the picture.
        return ()
    found = (_from_zbar(read, _ZBAR_KINDS[read.type]) for read in reads if read.type in _ZBAR_KINDS)
    return tuple(one for one in found if one.raw.isascii() and one.corners)


def _from_zbar(read: Any, kind: Symbology) -> Found:
    # zbar guesses at the alphabet of a QR code and re-writes its bytes, so only plain ASCII is passed on.
    text = read.data.decode("ascii", "replace")
    return Found(read.data, text, kind, tuple((point.x, point.y) for point in read.polygon), "zbar")


# Not UPC-E: zbar sees one in the stripes of many a longer code. It is asked for all the same, since
# otherwise zbar passes it off as the EAN-13 that it stands for.
_ZBAR_KINDS = {
    "EAN13": Symbology.EAN_13,
    "EAN8": Symbology.EAN_8,
    "I25": Symbology.ITF,
    "CODE128": Symbology.CODE_128,
    "CODE39": Symbology.CODE_39,
    "CODABAR": Symbology.CODABAR,
    "QRCODE": Symbology.QR,
}
