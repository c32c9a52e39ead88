"""Alerts, commands and bulks in a real browser, as somebody sees to them at night: a core alone, no broker and no box."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.test_fleet_pages import log_in
from tests.core_alone import CoreAlone, core_alone, now_ms

from tillbox.cloud_bridge.fleet import alerting
from tillbox.contracts.messages import Alert, Alerts

pytestmark = pytest.mark.browser

BOX = "b0012k2v7m4t6w2a5"
LANES = 24  # more than one person may command alone
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreAlone]:
    with core_alone(tmp_path_factory.mktemp("core")) as running:
        places = [
            {"store": f"s{1 + number // 4}", "lane": f"l{number % 4}", "title": "茶铺"}
            for number in range(LANES)
        ]
        running.do("plan-places", places=places)
        for number, place in enumerate(places):
            device = f"b{number:03}2k2v7m4t6w2a5"
            running.enrol(f"{place['store']}/{place['lane']}", device)
            running.hear(device, "lost" if number == 3 else "online")
        yield running


@pytest.fixture(scope="module")
def passwords(core: CoreAlone) -> dict[str, str]:
    return {role: core.operator(role) for role in ("viewer", "operator", "admin")}


def test_a_box_is_commanded_from_its_own_page(page: Page, core: CoreAlone, passwords: dict[str, str]) -> None:
    log_in(page, core, "operator", passwords["operator"], f"/boxes/{BOX}")
    form = page.locator("#send-quarantine")
    form.locator("summary").click()
    form.get_by_role("button").click()
    expect(page.locator("main")).to_contain_text("Nothing yet.")  # it says why, or it is not sent
    form.get_by_label("Why").fill("盘点")
    form.get_by_role("button").click()
    row = page.locator("tr", has=page.locator("a[href^='/commands/']"))
    expect(row).to_contain_text("盘点")
    expect(row).to_contain_text("not sent yet")
    row.locator("a[href^='/commands/']").click()
    expect(page.locator("h1")).to_contain_text("Stop selling")
    expect(page.locator("ol.steps")).to_contain_text("operator")
    page.goto(f"{core.url}/commands?box=s1/l1&state=held")
    expect(page.locator("table.stack tr")).to_have_count(1)


def test_a_bulk_is_looked_at_then_sent_then_stopped(
    page: Page, core: CoreAlone, passwords: dict[str, str]
) -> None:
    log_in(page, core, "operator", passwords["operator"], "/bulks")
    page.get_by_role("link", name="Start the box's program anew").click()
    page.get_by_label("For whom").fill("s1")
    page.get_by_role("button", name="Look whom it reaches").click()
    expect(page.locator("[role=alert]")).to_contain_text("budget")  # four of 24 are more than ten percent
    expect(page.get_by_text("s1/l3 · offline")).to_be_visible()
    page.get_by_role("link", name="Change it").click()
    expect(page.get_by_label("For whom")).to_have_value("s1")
    page.get_by_label("At most so many percent").fill("20")
    page.get_by_role("button", name="Look whom it reaches").click()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Send it now").click()
    page.wait_for_url(re.compile(r"/bulks/[0-9a-f-]{36}$"))
    expect(page.locator("h1")).to_contain_text("running")
    page.get_by_role("button", name="Stop it").click()
    expect(page.locator("h1")).to_contain_text("stopped")
    expect(page.locator("main")).to_contain_text("operator stopped it.")
    expect(page.locator(".counts").first).to_contain_text("called off")
    expect(page.get_by_role("button", name="Stop it")).to_have_count(0)


def test_a_large_bulk_is_let_go_by_somebody_else_on_a_phone(
    browser: Browser, page: Page, core: CoreAlone, passwords: dict[str, str]
) -> None:
    log_in(page, core, "operator", passwords["operator"], "/bulks?verb=self-test&scope=*&max_percent=100")
    page.get_by_role("button", name="Look whom it reaches").click()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Ask for approval").click()
    page.wait_for_url(re.compile(r"/bulks/[0-9a-f-]{36}$"))
    expect(page.locator("main")).to_contain_text("Have another operator")
    expect(page.locator("summary")).to_have_count(0)
    other = browser.new_context(viewport=PHONE).new_page()  # type: ignore[arg-type]
    log_in(other, core, "admin", passwords["admin"], page.url.removeprefix(core.url))
    other.locator("summary", has_text="Approve it").click()
    other.get_by_role("checkbox").check()
    other.get_by_role("button", name="Approve it").click()
    expect(other.locator("h1")).to_contain_text("running")
    expect(page.locator("h1")).to_contain_text("running")  # whoever asked sees it without a touch
    expect(page.locator("main")).to_contain_text("admin")
    other.context.close()


def test_the_alerts_page_hears_of_news_and_the_count_goes_with_it(
    browser: Browser, core: CoreAlone, passwords: dict[str, str]
) -> None:
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    log_in(page, core, "viewer", passwords["viewer"], "/alerts")
    expect(page.locator("main")).to_contain_text("All is well.")
    say(core, "paper_out")
    expect(page.locator("section.card", has_text="s1")).to_contain_text("Put in a new roll")
    expect(page.locator("#alerts-open")).to_have_text("1")
    page.locator(".chip", has_text="Paper out").click()
    page.get_by_role("link", name="s1/l1").first.click()
    expect(page.locator(".alert")).to_contain_text("Put in a new roll")
    expect(page.locator("#send-restart")).to_have_count(0)  # who only looks commands nothing
    say(core)
    expect(page.locator(".alert")).to_have_count(0)
    expect(page.locator("#alerts-open")).to_be_hidden()
    bar = page.locator("nav .groups a").evaluate_all(
        "(all) => all.map((one) => [one.getBoundingClientRect().bottom, one.getBoundingClientRect().height])"
    )
    assert len(bar) == 4
    assert all(bottom > PHONE["height"] - 60 and height >= 44 for bottom, height in bar), (
        "a thumb reaches them"
    )
    page.close()


def say(core: CoreAlone, *kinds: str) -> None:
    """What is open on the box, and that the core has heard of it."""
    said = Alerts(inc="0" * 16, open=tuple(Alert(kind=kind, since_ms=now_ms()) for kind in kinds))
    with core.database.writing() as connection:
        alerting.take(connection, [(BOX, said.model_dump_json().encode())], now_ms=now_ms())
    core.running.core.fleet_changed()
