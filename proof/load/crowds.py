"""Several processes full of boxes, and one voice for all of them."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from . import crowd
from .member import Plan

ANSWER_S = 120.0  # a process that is busy with a storm answers late; one that is gone never does


@dataclass(frozen=True, slots=True)
class Seen:
    """What all boxes together say of themselves."""

    up: int
    proven: int
    pending: int
    records: int
    settled: int
    counts: Counter[str]


class Crowds:
    """All boxes of a run."""

    def __init__(self, plans: list[Plan]) -> None:
        context = get_context("spawn")
        self.plans = plans
        self._processes: list[SpawnProcess] = []
        self._pipes: list[Connection] = []
        for plan in plans:
            near, far = context.Pipe()
            process = context.Process(target=crowd.run, args=(plan, far), daemon=True)
            process.start()
            far.close()
            self._processes.append(process)
            self._pipes.append(near)

    @property
    def pids(self) -> list[int | None]:
        """Their processes."""
        return [process.pid for process in self._processes]

    def dress(self) -> None:
        """Read every certificate."""
        self._tell("dress")

    def connect(self, spread_s: float) -> None:
        """Everybody begins within so many seconds."""
        self._tell("connect", spread_s)

    def sell(self, rate: float) -> None:
        """So many sales a second in all."""
        total = sum(len(plan.devices) for plan in self.plans)
        for pipe, plan in zip(self._pipes, self.plans, strict=True):
            _ask(pipe, "sell", rate * len(plan.devices) / total)

    def look(self) -> Seen:
        """How they are."""
        answers = self._tell("look")
        numbers = {
            name: sum(one[name] for one in answers)
            for name in ("up", "proven", "pending", "records", "settled")
        }
        counts: Counter[str] = Counter()
        for one in answers:
            counts.update(one["counts"])
        return Seen(**numbers, counts=counts)

    def waited_ms(self) -> list[int]:
        """How long each record waited for the core's answer since this was asked last, shortest first."""
        return sorted(ms for one in self._tell("answers") for ms in one)

    def cut(self, devices: tuple[str, ...]) -> None:
        """Drop these boxes' connections without a word."""
        self._tell("cut", devices)

    def freeze(self, devices: tuple[str, ...]) -> None:
        """These boxes vanish, and their connections stay open."""
        self._tell("freeze", devices)

    def come_back(self, devices: tuple[str, ...]) -> None:
        """These boxes connect anew."""
        self._tell("come_back", devices)

    def evidence(self, folder: Path) -> list[Path]:
        """What the boxes hold, a file a process."""
        files = [folder / f"boxes-{number}.txt" for number in range(len(self._pipes))]
        for pipe, file in zip(self._pipes, files, strict=True):
            _ask(pipe, "evidence", file)
        return files

    def end(self) -> None:
        """Send everybody home."""
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            with contextlib.suppress(OSError, EOFError):
                pipe.send(("end", ()))
            process.join(10.0)
            if process.is_alive():
                process.kill()
                process.join(10.0)

    def _tell(self, name: str, *arguments: Any) -> list[Any]:
        """The same to all of them, and all their answers."""
        for pipe in self._pipes:
            pipe.send((name, arguments))
        return [_answer(pipe) for pipe in self._pipes]


def _ask(pipe: Connection, name: str, *arguments: Any) -> Any:
    pipe.send((name, arguments))
    return _answer(pipe)


def _answer(pipe: Connection) -> Any:
    if not pipe.poll(ANSWER_S):
        raise RuntimeError(
            f"a process of boxes said nothing for {ANSWER_S:.0f} s; is the machine overloaded?"
        )
    return pipe.recv()
