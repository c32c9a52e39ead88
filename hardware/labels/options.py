"""The options that all kinds of labels share, and their words in `--help`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tillbox.contracts.codes.coupon import SERIAL_MAX

To = Annotated[
    tuple[str, Path],
    typer.Option(
        metavar="FORMAT PATH",
        show_default=False,
        help="tspl, zpl, png or pdf, and a file; a name without an ending is a folder, for one file each. A PDF is A4 sheets with cut marks.",
    ),
]
PrinterAt = Annotated[
    str,
    typer.Option(
        "--printer",
        metavar="KIND:ADDRESS",
        help="usb:/dev/usb/lp1, network:192.168.1.60:9100, spooler:QUEUE …",
    ),
]
Language = Annotated[str, typer.Option(help="What the printer speaks: tspl or zpl.")]
Size = Annotated[str, typer.Option(help="Width x height of the label in millimetres.")]
Dots = Annotated[int, typer.Option(help="Dots per millimetre of the printer: 8 (203 dpi) or 12 (300 dpi).")]
Copies = Annotated[int, typer.Option(min=1, max=99, help="Of each label.")]
BeginAt = Annotated[int, typer.Option(min=1, help="After trouble: print from this label of the batch on.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave bad rows out instead of printing nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="The summary as one JSON document.")]
Csv = Annotated[
    Path | None,
    typer.Option("--csv", help="A table, one label a row: UTF-8 or GBK, names in the first line."),
]
First = Annotated[int, typer.Option(min=0, max=SERIAL_MAX, help="The first number of a series.")]
Last = Annotated[int, typer.Option(min=0, max=SERIAL_MAX, help="Its last number.")]
NOWHERE = ("", Path())
