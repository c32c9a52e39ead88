"""The demo's whole story on real processes, as `make smoke` runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tillbox.proof.smoke import run

pytestmark = [pytest.mark.slow, pytest.mark.mosquitto]


def test_a_short_day_on_real_parts_loses_nothing(tmp_path: Path) -> None:
    report = run(tmp_path, lambda _: None)
    assert report["ok"], report
    assert (report["sales"], report["offline_sales"]) == (5, 2)
