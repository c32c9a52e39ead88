"""`tillbox release …`: make the keys, sign a release, publish it, keep it current."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tillbox.cloud_bridge.clock import wall_ms

from .archive import WheelWrong, pack
from .keys import KeysWrong, load_keys, load_roots, make_keys
from .repository import Repository, RepositoryWrong

release = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="""Signed releases for the boxes, in a folder that any web server can serve.

    init once; then, for each release, sign where the keys of the safe are, and publish where the server's are; and
    refresh every day, or the boxes will say that somebody holds news back.""",
)

Folder = Annotated[Path, typer.Argument(help="The folder of releases, as the web server serves it.")]
Keys = Annotated[Path, typer.Option(help="Where the keys lie; looked for in its subfolders, too.")]


@release.command()
def init(folder: Folder, keys: Keys) -> None:
    """Make the keys and an empty repository. Then move KEYS/offline to the safe: two of three root keys must sign.

    The boxes' root of trust is FOLDER/metadata/1.root.json. Example: tillbox release init /srv/releases --keys keys
    """
    with _said():
        Repository(folder).create(make_keys(keys), _now())
    print(f"Root of trust for the boxes: {folder / 'metadata' / '1.root.json'}")
    print(f"Now move {keys / 'offline'} to a safe place. The server needs {keys / 'online'} alone.")


@release.command()
def sign(
    folder: Folder,
    keys: Keys,
    wheel: Annotated[Path, typer.Option(help="The wheel of Tillbox, as `pip wheel --no-deps .` makes it.")],
    lock: Annotated[Path, typer.Option(help="The requirements.lock that it was tested with.")],
    channel: Annotated[str, typer.Option(help="Who follows it.")] = "stable",
    hardware: Annotated[str, typer.Option(help="The class of boxes it is for.")] = "any",
    minimum: Annotated[str, typer.Option(help="The oldest release that it can be installed over.")] = "0",
    libraries: Annotated[
        Path | None, typer.Option(help="A folder of wheels: all of the lock's, for boxes that have others.")
    ] = None,
) -> None:
    """Sign a release, and point a channel to it. No box sees it before `publish`.

    Example: tillbox release sign /srv/releases --keys /media/safe --wheel tillbox-0.2.0-py3-none-any.whl --lock requirements.lock
    """
    with _said():
        wheels = sorted(libraries.glob("*.whl")) if libraries else []
        packed = pack(wheel, lock, hardware=hardware, minimum=minimum, libraries=wheels)
        Repository(folder).add(packed, channel, load_keys(keys, "targets")["targets"], _now())
    print(
        f"{packed.name} is signed ({len(packed.data)} bytes). Publish it with: tillbox release publish {folder} --keys …"
    )


@release.command()
def publish(folder: Folder, keys: Keys) -> None:
    """Make what is signed current: from now on boxes see it. Example: tillbox release publish /srv/releases --keys keys/online"""
    with _said():
        found = load_keys(keys, "snapshot", "timestamp")
        Repository(folder).publish(found["snapshot"], found["timestamp"], _now())
    print("Published.")


@release.command()
def refresh(folder: Folder, keys: Keys) -> None:
    """Say once more that this is current; daily, by a timer. Example: tillbox release refresh /srv/releases --keys keys/online"""
    with _said():
        Repository(folder).refresh(load_keys(keys, "timestamp")["timestamp"], _now())
    print("Refreshed.")


@release.command()
def renew(folder: Folder, keys: Keys) -> None:
    """The same root keys for another year, signed by two of them. Example: tillbox release renew /srv/releases --keys /media/safe"""
    with _said():
        Repository(folder).renew_root(load_roots(keys), _now())
    print("Renewed. Boxes follow by themselves.")


@release.command()
def show(
    folder: Folder, as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False
) -> None:
    """What is signed, which release each channel points to, and when each role's word ends."""
    with _said():
        repository = Repository(folder)
        releases, channels, ends = repository.releases(), repository.channels(), repository.expiries()
    days = {role: (until - _now()).days for role, until in ends.items()}
    if as_json:
        print(json.dumps({"releases": releases, "channels": channels, "expires_in_days": days}))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("release", "version", "hardware", "from", "followed by")
    for name, custom in releases.items():
        followed = ", ".join(channel for channel, archive in channels.items() if archive == name)
        table.add_row(name, str(custom["version"]), str(custom["hardware"]), str(custom["minimum"]), followed)
    console = Console(highlight=False)
    console.print(table)
    console.print("; ".join(f"{role}: {left} days left" for role, left in days.items()))


def _now() -> datetime:
    return datetime.fromtimestamp(wall_ms() / 1_000, UTC)


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except (KeysWrong, RepositoryWrong, WheelWrong, OSError) as wrong:
        sys.exit(f"tillbox release: {wrong}")
