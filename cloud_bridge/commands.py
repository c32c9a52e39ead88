"""`tillbox core` and `tillbox channel`: the two processes of the cloud side."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tillbox.contracts.settings import SettingsWrong, load

core = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The core: one book for every box, payments, coupon rights and the console.",
)
channel = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@contextmanager
def _said() -> Iterator[None]:
    """What keeps a core from starting, as one sentence instead of a traceback."""
    from sqlalchemy.exc import DBAPIError

    from tillbox.broker.own import TakenAlready

    from .payments.channels.sandbox_seal import SecretUnsafe
    from .store.upgrade import StoreUnknown

    try:
        yield
    except (SettingsWrong, StoreUnknown, SecretUnsafe, TakenAlready) as wrong:
        sys.exit(f"tillbox core: {wrong}")
    except DBAPIError as away:
        sys.exit(f"tillbox core: the database cannot be opened: {str(away.orig).strip()}")


def _check(name: str, role: str) -> None:
    from .fleet.acts import ROLES

    if not re.fullmatch(r"[\w.-]{1,32}", name):
        raise typer.BadParameter("a name has letters, digits, dots and dashes, and at most 32 of them")
    if role not in ROLES:
        raise typer.BadParameter(f"a role is one of {', '.join(ROLES)}")


@core.command("run")
def run_core(config: Annotated[Path, typer.Option(help="The core's configuration, TOML or JSON.")]) -> None:
    """Run the core: the book, payments, coupon rights and the console.

    Stop it with Ctrl-C or SIGTERM; killing it loses nothing. Example: tillbox core run --config core.json
    """
    from .config import CoreConfig
    from .serving import build

    with _said():
        running = build(load(config, CoreConfig), chance=os.urandom)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    # Modules, models and statements live as long as the core: looked through for garbage with every second batch, they
    # cost a sixth of its time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    running.start()
    ended.wait()
    running.stop()


@core.command()
def operator(
    name: Annotated[
        str, typer.Argument(help="Who may see the console: letters, digits, dots and dashes, up to 32.")
    ],
    config: Annotated[Path, typer.Option(help="The core's configuration, TOML or JSON.")],
    role: Annotated[str, typer.Option(help="viewer, engineer, operator or admin.")] = "admin",
) -> None:
    """Give somebody a new password for the console. It is generated, printed once, and kept nowhere."""
    from .config import CoreConfig

    _check(name, role)
    from .console.auth import new_password
    from .store.database import open_database

    with _said():
        database = open_database(load(config, CoreConfig).database)
    print(new_password(database, name, chance=os.urandom, role=role))
    database.close()


@core.command()
def key(
    name: Annotated[str, typer.Argument(help="What uses it: letters, digits, dots and dashes, up to 32.")],
    config: Annotated[Path, typer.Option(help="The core's configuration, TOML or JSON.")],
    role: Annotated[str, typer.Option(help="viewer, engineer, operator or admin.")] = "viewer",
) -> None:
    """Give a program a key to the API. It is printed once and kept as a hash; the program's key before it ends.

    Example: tillbox core key console-of-head-office --role operator --config core.json
    """
    from .clock import wall_ms
    from .config import CoreConfig

    _check(name, role)
    from .api.keys import new_key
    from .store.database import open_database

    with _said():
        database = open_database(load(config, CoreConfig).database)
    print(new_key(database, name, role, now_ms=wall_ms(), chance=os.urandom))
    database.close()


@channel.command()
def run_channel(
    config: Annotated[Path, typer.Option(help="The sandbox wallet's configuration, a JSON file.")],
    port: Annotated[int, typer.Option(help="Its loopback port; 0 takes a free one.")] = 0,
) -> None:
    """Run the sandbox wallet company: it can be late, silent, doubled and out of order, on command."""
    from .payments.channels.sandbox_book import BookTrouble
    from .payments.channels.sandbox_config import SandboxConfig
    from .payments.channels.sandbox_seal import SecretUnsafe
    from .payments.channels.sandbox_server import run

    try:
        run("127.0.0.1", port, load(config, SandboxConfig))
    except (SettingsWrong, BookTrouble, SecretUnsafe, OSError, ValueError) as fault:
        sys.exit(f"tillbox channel: {fault}")
