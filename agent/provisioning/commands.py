"""`tillbox rescue`: what a dead box did not hand in, from its card."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from .place import Place

rescue = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@rescue.command()
def run(
    path: Annotated[
        Path, typer.Argument(help="The card of the dead box, mounted anywhere; or its state folder.")
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to", help="The core's door for claims, host:port; as the box knew it, if none is named."
        ),
    ] = "",
    codes: Annotated[
        Path | None,
        typer.Option("--codes", help="A folder for QR codes instead, for a place without a line."),
    ] = None,
    look: Annotated[bool, typer.Option("--look", help="Only say what is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Hand in what a dead box did not: its card is read and never written to, and the core takes what is new, once.

    \b
      tillbox rescue /media/card --look          what is there
      tillbox rescue /media/card                 hand it in
      tillbox rescue /media/card --codes codes/  as QR codes, for any other box of the fleet to read

    The records are signed with the box's own key from the card. It may be run as often as you like.
    """
    from .rescue import NothingToRescue, messages, read_disk, send

    try:
        disk = read_disk(path)
        found = {
            "device": disk.key.device,
            "records": disk.records,
            "unread": disk.unread,
            "folder": str(disk.folder),
        }
        if codes is not None:
            found["codes"] = _write_codes(messages(disk), codes)
        elif not look and disk.batches:
            host, port = _address(to, disk.identity.place())
            sent = send(
                disk,
                host,
                port,
                disk.identity.root,
                lambda count: print(f"{count} records …", file=sys.stderr),
            )
            found |= {"taken": sent.taken, "refused": list(sent.refused)}
    except (NothingToRescue, ValueError) as why:
        sys.exit(f"tillbox rescue: {why}")
    _say(found, as_json=as_json)
    raise typer.Exit(1 if found.get("refused") or disk.unread else 0)


def _address(told: str, place: Place | None) -> tuple[str, int]:
    host, _, port = told.rpartition(":")
    if told and host and port.isdecimal():
        return host, int(port)
    if told:
        raise ValueError(f"--to {told[:60]}: write host:port")
    if place is None:
        raise ValueError("the card does not say where the core is: name it with --to host:port")
    return place.claim_host, place.claim_port


def _write_codes(messages: list[bytes], folder: Path) -> int:
    import segno

    from tillbox.contracts.codes.frames import frames

    folder.mkdir(parents=True, exist_ok=True)
    texts = [text for message in messages for text in frames(message)]
    for number, text in enumerate(texts, start=1):
        segno.make_qr(text, error="l").save(str(folder / f"code-{number:03d}.png"), scale=6)
    return len(texts)


def _say(found: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found))
        return
    print(
        f"box {found['device']}: {found['records']} records are not in, as far as it knew ({found['folder']})"
    )
    if found["unread"]:
        print(
            f"{found['unread']} records are damaged and cannot be read. Keep the card; bring the paper slips."
        )
    if "codes" in found:
        print(f"{found['codes']} codes: show them one after the other to a scanner or camera of another box")
    if "taken" in found:
        print(f"the core has {found['taken']} of them now")
    refused = found.get("refused", [])
    for one in refused if isinstance(refused, list) else []:
        print(f"not taken: {one}")
