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
    databases = list(tmp_path.rglob("*.db"))
    assert len(databases) > 2, "the core's book and each box's journal"
    assert [one for one in databases if one.stat().st_mode & 0o077] == [], "another user could read sales"
