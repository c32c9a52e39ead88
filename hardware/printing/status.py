"""What a printer's answers mean, language by language. Pure: bytes in, `PrinterState` out.

An answer that breaks its language's fixed bits is no answer: whoever speaks there is no printer of that kind.
"""

from __future__ import annotations

from dataclasses import dataclass

from tillbox.hardware.ports import PrinterState

# ESC/POS: one byte for each DLE EOT n and each GS r; four bytes that a printer pushes by itself (ASB)

DLE_EOT_MASK, DLE_EOT_FIXED, ASB_FIXED = 0x93, 0x12, 0x10
FLOW_CONTROL = b"\x11\x13"  # XON and XOFF, which a serial printer says when its buffer is full


@dataclass(frozen=True, slots=True)
class Heard:
    """What an ESC/POS printer said: answers to `DLE EOT`, answers to `GS r`, what is neither, and the beginning of an
    automatic status that is not whole yet."""

    real_time: tuple[int, ...]
    in_order: tuple[int, ...]
    strange: bytes
    begun: bytes


def escpos_answers(stream: bytes) -> Heard:
    """A stream of answers, sorted by the bits that are fixed in each kind.

    A till that had this printer before may have switched automatic status on: then four bytes may come between
    any two others. They begin with bits that no other answer has, and are passed over. XON and XOFF are no answers.
    """
    real_time: list[int] = []
    in_order: list[int] = []
    strange, at = b"", 0
    while at < len(stream):
        byte = stream[at]
        if byte & DLE_EOT_MASK == ASB_FIXED:
            if at + 4 > len(stream):
                return Heard(tuple(real_time), tuple(in_order), strange, stream[at:])
            at += 4
            continue
        if byte & DLE_EOT_MASK == DLE_EOT_FIXED:
            real_time.append(byte)
        elif byte & 0x90 == 0:
            in_order.append(byte)
        elif byte not in FLOW_CONTROL:
            strange += bytes([byte])
        at += 1
    return Heard(tuple(real_time), tuple(in_order), strange, b"")


def escpos_state(offline: int, errors: int, paper: int) -> PrinterState:
    """From the answers to `DLE EOT` 2, 3 and 4."""
    if paper & 0x60 or offline & 0x20:
        return PrinterState.PAPER_OUT
    if offline & 0x04:
        return PrinterState.COVER_OPEN
    if errors & 0x08:
        return PrinterState.CUTTER_JAM
    if errors & 0x60:
        return PrinterState.BROKEN
    return PrinterState.PAPER_NEAR_END if paper & 0x0C else PrinterState.READY


# Star: one block of bytes for each ESC ACK SOH; its first byte has bit 0 set and says how long it is


def star_block(stream: bytes) -> bytes | None:
    """The newest whole status block in what came, or None."""
    blocks, at = [], 0
    while at < len(stream):
        length = _star_length(stream[at])
        if length < 7 or any(byte & 0x11 for byte in stream[at + 1 : at + length]):
            at += 1
            continue
        if at + length <= len(stream):
            blocks.append(stream[at : at + length])
        at += length
    return blocks[-1] if blocks else None


def star_state(block: bytes) -> PrinterState:
    """From the third, fourth and sixth byte of a block."""
    cover, errors, paper = block[2], block[3], block[5]
    if paper & 0x08:
        return PrinterState.PAPER_OUT
    if cover & 0x20:
        return PrinterState.COVER_OPEN
    if errors & 0x08:
        return PrinterState.CUTTER_JAM
    if errors & 0x64 or cover & 0x08:
        return PrinterState.BROKEN
    return PrinterState.PAPER_NEAR_END if paper & 0x06 else PrinterState.READY


def star_counter(block: bytes) -> int | None:
    """How many ETBs the printer has passed, modulo 32; None where it does not count."""
    if len(block) < 8:
        return None
    return (block[7] & 0x40) >> 2 | (block[7] & 0x20) >> 2 | (block[7] & 0x0E) >> 1


def _star_length(first: int) -> int:
    """Bits 1 to 3 and 5 to 7 of the first byte; 0 for a byte that begins no block."""
    return (first & 0x0E) >> 1 | (first & 0xE0) >> 2 if first & 0x11 == 0x01 else 0


# TSPL: one byte for ESC ! ?

TSPL_BUSY = 0x20
TSPL_NEVER = 0x40  # no printer sets this bit


def tspl_state(answer: int) -> PrinterState:
    """From the answer to `ESC ! ?`; a printer that is at work is ready."""
    if answer & 0x04:
        return PrinterState.PAPER_OUT
    if answer & 0x01:
        return PrinterState.COVER_OPEN
    if answer & 0x02:
        return PrinterState.CUTTER_JAM
    if answer & 0x08:
        return PrinterState.RIBBON_OUT
    return (
        PrinterState.PAUSED if answer & 0x10 else PrinterState.BROKEN if answer & 0x80 else PrinterState.READY
    )


# ZPL: three lines between STX and ETX for ~HS


def zpl_fields(stream: bytes) -> tuple[list[bytes], list[bytes]] | None:
    """The fields of the first two lines, or None while they are not whole or not Zebra's."""
    lines = [part.partition(b"\x03")[0].split(b",") for part in stream.split(b"\x02")[1:]]
    if stream.count(b"\x03") < 3 or len(lines) < 3 or len(lines[0]) < 12 or len(lines[1]) < 11:
        return None
    if not (lines[0][4].isdigit() and lines[1][8].isdigit()):
        return None  # it looks like Zebra's and is not
    return lines[0], lines[1]


def zpl_state(first: list[bytes], second: list[bytes]) -> PrinterState:
    """Paper and pause from the first line, head and ribbon from the second."""
    if first[1] == b"1":
        return PrinterState.PAPER_OUT
    if second[2] == b"1":
        return PrinterState.COVER_OPEN
    if second[3] == b"1":
        return PrinterState.RIBBON_OUT
    return PrinterState.PAUSED if first[2] == b"1" else PrinterState.READY


def zpl_idle(first: list[bytes], second: list[bytes]) -> bool:
    """Whether nothing waits: no format in its buffer, no label left of the batch."""
    return not int(first[4]) and not int(second[8])
