"""Another program's till pays through a real box, on real parts: the examples of the docs, and what goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable
from tests import patience

from tillbox.cloud_bridge.payments.channels.sandbox_manners import MannerName, write_code
from tillbox.demo.town import GOODS, Counter, Town
from tillbox.hardware.simulated.paper import paper_text

pytestmark = [pytest.mark.slow, pytest.mark.mosquitto]
EXAMPLES = Path(__file__).parents[2] / "docs/examples"
NODE = compute_driver_executable()[0]  # the program that drives the browser brings one

# a whole shop of processes, on a machine that others use too
eventually = partial(patience.eventually, seconds=30.0)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    running = Town(tmp_path_factory.mktemp("town"))
    try:
        running.build()
        running.start()
        yield running
    finally:
        running.stop()


class Program:
    """Another till's program with its token."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        config = counter.state.parent / "box.json"
        command = [sys.executable, "-c", "from tillbox.main import main; main()", "pair", "noodles"]
        done = subprocess.run([*command, "--config", str(config)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        self.token = done.stdout.strip()

    def ask(self, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        all_headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | headers
        data = json.dumps(body).encode() if body is not None else None
        address = f"http://127.0.0.1:{self.counter.api_port}{path}"
        try:
            with urllib.request.urlopen(
                urllib.request.Request(address, data, all_headers), timeout=10
            ) as said:
                return said.status, json.load(said)
        except urllib.error.HTTPError as no:
            said = no.read()
            return no.code, json.loads(said) if said.startswith(b"{") else said.decode()

    def ended(self, request_id: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        assert eventually(
            lambda: (
                (found.update(self.ask(f"/v1/payments/{request_id}")[1]) or found["state"])
                in ("succeeded", "failed")
            )
        ), found
        return found


@pytest.fixture(scope="module")
def program(town: Town) -> Program:
    made = Program(town.counters[0])
    assert eventually(lambda: made.counter.look().get("online") is True)
    return made


def code(serial: int) -> str:
    return write_code(wallet="wechat", payer=7, serial=serial)


@pytest.mark.parametrize(
    "command", [[sys.executable, "pay.py"], [NODE, "pay.mjs"]], ids=["python", "javascript"]
)
def test_the_example_of_the_docs_is_paid(program: Program, command: list[str]) -> None:
    serial = 100 + len(command[1])
    before = len(program.counter.papers())
    done = subprocess.run(
        [
            command[0],
            str(EXAMPLES / command[1]),
            str(program.counter.api_port),
            program.token,
            command[1],
            code(serial),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "succeeded merchant_scan", done.stdout + done.stderr
    assert eventually(lambda: len(program.counter.papers()) == before + 1)
    slip = paper_text(program.counter.papers()[-1].data)
    assert "12.50" in slip
    assert "table" in slip


def test_the_same_request_again_is_the_same_answer_and_no_second_payment(program: Program) -> None:
    body = {"request_id": "twice", "order_ref": "table 1", "amount": 900, "auth_code": code(201)}
    assert program.ask("/v1/payments", body)[0] == 202
    first = program.ended("twice")
    before = len(program.counter.papers())
    status, again = program.ask("/v1/payments", body)
    assert (status, again) == (202, first)
    status, other = program.ask("/v1/payments", body | {"amount": 901})
    assert status == 409
    assert "request id" in other["detail"]
    time.sleep(0.5)
    assert len(program.counter.papers()) == before


def test_a_customer_shows_the_code_to_the_boxs_own_scanner(program: Program) -> None:
    status, said = program.ask("/v1/payments", {"request_id": "scan", "order_ref": "table 2", "amount": 700})
    assert (status, said["state"]) == (202, "await_scan")
    status, busy = program.ask("/v1/payments", {"request_id": "scan-2", "order_ref": "table 3", "amount": 1})
    assert (status, busy["state"]) == (202, "failed")
    assert busy["reason"] == "till_busy"
    program.counter.scanner.show(code(301).encode())
    assert program.ended("scan")["tender"] == "merchant_scan"


def test_a_customer_pays_cash_instead(program: Program) -> None:
    program.ask("/v1/payments", {"request_id": "cash", "order_ref": "table 4", "amount": 700})
    assert eventually(lambda: program.counter.look().get("total") == "7.00")
    program.counter.press("cash", amount="10")
    done = program.ended("cash")
    assert (done["state"], done["tender"], done["paid"]) == ("succeeded", "cash", 700)


def test_a_cashier_adds_a_tea_and_the_customer_pays_for_both(program: Program) -> None:
    program.ask("/v1/payments", {"request_id": "tea", "order_ref": "table 4", "amount": 700})
    assert eventually(lambda: program.counter.look().get("total") == "7.00")
    program.counter.press("pick", gtin=GOODS[0][0])
    assert eventually(lambda: program.counter.look().get("total") == "19.00")
    assert program.ask("/v1/payments/tea")[1]["state"] == "await_scan"
    program.counter.press("cash", amount="20")
    done = program.ended("tea")
    assert (done["state"], done["amount"], done["paid"]) == ("succeeded", 700, 1900)


def test_a_payment_that_the_wallet_declines_fails_and_leaves_the_counter_empty(program: Program) -> None:
    declined = write_code(wallet="wechat", payer=7, serial=777, manner=MannerName.DECLINED)
    body = {"request_id": "poor", "order_ref": "table 4", "amount": 700, "auth_code": declined}
    program.ask("/v1/payments", body)
    assert program.ended("poor")["reason"] == "payment_declined"
    assert eventually(lambda: program.counter.look().get("phase") == "Idle")


def test_a_payment_is_taken_back_before_the_customer_paid(program: Program) -> None:
    program.ask("/v1/payments", {"request_id": "no", "order_ref": "table 5", "amount": 700})
    assert program.ask("/v1/payments/no/cancel", {})[0] == 202
    assert program.ended("no")["state"] == "failed"
    assert eventually(lambda: program.counter.look().get("phase") == "Idle")


def test_a_box_that_is_offline_says_so_and_keeps_nothing_on_its_counter(program: Program) -> None:
    program.counter.wire.cut()
    assert eventually(lambda: program.counter.look().get("online") is False)
    body = {"request_id": "offline", "order_ref": "table 6", "amount": 700, "auth_code": code(401)}
    assert program.ask("/v1/payments", body)[1]["reason"] == "offline_payment_code"
    assert program.counter.look()["phase"] == "Idle"
    program.counter.wire.mend()
    assert eventually(lambda: program.counter.look().get("online") is True)


def test_a_power_cut_in_the_middle_leaves_an_answer_and_no_second_payment(program: Program) -> None:
    program.ask("/v1/payments", {"request_id": "dark", "order_ref": "table 9", "amount": 700})
    program.counter.process.kill()
    program.counter.process.start()
    assert eventually(lambda: program.counter.look().get("online") is True)
    assert program.ended("dark")["state"] == "failed"
    assert "switched off" in program.ended("dark")["says"]


def test_papers_drawer_display_and_devices(program: Program) -> None:
    paper = {
        "request_id": "menu",
        "parts": [
            {"kind": "line", "text": "今日菜单 \u001bp\u0000 Menu", "align": "center", "double": True},
            {"kind": "columns", "text": "面 Noodles", "right": "12.00"},
            {"kind": "qr", "text": "https://noodles.example"},
        ],
    }
    before, kicks = len(program.counter.papers()), program.counter.printer.kicks
    assert program.ask("/v1/prints", paper)[0] == 202
    assert eventually(lambda: program.ask("/v1/prints/menu")[1]["state"] == "confirmed")
    assert program.ask("/v1/prints", paper)[1]["state"] == "confirmed"
    assert len(program.counter.papers()) == before + 1
    assert "Noodles" in paper_text(program.counter.papers()[-1].data)
    assert program.ask("/v1/drawer/open", {"reason": "change"})[0] == 202
    assert program.ask("/v1/drawer/open", {"reason": "change"})[0] == 429
    assert eventually(lambda: program.counter.printer.kicks == kicks + 1)
    assert program.ask("/v1/display", {"amount": 1200, "text": "面"})[0] == 202
    devices = {one["check"]: one["light"] for one in program.ask("/v1/devices")[1]}
    assert devices["printer"] == "green"
    assert program.ask("/v1/prints/nothing")[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/v1/devices", None, {"Authorization": ""}, 401),
        ("/v1/devices", None, {"Authorization": "Bearer guess"}, 401),
        ("/v1/devices", None, {"Origin": "https://evil.example"}, 403),
        ("/v1/devices", None, {"Host": "evil.example"}, 400),
        ("/v1/payments", {"request_id": "x", "order_ref": "x", "amount": 12.5}, {}, 422),
        ("/v1/payments", {"request_id": "x", "order_ref": "x", "amount": -1}, {}, 422),
        ("/v1/payments", {"request_id": "x y", "order_ref": "x", "amount": 1}, {}, 422),
        ("/v1/payments", {"request_id": "x", "order_ref": "x", "amount": 1, "more": 1}, {}, 422),
        ("/v1/prints", {"request_id": "x", "parts": [{"kind": "bar_code", "text": "茶"}]}, {}, 422),
        ("/v1/prints", {"request_id": "x", "parts": [{"kind": "line", "text": "x" * 900}] * 80}, {}, 413),
        ("/v1/payments/none", None, {}, 404),
        ("/v1/drawer/open", {"reason": ""}, {}, 422),
    ],
)
def test_what_should_not_get_in_does_not(
    program: Program, path: str, body: object, headers: dict[str, str], status: int
) -> None:
    assert program.ask(path, body, **headers)[0] == status


def test_the_openapi_document_is_what_the_door_does() -> None:
    from tillbox.agent.api.server import document

    assert (EXAMPLES.parent / "openapi.json").read_text() == document()
