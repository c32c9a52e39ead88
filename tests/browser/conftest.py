"""One town and one browser for all tests of the pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser.visitor import PATIENCE_MS

from tillbox.broker.mosquitto import free_port
from tillbox.demo.counter.server import start_beside
from tillbox.demo.town import Town

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, int]]:
    running = Town(tmp_path_factory.mktemp("town"))
    try:
        running.build()
        running.start()
        port = free_port()
        server, thread = start_beside(running, port)
        yield running, port
        server.should_exit = True
        thread.join(5)
    finally:
        running.stop()


@pytest.fixture(
    scope="module"
)  # while it is open, its thread has an event loop that others would stumble over
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1400, "height": 1200})
    opened.set_default_timeout(PATIENCE_MS)
    broken: list[str] = []
    opened.on("pageerror", lambda error: broken.append(str(error)))
    yield opened
    opened.close()
    assert broken == []
