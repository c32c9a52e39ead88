"""`tillbox scan`: read the codes on pictures and say what they are, as the till would.

It is for the engineer who has a customer's photo and a question. It changes nothing, asks nobody, and
believes no picture: what cannot be opened is said, and the others are still read.
"""

from __future__ import annotations

import io
import json
import sys
import time
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tillbox.contracts.codes import CodeRead, ScannerMode, classify, describe
from tillbox.contracts.verdicts import Refused

from .decoding import Found, decode, load

HELP = """Read the codes on pictures (PNG, JPEG or WEBP) and say what they are.

For each picture: every code found, its symbology, its text, what the till makes of it, and how long it
took. A picture without a code is fine; what is no picture is an error, the others are still read, and
the exit status is then 1. Nothing leaves this machine.

\b
Examples:
  tillbox scan receipt.jpg
  tillbox scan --mode goods shelf/*.webp
  tillbox scan --json photo.png | jq '.codes[].says'

With --json there is one line for each picture, as soon as it is read:

\b
  {"path": "photo.png", "ok": true, "codes": [{"symbology": "ean_13",
   "text": "6901234567892", "says": {"family": "goods", ...}}],
   "milliseconds": 4.1, "error": null}
"""


scan = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@scan.command(help=HELP)
def scan_pictures(
    pictures: Annotated[list[str], typer.Argument(metavar="PATH", help="Pictures to read.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a line.")] = False,
    mode: Annotated[
        ScannerMode,
        typer.Option(help="What the shop expects; it decides where bare digits could be two things."),
    ] = ScannerMode.TILL,
) -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may know no Chinese
    answers = []
    for path in pictures:
        answer = read_picture(path, mode)
        answers.append(answer)
        if as_json:
            typer.echo(json.dumps(answer.document()))  # ASCII only: an escape in a code stays an escape
        if answer.error:
            typer.echo(f"tillbox scan: {harmless(path)}: {answer.error}", err=True)
    if not as_json:
        Console(highlight=False).print(_table(answers))
    raise typer.Exit(1 if any(answer.error for answer in answers) else 0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one picture holds, or why it is none."""

    path: str
    mode: ScannerMode
    found: tuple[Found, ...]
    milliseconds: float
    error: str | None

    def document(self) -> dict[str, object]:
        """One line of `--json`."""
        codes = [
            {"symbology": str(one.symbology), "text": one.text, "says": says(one, self.mode)}
            for one in self.found
        ]
        return {
            "path": self.path,
            "ok": self.error is None,
            "codes": codes,
            "milliseconds": self.milliseconds,
            "error": self.error,
        }


def read_picture(path: str, mode: ScannerMode) -> Answer:
    """Open a picture and read it; the time is for both."""
    began_ns = time.perf_counter_ns()
    picture = load(path)
    found = () if isinstance(picture, Refused) else decode(picture)
    milliseconds = round((time.perf_counter_ns() - began_ns) / 1_000_000, 1)
    error = f"no picture: {picture.detail}" if isinstance(picture, Refused) else None
    return Answer(path, mode, found, milliseconds, error)


def says(found: Found, mode: ScannerMode) -> dict[str, str | int | bool | None]:
    """What the till makes of it."""
    return describe(classify(CodeRead(found.raw, found.symbology, "scan"), mode))


def harmless(text: str) -> str:
    """Fit for a terminal: a code may carry commands to it, and letters that run backwards."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def _table(answers: list[Answer]) -> Table:
    table = Table("picture", "symbology", "text", "what it is", "ms")
    for answer in answers:
        head, milliseconds = _cell(answer.path), _cell(f"{answer.milliseconds:.1f}")
        if answer.error:
            table.add_row(head, _cell(""), _cell(""), _cell(answer.error), milliseconds)
        elif not answer.found:
            table.add_row(head, _cell(""), _cell(""), _cell("no code"), milliseconds)
        for one in answer.found:
            said = _in_words(says(one, answer.mode))
            table.add_row(head, _cell(str(one.symbology)), _cell(one.text), _cell(said), milliseconds)
    return table


def _in_words(said: dict[str, str | int | bool | None]) -> str:
    rest = [f"{name} {value}" for name, value in said.items() if name != "family" and value not in ("", None)]
    return ": ".join([str(said["family"]), *([", ".join(rest)] if rest else [])])


def _cell(text: str) -> Text:
    """Never markup: a code may say [bold] too."""
    return Text(harmless(text), overflow="fold")
