"""The commands that take their time, each a function of a box: they look, or print, and say how it went."""

from __future__ import annotations

import hashlib
import platform
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from tillbox.agent.app import SOFTWARE, Box
from tillbox.agent.clock import shown
from tillbox.agent.doctor import examine, report
from tillbox.agent.examine import of_box
from tillbox.agent.outcomes import Outcome
from tillbox.agent.prints import PrintState
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.commands import State, Verb
from tillbox.contracts.messages import RESULT_CHARACTERS_MAX, canonical
from tillbox.hardware.printing.document import Columns, Cut, Document, Feed, Line, Rule

from .bundle import parts_of
from .lately import Lately, masked

PRINT_S, LOOK_S = 20.0, 0.25  # a printer that has paper is done in three; the page stays queued all the same


@dataclass(frozen=True, slots=True)
class Errand:
    """One command under way."""

    id: str
    box: Box
    lately: Lately
    at: TimeInterval
    ended: threading.Event


def self_test(errand: Errand) -> Outcome:
    """The doctor's page, as short as a record needs it."""
    facts = of_box(errand.box)
    lines, page = examine(facts), report(facts)
    full = [{"check": one.check, "light": one.light, "says": masked(one.says.en)[:80]} for one in lines]
    told = canonical({"ok": page["ok"], "software": SOFTWARE, "checks": full})
    if len(told) > RESULT_CHARACTERS_MAX:
        short = [{"check": one.check[:24], "light": one.light} for one in lines[:24]]
        told = canonical({"ok": page["ok"], "software": SOFTWARE, "checks": short})
    return Outcome(State.SUCCESSFUL, result=told.decode())


def test_page(errand: Errand) -> Outcome:
    """A page that says what this box is."""
    box = errand.box
    if not box.print_paper(errand.id, _page(errand)):
        return Outcome(State.FAILED, "There is no printer, or too much waits for it.")
    for _ in range(int(PRINT_S / LOOK_S)):
        if box.paper_state(errand.id) in (PrintState.SENT, PrintState.CONFIRMED):
            return Outcome(State.SUCCESSFUL)
        if errand.ended.wait(LOOK_S):
            break
    state = box.prints.state if box.prints else "lost"
    return Outcome(
        State.FAILED, f"The page is not on paper: the printer is {state}. It comes when that is mended."
    )


def collect_diagnostics(errand: Errand) -> Outcome:
    """Everything that support asks for first."""
    box, view = errand.box, errand.box.view
    document = {
        "device": box.config.device,
        "doctor": report(of_box(box)),
        "versions": {
            "software": SOFTWARE,
            "python": sys.version.split()[0],
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        },
        "till": {
            "phase": type(view.till.phase).__name__ if view else "",
            "records": box.records,
            "pending": view.pending if view else None,
            "line_up": view.till.line_up if view else None,
            "halts": sorted(view.till.past.halts) if view else [],
        },
        "updates": box.updates.report() if box.updates else None,
        "troubles": {name: masked(hint) for name, hint in box.troubles.items()},
    }
    parts = parts_of(document, errand.lately.lines())
    digest = hashlib.sha256("".join(parts).encode()).hexdigest()
    result = canonical({"parts": len(parts), "sha256": digest, "form": "base64 gzip json"}).decode()
    return Outcome(State.SUCCESSFUL, result=result, parts=parts)


def rotate_logs(errand: Errand) -> Outcome:
    """A new log file, and which there are now."""
    if errand.box.logs is None:
        return Outcome(
            State.FAILED,
            "This box keeps no log files: its lines are in the system's journal, which bounds itself.",
        )
    files = [{"name": name, "bytes": size} for name, size in errand.box.logs.rotate()]
    return Outcome(State.SUCCESSFUL, result=canonical({"files": files}).decode())


SLOW: dict[Verb, Callable[[Errand], Outcome]] = {
    Verb.SELF_TEST: self_test,
    Verb.TEST_PAGE: test_page,
    Verb.COLLECT_DIAGNOSTICS: collect_diagnostics,
    Verb.ROTATE_LOGS: rotate_logs,
}
"""By a thread of their own; all other verbs are a word to the till."""


def _page(errand: Errand) -> Document:
    box = errand.box
    return Document(
        (
            Line(box.config.shop, align="center", bold=True, double=True),
            Line("测试页 TEST PAGE", align="center"),
            Rule(),
            Columns("盒子 Box", box.config.device),
            Columns("软件 Software", SOFTWARE),
            Columns("时间 Time", shown(errand.at)),
            Line("总部发来的测试，不是小票 Sent by head office; this is no receipt", align="center"),
            Feed(3),
            Cut(),
        )
    )
