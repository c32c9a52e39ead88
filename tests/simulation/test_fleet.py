"""A box's life in a fleet, on real parts: out of the carton without a line, taken in, told its shop's new name, replaced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tillbox.demo.fleet_town import codes_on, text_of
from tillbox.demo.town import Counter
from tillbox.proof.drills.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.mosquitto]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    opened = Stage(tmp_path, print)
    try:
        opened.open()
        yield opened
    finally:
        opened.close()


def papers(counter: Counter, words: str) -> list[str]:
    return [text for slip in counter.papers() if words in (text := text_of(slip))]


def test_a_boxs_life(stage: Stage) -> None:
    stage.plan("store1/lane1")
    sheet = stage.sheet("store1/lane1")
    box = stage.town.unpack("carton")
    stage.town.cut(box)
    box.process.start()
    stage.until("the greeting", lambda: bool(papers(box, "claim sheet")))
    again = iter(range(1, 1_000))

    def shown() -> bool:
        if next(again) % 20 == 1:
            box.hold_before_camera(sheet)
        return bool(papers(box, "TEST SLIP"))

    stage.until("the test slip", shown)
    slip = next(one for one in box.papers() if "TEST SLIP" in text_of(one))
    box.scanner.show(codes_on(slip)[0].raw)
    stage.until("a till without a line", lambda: "pending" in box.look())
    box.press("amount", amount="12")  # it has no list of goods yet; the sheet states what it may take
    stage.until("a small amount", lambda: box.look().get("total") == "12.00")
    box.press("cash", amount="20")
    stage.until("a receipt", lambda: bool(papers(box, "RECEIPT")))
    box.press("amount", amount="1500")
    stage.until("an amount", lambda: box.look().get("total") == "1500.00")
    box.press("cash", amount="2000")
    stage.until("a no", lambda: any("has not reached the core" in one for one in box.look().get("said", [])))
    box.press("clear")

    stage.town.mend(box)
    stage.until("the core to take it in", lambda: box.look().get("online") is True)
    device = str(box.look()["device"])
    stage.until("its sale in the book", lambda: stage.sales(device) == 1)
    stage.until("the birth slip", lambda: bool(papers(box, "BIRTH SLIP")))

    name = {**stage.town.shop_settings(), "shop": "新街角茶铺"}
    assert stage.api.act("preview-settings", {"scope": "tenant", "settings": name})["boxes"] == 1
    stage.api.act("decide-settings", {"scope": "tenant", "settings": name})

    def renamed() -> bool:
        if box.look().get("online"):
            stage.sell(box)
        return bool(papers(box, "新街角茶铺"))

    stage.until("the shop's new name on paper", renamed)
    assert stage.refused("retire-box", {"device": "nobody"}) != ""
    stage.api.act("revoke-box", {"device": device})
    stage.until("the till to stop", lambda: box.look().get("phase") == "Stopped")
