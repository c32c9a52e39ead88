"""The whole story in a real browser, on real parts: sell, pull the plug, sell on, plug in, look at the console."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.visitor import PATIENCE_MS, log_in

from tillbox.demo.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.mosquitto]


def test_a_day_at_the_counter_with_the_line_cut_in_between(
    page: Page, browser: Browser, town: tuple[Town, int]
) -> None:
    running, port = town
    console = browser.new_page()
    log_in(console, running)
    page.goto(f"http://127.0.0.1:{port}/?lang=en")
    box = page.locator('[data-box="box-1"]')
    till = page.frame_locator('iframe[title="box-1"]')

    till.locator("button.product").nth(0).click()
    till.locator("button.product").nth(1).click()
    expect(till.locator("#due")).to_have_text("30.00", timeout=PATIENCE_MS)
    box.locator('[data-show="both"]').click()
    expect(box.locator("[data-papers] img")).to_have_count(1, timeout=PATIENCE_MS)
    expect(till.locator(".said .first")).to_contain_text("25.00", timeout=PATIENCE_MS)
    expect(console.locator("table.sales tbody tr").first).to_contain_text("25.00", timeout=PATIENCE_MS)

    box.locator('[data-kind="line"]').click()
    expect(till.locator("#line")).to_have_text("Offline", timeout=PATIENCE_MS)
    till.locator("button.product").nth(2).click()
    expect(till.locator("#due")).to_have_text("15.00", timeout=PATIENCE_MS)
    box.locator('[data-show="pay"]').click()
    expect(till.locator(".said .first")).to_contain_text("Payment codes need the line", timeout=PATIENCE_MS)
    till.locator('form[action="/do/cash"] button').click()
    expect(box.locator("[data-papers] img")).to_have_count(2, timeout=PATIENCE_MS)
    expect(till.locator("#pending")).not_to_have_text("0", timeout=PATIENCE_MS)

    box.locator('[data-kind="line"]').click()
    expect(till.locator("#line")).to_have_text("Online", timeout=PATIENCE_MS)
    expect(till.locator("#pending")).to_have_text("0", timeout=PATIENCE_MS)
    expect(console.locator("table.sales tbody tr").first).to_contain_text("sold offline", timeout=PATIENCE_MS)
    console.locator("table.sales tbody tr a").first.click()
    expect(console.locator("#balanced")).to_have_text("Every unit sums to zero", timeout=PATIENCE_MS)
    console.close()


def test_a_forged_coupon_and_a_text_file_are_refused_where_a_person_sees_it(
    page: Page, town: tuple[Town, int], tmp_path: Path
) -> None:
    _, port = town
    page.goto(f"http://127.0.0.1:{port}/?lang=en")
    box = page.locator('[data-box="box-2"]')
    till = page.frame_locator('iframe[title="box-2"]')
    box.locator('[data-show="forged"]').click()
    expect(till.locator(".said .bad").first).to_be_visible(timeout=PATIENCE_MS)
    text = tmp_path / "no-picture.png"
    text.write_text("this is no picture")
    box.locator("[data-photo]").set_input_files(text)
    expect(box.locator("[data-refused]")).to_be_visible(timeout=PATIENCE_MS)


def test_a_box_that_loses_power_comes_back_with_its_sales(page: Page, town: tuple[Town, int]) -> None:
    _, port = town
    page.goto(f"http://127.0.0.1:{port}/?lang=en")
    box = page.locator('[data-box="box-2"]')
    till = page.frame_locator('iframe[title="box-2"]')
    till.locator("button.product").nth(3).click()
    expect(till.locator("#due")).to_have_text("6.50", timeout=PATIENCE_MS)
    till.locator('form[action="/do/cash"] button').click()
    expect(box.locator("[data-papers] img")).to_have_count(1, timeout=PATIENCE_MS)
    box.locator('[data-kind="on"]').click()
    expect(box.locator('[data-kind="on"]')).to_have_class("plug off", timeout=PATIENCE_MS)
    box.locator('[data-kind="on"]').click()
    expect(box.locator('[data-kind="on"]')).to_have_class("plug", timeout=PATIENCE_MS)
    expect(till.locator("table.sales")).to_contain_text("6.50", timeout=PATIENCE_MS)


def test_a_part_is_paid_back_and_a_sale_taken_back_after_one_more_question(
    page: Page, browser: Browser, town: tuple[Town, int]
) -> None:
    running, port = town
    page.goto(f"http://127.0.0.1:{port}/?lang=en")
    box = page.locator('[data-box="box-1"]')
    till = page.frame_locator('iframe[title="box-1"]')
    newest = till.locator("table.sales tr").first
    state = page.request.get(f"http://127.0.0.1:{port}/state.json").json()
    before = len(state["boxes"]["box-1"]["papers"])
    for figure in ("12.00", "18.00"):
        till.locator("button.product", has_text=figure).click()
        expect(till.locator("#due")).to_have_text(figure, timeout=PATIENCE_MS)
        till.locator('form[action="/do/cash"] button').click()
        expect(newest).to_contain_text(figure, timeout=PATIENCE_MS)
    newest.locator('input[name="amount"]').fill("99")
    newest.locator('form[action="/do/refund"] button').click()
    expect(till.locator(".said .first")).to_contain_text("18.00", timeout=PATIENCE_MS)
    newest.locator('input[name="amount"]').fill("2.50")
    newest.locator('form[action="/do/refund"] button').click()
    expect(newest).to_contain_text("refunded 2.50", timeout=PATIENCE_MS)
    older = till.locator("table.sales tr").nth(1)
    answers = iter([False, True])
    page.on("dialog", lambda dialog: dialog.accept() if next(answers) else dialog.dismiss())
    older.locator('form[action="/do/void"] button').click()
    expect(older).not_to_contain_text("voided")
    older.locator('form[action="/do/void"] button').click()
    expect(older).to_contain_text("voided", timeout=PATIENCE_MS)
    # two receipts, a refund and a void
    expect(box.locator("[data-papers] img")).to_have_count(before + 4, timeout=PATIENCE_MS)
    console = browser.new_page()
    log_in(console, running, "/boxes/box-1")
    expect(console.locator("table.sales tbody")).to_contain_text("refunded 2.50", timeout=PATIENCE_MS)
    expect(console.locator("table.sales tbody")).to_contain_text("voided", timeout=PATIENCE_MS)
    console.close()


def test_an_old_picture_of_the_till_that_comes_late_is_not_shown(page: Page, town: tuple[Town, int]) -> None:
    running, _ = town
    page.add_init_script(
        """const real = window.fetch;
        let late = 0;
        window.fetch = async (...words) => {
          const answer = await real(...words);
          if (String(words[0]).includes("/fragment") && late++ === 1) await new Promise((go) => setTimeout(go, 2000));
          return answer;
        };"""
    )
    page.goto(f"{running.counters[1].url}/?lang=en")
    page.locator('form[action="/do/clear"] button').click()
    expect(page.locator("#due")).to_have_text("0.00", timeout=PATIENCE_MS)
    page.reload()
    page.wait_for_timeout(500)
    for _ in range(3):
        page.locator("button.product").nth(3).click()
        page.wait_for_timeout(300)
    expect(page.locator("#due")).to_have_text("19.50", timeout=PATIENCE_MS)
    page.wait_for_timeout(2_500)
    assert page.locator("#due").text_content() == "19.50"
    page.locator('form[action="/do/clear"] button').click()


@pytest.mark.parametrize(
    "where", ["/", "/boxes", "/boxes/box-1", "/coupons", "/trouble", "/accounts/sales:box-1"]
)
def test_the_console_needs_a_login_and_reads_in_both_languages(
    page: Page, town: tuple[Town, int], where: str
) -> None:
    running, _ = town
    page.goto(f"http://127.0.0.1:{running.console_port}{where}")
    assert "/login?next=/" in page.url
    log_in(page, running, where)
    expect(page.locator("nav")).to_contain_text("Boxes")
    page.goto(f"http://127.0.0.1:{running.console_port}{where}?lang=zh")
    expect(page.locator("nav")).to_contain_text("盒子")


def test_a_wrong_password_says_so_and_too_many_have_to_wait(page: Page, town: tuple[Town, int]) -> None:
    running, _ = town
    for _ in range(6):
        page.goto(f"http://127.0.0.1:{running.console_port}/login?lang=en")
        page.fill("[name=name]", "nobody")
        page.fill("[name=password]", "guess")
        page.click("button.primary")
    expect(page.locator("[role=alert]")).to_contain_text("Wait a minute")
