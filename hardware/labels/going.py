"""Where labels go: files, a folder, a sheet, or a printer. Everything is made and read back before the first of it
leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tillbox.hardware.ports import LabelPrinter, PrintEnd, PrinterState, PrintOutcome
from tillbox.hardware.printing.labels.label import Unfit
from tillbox.hardware.printing.labels.sheet import grid_for
from tillbox.hardware.printing.labels.typeface import Typeface

from .making import Format, Made, Ready, no_renderer, ready, sheet
from .table import Bad

STOPPED = "stopped by Ctrl-C: look whether it printed"
PNG_COPIES = "copies are for printers and sheets: a picture is copied by copying it"


@dataclass(frozen=True, slots=True)
class Files:
    """A format and a place. A folder takes one file for each label."""

    format: Format
    path: Path
    is_folder: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a batch. `out` are the labels that left, or that a printer confirmed or took."""

    out: int
    bad: tuple[Bad, ...]
    trouble: str = ""


Step = Callable[[], None]


def to_files(
    made: Sequence[Made], files: Files, typeface: Typeface, copies: int, *, skip_bad: bool, step: Step
) -> Ended:
    """Write them. Nothing is written if one is bad, unless bad ones are skipped."""
    if files.format == "pdf":
        return _sheet(made, files, typeface, copies, skip_bad=skip_bad, step=step)
    if files.format == "png" and copies > 1:
        return Ended(0, (), PNG_COPIES)
    if files.format == "png" and len(made) > 1 and not files.is_folder:
        return Ended(0, (), f"{len(made)} pictures need a folder: write {files.path.with_suffix('')}/")
    good, bad = _prepare(made, files.format, typeface, copies, step)
    if not good or (bad and not skip_bad):
        return Ended(0, tuple(bad))
    if files.is_folder:
        jobs = {f"label-{number:04d}.{files.format}": one.data for number, one in enumerate(good, 1)}
        trouble = _write(files.path, jobs)
    else:
        trouble = _write(files.path.parent, {files.path.name: b"".join(one.data for one in good)})
    return Ended(0 if trouble else len(good), tuple(bad), trouble)


def to_printer(
    made: Sequence[Made],
    printer: LabelPrinter,
    language: Literal["tspl", "zpl"],
    typeface: Typeface,
    copies: int,
    *,
    skip_bad: bool,
    begin_at: int,
    step: Step,
) -> Ended:
    """Print them one by one, and stop where a printer does not answer for one, or a person presses Ctrl-C."""
    good, bad = _prepare(made, language, typeface, copies, step)
    if not good or (bad and not skip_bad):
        return Ended(0, tuple(bad))
    if begin_at > len(good):
        return Ended(0, tuple(bad), f"there are {len(good)} labels: --begin-at {begin_at} is behind them")
    for number, one in enumerate(good[begin_at - 1 :], begin_at):
        try:
            outcome = printer.print(one.data)
        except KeyboardInterrupt:
            outcome = PrintOutcome(PrintEnd.UNKNOWN, PrinterState.SILENT, STOPPED)
        if outcome.end not in (PrintEnd.CONFIRMED, PrintEnd.SENT):
            why = f"label {number} ({one.made.where}): {outcome.hint}; {_onward(number, outcome)}"
            return Ended(number - begin_at, tuple(bad), why)
        step()
    return Ended(len(good) - begin_at + 1, tuple(bad))


def _onward(number: int, outcome: PrintOutcome) -> str:
    if outcome.end is PrintEnd.FAILED:
        return f"go on with --begin-at {number}"
    return f"go on with --begin-at {number} if it did not, else with --begin-at {number + 1}"


def _prepare(
    made: Sequence[Made], how: Literal["tspl", "zpl", "png"], typeface: Typeface, copies: int, step: Step
) -> tuple[list[Ready], list[Bad]]:
    good: list[Ready] = []
    bad: list[Bad] = []
    for one in made:
        judged = ready(one, how, typeface, copies)
        if isinstance(judged, Ready):
            good.append(judged)
        else:
            bad.append(judged)
        step()
    return good, bad


def _sheet(
    made: Sequence[Made], files: Files, typeface: Typeface, copies: int, *, skip_bad: bool, step: Step
) -> Ended:
    label = made[0].label
    grid = grid_for(label.width_mm, label.height_mm)
    for wrong in (no_renderer(), grid):
        if isinstance(wrong, Unfit):
            return Ended(0, (), wrong.why)
    assert not isinstance(grid, Unfit)
    placed = [one for one in made for _ in range(copies)]
    data, bad = sheet(placed, grid, typeface, step)
    bad = list(dict.fromkeys(bad))
    if bad and skip_bad:
        gone = {one.where for one in bad}
        placed = [one for one in placed if one.where not in gone]
        data = sheet(placed, grid, typeface, lambda: None)[0] if placed else b""
    if not placed or (bad and not skip_bad):
        return Ended(0, tuple(bad))
    path = files.path / "labels.pdf" if files.is_folder else files.path
    trouble = _write(path.parent, {path.name: data})
    return Ended(0 if trouble else len(placed), tuple(bad), trouble)


def _write(folder: Path, jobs: dict[str, bytes]) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in jobs.items():
            (folder / name).write_bytes(data)
    except OSError as why:
        return f"{why.filename} cannot be written: {why.strerror}"
    return ""
