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
from typing import TYPE_CHECKING, Annotated

import typer

from tillbox.contracts.settings import SettingsWrong, load

if TYPE_CHECKING:
    from .store.database import Database

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


@contextmanager
def _store(config: Path) -> Iterator[Database]:
    """The core's database, beside a core that may be running."""
    from .config import CoreConfig
    from .store.database import open_database

    with _said():
        database = open_database(load(config, CoreConfig).database)
    try:
        yield database
    finally:
        database.close()


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
    role: Annotated[
        str, typer.Option(help="viewer, engineer, operator or admin; each may what the ones before it may.")
    ] = "admin",
    remove: Annotated[
        bool, typer.Option("--remove", help="They have gone: their password, sessions and keys end.")
    ] = False,
) -> None:
    """Give somebody a new password for the console. It is generated, printed once, and kept nowhere.

    Without --role they are an admin. Who is there already gets the new role with the new password, and is signed out.
    """
    from .console.auth import new_password, remove_operator

    _check(name, role)
    with _store(config) as database:
        if not remove:
            print(new_password(database, name, chance=os.urandom, role=role))
        elif not remove_operator(database, name):
            sys.exit(f"tillbox core: there is no operator {name}")


@core.command()
def key(
    name: Annotated[str, typer.Argument(help="What uses it: letters, digits, dots and dashes, up to 32.")],
    config: Annotated[Path, typer.Option(help="The core's configuration, TOML or JSON.")],
    owner: Annotated[str, typer.Option(help="The operator whose it is, and who answers for what it does.")],
    role: Annotated[
        str, typer.Option(help="viewer, engineer, operator or admin; at most its owner's.")
    ] = "viewer",
) -> None:
    """Give a program of somebody's a key to the API. It is printed once and kept as a hash; the program's key before it
    ends. It never may more than its owner may at the time.

    Example: tillbox core key stock-report --owner ann --role operator --config core.json
    """
    from .api.keys import KeyRefused, new_key
    from .clock import wall_ms

    _check(name, role)
    with _store(config) as database:
        found = new_key(database, name, role, owner=owner, now_ms=wall_ms(), chance=os.urandom)
    if isinstance(found, KeyRefused):
        sys.exit(f"tillbox core: {found.why}")
    print(found)


@core.command("audit")
def check_audit(
    config: Annotated[Path, typer.Option(help="The core's configuration, TOML or JSON.")],
    newest: Annotated[
        str,
        typer.Option(help="The newest row's hash as it was when you looked last: it must still be there."),
    ] = "",
) -> None:
    """Look whether a row of the audit log was changed or taken out, and exit 1 where one was.

    It prints the newest row's hash. Keep it somewhere else and name it the next time (--newest): who can change the
    database can also take out its last rows, and nothing in it would say so.
    """
    from .fleet import audit

    with _store(config) as database, database.reading() as connection:
        found = audit.judge(connection, newest=newest)
    print(f"{found.rows} rows; the newest is {found.newest}")
    for number in found.broken[:20]:
        print(
            f"row {number} does not follow from the one before it: something was changed or taken out there"
        )
    if len(found.broken) > 20:
        print(f"… and {len(found.broken) - 20} more")
    if not found.holds_newest:
        print(f"there is no row {newest[:64]} any more: the end of the log was taken out")
    if not found.whole:
        raise typer.Exit(1)


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
