"""The unsent records of a box that is dead, from its disk: read, never written to, signed with the key that lies there, and
sent to the core or made into codes.

A damaged journal gives what is whole of it: each record proves itself by its hash, and the core takes what continues
its chain.
"""

from __future__ import annotations

import os
import queue
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tillbox.agent.clock import BootClock
from tillbox.broker.line import Happening, Message, Up
from tillbox.broker.mqtt import MqttLine
from tillbox.contracts import topics
from tillbox.contracts.messages import BATCH_BYTES_MAX, Ack, digest
from tillbox.contracts.verdicts import TEXTS, Reason

from .enrolling import door
from .keystore import FileKeyStore, KeyUnsafe
from .late import late_message
from .place import Identity

BATCH_RECORDS = 50
DEEP_MAX = 6  # folders between what was named and the box's own
ANSWER_S = 10.0
TRIES = 3
SEEN_MAX = 64


class NothingToRescue(Exception):
    """There is no box's disk there, or it cannot be used; the message says what and why."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one boot, in their order."""

    inc: str
    first: int
    last: int
    records: bytes


@dataclass(frozen=True, slots=True)
class Disk:
    """What lies on a dead box's disk."""

    folder: Path
    identity: Identity
    key: FileKeyStore
    batches: tuple[Batch, ...]
    unread: int
    """Records that are damaged, and cannot be read."""

    @property
    def records(self) -> int:
        """How many are not in, as far as the box knew."""
        return sum(batch.last - batch.first + 1 for batch in self.batches)


@dataclass(frozen=True, slots=True)
class Sent:
    """What the core took."""

    taken: int
    refused: tuple[str, ...]


def read_disk(path: Path) -> Disk:
    """Look for a box's state under a path. Raises NothingToRescue."""
    folder = _state_in(path)
    identity = Identity(folder / "identity")
    if not identity.key.exists():
        raise NothingToRescue(
            f"{identity.key} is not there: only the box's own key can say that these records are its own"
        )
    with tempfile.TemporaryDirectory(prefix="tillbox-rescue-") as fresh:
        copy = _copied(folder, Path(fresh))
        batches, unread = _unsent(copy)
    key = _key(identity, Path(path))
    return Disk(folder, identity, key, tuple(batches), unread)


def _key(identity: Identity, path: Path) -> FileKeyStore:
    """The key, copied first where the disk does not keep rights, as a FAT card does not."""
    fresh = Path(tempfile.mkdtemp(prefix="tillbox-key-"))
    try:
        copy = fresh / "box.key"
        copy.touch(mode=0o600)
        copy.write_bytes(identity.key.read_bytes())
        return FileKeyStore(copy)
    except (OSError, KeyUnsafe) as fault:
        raise NothingToRescue(
            f"the key under {path} is damaged or cannot be read: keep the card, and bring in the paper slips"
        ) from fault
    finally:
        shutil.rmtree(fresh)


def _state_in(path: Path) -> Path:
    if path.is_file():
        path = path.parent
    if not path.is_dir():
        raise NothingToRescue(f"there is no folder {path}: mount the card, and name its folder")
    for deep in range(DEEP_MAX + 1):
        found = sorted(path.glob("/".join(["*"] * deep + ["journal.db"])))
        if found:
            return found[0].parent
    raise NothingToRescue(f"there is no journal.db under {path}")


def _copied(folder: Path, fresh: Path) -> Path:
    """A copy, as SQLite must write to a file that was left in the middle of something."""
    for name in ("journal.db", "journal.db-wal"):
        if (folder / name).exists():
            shutil.copyfile(folder / name, fresh / name)
    return fresh / "journal.db"


def _unsent(path: Path) -> tuple[list[Batch], int]:
    connection = sqlite3.connect(path)
    try:
        boots = connection.execute(
            "SELECT inc, first, watermark FROM incarnation ORDER BY position"
        ).fetchall()
        ends = [*(first for _, first, _ in boots[1:]), 2**62]
        batches: list[Batch] = []
        unread = 0
        for (inc, first, watermark), end in zip(boots, ends, strict=True):
            lines, lost = _lines(connection, first, first + watermark, end)
            unread += lost
            batches += _batched(inc, lines)
    except sqlite3.DatabaseError as fault:
        raise NothingToRescue(f"the journal cannot be read at all: {fault}; keep the card") from fault
    finally:
        connection.close()
    return batches, unread


def _lines(
    connection: sqlite3.Connection, first: int, after: int, end: int
) -> tuple[list[tuple[int, bytes]], int]:
    """Records of one boot by their number, and how many are damaged."""
    rows = connection.execute(
        "SELECT position, hash, bytes FROM journal WHERE position >= ? AND position < ? ORDER BY position",
        (after, end),
    )
    lines, lost = [], 0
    for position, stored, data in rows:
        if isinstance(data, bytes) and digest(data) == stored:
            lines.append((position - first + 1, data))
        else:
            lost += 1
    return lines, lost


def _batched(inc: str, lines: list[tuple[int, bytes]]) -> Iterator[Batch]:
    held: list[tuple[int, bytes]] = []
    size = 0
    for seq, data in lines:
        if held and (len(held) == BATCH_RECORDS or size + len(data) > BATCH_BYTES_MAX // 2):
            yield _batch(inc, held)
            held, size = [], 0
        held.append((seq, data))
        size += len(data) + 1
    if held:
        yield _batch(inc, held)


def _batch(inc: str, held: list[tuple[int, bytes]]) -> Batch:
    return Batch(inc, held[0][0], held[-1][0], b"\n".join(data for _, data in held))


def messages(disk: Disk) -> list[bytes]:
    """The unsent records as messages that anybody may carry."""
    return [late_message(disk.key, batch.records) for batch in disk.batches]


def send(disk: Disk, host: str, port: int, root: Path, step: Callable[[int], None]) -> Sent:
    """Hand everything in at the core's door for claims. `step` hears how many records of each batch are in."""
    nonce = os.urandom(16).hex()
    heard: queue.Queue[Happening] = queue.Queue(SEEN_MAX)
    line = MqttLine(door(host, port, root, nonce))
    line.start(lambda happening: None if heard.full() else heard.put(happening))
    try:
        if _wait(heard, Up) is None:
            raise NothingToRescue(
                f"the core at {host}:{port} cannot be reached; what was read is still on the card"
            )
        taken, refused = 0, []
        for batch in disk.batches:
            ack = _hand_in(line, nonce, disk, batch, heard)
            if ack is not None and ack.wm >= batch.last:
                taken += batch.last - batch.first + 1
            else:
                refused.append(f"{batch.inc[:4]}:{batch.first}-{batch.last} {_why(ack)}")
            step(batch.last - batch.first + 1)
            if ack is not None and ack.refused == Reason.ENOUGH_TODAY:
                break
        return Sent(taken, tuple(refused))
    finally:
        line.stop()


def _why(ack: Ack | None) -> str:
    if ack is None:
        return "no answer"
    if ack.refused == Reason.ENOUGH_TODAY:
        return TEXTS[Reason.ENOUGH_TODAY].en
    return f"the core holds up to {ack.wm}" + (f" ({ack.refused})" if ack.refused else "")


def _hand_in(
    line: MqttLine, nonce: str, disk: Disk, batch: Batch, heard: queue.Queue[Happening]
) -> Ack | None:
    """The core's last word of the batch's boot; None where it said nothing."""
    said: Ack | None = None
    for _ in range(TRIES):
        line.publish(topics.late_up(nonce), late_message(disk.key, batch.records))
        while (found := _wait(heard, Message)) is not None:
            assert isinstance(found, Message)
            ack = _ack(found.payload)
            if ack is None or ack.inc != batch.inc:
                continue
            if ack.wm >= batch.last or ack.refused == Reason.ENOUGH_TODAY:
                return ack
            said = ack
            break
    return said


def _wait(heard: queue.Queue[Happening], kind: type) -> Happening | None:
    due_ms = BootClock().boot_ms() + ANSWER_S * 1000
    while (left_ms := due_ms - BootClock().boot_ms()) > 0:
        try:
            happening = heard.get(timeout=left_ms / 1000)
        except queue.Empty:
            return None
        if isinstance(happening, kind):
            return happening
    return None


def _ack(payload: bytes) -> Ack | None:
    try:
        return Ack.model_validate_json(payload)
    except ValidationError:
        return None
