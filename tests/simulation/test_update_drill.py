"""Updates on real parts: a good release, one that sells wrongly, and the power going at the steps that matter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tillbox.proof.drills.update import Drill

pytestmark = [pytest.mark.slow, pytest.mark.mosquitto, pytest.mark.drill, pytest.mark.timeout(600)]


def test_a_box_under_its_launcher_sells_whatever_release_it_is_given(tmp_path: Path) -> None:
    report = Drill(tmp_path, lambda _: None).run(short=True)
    assert report["ok"], [row for row in report["cases"] if not row["ok"]]
    seen = {row["case"]: row["seen"] for row in report["cases"]}
    assert seen["sells wrongly, by one fen"] == "refused: sells_wrongly"
    assert seen["good release"] == "kept"
    assert (report["canaries_with_the_core"] > 0, report["canaries_in_the_book"]) == (True, 0)
