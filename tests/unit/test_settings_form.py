"""The form of a level's settings: made from the model, what is typed is kept, and what is wrong is said at its field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbox.cloud_bridge.console.pages.settings.page import FieldView, field_view
from tillbox.cloud_bridge.console.settings_form import (
    BY_NAME,
    NO_AMOUNT,
    SETTINGS,
    TWICE,
    differences,
    lines_of,
    read,
    typed_of,
)
from tillbox.cloud_bridge.fleet.acts import _unusable
from tillbox.cloud_bridge.store.setting_lists import Level
from tillbox.contracts.shop import BoxSettings

TEA = {"gtin": "06901234567892", "name": "茉莉花茶", "price": 1250}
LEVEL = Level(
    scope="store:s1", title="茶铺", places=2, wider=["operator", "tenant"], version=3, made_by="ann", made_ms=1, settings={}
)  # fmt: skip

words = st.text(st.characters(categories=["L", "N", "P"]), max_size=30)
documents = st.fixed_dictionaries(
    {},
    optional={
        "tenant": words,
        "shop": words,
        "language": st.sampled_from(["zh", "en"]),
        "issuers": st.lists(st.text("0123456789abcdef", min_size=64, max_size=64), max_size=3),
        "goods": st.lists(
            st.fixed_dictionaries(
                {"gtin": st.just(TEA["gtin"]), "name": words.filter(bool), "price": st.integers(0, 10**9)}
            ),
            max_size=4,
        ),
        "stocks": st.dictionaries(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,9}", fullmatch=True), st.integers(1, 4_000), max_size=4),
        "broker_port": st.integers(0, 65_535),
    },
)  # fmt: skip


def field(typed: dict[str, str], name: str, held: Any = None) -> FieldView:
    return field_view(BY_NAME[name], typed, LEVEL, held or {})


def test_the_form_has_every_setting_of_the_model_with_words_in_both_languages() -> None:
    assert [one.name for one in SETTINGS] == list(BoxSettings.model_fields)
    for one in SETTINGS:
        for text in (one.title, one.help, *(column.title for column in one.columns)):
            assert len({text.zh, text.en, ""}) == 3, one.name
    assert {one.name: one.kind for one in SETTINGS} == {
        "tenant": "text", "shop": "text", "claim_url": "text", "language": "choice", "issuers": "lines",
        "goods": "rows", "stocks": "rows", "data_mb_month": "number", "broker_host": "text", "broker_port": "number",
    }  # fmt: skip


@given(documents)
def test_a_document_goes_through_its_form_and_comes_back(document: dict[str, Any]) -> None:
    said = read(typed_of(document))
    assert (said.document, said.faults) == (document, {})
    assert _unusable(said.document) is None


WRONG = {
    "broker_port": ({"broker_port": "70000"}, "broker_port"),
    "no number": ({"broker_port": "8O83"}, "broker_port"),
    "language": ({"language": "fr"}, "language"),
    "key": ({"issuers": f"{'a' * 64}\r\nnot a key"}, "issuers"),
    "long": ({"shop": "茶" * 81}, "shop"),
    "gtin": ({"goods.4.gtin": "6901234567893", "goods.4.name": "x", "goods.4.price": "1"}, "goods.4.gtin"),
    "yuan": ({"goods.0.gtin": TEA["gtin"], "goods.0.name": "x", "goods.0.price": "12,5"}, "goods.0.price"),
    "fine": ({"goods.0.gtin": TEA["gtin"], "goods.0.name": "x", "goods.0.price": "1.005"}, "goods.0.price"),
    "stock": ({"stocks.2.name": "tea5", "stocks.2.number": "4001"}, "stocks.2.number"),
    "name": ({"stocks.0.name": "Tea 5", "stocks.0.number": "1"}, "stocks.0.number"),
    "hidden": ({"shop": "茶\u202e铺"}, "shop"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_said_at_its_field_and_stays_as_it_was_typed(case: str) -> None:
    typed, where = WRONG[case]
    name = where.partition(".")[0]
    typed = {**typed, f"decide.{name}": "on"}
    said = read(typed)
    assert list(said.faults) == [where]
    assert said.faults[where].zh != said.faults[where].en
    shown = field(typed, name)
    kept = {f"{name}.{row}.{column}": word for row, cells in shown.rows for column, word in cells.items()}
    assert shown.decided
    assert {**kept, name: shown.value}.items() >= {key: typed[key] for key in typed if not key.startswith("decide.")}.items()  # fmt: skip


def test_a_price_is_typed_in_yuan_and_kept_in_fen_and_an_empty_row_is_none() -> None:
    typed = {
        "decide.goods": "on",
        "goods.1.gtin": "6901234567892",
        "goods.1.name": " 茶 ",
        "goods.1.price": "12.5",
    }
    typed |= {"goods.0.gtin": "", "goods.0.name": " ", "goods.0.price": "", "goods.9999.name": ""}
    assert read(typed).document == {"goods": [{"gtin": "6901234567892", "name": "茶", "price": 1250}]}
    assert read(typed | {"goods.1.price": ""}).faults == {"goods.1.price": NO_AMOUNT}
    assert read({"goods.1.price": "x"}).document == {}, "what is not decided here is nothing of this level"
    twice = {"decide.stocks": "on", "stocks.0.name": "a", "stocks.0.number": "1", "stocks.1.name": "a", "stocks.1.number": "2"}  # fmt: skip
    assert read(twice).faults == {"stocks.1.name": TWICE}


def test_what_a_level_does_not_decide_shows_what_it_has_and_from_where() -> None:
    held = {"operator": {"language": "en", "goods": []}, "tenant": {"goods": [TEA] * 9}}
    goods = field({}, "goods", held)
    assert (goods.source, goods.inherits[0], goods.more) == ("tenant", "06901234567892 · 茉莉花茶 · 12.50", 3)
    assert goods.rows[0][1]["price"] == "12.50", "whoever begins to decide begins with what holds"
    assert len(goods.rows) == 12
    assert field({}, "language", held).source == "operator"
    assert field({}, "shop", held).inherits == ("茶铺",)
    assert field({}, "claim_url", held).source == ""


def test_a_difference_is_told_by_what_goes_and_comes() -> None:
    dearer = {**TEA, "price": 1300}
    (goods,) = differences([("goods", [TEA, dearer | {"name": "水"}], [dearer, dearer | {"name": "水"}])])
    assert goods.gone == ("06901234567892 · 茉莉花茶 · 12.50",)
    assert goods.came == ("06901234567892 · 茉莉花茶 · 13.00",)
    assert goods.stay == 1
    for odd in ({"a": 1}, "x", 7, ["x"], [{"gtin": 1}], {"a": "b"}, None):
        for name in (*BY_NAME, "of_newer_software"):
            assert all(isinstance(one, str) for one in lines_of(name, odd)), "whatever an older core has kept"
