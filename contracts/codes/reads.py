"""What a device hands over: bytes and where they came from, before anybody says what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Symbology(StrEnum):
    """The drawing that carried the bytes."""

    QR = "qr"
    MICRO_QR = "micro_qr"
    DATA_MATRIX = "data_matrix"
    AZTEC = "aztec"
    PDF417 = "pdf417"
    EAN_13 = "ean_13"
    EAN_8 = "ean_8"
    UPC_A = "upc_a"
    UPC_E = "upc_e"
    CODE_128 = "code_128"
    CODE_39 = "code_39"
    CODE_93 = "code_93"
    ITF = "itf"
    CODABAR = "codabar"
    DATABAR = "databar"
    UNKNOWN = "unknown"


class ScannerMode(StrEnum):
    """What the shop is about to scan; it decides where bare digits are ambiguous."""

    TILL = "till"
    GOODS = "goods"
    PAYMENT = "payment"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class CodeRead:
    """One code that a device read: the bytes as they came (no prefix or suffix of the scanner; a GS1 code keeps
    its GS, 0x1D). They may be somebody's money, so no repr shows them. `aim` is the AIM identifier where the device
    gives one, as in "]C1" for a GS1-128."""

    raw: bytes = field(repr=False)
    symbology: Symbology
    source: str
    aim: str = ""
