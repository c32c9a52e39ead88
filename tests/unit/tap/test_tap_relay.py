"""Between a till and its printer: every byte both ways, whatever happens, and a code before the last cut."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.patience import eventually

from tillbox.hardware.decoding import decode
from tillbox.hardware.printing import encode
from tillbox.hardware.printing.document import QR, Document
from tillbox.hardware.printing.profiles import WIDE
from tillbox.hardware.simulated.paper import paper_picture
from tillbox.hardware.simulated.printer import SimulatedPrinter
from tillbox.hardware.simulated.tongues import Condition
from tillbox.hardware.tap import relay as relays
from tillbox.hardware.tap.doors import NetworkDoor, TerminalDoor, device_printer, network_printer
from tillbox.hardware.tap.inject import Injector, slip_before_cut
from tillbox.hardware.tap.relay import Relay
from tillbox.hardware.tap.stream import Settings, Tapped

GOLDEN = Path(__file__).parents[2] / "golden/tap"
SALE = (GOLDEN / "python-escpos/zh-80-1.bin").read_bytes()
STREAMS = sorted(GOLDEN.rglob("*-1.bin"))
CODE = encode(Document((QR("https://tea.example/claim/1"),)), WIDE)


class Counter:
    """A till's place: a relay, the printer behind it, and what was read."""

    def __init__(self, code_for: Callable[[Tapped], bytes] | None = None) -> None:
        self.printer = SimulatedPrinter()
        self.papers: list[Tapped] = []
        self.door = NetworkDoor("127.0.0.1", 0)
        self.relay = Relay(
            self.door,
            network_printer("127.0.0.1", self.printer.port),
            on_paper=self.papers.append,
            code_for=code_for,
        )
        self.relay.start()

    def till(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.door.port), 5.0)

    def close(self) -> None:
        self.relay.stop()
        self.printer.close()


@pytest.fixture
def counter() -> Iterator[Counter]:
    made = Counter()
    yield made
    made.close()


def test_a_receipt_comes_out_as_the_till_sent_it_and_is_read(counter: Counter) -> None:
    with counter.till() as till:
        till.sendall(SALE)
    assert eventually(lambda: len(counter.printer.papers) == 1)
    assert counter.printer.papers[0].data == SALE
    assert eventually(lambda: len(counter.papers) == 1)
    assert counter.papers[0].reading.is_sale


def test_a_till_that_asks_the_printer_first_gets_its_answer(counter: Counter) -> None:
    with counter.till() as till:
        till.sendall(b"\x10\x04\x01")
        assert till.recv(1) == b"\x12"
        counter.printer.fault = Condition.PAPER_OUT
        till.sendall(b"\x10\x04\x04")
        assert till.recv(1) == b"\x72"
        counter.printer.mend()
        till.sendall(SALE + b"\x1dr\x01")
        assert till.recv(1) == b"\x00"
    assert eventually(lambda: len(counter.papers) == 1)


def test_a_till_whose_printer_is_gone_is_told_by_a_closed_line(counter: Counter) -> None:
    counter.printer.close()
    with counter.till() as till:
        till.settimeout(5.0)
        try:
            till.sendall(b"\x10\x04\x01")
            assert till.recv(1) == b"", "no answer is made up"
        except ConnectionError:
            pass


def test_two_tills_one_after_the_other(counter: Counter) -> None:
    for _ in range(2):
        with counter.till() as till:
            till.sendall(SALE)
    assert eventually(lambda: [slip.data for slip in counter.printer.papers] == [SALE, SALE])
    assert eventually(lambda: len(counter.papers) == 2)


def test_a_till_on_a_serial_port_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "IDLE_PAPER_S", 0.2)
    printer, papers = SimulatedPrinter(), []
    door = TerminalDoor(tmp_path / "ttyTILL")
    running = Relay(door, network_printer("127.0.0.1", printer.port), on_paper=papers.append)
    running.start()
    till = os.open(tmp_path / "ttyTILL", os.O_RDWR | os.O_NOCTTY)
    os.write(till, b"\x10\x04\x01")
    assert os.read(till, 1) == b"\x12"
    os.write(till, SALE)
    assert eventually(lambda: len(papers) == 1)
    running.stop()
    os.close(till)
    assert eventually(lambda: [slip.data for slip in printer.papers] == [SALE])
    printer.close()


def test_a_reader_that_fails_on_a_paper_reads_the_next_and_holds_up_nothing(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = threading.Event()
    feed = relays.Papers.feed

    def fail_once(papers: relays.Papers, data: bytes) -> list[Tapped]:
        if not broken.is_set():
            broken.set()
            raise ValueError("a stranger's bytes")
        return feed(papers, data)

    monkeypatch.setattr(relays.Papers, "feed", fail_once)
    for _ in range(2):
        with counter.till() as till:
            till.sendall(SALE)
    assert eventually(lambda: len(counter.printer.papers) == 2)
    assert eventually(lambda: len(counter.papers) == 1)


def test_a_code_comes_before_the_last_cut_and_the_tills_bytes_are_untouched() -> None:
    counter = Counter(code_for=lambda paper: slip_before_cut(CODE, paper) if paper.reading.is_sale else b"")
    try:
        with counter.till() as till:
            till.sendall(SALE)
        assert eventually(lambda: len(counter.printer.papers) == 1)
        printed = counter.printer.papers[0].data
        cut = counter.papers[0].cut if eventually(lambda: len(counter.papers) == 1) else None
        assert cut is not None
        assert printed.startswith(SALE[:cut])
        assert printed.endswith(SALE[cut:])
        picture = np.asarray(Image.open(io.BytesIO(paper_picture(printed))).convert("L"))
        assert "https://tea.example/claim/1" in {one.text for one in decode(picture)}
    finally:
        counter.close()


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("size", [1, 5, 100_000])
def test_the_code_is_added_once_and_only_there_however_the_bytes_come(path: Path, size: int) -> None:
    data, asked = path.read_bytes(), []

    def code_for(paper: Tapped) -> bytes:
        asked.append(paper)
        return b"<CODE>"

    injector, out = Injector(code_for, Settings()), b""
    for at in range(0, len(data), size):
        out += injector.feed(data[at : at + size])
    out += injector.end()
    assert len(asked) == 1
    assert asked[0].cut is not None
    assert out == data[: asked[0].cut] + b"<CODE>" + data[asked[0].cut :]


@settings(deadline=None)
@given(
    parts=st.lists(st.sampled_from([b"Tea 3.50\n", b"\x1dV\x00", b"\x1dVB\x00", b"\x1bi", b"\x1b@", b"\x1b", b"\x1d", b"V", b"\n"]), max_size=12),
    size=st.integers(1, 5),
    quiet=st.sets(st.integers(0, 40)),
)  # fmt: skip
def test_no_byte_is_lost_doubled_or_moved_whatever_a_till_sends(
    parts: list[bytes], size: int, quiet: set[int]
) -> None:
    data = b"".join(parts)
    injector, out = Injector(lambda _: b"", Settings()), b""
    for at in range(0, len(data), size):
        out += injector.feed(data[at : at + size])
        assert data.startswith(out)
        assert len(data[: at + size]) - len(out) <= 3 or injector.holds
        if at in quiet:
            out += injector.quiet()
    assert out + injector.end() == data


def test_a_receipt_of_two_copies_has_its_code_on_the_last() -> None:
    twice = SALE + SALE
    injector = Injector(lambda _: b"<CODE>", Settings())
    out = injector.feed(twice) + injector.quiet()
    assert out.count(b"<CODE>") == 1
    assert out.rindex(b"<CODE>") > len(SALE)


class TalkingPrinter:
    """A printer on a socket that does as it is told: it pushes status while it takes a job, or answers late."""

    def __init__(self, *, pushes: bool = False, answers_after_s: float = 0.0) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.taken = b""
        self._pushes, self._late_s = pushes, answers_after_s
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        line, _ = self._server.accept()
        with line:
            while data := line.recv(4_096):
                self.taken += data
                if self._pushes:
                    with contextlib.suppress(OSError):
                        line.sendall(b"\x10\x00\x00\x0f")
                    time.sleep(0.001)
            time.sleep(self._late_s)
            with contextlib.suppress(OSError):
                line.sendall(b"\x00")

    def close(self) -> None:
        self._thread.join(10.0)
        self._server.close()


def relayed(printer: TalkingPrinter, papers: list[Tapped]) -> tuple[Relay, NetworkDoor]:
    door = NetworkDoor("127.0.0.1", 0)
    running = Relay(door, network_printer("127.0.0.1", printer.port), on_paper=papers.append)
    running.start()
    return running, door


def test_a_till_that_leaves_while_the_printer_talks_loses_nothing_of_its_paper() -> None:
    printer, long_paper = TalkingPrinter(pushes=True), SALE * 40
    running, door = relayed(printer, [])
    with socket.create_connection(("127.0.0.1", door.port)) as till:
        till.sendall(long_paper)
        # What is still with the till when it hangs up is lost at any printer.
        time.sleep(0.05)
    assert eventually(lambda: len(printer.taken) == len(long_paper), 30.0)
    assert printer.taken == long_paper
    running.stop()
    printer.close()


def test_a_till_that_has_said_everything_and_waits_for_the_answer_gets_it() -> None:
    printer = TalkingPrinter(answers_after_s=1.5)
    running, door = relayed(printer, [])
    with socket.create_connection(("127.0.0.1", door.port)) as till:
        till.sendall(SALE + b"\x1dr\x01")
        till.shutdown(socket.SHUT_WR)
        till.settimeout(10.0)
        assert till.recv(1) == b"\x00"
    running.stop()
    printer.close()


def test_a_paper_that_nobody_can_take_does_not_end_the_reading_of_the_next() -> None:
    printer, seen = SimulatedPrinter(), []

    def choke(paper: Tapped) -> None:
        seen.append(paper)
        raise ValueError("a record that cannot be made")

    door = NetworkDoor("127.0.0.1", 0)
    running = Relay(door, network_printer("127.0.0.1", printer.port), on_paper=choke)
    running.start()
    for count in (1, 2):
        with socket.create_connection(("127.0.0.1", door.port)) as till:
            till.sendall(SALE)
        assert eventually(lambda count=count: len(seen) == count)
    running.stop()
    printer.close()


def test_many_papers_on_a_serial_printer_cost_no_descriptors(tmp_path: Path) -> None:
    printer, papers = SimulatedPrinter(line="terminal"), []
    door = NetworkDoor("127.0.0.1", 0)
    running = Relay(door, device_printer(printer.path), on_paper=papers.append)
    running.start()

    def print_one(count: int) -> None:
        with socket.create_connection(("127.0.0.1", door.port)) as till:
            till.sendall(SALE)
        assert eventually(lambda: len(papers) == count, 20.0)

    print_one(1)
    before = len(os.listdir("/proc/self/fd"))
    for count in range(2, 8):
        print_one(count)
    assert len(os.listdir("/proc/self/fd")) <= before + 2
    running.stop()
    printer.close()
