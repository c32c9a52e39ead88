"""`make lab`: the tests marked `device`, on real devices of a real kernel, in a machine of our own.

Boots Debian's stock kernel under QEMU (no KVM, no privileges) on this machine's own files, read only, and runs
pytest in there. Progress goes to standard error; the last line of standard output is a JSON summary. It ends
by itself, whatever hangs, and leaves no process: see docs/lab.md.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

from kernel import kernel
from machine import Machine

PROJECT = Path(__file__).resolve().parents[1]
CACHE = PROJECT / "var" / "lab"
WHOLE_S = 600  # a run takes about two minutes on two cores that others use too


def main(arguments: list[str]) -> int:
    """Run the device tests that pytest's own `arguments` choose; 0 only if some passed and none failed."""
    began = time.monotonic()
    CACHE.mkdir(parents=True, exist_ok=True)
    machine = Machine(kernel(CACHE), CACHE)
    ended = machine.run(
        words={
            "project": str(PROJECT),
            "python": sys.executable,
            "path": os.environ.get("PYTHONPATH", ""),
            "choice": " ".join(arguments),
        },
        patience_s=WHOLE_S,
    )
    answer = summary(machine.report, ended) | {"seconds": round(time.monotonic() - began, 1)}
    print(json.dumps(answer), flush=True)
    return 0 if answer["ok"] else 1


def summary(report: Path, ended: bool) -> dict[str, object]:
    """What the report in the guest's words says; a machine that did not come to its end is a failure."""
    try:
        cases = list(ElementTree.fromstring(report.read_bytes().strip(b"\0\r\n ")).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        cases = []
    tests = {f"{Path(case.get('classname', '')).name}::{case.get('name')}": outcome(case) for case in cases}
    count = {word: list(tests.values()).count(word) for word in ("passed", "failed", "skipped")}
    ok = ended and count["passed"] > 0 and count["failed"] == count["skipped"] == 0
    return {"ok": ok, **count, "ended": ended, "tests": tests}


def outcome(case: ElementTree.Element) -> str:
    """One test's word. In the lab nothing is skipped: what cannot run here is missing, and that is a failure."""
    kinds = {child.tag for child in case}
    if kinds & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in kinds else "passed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
