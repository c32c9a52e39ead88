"""ESC/POS bytes as what lies on the paper. Written apart from the encoder on purpose, from the command set alone, so
that it judges what the encoder made."""

from __future__ import annotations

from PIL import Image

from .paper_picture import HEIGHT, Run, Seen, bar_picture, below, qr_picture

CODE_PAGES = {
    0: "cp437",
    2: "cp850",
    3: "cp860",
    5: "cp865",
    16: "cp1252",
    17: "cp866",
    18: "cp852",
    19: "cp858",
}


class Reader:
    """Walks through the bytes by the commands' true lengths."""

    def __init__(self, data: bytes, dots: int) -> None:
        self.data, self.at, self.dots = data, 0, dots
        self.seen = Seen()
        self.bold, self.scale, self.align = False, 1, 0
        self.text = bytearray()
        self.alphabet, self.in_chinese = "gb18030", False
        self.qr_data, self.qr_dots = b"", 4
        self.bar_height = 80

    def read(self) -> Seen:
        while self.at < len(self.data):
            byte = self.take(1)
            if byte == b"\n":
                self.flush(force=True)
            elif byte in (b"\x1b", b"\x1d", b"\x1c", b"\x10"):
                self.command(byte)
            elif byte >= b" ":
                self.text += byte
        self.flush()
        return self.seen

    def take(self, count: int) -> bytes:
        found = self.data[self.at : self.at + count]
        self.at += count
        return found

    def flush(self, *, force: bool = False) -> None:
        if self.text or force:
            text = self.text.decode(self.alphabet, "replace")
            self.seen.lines.append(Run(text, self.bold, self.scale, self.align))
        self.text = bytearray()

    def command(self, lead: bytes) -> None:
        code = lead + self.take(1)
        match code:
            case b"\x1b@":
                self.bold, self.scale, self.align = False, 1, 0
            case b"\x1c&":
                self.flush()
                self.alphabet = "gb18030"
            case b"\x1c.":
                self.flush()
                self.alphabet = "cp437"
            case b"\x1bt":
                self.flush()
                self.alphabet = CODE_PAGES.get((self.take(1) or b"\x00")[0], "latin-1")
            case b"\x1dH" | b"\x1dw":
                self.take(1)
            case b"\x1dh":
                self.bar_height = (self.take(1) or b"\x50")[0]
            case b"\x1dk":
                self.bars()
            case b"\x1ba":
                self.align = (self.take(1) or b"\x00")[0] % 48
            case b"\x1bE":
                self.bold = bool((self.take(1) or b"\x00")[0] & 1)
            case b"\x1d!":
                self.scale = 2 if (self.take(1) or b"\x00")[0] else 1
            case b"\x1bd":
                self.flush()
                self.seen.lines += [HEIGHT] * (self.take(1) or b"\x00")[0]
            case b"\x1bp":
                self.take(3)
                self.seen.kicks += 1
            case b"\x1dV":
                self.flush()
                if self.take(1) in (b"A", b"B", b"a", b"b"):
                    self.take(1)
                self.seen.cuts += 1
            case b"\x1d(":
                kind, size = self.take(1), int.from_bytes(self.take(2), "little")
                self.extended(kind, self.take(size))
            case b"\x1dv":
                self.raster()
            case b"\x1dr" | b"\x10\x04":
                self.take(1)
            case _:
                self.seen.unknown[code.hex()] += 1

    def bars(self) -> None:
        kind, size = self.take(1), (self.take(1) or b"\x00")[0]
        data = self.take(size)
        if kind == b"\x49" and data.startswith(b"{B"):
            self.seen.lines.append(
                bar_picture(data[2:].replace(b"{{", b"{").decode("ascii"), "Code128", self.bar_height)
            )
        elif kind == b"\x43":
            self.seen.lines.append(bar_picture(data.decode("ascii"), "EAN13", self.bar_height))
        else:
            self.seen.unknown[f"1d6b{kind.hex()}"] += 1

    def extended(self, kind: bytes, body: bytes) -> None:
        if kind != b"k" or body[:1] != b"1":
            self.seen.unknown[f"1d28{kind.hex()}"] += 1
            return
        function, rest = body[1:2], body[2:]
        if function == b"C":
            self.qr_dots = (rest or b"\x04")[0]
        elif function == b"P":
            self.qr_data = rest[1:]
        elif function == b"Q" and self.qr_data:
            self.seen.lines.append(qr_picture(self.qr_data, self.qr_dots))

    def raster(self) -> None:
        self.take(2)
        self.dots_of(int.from_bytes(self.take(2), "little"), int.from_bytes(self.take(2), "little"))

    def dots_of(self, row_bytes: int, rows: int) -> None:
        body = self.take(row_bytes * rows).ljust(row_bytes * rows, b"\x00")
        if not row_bytes or not rows or row_bytes > 256 or rows > 4_096:
            self.seen.unknown["raster"] += 1
            return
        strip = Image.frombytes("1", (row_bytes * 8, rows), bytes(byte ^ 0xFF for byte in body)).convert("L")
        last = self.seen.lines[-1] if self.seen.lines and not self.text else None
        if isinstance(last, Image.Image) and last.width == strip.width:
            self.seen.lines[-1] = below(last, strip)  # a long picture comes in strips
        else:
            self.seen.lines.append(strip)
