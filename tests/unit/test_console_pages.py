"""The console's pages: their HTML as golden files, and what a page must never do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tillbox.cloud_bridge.console.frame import Frame, render
from tillbox.cloud_bridge.console.pages import PAGES
from tillbox.cloud_bridge.console.pages.account.page import place as place_of_posting
from tillbox.cloud_bridge.console.pages.account.page import seen as seen_posting
from tillbox.cloud_bridge.console.pages.login.page import LoginPage
from tillbox.cloud_bridge.console.pages.patterns.page import SAMPLES, PatternsPage
from tillbox.cloud_bridge.console.pages.sales.page import place, seen
from tillbox.cloud_bridge.console.words import WORDS, word
from tillbox.cloud_bridge.store.reading import PostingRow, SaleRow

GOLDEN = Path(__file__).parents[1] / "golden/pages"
NUMBERED = [
    (f"{name}-{[other for other, _ in SAMPLES[:at]].count(name) + 1}", name, page)
    for at, (name, page) in enumerate(SAMPLES)
]


@pytest.fixture(autouse=True)
def _in_one_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("file", "name", "page"), NUMBERED, ids=[one[0] for one in NUMBERED])
def test_a_page_looks_as_it_did(
    file: str, name: str, page: object, language: str, golden: Callable[[Path, str], None]
) -> None:
    golden(GOLDEN / f"{file}.{language}.html", render(name, page, Frame(language, role="admin"), whole=False))


def test_no_golden_page_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {
        f"{file}.{language}.html" for file, _, _ in NUMBERED for language in ("en", "zh")
    }


def test_every_page_has_a_pattern() -> None:
    shown = {name for name, _ in SAMPLES}
    assert shown >= {page.name for page in PAGES} - {"patterns"}


def test_every_word_is_said_on_some_page(monkeypatch: pytest.MonkeyPatch) -> None:
    said: set[str] = set()

    def listen(name: str, language: str) -> str:
        said.add(name)
        return word(name, language)

    monkeypatch.setattr("tillbox.cloud_bridge.console.frame.word", listen)
    for name, page in [*SAMPLES, ("login", LoginPage("wait")), ("patterns", PatternsPage(()))]:
        for role in ("engineer", "admin"):
            render(name, page, Frame("en", "demo", "token", "/", role))
    assert set(WORDS) - said == {"receipt_later", "unbalanced"}


@pytest.mark.parametrize(("file", "name", "page"), NUMBERED, ids=[one[0] for one in NUMBERED])
def test_what_a_device_says_is_text_and_never_markup(file: str, name: str, page: object) -> None:
    html = render(name, page, Frame("en", "demo", "token", "/", "admin"))
    assert "<script>alert" not in html
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", html)


def test_a_place_in_a_list_goes_through_an_address() -> None:
    row = SaleRow("tid-1", "box-1", 1, 1, 0, 1, "cash", "", True, 1, 1_793_880_000_000, False, 0)
    assert place(seen(row)) == (row.received_ms, "tid-1")
    leg = PostingRow("paid:tid-1:3", 2, "sale", "cash:box-1", "CNY/2", 1, 1_793_880_000_000)
    assert place_of_posting(seen_posting(leg)) == (leg.posted_ms, "paid:tid-1:3", 2)


@pytest.mark.parametrize("text", ["", "-", "x-1-y", "1", "1-", "9" * 40 + "-1-t", "1-²-t", "%00", "1--t"])
def test_a_place_that_is_none_begins_at_the_newest(text: str) -> None:
    assert place_of_posting(text) is None
    assert place(text) is None or text.startswith("1")
