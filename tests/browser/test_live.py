"""Head office looks over a till's shoulder, on real parts: what the cashier rings up is seen at the desk and on a phone while
it happens, and nothing can be pressed there. The pictures are left in pytest's temporary folder for a person to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.test_looks import FAULTS, READABLE, THUMB_PX
from tests.browser.visitor import PATIENCE_MS

from tillbox.demo.town import GOODS
from tillbox.proof.drills.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.mosquitto, pytest.mark.timeout(300)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path / "town", lambda _: None)
    try:
        made.open()
        made.plan("store1/lane1")
        yield made
    finally:
        made.close()


def test_the_tills_basket_is_seen_as_it_changes(browser: Browser, stage: Stage, tmp_path: Path) -> None:
    counter, device, _ = stage.box("carton-1", "store1/lane1")
    password = stage.town.core_command("operator", "head", "--role", "operator")
    console = stage.api.url

    def visit(width: int, height: int, scheme: str) -> Page:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{console}/login?lang=en")
        page.fill("[name=name]", "head")
        page.fill("[name=password]", password)
        page.click("button.primary")
        page.wait_for_url("**/")
        page.goto(f"{console}/boxes/{device}/live")
        return page

    def look(page: Page, name: str) -> None:
        page.wait_for_timeout(500)
        page.screenshot(path=tmp_path / f"live.{name}.png", full_page=True)
        assert page.evaluate(FAULTS, [READABLE, THUMB_PX]) == [], name

    desk = visit(1500, 1000, "light")
    seen = desk.frame_locator(".screen iframe").last
    expect(desk.locator(".screen")).to_contain_text("There is no picture.")
    for pane in ("screen", "log"):
        state = desk.locator(f"[data-part={pane}-state]")
        state.get_by_role("button", name="15 minutes").click()
        expect(state.locator(".badge")).to_have_text("live", timeout=PATIENCE_MS)
    expect(seen.locator("#due")).to_have_text("0.00", timeout=PATIENCE_MS)
    for due, goods in (("12.00", GOODS[0]), ("30.00", GOODS[1])):
        counter.press("pick", gtin=goods[0])
        expect(seen.locator("#due")).to_have_text(due, timeout=PATIENCE_MS)
    expect(seen.locator(".watched")).to_be_visible()
    expect(desk.locator(".log")).to_contain_text("command.taken", timeout=PATIENCE_MS)
    assert desk.locator(".screen iframe").last.get_attribute("sandbox") == ""
    seen.locator('form[action="/do/cash"] button').click(force=True)
    look(desk, "desk.light")

    phone = visit(390, 844, "dark")
    held = phone.frame_locator(".screen iframe").last
    expect(held.locator("#due")).to_have_text("30.00", timeout=PATIENCE_MS)
    look(phone, "phone.dark")
    cashier = browser.new_page(viewport={"width": 1024, "height": 768})
    cashier.goto(f"{counter.url}/?lang=en")
    expect(cashier.locator(".watched")).to_contain_text("Head office sees this screen until")
    cashier.screenshot(path=tmp_path / "live.cashier.png")

    counter.press("cash", amount="50")
    for page in (desk, phone):
        frame = page.frame_locator(".screen iframe").last
        expect(frame.locator("table.sales")).to_contain_text("30.00", timeout=PATIENCE_MS)
    desk.select_option("[name=level]", "error")
    desk.locator("[role=search] button").click()
    expect(desk.locator(".log")).to_contain_text("There is none like that.")
    desk.get_by_role("button", name="Stop watching").click()
    expect(desk.locator("[data-part=screen-state] .badge")).to_have_text("not watched")
    expect(cashier.locator(".watched")).to_have_count(0, timeout=PATIENCE_MS)
    for page in (desk, phone, cashier):
        page.close()
