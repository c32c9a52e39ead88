"""Commands on real parts: broker, core, and a box that enrolled by its sheet. What is commanded is done once, survives the
program's own restart, and comes back as the box's word."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tillbox.cloud_bridge.fleet.commands import fleet
from tillbox.proof.drills.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.mosquitto, pytest.mark.timeout(300)]


def test_a_box_is_commanded_from_its_core(tmp_path: Path) -> None:
    stage = Stage(tmp_path, lambda _: None)
    try:
        stage.open()
        stage.plan("store1/lane1")
        counter, device, _ = stage.box("carton-1", "store1/lane1")

        def done(verb: str, **more: str) -> dict[str, Any]:
            made = stage.api.act("send-command", {"box": "store1/lane1", "verb": verb, **more})
            stage.until(f"{verb} to end", lambda: story(made["id"])["command"]["ended_ms"] is not None)
            found = story(made["id"])
            assert found["command"]["state"] == "successful", found
            assert [one["told_by"] for one in found["events"]] == ["box"] * len(found["events"])
            return found

        def story(command: str) -> dict[str, Any]:
            found: dict[str, Any] = stage.api.ask(f"commands/{command}")
            return found

        report = json.loads(done("self-test")["events"][-1]["result"])
        assert {"journal", "core"} <= {one["check"] for one in report["checks"]}
        papers = len(counter.papers())
        done("test-page")
        assert len(counter.papers()) == papers + 1

        done("quarantine", why="the drawer is being counted")
        stage.until("the till to stop", lambda: counter.look().get("phase") == "Stopped")
        assert counter.process.running is not None
        done("restart")
        assert counter.process.running.poll() is None, "the same process, with the program anew"
        stage.until("the till to be back", lambda: counter.look().get("phase") == "Stopped")
        assert stage.sales(device) == 1, "no restart sells again"
        done("release")
        stage.until("the till to sell", lambda: counter.look().get("phase") == "Idle")
        stage.sell(counter)
        stage.until("the sale in the book", lambda: stage.sales(device) == 2)

        command = done("collect-diagnostics")["command"]["id"]
        key = tmp_path / "api.key"
        key.touch(0o600)
        key.write_text(stage.api.key)

        def tillbox(*words: str) -> dict[str, Any]:
            said = CliRunner().invoke(fleet, [*words, "--core", stage.api.url, "--key-file", os.fspath(key)])
            assert said.exit_code == 0, said.output
            found: dict[str, Any] = json.loads(said.output)
            return found

        assert tillbox("outcome", command)["bundle"]["device"] == device
        assert tillbox("command-many", "self-test", "*", "--json")["state"] == "preview"
        many = ("command-many", "self-test", "store1", "--max-percent", "100", "--send", "--json")
        assert tillbox(*many)["state"] == "running"
        stage.until("the bulk to be done", lambda: stage.api.ask("bulks")[0]["state"] == "done")
        rows = tillbox("commands", "store1/lane1", "--json")["commands"]
        assert [row["verb"] for row in rows[:2]] == ["self-test", "collect-diagnostics"]
        assert {row["state"] for row in rows} == {"successful"}
    finally:
        stage.close()
