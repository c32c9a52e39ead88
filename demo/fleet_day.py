"""A batch of boxes comes out of its cartons: planned, their sheets printed, each reads its own sheet, tests itself, is
accepted by an engineer's phone, and sells. Everything is done by what a person does: paper, cameras, buttons."""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pypdfium2
from PIL import Image

from tillbox.cloud_bridge.fleet.sheets import HEIGHT_MM, WIDTH_MM, write_sheets
from tillbox.hardware.printing.labels.sheet import Grid, grid_for
from tillbox.hardware.simulated.paper import paper_picture

from .fleet_town import FleetTown, Phone, codes_on, text_of
from .town import GOODS, Counter

AT_ONCE = 2  # boxes that arrive together: this machine has so many cores
PATIENCE_S = 90.0
DOTS_PER_MM = 8
GOAL_S = 90.0
HOLD_S = 2.0


class DayFailed(Exception):
    """A step did not come; the message says which, of which box."""


@dataclass(frozen=True, slots=True)
class Row:
    """One box, and what each step took, in seconds from power-on."""

    position: str
    device: str
    greeted_s: float
    claimed_s: float
    tested_s: float
    birth_slip_s: float
    accepted_s: float
    sold_s: float


def run(folder: Path, boxes: int, say: Callable[[str], None]) -> dict[str, Any]:
    """The whole day, as one document."""
    town = FleetTown(folder)
    try:
        town.build()
        town.start()
        sheets = _sheets(town, boxes, say)
        rows = _arrivals(town, sheets, say)
    finally:
        town.stop()
    seconds = [row.sold_s for row in rows]
    return {
        "boxes": [asdict(row) for row in rows],
        "median_s": round(median(seconds), 1),
        "slowest_s": round(max(seconds), 1),
        "goal_s": GOAL_S,
        "ok": len(rows) == boxes and median(seconds) < GOAL_S,
    }


def _sheets(town: FleetTown, boxes: int, say: Callable[[str], None]) -> dict[str, bytes]:
    """Plan, print, and cut the sheet: a picture for each place."""
    api = town.api()
    places = [
        {"store": f"store{1 + at // 3}", "lane": f"lane{1 + at % 3}", "title": f"街角茶铺 {1 + at // 3}号店"}
        for at in range(boxes)
    ]
    api.act("plan-places", {"places": places})
    api.act("decide-settings", {"scope": "tenant", "settings": town.shop_settings()})
    names = [f"{one['store']}/{one['lane']}" for one in places]
    claims = api.act("make-claims", {"places": names})["claims"]
    path = town.folder / "sheets.pdf"
    why = write_sheets(claims, "pdf", path)
    if why:
        raise DayFailed(f"the sheets were not printed: {why}")
    say(f"{boxes} places are planned, their sheets are in {path}")
    return dict(zip(names, _cut(path.read_bytes(), boxes), strict=True))


def _cut(data: bytes, count: int) -> list[bytes]:
    """A page as a scanner sees it, cut along its marks."""
    grid = grid_for(WIDTH_MM, HEIGHT_MM)
    assert isinstance(grid, Grid)
    document = pypdfium2.PdfDocument(data)
    pieces = []
    for at in range(count):
        page = document[at // grid.places].render(scale=DOTS_PER_MM * 25.4 / 72, grayscale=True).to_pil()
        left, top = (round(mm * DOTS_PER_MM) for mm in grid.corner(at % grid.places))
        piece = page.crop((left, top, left + WIDTH_MM * DOTS_PER_MM, top + HEIGHT_MM * DOTS_PER_MM))
        pieces.append(_png(piece))
    document.close()
    return pieces


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _arrivals(town: FleetTown, sheets: dict[str, bytes], say: Callable[[str], None]) -> list[Row]:
    phone = town.phone()
    lock = threading.Lock()
    cartons = {place: town.unpack(f"carton-{number}") for number, place in enumerate(sheets, start=1)}

    def arrive(place: str) -> Row:
        row = arrival(cartons[place], place, sheets[place], phone, lock)
        say(f"{place}: {row.device} sells after {row.sold_s:.1f} s")
        return row

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(arrive, sheets))


def arrival(counter: Counter, place: str, sheet: bytes, phone: Phone, lock: threading.Lock) -> Row:
    """One box, from power-on to its first sale."""
    began = time.monotonic()
    stages: dict[str, float] = {}

    def until(what: str, ready: Callable[[], bool]) -> None:
        due = time.monotonic() + PATIENCE_S
        while not ready():
            if time.monotonic() > due:
                log = counter.process.log.read_text(errors="replace")[-1_500:]
                raise DayFailed(f"{place}: waited {PATIENCE_S:.0f} s for {what}, in vain.\n{log}")
            time.sleep(0.1)
        stages[what] = time.monotonic() - began

    counter.process.start()
    until("the greeting", lambda: counter.look().get("stage") == "waiting" and _paper(counter, "claim sheet"))
    until("the claim", _held_until(counter, sheet, lambda: _has_claimed(counter)))
    until("the test slip", lambda: _paper(counter, "TEST SLIP"))
    slip = _picture(counter, "TEST SLIP")
    until("the till", _held_until(counter, slip, lambda: counter.look().get("online") is True))
    until("the birth slip", lambda: _paper(counter, "BIRTH SLIP"))
    link = birth_link(counter)
    with lock:
        accept(phone, link)
    stages["the acceptance"] = time.monotonic() - began
    sell(counter, until)
    took = {name: round(seconds, 1) for name, seconds in stages.items()}
    return Row(
        position=place,
        device=str(counter.look().get("device", "")),
        greeted_s=took["the greeting"],
        claimed_s=took["the claim"],
        tested_s=took["the till"],
        birth_slip_s=took["the birth slip"],
        accepted_s=took["the acceptance"],
        sold_s=took["the sale at the core"],
    )


def sell(counter: Counter, until: Callable[[str, Callable[[], bool]], None]) -> None:
    """One tea for cash, and the core has it."""
    papers = len(counter.papers())
    counter.press("pick", gtin=GOODS[0][0])
    until("a product", lambda: counter.look().get("total") == "12.00")
    counter.press("cash", amount="20")
    until("a receipt", lambda: len(counter.papers()) > papers)
    until("the sale at the core", lambda: counter.look().get("pending") == 0)


def birth_link(counter: Counter) -> str:
    """What a phone reads on the birth slip."""
    slip = next(one for one in reversed(counter.papers()) if "BIRTH SLIP" in text_of(one))
    links = [found.raw.decode() for found in codes_on(slip) if found.raw.startswith(b"http")]
    if not links:
        raise DayFailed("the birth slip has no code that can be read")
    return links[0]


def accept(phone: Phone, link: str) -> None:
    """The page that the code opens, and its one large button."""
    page = phone.get(link)
    fields = dict(re.findall(r'name="(csrf|next|device|proof)" value="([^"]*)"', page))
    said = phone.post(
        "/do/accept-box", **{**fields, "next": fields["next"].replace("&amp;", "&")}, note="demo"
    )
    if "已验收" not in said and "Accepted" not in said:
        raise DayFailed("the page does not say that the box is accepted")


def _has_claimed(counter: Counter) -> bool:
    found = counter.look()
    return found.get("stage") in ("testing", "placed") or "pending" in found


def _held_until(counter: Counter, picture: bytes, done: Callable[[], bool]) -> Callable[[], bool]:
    """Somebody holds a paper before the camera, and again every so often, until the box has seen it."""
    again = 0.0

    def ready() -> bool:
        nonlocal again
        if done():
            return True
        if time.monotonic() >= again:
            counter.hold_before_camera(picture)
            again = time.monotonic() + HOLD_S
        return False

    return ready


def _paper(counter: Counter, words: str) -> bool:
    return any(words in text_of(slip) for slip in counter.papers())


def _picture(counter: Counter, words: str) -> bytes:
    slip = next(one for one in reversed(counter.papers()) if words in text_of(one))
    return paper_picture(slip.data)


def table_of(rows: Sequence[dict[str, Any]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The rows as a table for people."""
    heads = ("place", "box", "greets", "claimed", "till up", "birth slip", "accepted", "sold, at the core")
    return heads, [tuple(str(cell) for cell in row.values()) for row in rows]
