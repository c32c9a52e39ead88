"""A print queue that ends at the tap: the spooler's call, a job with its copies, and every way it can go wrong."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.tap.test_tap_relay import SALE, Counter, eventually

pytestmark = pytest.mark.slow

JOB = ["tillbox", "7", "mei", "receipt"]


@pytest.fixture
def counter() -> Iterator[Counter]:
    made = Counter()
    yield made
    made.close()


def backend(
    *arguments: str, uri: str | None = None, data: bytes = b"", back_channel: int | None = None
) -> subprocess.CompletedProcess[bytes]:
    """The backend as the spooler starts it; `back_channel` becomes descriptor 3."""
    command = [sys.executable, "-m", "tillbox.hardware.tap.backend", *arguments]
    environment = {**os.environ, "DEVICE_URI": uri} if uri else dict(os.environ)
    if back_channel is not None:
        command = ["bash", "-c", f'exec "$@" 3>&{back_channel}', "bash", *command]
    keep = () if back_channel is None else (back_channel,)
    return subprocess.run(
        command, input=data, capture_output=True, env=environment, pass_fds=keep, timeout=60
    )


def printed(counter: Counter) -> bytes:
    """Everything that lies at the printer; papers that come at once are one."""
    return b"".join(slip.data for slip in counter.printer.papers)


def test_a_spooler_that_asks_what_there_is_gets_one_line() -> None:
    found = backend()
    assert found.returncode == 0
    assert found.stdout == b'network tillbox "Unknown" "Tillbox receipt tap"\n'


@pytest.mark.parametrize("slashes", ["//", "///"])
def test_a_job_from_a_filter_is_printed_as_it_is_and_read(counter: Counter, slashes: str) -> None:
    done = backend(
        "7", "mei", "receipt", "1", "", uri=f"tillbox:{slashes}127.0.0.1:{counter.door.port}", data=SALE
    )
    assert done.returncode == 0, done.stderr
    assert eventually(lambda: [slip.data for slip in counter.printer.papers] == [SALE])
    assert eventually(lambda: len(counter.papers) == 1)
    assert counter.papers[0].reading.is_sale


def test_copies_of_a_file_are_made_here_and_those_of_a_filter_are_in_the_job(
    counter: Counter, tmp_path: Path
) -> None:
    (tmp_path / "job").write_bytes(SALE)
    uri = f"tillbox://127.0.0.1:{counter.door.port}"
    assert backend("7", "mei", "receipt", "3", "", str(tmp_path / "job"), uri=uri).returncode == 0
    assert eventually(lambda: printed(counter) == SALE * 3)
    assert backend("8", "mei", "receipt", "3", "", uri=uri, data=SALE).returncode == 0
    assert eventually(lambda: printed(counter) == SALE * 4)
    assert eventually(lambda: [paper.reading.is_sale for paper in counter.papers] == [True] * 4)


def test_what_the_printer_answers_goes_back_to_the_spooler(counter: Counter) -> None:
    ours, theirs = os.pipe()
    uri = f"tillbox://127.0.0.1:{counter.door.port}"
    done = backend("7", "mei", "receipt", "1", "", uri=uri, data=b"\x10\x04\x01", back_channel=theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb") as back:
        assert (done.returncode, back.read()) == (0, b"\x12")


def test_a_tap_that_is_not_there_keeps_the_job() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    done = backend("7", "mei", "receipt", "1", "", uri=f"tillbox://127.0.0.1:{port}", data=SALE)
    assert done.returncode == 6
    assert done.stderr.startswith(b"ERROR: The tap at 127.0.0.1:")
    assert b"the job is kept" in done.stderr


def test_a_tap_whose_printer_is_gone_keeps_the_job_and_nothing_was_sent(counter: Counter) -> None:
    counter.printer.close()
    uri = f"tillbox://127.0.0.1:{counter.door.port}"
    done = backend("7", "mei", "receipt", "1", "", uri=uri, data=SALE)
    assert done.returncode == 6
    assert b"has no printer" in done.stderr
    assert not counter.papers


def test_a_line_that_breaks_in_the_middle_fails_and_is_not_printed_twice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"tillbox://127.0.0.1:{server.getsockname()[1]}"
        spooler = subprocess.Popen(
            [sys.executable, "-m", "tillbox.hardware.tap.backend", *JOB[1:], "1", ""],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "DEVICE_URI": uri},
        )
        with spooler:
            line, _ = server.accept()
            assert spooler.stdin is not None
            assert spooler.stderr is not None
            spooler.stdin.write(SALE)
            spooler.stdin.flush()
            line.recv(1)
            line.close()  # with bytes unread: the other side is told by a reset
            spooler.stdin.write(SALE)
            spooler.stdin.close()
            said = spooler.stderr.read()
            assert spooler.wait(30) == 1
    assert b"look at the paper" in said


@pytest.mark.parametrize(
    ("uri", "code"),
    [("tillbox:", 4), ("tillbox://host:port", 4), ("socket://127.0.0.1:9100", 4), ("tillbox://[", 4)],
)
def test_a_queue_whose_address_is_wrong_is_stopped_with_what_to_do(uri: str, code: int) -> None:
    done = backend("7", "mei", "receipt", "1", "", uri=uri, data=SALE)
    assert done.returncode == code
    assert b"lpadmin -v tillbox://" in done.stderr


def test_a_call_that_is_none_is_answered_with_the_usage() -> None:
    done = backend("7", "mei")
    assert (done.returncode, done.stderr[:12]) == (1, b"ERROR: Usage")


def test_a_file_that_is_gone_cancels_its_job(tmp_path: Path) -> None:
    done = backend("7", "mei", "receipt", "1", "", str(tmp_path / "gone"), uri="tillbox://127.0.0.1:9")
    assert done.returncode == 5
    assert b"cannot be read" in done.stderr
