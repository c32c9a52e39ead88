"""This software asks the release in the idle slot what it would charge and print, before anybody starts it.

The release answers from a process of its own; what is right is known here. So a release cannot approve itself, and one
that sells wrongly costs the shop no restart.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

from pydantic import ValidationError

from tillbox.hardware.simulated.paper import paper_text

from .health import GOLDEN, Answer, judge_figures, judge_receipt
from .launcher import ENTRY
from .words import Refusal, Why

EXAM_S = 60.0  # the interpreter and the till's modules, on a slow card


def examine(lib: Path) -> Refusal | None:
    """Why a release must not be started; None where every answer is right."""
    asked = "".join(f"{one.model_dump_json()}\n" for one, _ in GOLDEN)
    command = ["nice", "-n", "5", sys.executable, "-I", "-B", "-c", ENTRY, str(lib), "update", "answer"]
    try:
        done = subprocess.run(
            command, input=asked, capture_output=True, text=True, timeout=EXAM_S, check=False
        )  # signed, and in a process of its own
    except (OSError, subprocess.TimeoutExpired) as fault:
        return Refusal(Why.NO_ANSWER, type(fault).__name__)
    if done.returncode:
        return Refusal(
            Why.NO_ANSWER, (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1][:120]
        )
    return _mark(done.stdout.splitlines())


def _mark(lines: list[str]) -> Refusal | None:
    if len(lines) != len(GOLDEN):
        return Refusal(Why.NO_ANSWER, f"{len(lines)} answers to {len(GOLDEN)} questions")
    for line, (asked, right) in zip(lines, GOLDEN, strict=True):
        try:
            found = Answer.model_validate(json.loads(line))
            paper = base64.b64decode(found.receipt)
        except (ValueError, ValidationError):
            return Refusal(Why.NO_ANSWER, line[:80])
        wrong = judge_figures(found.canary, right) or judge_receipt(paper_text(paper), asked, right)
        if wrong is not None:
            return wrong
    return None
