"""Records per second into the core's store on SQLite and PostgreSQL, in batches, beside the same rows by plain
executemany into the same SQLite with the same pragmas."""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

from _say import say

from tillbox.broker.journal import Draft, serialise
from tillbox.broker.mosquitto import free_port
from tillbox.cloud_bridge.ingest import Arrived, Ingest
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.store.database import PRAGMAS, open_database
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import Line, Opened, Sale, Tender, digest, genesis

RECORDS, MESSAGE, MESSAGES = 10_000, 50, 8
AT = TimeInterval(1, 2)
NOW = 1_790_000_000_000


def _records() -> list[bytes]:
    lines, head = [], genesis("box-1", "0" * 16, None)
    for n in range(RECORDS):
        body = Sale(
            lines=(Line(name="茶", price=1250),),
            total=1250,
            tender=Tender(type="cash", amount=1250),
            number=n,
        )
        draft = Draft(uuid7(n + 1, os.urandom(10)), "sale" if n else "opened", body if n else Opened(), AT)
        lines.append(serialise("box-1", "0" * 16, n + 1, head, draft))
        head = digest(lines[-1])
    return lines


def _ours(url: str, lines: list[bytes]) -> float:
    database = open_database(url)
    ingest = Ingest(database, Schedule())
    messages = [Arrived("box-1", b"\n".join(lines[at : at + MESSAGE])) for at in range(0, RECORDS, MESSAGE)]
    began = time.perf_counter()
    for at in range(0, len(messages), MESSAGES):
        ingest.take(messages[at : at + MESSAGES], NOW)
    seconds = time.perf_counter() - began
    assert ingest.counts.applied == RECORDS, ingest.counts
    database.close()
    return RECORDS / seconds


def _plain(path: Path, lines: list[bytes]) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(pragma)
    connection.execute("CREATE TABLE t(n INTEGER PRIMARY KEY, hash TEXT, bytes BLOB)")
    size = MESSAGE * MESSAGES
    began = time.perf_counter()
    for at in range(0, RECORDS, size):
        connection.execute("BEGIN IMMEDIATE")
        rows = [(at + n, digest(line), line) for n, line in enumerate(lines[at : at + size])]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")
    return RECORDS / (time.perf_counter() - began)


def _postgres(folder: Path, lines: list[bytes]) -> float | None:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if not programs:
        return None
    data, port = folder / "pg", free_port()
    user = (
        {"user": "postgres"}
        if os.geteuid() == 0 and "postgres" in {u.pw_name for u in pwd.getpwall()}
        else {}
    )
    data.mkdir()
    if user:
        shutil.chown(data, user="postgres")
        data.chmod(0o700)
        folder.chmod(0o755)
    subprocess.run(
        [programs[0], "-D", data, "-U", "t", "-A", "trust"], check=True, capture_output=True, cwd="/", **user
    )
    command = [programs[0].with_name("postgres"), "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", data]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **user)
    try:
        time.sleep(2.0)
        return _ours(f"postgresql+psycopg://t@127.0.0.1:{port}/postgres", lines)
    finally:
        server.send_signal(2)
        server.wait(20)


def main() -> None:
    lines = _records()
    with tempfile.TemporaryDirectory(prefix="tillbox-bench-") as name:
        folder = Path(name)
        figures = {
            "sqlite_records_per_s": round(_ours(f"sqlite:///{folder / 'core.db'}", lines)),
            "plain_sqlite3_rows_per_s": round(_plain(folder / "plain.db", lines)),
        }
        postgres = _postgres(folder, lines)
        figures["postgresql_records_per_s"] = round(postgres) if postgres else "no server installed"
    say("ingest", figures)


main()
