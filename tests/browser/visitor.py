"""What a visitor of the pages does."""

from __future__ import annotations

from playwright.sync_api import Page

from tillbox.demo.town import Town

PATIENCE_MS = 20_000


def log_in(page: Page, town: Town, where: str = "/") -> None:
    page.goto(f"http://127.0.0.1:{town.console_port}/login?lang=en")
    page.fill("[name=name]", "demo")
    page.fill("[name=password]", town.password)
    page.click("button.primary")
    page.wait_for_url("**/")
    page.goto(f"http://127.0.0.1:{town.console_port}{where}")
