"""Prints papers with python-escpos 3.1, as its users do: JSON lines in, base64 lines out. It knows no shop.

python-escpos has columns of no kind: its users pad with spaces. Chinese needs nothing from them, they pass Hanzi to
`text()`. Some (here every other seed) first switch the printer's Chinese on by hand (`FS &`).
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import logging
import sys
import unicodedata
from typing import Any

from escpos.printer import Dummy
from PIL import Image

IMAGES = ("bitImageRaster", "graphics", "bitImageColumn")
ASK = b"\x10\x04\x01"


class Paper:
    """One job on python-escpos's dummy printer."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._printer = Dummy()
        self._columns: int = job["columns"]
        self._seed: int = job["seed"]
        if job["paper"][0]["block"] != "ask" or len(job["paper"]) > 1:
            self._printer.hw("INIT")
        if job["language"] == "zh" and self._seed % 2:
            self._printer._raw(b"\x1c\x26")
        for block in job["paper"]:
            getattr(self, block["block"])(block)

    def bytes(self) -> bytes:
        """What went to the printer."""
        return bytes(self._printer.output)

    def text(self, block: dict[str, Any]) -> None:
        self._set(block, block["align"])
        room = self._columns // (2 if block["wide"] else 1)
        self._printer.text("\n".join(_wrapped(block["text"], room)) + "\n")
        self._unset(block)

    def pair(self, block: dict[str, Any]) -> None:
        self._set(block, "left")
        room = self._columns - _columns_of(block["left"]) - _columns_of(block["right"])
        self._printer.text(block["left"] + " " * max(1, room) + block["right"] + "\n")
        self._unset(block)

    def table(self, block: dict[str, Any]) -> None:
        edge = "|" if block["frame"] else ""
        line = "+" + "".join("-" * column["width"] + "+" for column in block["columns"])
        rows = ([block["heading"]] if block["heading"] else []) + block["rows"]
        for row in rows:
            if edge:
                self._printer.text(line + "\n")
            for cells in _cells(block["columns"], row):
                self._printer.text(edge + edge.join(cells) + edge + "\n")
        if edge:
            self._printer.text(line + "\n")

    def rule(self, block: dict[str, Any]) -> None:
        self._printer.text(block["mark"] * self._columns + "\n")

    def logo(self, block: dict[str, Any]) -> None:
        picture = Image.open(io.BytesIO(base64.b64decode(block["png"])))
        self._printer.image(picture, impl=IMAGES[self._seed % len(IMAGES)])

    def qr(self, block: dict[str, Any]) -> None:
        self._printer.qr(block["data"], native=self._seed % 2 == 0, size=4)

    def barcode(self, block: dict[str, Any]) -> None:
        self._printer.barcode("{B" + block["data"], "CODE128", height=60, width=2, function_type="B")
        self._printer.set(align="left")  # barcode() leaves the printer centred

    def feed(self, block: dict[str, Any]) -> None:
        self._printer.ln(block["lines"])

    def drawer(self, _: dict[str, Any]) -> None:
        self._printer.cashdraw(2)

    def ask(self, _: dict[str, Any]) -> None:
        self._printer._raw(ASK)  # what query_status() sends; the dummy has no answer to wait for

    def cut(self, _: dict[str, Any]) -> None:
        self._printer.cut("PART" if self._seed % 3 else "FULL")

    def _set(self, block: dict[str, Any], align: str) -> None:
        if align != "left" or block["bold"] or block["tall"] or block.get("wide"):
            self._printer.set(
                align=align,
                bold=block["bold"],
                custom_size=True,
                width=2 if block.get("wide") else 1,
                height=2 if block["tall"] else 1,
            )

    def _unset(self, block: dict[str, Any]) -> None:
        if block.get("align", "left") != "left" or block["bold"] or block["tall"]:
            self._printer.set_with_default()


def _cells(columns: list[dict[str, Any]], row: list[str]) -> list[list[str]]:
    """The row's printed lines: what does not fit its column goes on below."""
    parts = [_wrapped(text, column["width"]) for column, text in zip(columns, row, strict=True)]
    lines = []
    for at in range(max(map(len, parts))):
        line = []
        for column, part in zip(columns, parts, strict=True):
            text = part[at] if at < len(part) else ""
            room = " " * (column["width"] - _columns_of(text))
            line.append(room + text if column["align"] == "right" else text + room)
        lines.append(line)
    return lines


def _wrapped(text: str, room: int) -> list[str]:
    lines, line = [], ""
    for one in text:
        if _columns_of(line + one) > room:
            lines.append(line)
            line = ""
        line += one
    return [*lines, line]


def _columns_of(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def main() -> None:
    logging.disable(logging.WARNING)
    for line in sys.stdin:
        with contextlib.redirect_stdout(io.StringIO()):  # barcode() prints a remark
            data = Paper(json.loads(line)).bytes()
        print(base64.b64encode(data).decode(), flush=True)


if __name__ == "__main__":
    main()
