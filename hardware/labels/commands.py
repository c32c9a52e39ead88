"""`tillbox print`: plates, labels, claim links and coupons, on a label printer or into files.

It refuses to print what cannot be read: every code is read back from the bytes that would go out, and one bad row stops
the batch before its first label, unless the shop says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer

from tillbox.contracts.money import CNY, Amount

from . import kinds
from .batch import Batch, run
from .issuer import issuer_seed, public_key_of
from .options import (
    NOWHERE,
    AsJson,
    BeginAt,
    Copies,
    Csv,
    Dots,
    First,
    Language,
    Last,
    PrinterAt,
    Size,
    SkipBad,
    To,
)
from .table import FILE_BYTES_MAX, ROWS_MAX, Columns, Row, Table, read_table

HELP = """Print code plates, goods labels, claim links and coupons.

\b
  tillbox print plate  --title 山间茶铺 --text https://tea.example/t/8 --number 8 --to png plate.png
  tillbox print label  --csv goods.csv --size 40x30 --printer usb:/dev/usb/lp1
  tillbox print claim  --link 'https://tea.example/c/{id}' --first 1 --last 100 --to pdf claims.pdf
  tillbox print coupon --help

Every code is read back from what would be printed before anything is. A code that does not read is refused, and so is
a row with a mistake; then nothing is printed, unless --skip-bad is given. docs/labels.md has pictures.
"""

printing = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@printing.command()
def plate(
    title: Annotated[str, typer.Option(help="Large, at the top: the shop.")] = "",
    subtitle: Annotated[str, typer.Option(help="What the code is for.")] = "",
    text: Annotated[str, typer.Option(help="What the code carries: a link, or any text.")] = "",
    number: Annotated[str, typer.Option(help="Which table or counter.")] = "",
    csv: Csv = None,
    to: To = NOWHERE,
    printer: PrinterAt = "",
    language: Language = "tspl",
    size: Size = "60x80",
    dots: Dots = 8,
    copies: Copies = 1,
    begin_at: BeginAt = 1,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """A plate for a counter or a table: title, code, what it is for, number.

    \b
    Columns of --csv: title/标题, subtitle/副标题, text/内容/链接, number/桌号. An option stands for a column that
    the table has not.

    Example: tillbox print plate --csv tables.csv --title 山间茶铺 --subtitle '扫码点单 Scan to order' --to pdf plates.pdf
    """
    batch = Batch("plate", to, printer, language, size, dots, copies, begin_at, skip_bad, as_json)
    said = {"title": title, "subtitle": subtitle, "text": text, "number": number}
    run(batch, _table(batch, csv, kinds.PLATE, said), kinds.plate)


@printing.command()
def label(
    name: Annotated[str, typer.Option(help="Of the goods.")] = "",
    price: Annotated[str, typer.Option(help="In yuan, for example 12.50; it may be left out.")] = "",
    unit: Annotated[str, typer.Option(help="What the price is for: 瓶, 500g …")] = "",
    code: Annotated[
        str, typer.Option(help="EAN-13 or EAN-8 with its check digit; anything else becomes Code 128.")
    ] = "",
    csv: Csv = None,
    to: To = NOWHERE,
    printer: PrinterAt = "",
    language: Language = "tspl",
    size: Size = "40x30",
    dots: Dots = 8,
    copies: Copies = 1,
    begin_at: BeginAt = 1,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Goods labels: name, price, bar code.

    \b
    Columns of --csv: name/名称/品名, price/价格/单价, unit/单位, code/条码. An option stands for a column that the
    table has not.

    Example: tillbox print label --name 冰红茶 --price 3.50 --unit 瓶 --code 6901234567892 --printer usb:/dev/usb/lp1
    """
    batch = Batch("label", to, printer, language, size, dots, copies, begin_at, skip_bad, as_json)
    said = {"name": name, "price": price, "unit": unit, "code": code}
    run(batch, _table(batch, csv, kinds.GOODS, said), kinds.goods)


@printing.command()
def claim(
    link: Annotated[str, typer.Option(help="An http or https address with {id} where the number goes.")],
    title: Annotated[str, typer.Option(help="What is claimed.")] = "扫码领取 Scan to claim",
    first: First = 0,
    last: Last = 0,
    digits: Annotated[
        int, typer.Option(min=1, max=18, help="Numbers are filled up with zeros to so many.")
    ] = 6,
    csv: Csv = None,
    to: To = NOWHERE,
    printer: PrinterAt = "",
    language: Language = "tspl",
    size: Size = "40x50",
    dots: Dots = 8,
    copies: Copies = 1,
    begin_at: BeginAt = 1,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Links that are claimed once each, by running numbers or by the ids of a table.

    \b
    Columns of --csv: id/编号, title/标题. Running numbers can be guessed: where a claim is worth something, give ids
    that chance made, in a table.

    Example: tillbox print claim --link 'https://tea.example/c/{id}' --first 1 --last 24 --to pdf claims.pdf
    """
    batch = Batch("claim", to, printer, language, size, dots, copies, begin_at, skip_bad, as_json)
    if "{id}" not in link:
        batch.stop("--link needs {id} where the number goes, or every label would be the same")
    said = {"title": title}
    table = _table(batch, csv, kinds.CLAIM, said) if csv else _series(batch, "id", first, last, said, digits)
    run(batch, table, kinds.claims(link))


@printing.command()
def coupon(
    issuer_key: Annotated[
        Path,
        typer.Option(help="The key that signs: PEM (Ed25519) or 64 hexadecimal digits; yours alone to read."),
    ],
    tenant: Annotated[str, typer.Option(help="Whose coupons, as in the boxes' configuration.")],
    template: Annotated[str, typer.Option(help="The template's name, as the core knows it.")],
    title: Annotated[str, typer.Option(help="One line, signed with the rest.")],
    discount: Annotated[str, typer.Option(help="In yuan.")],
    until: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="The last day, in this machine's time zone.")
    ],
    threshold: Annotated[str, typer.Option(help="From which sum on, in yuan.")] = "0",
    since: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="The first day; without it, from ever on.")
    ] = "",
    first: First = 0,
    last: Last = 0,
    poster: Annotated[
        bool,
        typer.Option(
            "--poster", help="One without a serial, which many may scan: boxes take serials of their rights."
        ),
    ] = False,
    csv: Csv = None,
    to: To = NOWHERE,
    printer: PrinterAt = "",
    language: Language = "tspl",
    size: Size = "62x32",
    dots: Dots = 8,
    copies: Copies = 1,
    begin_at: BeginAt = 1,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Signed coupons with serials from --first to --last. 24 of them are one A4 sheet.

    A key is made once, by `openssl genpkey -algorithm ed25519 -out issuer.pem`; the summary names the public key that
    every box lists among its issuers. Columns of --csv: serial/编号, title/标题.

    Example: tillbox print coupon --issuer-key issuer.pem --tenant tea --template spring --title 春茶立减 --discount 5
    --threshold 20 --until 2026-12-31 --first 1 --last 24 --to pdf coupons.pdf
    """
    batch = Batch("coupon", to, printer, language, size, dots, copies, begin_at, skip_bad, as_json)
    seed = batch.need(issuer_seed(issuer_key))
    coupons = kinds.Coupons(
        tenant,
        template,
        _day_ms(batch, since) if since else 0,
        _day_ms(batch, until, days_later=1) - 1000,
        until,
        _amount(batch, threshold),
        _amount(batch, discount),
        seed,
    )
    said = {"title": title}
    if poster:
        table = Table((Row("the poster", said),))
    elif csv:
        table = _table(batch, csv, kinds.COUPON, said)
    else:
        table = _series(batch, "serial", first, last, said, 1)
    run(batch, table, coupons.make, issuer=public_key_of(seed))


def _table(batch: Batch, csv: Path | None, columns: Columns, said: Mapping[str, str]) -> Table:
    """The rows of the table, each filled up from the options; without a table the options are one row."""
    if csv is None:
        return Table((Row("the label", said),))
    try:
        with csv.open("rb") as file:
            found = read_table(file.read(FILE_BYTES_MAX + 1), columns)
    except (OSError, ValueError) as why:
        batch.stop(f"{csv} cannot be read: {getattr(why, 'strerror', None) or 'its name is no path'}")
    if isinstance(found, str):
        batch.stop(f"{csv}: {found}")
    return Table(tuple(Row(row.where, {**said, **row.cells}) for row in found.rows), found.bad)


def _series(batch: Batch, name: str, first: int, last: int, said: Mapping[str, str], digits: int) -> Table:
    """Running numbers."""
    if not 1 <= first <= last:
        batch.stop(f"say which {name}s: --first 1 --last 24, or a table with --csv")
    if last - first >= ROWS_MAX:
        batch.stop(f"at most {ROWS_MAX} at a time: go on with --first {first + ROWS_MAX} afterwards")
    numbers = (f"{number:0{digits}d}" for number in range(first, last + 1))
    return Table(tuple(Row(f"{name} {number}", {**said, name: number}) for number in numbers))


def _day_ms(batch: Batch, text: str, *, days_later: int = 0) -> int:
    """When a day begins here."""
    try:
        day = date.fromisoformat(text) + timedelta(days=days_later)
        return int(datetime.combine(day, time.min).astimezone().timestamp()) * 1000
    except (ValueError, OverflowError):
        batch.stop(f"{text[:20]!r} is no day: write 2026-12-31")


def _amount(batch: Batch, text: str) -> Amount:
    return batch.need(kinds.price_of(text)) or Amount(0, CNY)
