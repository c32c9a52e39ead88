"""A box on twins, all green; then one fault after the other, and the right line turns red and says what to do."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tillbox.agent import examine as examine_module
from tillbox.agent.doctor import Facts, Light, examine, report
from tillbox.agent.examine import of_file
from tillbox.broker.mosquitto import Mosquitto, free_port
from tillbox.broker.pki import Authority
from tillbox.hardware.decoding import decode
from tillbox.hardware.drivers import manners
from tillbox.hardware.ports import PrinterState
from tillbox.hardware.simulated.display import SimulatedDisplay
from tillbox.hardware.simulated.paper import paper_picture
from tillbox.hardware.simulated.printer import SimulatedPrinter, Slip
from tillbox.hardware.simulated.scanner import SimulatedScanner
from tillbox.hardware.simulated.tongues import Condition

NOW = datetime.now(UTC)


@dataclass
class Bench:
    """A box's configuration, and a twin behind every line of it."""

    folder: Path
    config: Path
    broker: Mosquitto
    authority: Authority
    scanner: SimulatedScanner
    printer: SimulatedPrinter
    display: SimulatedDisplay

    def doctor(self, *, slip: bool = False) -> dict[str, Any]:
        return report(of_file(self.config, slip=slip, tell=lambda _: None))

    def lights(self) -> dict[str, str]:
        return {line["check"]: line["light"] for line in self.doctor()["lines"]}

    def change(self, **settings: object) -> None:
        self.config.write_text(json.dumps(json.loads(self.config.read_text()) | settings))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mosquitto, Authority, Path]]:
    folder = tmp_path_factory.mktemp("fleet")
    authority = Authority.create(folder / "ca", name="test", now=NOW)
    server = authority.issue_server(folder / "broker", names=("127.0.0.1",), now=NOW)
    running = Mosquitto(folder / "broker", port=free_port(), authority=authority, server=server)
    running.start()
    yield running, authority, folder
    running.stop()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examine_module, "LOOK_S", 0.3)
    monkeypatch.setattr(manners, "ANSWER_S", 0.5)


@pytest.fixture
def bench(broker: tuple[Mosquitto, Authority, Path], tmp_path: Path) -> Iterator[Bench]:
    running, authority, _ = broker
    identity = authority.issue_client(tmp_path / "box-1", name="box-1", now=NOW)
    scanner, printer, display = SimulatedScanner(), SimulatedPrinter(), SimulatedDisplay.led()
    (tmp_path / "state").mkdir()
    config = tmp_path / "box.json"
    config.write_text(
        json.dumps(
            {
                "device": "box-1",
                "tenant": "corner-tea",
                "shop": "Tea",
                "state": str(tmp_path / "state"),
                "broker": {
                    "host": "127.0.0.1",
                    "port": running.port,
                    "authority": str(authority.certificate),
                    "certificate": str(identity.certificate),
                    "key": str(identity.key),
                },
                "readers": [{"kind": "serial", "name": "scanner", "address": scanner.path}],
                "printer": f"127.0.0.1:{printer.port}",
                "display": {"kind": "led8", "address": display.path},
            }
        )
    )
    yield Bench(tmp_path, config, running, authority, scanner, printer, display)
    scanner.close()
    display.close()
    printer.close()


@pytest.mark.mosquitto
def test_on_twins_everything_is_green_and_the_slip_is_read_back(bench: Bench) -> None:
    def hold_before_the_scanner(slip: Slip) -> None:
        paper = np.asarray(Image.open(io.BytesIO(paper_picture(slip.data))).convert("L"))
        for found in decode(paper):
            bench.scanner.show(found.raw)

    bench.printer.on_paper = hold_before_the_scanner
    page = bench.doctor(slip=True)
    assert {line["check"]: line["light"] for line in page["lines"]} == {
        "configuration": "green",
        "journal": "green",
        "free disk": "green",
        "disk flush": "green",
        "clock": "green",
        "core": "green",
        "certificate": "green",
        "key": "green",
        "reader scanner": "green",
        "printer": "green",
        "display": "green",
        "test slip": "green",
    }
    assert page["ok"]
    said = json.dumps(page)
    assert "PRIVATE" not in said
    assert str(bench.folder) not in said, "a page for the telephone names no files while all is well"


def pull(name: str) -> Callable[[Bench], object]:
    return lambda bench: getattr(bench, name).unplug()


def printer_is(fault: Condition) -> Callable[[Bench], object]:
    return lambda bench: setattr(bench.printer, "fault", fault)


FAULTS: list[tuple[str, str, Callable[[Bench], object], str]] = [
    ("the scanner's cable is out", "reader scanner", pull("scanner"), "Is its cable in?"),
    ("the paper is at its end", "printer", printer_is(Condition.PAPER_OUT), "Put in a new roll."),
    ("the cover is open", "printer", printer_is(Condition.COVER_OPEN), "Close the cover."),
    ("the cutter is stuck", "printer", printer_is(Condition.JAM), "free it"),
    ("the printer is dead", "printer", printer_is(Condition.DEAD), "Switch it off and on"),
    ("the printer is gone", "printer", pull("printer"), "switched on"),
    ("the display is gone", "display", pull("display"), "plug in again"),
    (
        "nobody answers where the core should be",
        "core",
        lambda bench: bench.change(
            broker=json.loads(bench.config.read_text())["broker"] | {"port": free_port()}
        ),
        "router",
    ),
    (
        "a setting is misspelt",
        "configuration",
        lambda bench: bench.change(printr="127.0.0.1:9100"),
        "Change the configuration",
    ),
    (
        "the journal is torn",
        "journal",
        lambda bench: (bench.folder / "state/journal.db").write_bytes(
            b"SQLite format 3\0" + os.urandom(9_000)
        ),
        "Keep the journal's files",
    ),
]


@pytest.mark.mosquitto
@pytest.mark.parametrize(("_", "check", "fault", "todo"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_with_each_fault_the_right_line_is_red_and_says_what_to_do(
    bench: Bench, _: str, check: str, fault: Callable[[Bench], object], todo: str
) -> None:
    fault(bench)
    page = bench.doctor()
    assert not page["ok"]
    red = [line for line in page["lines"] if line["light"] == "red"]
    assert [line["check"] for line in red] == [check]
    assert todo in red[0]["en"] + " " + red[0]["todo_en"]
    assert red[0]["todo_zh"]


@pytest.mark.mosquitto
def test_the_command_prints_the_page_and_its_exit_status_says_whether_a_line_is_red(bench: Bench) -> None:
    command = [sys.executable, "-c", "from tillbox.main import main; main()", "doctor"]
    command += ["--config", str(bench.config)]
    well = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=90)
    assert (well.returncode, json.loads(well.stdout)["ok"]) == (0, True), well.stderr
    bench.printer.fault = Condition.PAPER_OUT
    ill = subprocess.run(
        command, capture_output=True, text=True, timeout=90, env=os.environ | {"COLUMNS": "140"}
    )
    assert ill.returncode == 1
    assert "Put in a new roll." in ill.stdout


@pytest.mark.mosquitto
def test_a_certificate_that_ends_soon_is_said_in_time(bench: Bench) -> None:
    soon = bench.authority.issue_client(bench.folder / "soon", name="box-1", now=NOW - timedelta(days=25))
    told = json.loads(bench.config.read_text())["broker"]
    bench.change(broker=told | {"certificate": str(soon.certificate), "key": str(soon.key)})
    assert bench.lights()["certificate"] == "yellow"


@pytest.mark.mosquitto
def test_a_certificate_that_was_revoked_is_told_apart_from_a_line_that_is_down(bench: Bench) -> None:
    gone = bench.authority.issue_client(bench.folder / "gone", name="box-1", now=NOW)
    bench.authority.revoke((gone.certificate,), now=NOW)
    bench.broker.reload()
    told = json.loads(bench.config.read_text())["broker"]
    bench.change(broker=told | {"certificate": str(gone.certificate), "key": str(gone.key)})
    core: dict[str, Any] = {}
    for _ in range(10):  # the broker reads its list of the revoked a moment later
        core = next(line for line in bench.doctor()["lines"] if line["check"] == "core")
        if core["light"] == "red":
            break
    assert core["light"] == "red"
    assert "revoked" in core["en"] or "TLS" in core["en"]


@pytest.mark.parametrize("state", list(PrinterState))
def test_every_state_of_a_printer_has_words_for_a_cashier(state: PrinterState) -> None:
    line = next(line for line in examine(Facts(printer=state)) if line.check == "printer")
    assert (line.light is Light.RED) == (not state.prints)
    assert line.says.zh
    assert line.says.en
    assert line.light is Light.GREEN or (line.todo.zh and line.todo.en)


@pytest.mark.parametrize(
    ("facts", "check", "light"),
    [
        (Facts(free_bytes=10_000_000), "free disk", Light.RED),
        (Facts(free_bytes=200_000_000), "free disk", Light.YELLOW),
        (Facts(flush_ms=(3_000.0, 9_000.0)), "disk flush", Light.RED),
        (Facts(flush_ms=(200.0, 900.0)), "disk flush", Light.YELLOW),
        (Facts(clock_known=False), "clock", Light.YELLOW),
        (Facts(certificate_days=-1), "certificate", Light.RED),
        (Facts(pending=7), "to hand in", Light.YELLOW),
        (Facts(unanswered_prints=1), "unanswered papers", Light.YELLOW),
        (Facts(unused=("Honeywell (/dev/ttyACM1)",)), "unused devices", Light.YELLOW),
        (Facts(slip="the slip was printed, and no reader of this box read it"), "test slip", Light.RED),
    ],
)
def test_what_cannot_be_made_wrong_with_twins_is_judged_too(facts: Facts, check: str, light: Light) -> None:
    line = next(line for line in examine(facts) if line.check == check)
    assert line.light is light
    assert line.todo.zh
    assert line.todo.en
