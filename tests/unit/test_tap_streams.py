"""The made-up receipts of the tap's corpus: they add up, and the committed ones say what their seeds say."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

TESTS = Path(__file__).parents[1]
GOLDEN = sorted((TESTS / "golden/tap").glob("*/*.json"))


@pytest.fixture
def receipts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(TESTS / "tap_streams"))
    return importlib.import_module("receipts")


def test_a_made_up_receipt_adds_up(receipts: ModuleType) -> None:
    for seed in range(500):
        one = receipts.receipt(seed)
        if one.kind in (receipts.KITCHEN, receipts.DRAWER, receipts.STATUS):
            assert one.total is None, seed
            continue
        for line in one.lines:
            exact = line.quantity_milli * line.price
            assert abs(exact - line.amount * 1000) <= 500, seed
            assert line.quantity is None or exact == line.amount * 1000, seed
        assert one.subtotal == sum(line.amount for line in one.lines), seed
        assert one.total == one.subtotal - one.discount + one.tax, seed
        assert one.change is None or one.change == one.tendered - one.total >= 0, seed


def test_the_committed_truth_is_what_the_seeds_say(receipts: ModuleType) -> None:
    assert len(GOLDEN) == 76
    for path in GOLDEN:
        truth = json.loads(path.read_text())
        asked = {name: truth[name] for name in ("kind", "layout", "language", "width_mm")}
        if truth["layout"] == "none":
            del asked["layout"]
        again = receipts.receipt(truth["seed"], **asked).as_json()
        assert json.loads(json.dumps({"generator": path.parent.name, **again})) == truth, path
        assert path.with_suffix(".bin").stat().st_size > 0, path
