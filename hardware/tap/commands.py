"""`tillbox tap`: read what another program's till printed; learn its layout; try a relay without a box.

The tap stands in other people's paths. It is off in every box until a shop turns it on; docs/tap.md says what to ask a
lawyer first.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.settings import SettingsWrong, load
from tillbox.hardware.commands import harmless

from .learn import Profile, Proposal, learn
from .reading import Verdict
from .stream import Settings, Tapped, papers_of

STREAM_BYTES_MAX = 20_000_000

tap = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Read the receipts that another program's till prints. Off in every box until a shop turns it on: see docs/tap.md.",
)

ProfileFile = Annotated[
    Path | None, typer.Option("--profile", help="What is known of this till, as `tap learn` wrote it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document a file.")]


@tap.command()
def replay(
    files: Annotated[
        list[Path], typer.Argument(help="Captured bytes of a till on their way to its printer.")
    ],
    profile: ProfileFile = None,
    as_json: AsJson = False,
) -> None:
    """What a captured stream says: lines, sums and a verdict for each paper in it.

    \b
    reconciled     every line's quantity times price is its amount, and everything adds up to the total
    unreconciled   something does not add up, or two layouts read it differently: never used for money
    no_receipt     a drawer, a question, a kitchen's ticket, a picture

    The exit status is 1 if a file cannot be read, else 0, whatever the verdicts.

    Example: tillbox tap replay monday/*.bin --json | jq '.papers[].verdict'
    """
    settings = _settings(profile)
    failed = False
    for path in files:
        data = _captured(path)
        if data is None:
            failed = True
            continue
        began_ns = time.perf_counter_ns()
        papers = papers_of(data, settings)
        milliseconds = round((time.perf_counter_ns() - began_ns) / 1_000_000, 1)
        if as_json:
            print(json.dumps(_document(path, papers, milliseconds)))
        else:
            _show(path, papers)
    raise typer.Exit(1 if failed else 0)


@tap.command("learn")
def learn_layout(
    files: Annotated[list[Path], typer.Argument(help="Three or more captured receipts of one till.")],
    write: Annotated[Path | None, typer.Option(help="Write the profile here.")] = None,
    breaks: Annotated[
        str | None, typer.Option(help="How it breaks long names, if you know: words or anywhere.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Propose how one till's receipts are laid out, from three samples. Look at the names before you use it.

    Example: tillbox tap learn one.bin two.bin three.bin --write corner-shop.json
    """
    try:
        found = learn([path.read_bytes() for path in files])
    except OSError as why:
        sys.exit(f"tillbox tap learn: {why.filename} cannot be read: {why.strerror}")
    if isinstance(found, str):
        sys.exit(f"tillbox tap learn: {found}")
    if breaks is not None and breaks not in ("words", "anywhere"):
        sys.exit("tillbox tap learn: --breaks is words or anywhere")
    profile = _chosen(found, breaks)
    if found.choices and breaks is None:
        print("These samples do not show how long names are broken. Choose with --breaks:", file=sys.stderr)
        for way, names in found.choices.items():
            print(f"  {way}: {harmless(', '.join(names))}", file=sys.stderr)
    text = profile.model_dump_json(indent=2, exclude_none=True)
    if write:
        write.write_text(text + "\n")
    if as_json or not write:
        print(text)
    raise typer.Exit(1 if found.choices and breaks is None else 0)


@tap.command("learn-glyphs")
def learn_glyphs(
    receipt: Annotated[Path, typer.Argument(help="One captured receipt that the till drew as a picture.")],
    text: Annotated[Path, typer.Option(help="What stands on it, typed line by line.")],
    write: Annotated[
        Path, typer.Option(help="The till's profile: what is there is kept, the letters are added.")
    ],
    alike: Annotated[
        bool,
        typer.Option("--alike", help="The text is right: this font draws two letters with the same dots."),
    ] = False,
) -> None:
    """Learn the letters of a till that draws its receipts, from one receipt and what a person reads on it.

    Leave out lines across the paper, codes and tall pictures; write (picture) for a low one. A line whose letters do
    not fit is refused by its number and the others are learned. Repeat with other receipts until `tap replay` knows them.

    The exit status is 1 if a line was refused.

    Example: tillbox tap learn-glyphs monday-1.bin --text monday-1.txt --write corner-shop.json
    """
    from .drawn import lesson

    data = _captured(receipt)
    try:
        profile = load(write, Profile) if write.exists() else Profile()
        typed = text.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, SettingsWrong) as why:
        sys.exit(f"tillbox tap learn-glyphs: {harmless(str(why))}")
    found = lesson(data or b"", typed, profile, alike=alike)
    if isinstance(found, str):
        sys.exit(f"tillbox tap learn-glyphs: {harmless(found)}")
    profile, learned, refused = found
    write.write_text(profile.model_dump_json(indent=2, exclude_none=True) + "\n")
    for number, reason in refused.items():
        print(f"line {number} is refused: {harmless(reason)}", file=sys.stderr)
    known = len(profile.glyphs.glyphs) if profile.glyphs else 0
    print(f"{learned} shapes are new; {known} are known", file=sys.stderr)
    raise typer.Exit(1 if refused else 0)


@tap.command()
def relay(
    listen: Annotated[
        str, typer.Option(help="Where the till prints to: host:port, or a path for a serial port.")
    ],
    printer: Annotated[str, typer.Option(help="Where the printer is: host:port, or a device.")],
    profile: ProfileFile = None,
    as_json: AsJson = False,
) -> None:
    """Stand between a till and its printer, pass everything on both ways, and say what was read. Ctrl-C ends it.

    Example: tillbox tap relay --listen 127.0.0.1:9100 --printer 192.168.1.50:9100
    """
    from .relay import Relay, door_at, printer_at

    settings = _settings(profile)

    def said(paper: Tapped) -> None:
        if as_json:
            print(json.dumps(_paper(paper)), flush=True)
        else:
            _show(Path("till"), [paper])

    try:
        door, way = door_at(listen), printer_at(printer)
    except (OSError, ValueError) as why:
        sys.exit(f"tillbox tap relay: {why}")
    running = Relay(door, way, on_paper=said, settings=settings)
    running.start()
    print(f"listening at {listen}; the printer is {printer}", file=sys.stderr)
    try:
        while True:
            time.sleep(1.0)
    except KeyboardInterrupt:
        running.stop()


def _captured(path: Path) -> bytes | None:
    """A file's bytes; None and a sentence where there are none to read."""
    try:
        with path.open("rb") as file:
            data = file.read(STREAM_BYTES_MAX + 1)
    except OSError as why:
        print(f"tillbox tap replay: {harmless(str(path))} cannot be read: {why.strerror}", file=sys.stderr)
        return None
    if len(data) > STREAM_BYTES_MAX:
        most = STREAM_BYTES_MAX // 1_000_000
        print(f"tillbox tap replay: {harmless(str(path))} has more than {most} MB", file=sys.stderr)
        return None
    return data


def _chosen(found: Proposal, breaks: str | None) -> Profile:
    if breaks is None:
        return found.profile
    templates = tuple(one.model_copy(update={"breaks": breaks}) for one in found.profile.templates)
    return found.profile.model_copy(update={"templates": templates})


def _settings(profile: Path | None) -> Settings:
    if profile is None:
        return Settings()
    try:
        return load(profile, Profile).settings()
    except SettingsWrong as wrong:
        sys.exit(f"tillbox tap: {wrong}")


def _document(path: Path, papers: list[Tapped], milliseconds: float) -> dict[str, Any]:
    return {"path": str(path), "papers": [_paper(paper) for paper in papers], "milliseconds": milliseconds}


def _paper(paper: Tapped) -> dict[str, Any]:
    sheet = paper.sheet
    return {
        **paper.reading.as_json(),
        "columns": paper.columns,
        "codes": sheet.codes,
        "kicks": sheet.kicks,
        "cut": paper.cut is not None,
        "unknown_commands": sheet.unknown,
    }


def _show(path: Path, papers: list[Tapped]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    for paper in papers:
        reading = paper.reading
        head = f"{path}: {reading.paper} {reading.number or ''} {reading.verdict}"
        console.print(Text(harmless(head + (f" ({reading.why})" if reading.why else ""))))
        if not reading.items:
            continue
        table = Table("name", "code", "quantity", "price", "amount")
        for item in reading.items:
            quantity = "" if item.quantity_milli is None else f"{item.quantity_milli / 1000:g}"
            price = "" if item.price is None else Amount(item.price, CNY).decimal()
            cells = (item.name, item.sku or "", quantity, price, Amount(item.amount, CNY).decimal())
            table.add_row(*(Text(harmless(cell)) for cell in cells))
        console.print(table)
        if reading.verdict is Verdict.RECONCILED and reading.total is not None:
            console.print(f"total {Amount(reading.total, CNY).decimal()}")
