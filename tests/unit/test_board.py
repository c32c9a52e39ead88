"""`tillbox fleet board`: what somebody with a bench full of boxes sees, from a running core's own words."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.core_alone import CoreAlone, core_alone
from typer.testing import CliRunner

from tillbox.cloud_bridge.api.keys import new_key
from tillbox.cloud_bridge.fleet.board import drawn
from tillbox.cloud_bridge.fleet.commands import fleet


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreAlone]:
    with core_alone(tmp_path_factory.mktemp("core")) as running:
        yield running


def text(found: dict[str, Any], **how: Any) -> str:
    out = StringIO()
    Console(file=out, width=120).print(drawn(found, **how))
    return out.getvalue()


def test_a_bench_is_seen_on_its_way(core: CoreAlone, tmp_path: Path) -> None:
    key = tmp_path / "key"
    core.operator("operator")
    made = new_key(core.database, "bench", "operator", owner="operator", chance=os.urandom, now_ms=1)
    assert isinstance(made, str)
    key.write_text(made)
    key.chmod(0o600)
    core.do(
        "plan-places", places=[{"store": "s1", "lane": f"l{n}", "title": f"[red]茶铺 {n}"} for n in (1, 2, 3)]
    )
    core.do("make-claims", places=["s1/l2"])
    core.enrol("s1/l3", "bq3xk2v7m4t6w2a5d", birth=b"{}")
    asked = CliRunner().invoke(fleet, ["board", "--json", "--core", core.url, "--key-file", str(key)])
    assert asked.exit_code == 0, asked.output
    found = json.loads(asked.output.splitlines()[-1])  # the core of this very process logs, too
    assert found["counts"] == {"planned": 1, "claimed": 1, "testing": 1, "accepted": 0}
    shown = text(found)
    assert [line.split()[0] for line in shown.splitlines() if line.startswith("s1/")] == [
        "s1/l1",
        "s1/l2",
        "s1/l3",
    ]
    assert "[red]茶铺 1" in shown, "a title is text and no mark-up"
    assert "waits for its box to read the sheet" in shown
    assert "reported" in shown
    assert "… and 2 more" in text(found, lines=7)
    core.do("accept-box", device="bq3xk2v7m4t6w2a5d")
    refused = CliRunner().invoke(
        fleet, ["board", "--once", "--core", core.url, "--key-file", str(tmp_path / "none")]
    )
    assert refused.exit_code == 1


def test_a_bench_that_is_done_says_so() -> None:
    done = {"now_ms": 0, "counts": {"planned": 0, "claimed": 0, "testing": 0, "accepted": 3}, "places": []}
    assert "Every place that was planned has its box." in text(done)
    assert "What is shown is old." in text(done, trouble="The core does not answer. What is shown is old.")
