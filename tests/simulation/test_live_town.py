"""Watching on real parts: a box that enrolled by its sheet shows its screen and its log to its core over a real broker, and
not a moment longer than it was asked to."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tillbox.demo.town import GOODS, tillbox
from tillbox.proof.drills.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.mosquitto, pytest.mark.drill, pytest.mark.timeout(300)]


def test_head_office_sees_the_till_as_its_cashier_does(tmp_path: Path) -> None:
    stage = Stage(tmp_path, lambda _: None)
    tail: subprocess.Popen[bytes] | None = None
    try:
        stage.open()
        stage.plan("store1/lane1")
        counter, device, _ = stage.box("carton-1", "store1/lane1")
        desk = stage.town.phone("head", "operator")

        def screen() -> str:
            try:
                return desk.get(f"/boxes/{device}/screen")
            except OSError:
                return ""  # nothing was shown yet

        def cashier_is_told() -> bool:
            with urllib.request.urlopen(f"{counter.url}/fragment") as answer:
                return "总部正在看这个屏幕" in answer.read().decode()

        assert screen() == "", "nobody asked"
        key = tmp_path / "api.key"
        key.touch(0o600)
        key.write_text(stage.api.key)
        where = ["--core", stage.api.url, "--key-file", str(key)]
        words = ["fleet", "watch", "store1/lane1", "log", "--minutes", "1", "--json", *where]
        printed = tmp_path / "tail.jsonl"
        with printed.open("w") as out:
            tail = subprocess.Popen([*tillbox(), *words], stdout=out)

        stage.api.act("send-command", {"box": device, "verb": "watch", "what": "screen", "minutes": 5})
        stage.until("the screen", lambda: 'id="due">0.00' in screen())
        counter.press("pick", gtin=GOODS[1][0])
        stage.until("the basket", lambda: 'id="due">18.00' in screen())
        counter.press("cash", amount="20")
        stage.until("the sale", lambda: 'id="due">0.00' in screen() and "18.00" in screen())
        assert counter.look()["token"] not in screen()
        assert cashier_is_told()
        assert "正在看" in desk.get(f"/boxes/{device}/live?lang=zh")

        assert tail.wait(120) == 0
        rows: list[dict[str, Any]] = [json.loads(line) for line in printed.read_text().splitlines()]
        assert any(row["text"].startswith("command.taken") for row in rows)
        assert [row["number"] for row in rows] == sorted({row["number"] for row in rows})
        stage.until("its end at the box", lambda: "live.ended" in counter.process.log.read_text())
        assert cashier_is_told(), "its screen is watched for longer"

        stage.api.act("send-command", {"box": device, "verb": "watch", "what": "nothing"})
        stage.until("the cashier to be left alone", lambda: not cashier_is_told())
        counter.press("pick", gtin=GOODS[0][0])
        stage.until("a product", lambda: counter.look().get("total") == "12.00")
        heard = max(row["number"] for row in stage.api.ask(f"boxes/{device}/log"))
        stage.api.act("send-command", {"box": "store1/lane1", "verb": "watch", "what": "log", "minutes": 1})
        stage.until("a later word of it", lambda: stage.api.ask(f"boxes/{device}/log", after=heard))
        assert 'id="due">12.00' not in screen()
        made = [one for one in stage.api.ask("audit", subject=device) if one["act"] == "send-command"]
        assert {one["detail"].split()[1] for one in made} == {"screen", "nothing"}
    finally:
        if tail is not None:
            tail.kill()
            tail.wait()
        stage.close()
