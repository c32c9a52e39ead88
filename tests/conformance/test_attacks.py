"""What an attacker tried, and what comes of it now."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import pytest
from PIL import Image
from sqlalchemy import func, select
from tests.conformance.core_store import NOW, Journal, refused, take
from tests.patience import eventually

from tillbox.cloud_bridge.console.auth import (
    FAILURES_MAX,
    NAMES_MAX,
    WAIT_MS,
    Doorkeeper,
    LoginRefused,
    new_password,
)
from tillbox.cloud_bridge.ingest import Arrived, Ingest
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.store import tables
from tillbox.cloud_bridge.store.database import Database
from tillbox.contracts.messages import BATCH_BYTES_MAX
from tillbox.contracts.verdicts import Reason, Refused
from tillbox.hardware.decoding import load
from tillbox.hardware.drivers.worker import Worker
from tillbox.hardware.ports import DeviceBack, DeviceTrouble


def test_a_message_of_line_feeds_is_one_refusal(database: Database) -> None:
    Ingest(database, Schedule()).take([Arrived("box-1", b"\n" * BATCH_BYTES_MAX)], NOW)
    assert refused(database) == {"too_large": 1}


def test_many_bad_lines_are_counted_in_one_row_and_the_good_one_among_them_is_taken(
    database: Database,
) -> None:
    journal = Journal()
    journal.sale()
    ack = take(database, journal, *[b"rubbish"] * 400, *journal.lines)
    assert ack is not None
    assert ack.wm == 2
    assert refused(database) == {"not_understood": 400}
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(tables.refused)).scalar() == 1


@pytest.mark.parametrize("size", [(65_000, 1), (1, 40_000)])
def test_a_picture_longer_than_the_decoders_count_is_refused(size: tuple[int, int]) -> None:
    data = io.BytesIO()
    Image.new("L", size).save(data, "PNG")
    found = load(data.getvalue())
    assert isinstance(found, Refused)
    assert found.reason is Reason.NO_PICTURE


def test_a_fault_in_a_library_does_not_end_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    class Eye:
        turns = 0

        def open(self) -> None: ...
        def close(self) -> None: ...

        def turn(self) -> None:
            self.turns += 1
            if self.turns == 1:
                raise ValueError("a shape the library cannot count to")
            sleep(0.01)

    eye, heard = Eye(), list[object]()
    worker = Worker("eye", eye, lambda: int(monotonic() * 1000))
    worker.start(heard.append)
    assert eventually(lambda: any(isinstance(one, DeviceBack) for one in heard))
    worker.stop()
    assert [type(one) for one in heard] == [DeviceTrouble, DeviceBack]


def test_sixty_guesses_at_once_are_sixty_guesses(database: Database) -> None:
    password = new_password(database, "demo", chance=lambda size: bytes(range(size)))
    doors = Doorkeeper(database, now_ms=lambda: NOW, chance=bytes)
    gate = threading.Barrier(20)

    def guess(number: int) -> object:
        gate.wait(10)
        return doors.login("demo", f"wrong {number}")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(guess, range(20)))
    assert sum(answer == LoginRefused(too_often=False) for answer in answers) == FAILURES_MAX
    assert doors.login("demo", password) == LoginRefused(too_often=True)


def test_many_names_make_everybody_wait_a_minute_and_no_longer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tillbox.cloud_bridge.console.auth._is_right", lambda *_: False)
    hour = [NOW]
    doors = Doorkeeper(database, now_ms=lambda: hour[0], chance=bytes)
    answers = [doors.login(f"nobody {n}", "x") for n in range(NAMES_MAX + 50)]
    assert answers.count(LoginRefused(too_often=True)) == 50
    hour[0] += WAIT_MS
    assert doors.login("nobody at all", "x") == LoginRefused(too_often=False)


def test_a_traceback_in_the_log_shows_no_payment_code() -> None:
    program = (
        "import sys, structlog\n"
        "from tillbox.main import _keep_secrets_out_of_the_log\n"
        "_keep_secrets_out_of_the_log()\n"
        "def pay(code):\n"
        "    raise ValueError('no answer')\n"
        "try: pay('13' + '0' * 16)\n"
        "except ValueError: structlog.get_logger().exception('channel.failed')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    said = done.stdout + done.stderr
    assert "no answer" in said
    assert "130000000000000000" not in said
