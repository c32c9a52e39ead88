"""A small load test, as `tillbox loadtest` runs a large one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tillbox.proof.load import report
from tillbox.proof.load.phases import LoadTest, Wanted

pytestmark = [pytest.mark.slow, pytest.mark.mosquitto, pytest.mark.drill]


def test_forty_boxes_lose_nothing_through_storms_and_restarts(tmp_path: Path) -> None:
    wanted = Wanted(40, 40, 2, 1, tmp_path, losses=False, warm_s=0.5, core_away_s=1.0)
    figures = LoadTest(wanted, lambda _: None).run()
    assert report.is_true(figures), figures
    assert figures["verdict"]["made"] > 100
    assert figures["verdict"]["boxes_say"]["came_up"] >= 80, (
        "all of them came back after the broker was killed"
    )
    assert figures["core_restart"]["waiting"] > 0, "a core that was not missed proves nothing"
    seen = {row["what"]: row["seen"] for row in report.judged(figures)}
    assert (seen["records lost"], seen["records doubled"], seen["false deaths"]) == (0, 0, 0)
    assert report.table(figures).row_count > len(report.GOALS)
    keys = list(tmp_path.rglob("*.key"))
    assert len(keys) > 40
    assert [key for key in keys if key.stat().st_mode & 0o077] == [], "another user could be a box"
