"""Starts a box from one of two slots, watches a trial, and goes back to the good slot when it fails.

This one file is copied beside the slots and is never updated by them: so it needs nothing but Python itself, and decides
as little as it can. What it knows is in `state.json`; what a trial is worth is said by a judge out of the good slot.

    ROOT/launcher.py   ROOT/state.json   ROOT/slots/{a,b}/{lib/, slot.json, kept}

Started by: python -I ROOT/launcher.py --config /etc/tillbox/box.json
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

SLOTS = ("a", "b")
STARTS_MAX = 3  # a trial that the power ended twice may be the cause of it; a third time is not chance
TRIES_MAX = 3  # trials of one version that failed by something that may have been the line's fault
TRIAL_S = 100.0  # the judge's own patience is shorter; with the stop and the old box's start it stays under two minutes
STOP_S = 8.0  # a box closes its journal in well under a second
AGAIN_S = 1.0  # between two starts of the good slot, which nobody can roll back
LOOK_S = 0.05
ENTRY = "import sys; sys.path.insert(0, sys.argv.pop(1)); from tillbox.main import main; main()"


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the slots. `trial` is the slot on trial, empty for none; `last` is how the last trial ended."""

    good: str
    trial: str = ""
    starts: int = 0
    version: str = ""
    """Of the release on trial."""
    refused: Mapping[str, dict[str, str]] = field(default_factory=dict)
    """Versions that failed here, and why: they are not taken again."""
    tries: Mapping[str, int] = field(default_factory=dict)
    """Versions whose trial failed so often by something that may have been another's fault."""
    last: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a trial is kept, and why, in words. What is not `lasting` may have been the line's fault."""

    kept: bool
    zh: str
    en: str
    lasting: bool = True


KEPT = Verdict(True, "新版本通过试用", "The new release passed its trial.")
CUT = Verdict(
    False,
    f"试用期间断电 {STARTS_MAX} 次，已退回原版本",
    f"The power went {STARTS_MAX} times during its trial. The box is back on the release before it.",
)
TORN = Verdict(
    False,
    "新版本在存储卡上已损坏，已退回原版本",
    "The new release is damaged on the card. The box is back on the release before it.",
)
UNJUDGED = Verdict(
    False,
    "试用没有得到结论，已退回原版本",
    "The trial came to no end in its time. The box is back on the release before it.",
)


def ended(code: int) -> Verdict:
    """A box that ended by itself during its trial."""
    how = f"signal {-code}" if code < 0 else f"exit status {code}"
    return Verdict(
        False,
        f"新版本启动后自己退出（{how}），已退回原版本",
        f"The new release ended by itself ({how}). The box is back on the release before it.",
    )


# what is on the disk


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file whole: after a power cut it is the old one or the new one, and never a part."""
    part = path.with_name(f"{path.name}.new")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have a folder's names on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _seal(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def read_state(root: Path) -> State | None:
    """The state, or None where the file is missing or not what was written."""
    try:
        document = json.loads((root / "state.json").read_bytes())
        seal = document.pop("seal")
        return State(**document) if _seal(document) == seal and document["good"] in SLOTS else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write_state(root: Path, state: State) -> None:
    """Have the state on the disk before anything is done by it."""
    document = asdict(state)
    write_durably(root / "state.json", json.dumps({**document, "seal": _seal(document)}).encode())


def tree_digest(lib: Path) -> str:
    """One hash over every file of a slot."""
    whole = hashlib.sha256()
    for path in sorted(lib.rglob("*")):
        if path.is_file():
            whole.update(f"{path.relative_to(lib)}\0".encode())
            whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def bootable(root: Path) -> dict[str, bool]:
    """The slots that are whole, and whether each was ever kept. A slot is written whole, or it has no slot.json."""
    found = {}
    for slot in SLOTS:
        home = root / "slots" / slot
        try:
            told = json.loads((home / "slot.json").read_bytes())
            if told["digest"] == tree_digest(home / "lib"):
                found[slot] = (home / "kept").exists()
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


# what is decided


def choose(state: State | None, whole: Mapping[str, bool]) -> tuple[str, State | None]:
    """The slot to start, empty for none, and the state that must be on the disk before."""
    if state is None:
        slot = next((one for one in whole if whole[one]), next(iter(whole), ""))
        return slot, State(slot) if slot else None
    if state.trial:
        if state.trial in whole and state.starts < STARTS_MAX:
            return state.trial, replace(state, starts=state.starts + 1)
        state = conclude(state, CUT if state.trial in whole else TORN, 0.0)
    slot = state.good if state.good in whole else next(iter(whole), "")
    return slot, replace(state, good=slot) if slot else state


def conclude(state: State, verdict: Verdict, seconds: float) -> State:
    """The state after a trial."""
    said = {"zh": verdict.zh, "en": verdict.en}
    last = {"version": state.version, "kept": verdict.kept, "seconds": round(seconds, 1), **said}
    if verdict.kept:
        return State(good=state.trial, refused=state.refused, last=last)
    tries = {**state.tries, state.version: state.tries.get(state.version, 0) + 1}
    if not verdict.lasting and tries[state.version] < TRIES_MAX:
        return State(good=state.good, refused=state.refused, tries=tries, last=last)
    return State(good=state.good, refused={**state.refused, state.version: said}, last=last)


# what is done


class Launcher:
    """Runs one box for ever."""

    def __init__(self, root: Path, config: Path, *, trial_s: float = TRIAL_S) -> None:
        self.root, self.config, self.trial_s = root, config, trial_s
        self._ended = threading.Event()

    def stop(self) -> None:
        """End soon, the box with it."""
        self._ended.set()

    def run(self) -> None:
        """Start what is to be started, until `stop`."""
        while not self._ended.is_set():
            state = read_state(self.root)
            slot, after = choose(state, bootable(self.root))
            if not slot or after is None:
                say("no slot can be started; seed one with `tillbox update seed`")
                self._ended.wait(AGAIN_S)
                continue
            if after != state:
                write_state(self.root, after)
            if after.trial == slot:
                self._trial(slot, after)
            else:
                say(f"slot {slot} starts")
                self._wait(self._start(slot, "box"))
                self._ended.wait(AGAIN_S if not (read_state(self.root) or after).trial else 0)

    def _start(self, slot: str, *words: str, ears: int | None = None) -> subprocess.Popen[bytes]:
        lib = self.root / "slots" / slot / "lib"
        command = [sys.executable, "-I", "-B", "-c", ENTRY, str(lib), *words, "--config", str(self.config)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=ears)  # our own slots

    def _wait(self, box: subprocess.Popen[bytes]) -> None:
        while box.poll() is None and not self._ended.is_set():
            self._ended.wait(LOOK_S)
        self._end(box)

    def _trial(self, slot: str, state: State) -> None:
        say(f"slot {slot} starts on trial, {state.starts} of {STARTS_MAX}: {state.version}")
        began = time.monotonic()
        box = self._start(slot, "box")
        verdict = self._verdict(
            box, self._start(state.good, "update", "judge", "--slot", slot, ears=subprocess.PIPE)
        )
        if verdict is None:  # told to stop: the trial goes on at the next start
            self._end(box)
            return
        if verdict.kept:
            # The mark is for a state file that is lost: then only a slot that was kept is as good as the good one.
            write_durably(self.root / "slots" / slot / "kept", b"")
        else:
            self._end(box)
        write_state(self.root, conclude(state, verdict, time.monotonic() - began))
        say(verdict.en)
        if verdict.kept:
            self._wait(box)

    def _verdict(self, box: subprocess.Popen[bytes], judge: subprocess.Popen[bytes]) -> Verdict | None:
        heard = _Ears(judge)
        until, lines = time.monotonic() + self.trial_s, 0
        while time.monotonic() < until:
            if self._ended.wait(LOOK_S):
                self._end(judge)
                return None
            if box.poll() is not None:
                self._end(judge)
                return self._unless_told(ended(box.returncode))
            if judge.poll() is not None:
                return self._unless_told(heard.verdict())
            if (
                len(heard.lines) > lines
            ):  # a customer is at its till: that is no failure, however long it takes
                until, lines = time.monotonic() + self.trial_s, len(heard.lines)
        self._end(judge)
        return UNJUDGED

    def _unless_told(self, verdict: Verdict) -> Verdict | None:
        """A machine that goes down may end box and judge before it tells us: that is nobody's fault."""
        return None if self._ended.wait(LOOK_S) else verdict

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class _Ears:
    """What a judge says, line by line."""

    def __init__(self, judge: subprocess.Popen[bytes]) -> None:
        self.lines: list[bytes] = []
        self._judge = judge
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._judge.stdout is not None
        with self._judge.stdout as said:
            self.lines.extend(said)

    def verdict(self) -> Verdict:
        """The last line. A judge that says nothing that can be understood keeps nothing."""
        self._thread.join(STOP_S)
        if self._judge.returncode:
            return UNJUDGED
        try:
            told = json.loads(self.lines[-1])
            lasting = told.get("lasting") is not False
            return Verdict(told["kept"] is True, str(told["zh"]), str(told["en"]), lasting)
        except (ValueError, KeyError, TypeError, IndexError):
            return UNJUDGED


def say(what: str) -> None:
    """One line for the system's log."""
    print(f"launcher: {what}", file=sys.stderr, flush=True)


def main() -> None:
    """Run until told to stop."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--config", type=Path, required=True, help="the box's configuration")
    words.add_argument(
        "--root", type=Path, default=Path(__file__).resolve().parent, help="where the slots are"
    )
    words.add_argument("--trial-s", type=float, default=TRIAL_S, help="the longest that a trial may take")
    told = words.parse_args()
    launcher = Launcher(told.root, told.config, trial_s=told.trial_s)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: launcher.stop())
    launcher.run()


if __name__ == "__main__":
    main()
