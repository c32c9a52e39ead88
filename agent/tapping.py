"""Another till's papers, from the relay to the journal. Off until the shop's configuration turns it on.

What was read becomes one record, committed before the code that leads to it goes on the paper; a paper whose record is
not on the disk in time comes out without one. Goods are looked up in this shop's list by their code or their name, and
never guessed.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import structlog
from pydantic import AfterValidator, Field, ValidationError

from tillbox.contracts.codes import normal_gtin
from tillbox.contracts.messages import Line, Name, Tapped, TappedLine
from tillbox.contracts.settings import Strict, load
from tillbox.hardware.addresses import endpoint
from tillbox.hardware.printing import encode
from tillbox.hardware.printing.document import QR, Document
from tillbox.hardware.printing.profiles import Profile as Printer
from tillbox.hardware.tap import stream
from tillbox.hardware.tap.doors import door_at, printer_at
from tillbox.hardware.tap.inject import HOLD_MS, slip_before_cut
from tillbox.hardware.tap.items import Item
from tillbox.hardware.tap.learn import Profile
from tillbox.hardware.tap.reading import Reading, Verdict
from tillbox.hardware.tap.relay import Relay

log = structlog.get_logger(__name__)

CODED_MAX = 32  # papers whose codes may still be asked for; one till prints one at a time
PAPERS_A_MINUTE = 60  # the busiest till prints twenty


def _is_address(text: str) -> str:
    endpoint(text)
    return text


Address = Annotated[str, AfterValidator(_is_address)]


class Tap(Strict):
    """Read what another program's till prints. Ask a lawyer first: see docs/tap.md."""

    name: Name = Field(description="What the shop calls that till.")
    listen: Address = Field(
        description="Where that till prints to: host:port, or the path of a serial port that is made."
    )
    printer: Address = Field(description="Its printer: host:port, or a device.")
    profile: Path | None = Field(
        default=None, description="What is known of its papers, by `tillbox tap learn`."
    )
    code: bool = Field(
        default=False, description="Print a code for the customer before the last cut of a sale."
    )


def as_record(till: str, reading: Reading, goods: Mapping[str, Line]) -> Tapped:
    """A reading as the journal keeps it; without its lines and sums where they are more than a record holds."""
    names = {_plain(line.name): gtin for gtin, line in goods.items()}
    kept: dict[str, Any] = {
        "till": till,
        "paper": reading.paper.value,
        "verdict": reading.verdict.value,
        "why": reading.why[:160],
        "number": (reading.number or "")[:40],
    }
    try:
        return Tapped(
            **kept,
            lines=tuple(_line(item, goods, names) for item in reading.items),
            subtotal=reading.subtotal,
            discount=reading.discount,
            tax=reading.tax,
            total=reading.total,
        )
    except ValidationError:
        why = f"{len(reading.items)} lines, or figures, that are more than a record holds"
        return Tapped.model_validate({**kept, "verdict": "unreconciled", "why": why})


def _line(item: Item, goods: Mapping[str, Line], names: Mapping[str, str]) -> TappedLine:
    gtin = normal_gtin(item.sku) if item.sku and item.sku.isdecimal() else None
    known = gtin if gtin in goods else names.get(_plain(item.name), "")
    return TappedLine(
        name=item.name[:80],
        sku=(item.sku or "")[:24],
        quantity_milli=item.quantity_milli,
        price=item.price,
        amount=item.amount,
        goods=known or "",
    )


def _plain(name: str) -> str:
    return "".join(name.casefold().split())


class TapRoom:
    """The relay of one box.

    `record(body, then)` queues a record for the till's thread, which calls `then(id)` once it is on the disk.
    """

    def __init__(
        self,
        tap: Tap,
        *,
        goods: Mapping[str, Line],
        record: Callable[[Tapped, Callable[[str], None]], None],
        claim_url: str,
        printer: Printer,
        clock_ms: Callable[[], int],
    ) -> None:
        self._tap, self._goods, self._record = tap, goods, record
        self._claim_url, self._paper = claim_url, printer
        self._ids: dict[int, str] = {}  # of papers on the disk, by where they were cut
        self._minute: deque[int] = deque(maxlen=PAPERS_A_MINUTE)
        self._clock_ms = clock_ms
        self._on_disk = threading.Condition()
        settings = load(tap.profile, Profile).settings() if tap.profile else stream.Settings()
        self._relay = Relay(
            door_at(tap.listen),
            printer_at(tap.printer),
            on_paper=self._read,
            settings=settings,
            code_for=self._code if tap.code else None,
        )

    def start(self) -> None:
        """Let the till print."""
        self._relay.start()

    def stop(self) -> None:
        """End promptly."""
        self._relay.stop()

    def _read(self, paper: stream.Tapped) -> None:
        reading = paper.reading
        if reading.verdict is Verdict.NO_RECEIPT and not paper.sheet.lines:
            return  # a drawer, a question: nothing came out
        if not self._in_time():
            return

        def on_disk(record_id: str) -> None:
            with self._on_disk:
                while len(self._ids) >= CODED_MAX:
                    del self._ids[next(iter(self._ids))]
                if paper.cut is not None:
                    self._ids[paper.cut] = record_id
                self._on_disk.notify_all()

        self._record(as_record(self._tap.name, reading, self._goods), on_disk)

    def _in_time(self) -> bool:
        """Whether a record is still to be made: whoever reaches the tap's port may print without end, and the journal is
        for ever."""
        now_ms = self._clock_ms()
        if len(self._minute) == PAPERS_A_MINUTE and now_ms - self._minute[0] < 60_000:
            log.warning(
                "tap.too_many",
                hint=f"more than {PAPERS_A_MINUTE} papers a minute are passed on and not recorded",
            )
            return False
        self._minute.append(now_ms)
        return True

    def _code(self, paper: stream.Tapped) -> bytes:
        """The code that leads to a paper's record, if it is a sale and the record is on the disk in time."""
        if not paper.reading.is_sale:
            return b""
        with self._on_disk:
            self._on_disk.wait_for(lambda: paper.cut in self._ids, HOLD_MS / 1000)
            found = self._ids.pop(paper.cut, None) if paper.cut is not None else None
        if found is None:
            return b""
        code = encode(Document((QR(f"{self._claim_url}{found}"),)), self._paper)
        return slip_before_cut(code, paper)
