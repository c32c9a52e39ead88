"""StarPRNT bytes as what lies on the paper. Written apart from the encoder too, from Star's command set."""

from __future__ import annotations

from .paper_escpos import CODE_PAGES, Reader
from .paper_picture import bar_picture, qr_picture


class StarReader(Reader):
    """The same for Star's commands."""

    def command(self, lead: bytes) -> None:
        if lead == b"\x1c" or lead == b"\x10":
            self.seen.unknown[lead.hex()] += 1
            return
        code = lead + self.take(1)
        match code:
            case b"\x1b@":
                self.bold, self.scale, self.align, self.alphabet = False, 1, 0, "cp437"
            case b"\x1bE" | b"\x1bF":
                self.bold = code == b"\x1bE"
            case b"\x1bi":
                self.scale = 2 if self.take(2)[:1] == b"\x01" else 1
            case b"\x1bd":
                self.flush()
                self.take(1)
                self.seen.cuts += 1
            case b"\x1bb":
                self.star_bars()
            case b"\x1b\x1d":
                self.star_extended()
            case _:
                self.seen.unknown[code.hex()] += 1

    def star_bars(self) -> None:
        kind, _, _, height = (self.take(1) for _ in range(4))
        end = self.data.find(b"\x1e", self.at)
        text = self.take(max(0, end - self.at)).decode("ascii", "replace")
        self.take(1)
        drawing = {b"6": "Code128", b"3": "EAN13"}.get(kind)
        if drawing and text:
            self.seen.lines.append(bar_picture(text, drawing, height[0]))

    def star_extended(self) -> None:
        kind = self.take(1)
        if kind == b"a":
            self.align = (self.take(1) or b"\x00")[0]
        elif kind == b"t":
            self.alphabet = CODE_PAGES.get((self.take(1) or b"\x00")[0], "latin-1")
        elif kind == b")":
            self.take(1)
            body = self.take(int.from_bytes(self.take(2), "little"))
            self.alphabet = "utf-8" if body == b"0\x01" else self.alphabet
        elif kind == b"S":
            self.take(1)
            row_bytes, rows = int.from_bytes(self.take(2), "little"), int.from_bytes(self.take(2), "little")
            self.take(1)
            self.dots_of(row_bytes, rows)
        elif kind == b"y":
            self.star_qr(self.take(1))
        else:
            self.seen.unknown[f"1b1d{kind.hex()}"] += 1

    def star_qr(self, function: bytes) -> None:
        if function == b"S":
            which, value = self.take(1), self.take(1)
            self.qr_dots = value[0] if which == b"2" else self.qr_dots
        elif function == b"D":
            self.take(2)
            self.qr_data = self.take(int.from_bytes(self.take(2), "little"))
        elif function == b"P":
            self.seen.lines.append(qr_picture(self.qr_data, self.qr_dots))
