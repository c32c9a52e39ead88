"""`tillbox fleet shell` and `recording`: an admin's own terminal, joined to a box by the core's API. What comes back is a
terminal's business alone: this program shows it and believes nothing of it."""

from __future__ import annotations

import base64
import contextlib
import os
import select
import signal
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from tillbox.cloud_bridge.letters import visible
from tillbox.contracts.verdicts import Reason

from .client import Api, ApiRefused
from .commands import CORE, KEY, Core, KeyFile, _said, fleet

END = b"\x1d"
END_NAME = "Ctrl-]"
LEAVE = b"exit\n"  # what a file says at its end; an end of file would be lost while a command runs
READ_BYTES = 4_096
TURN_S = 0.25
TELLS = {"waiting": "It is on its way to the box.", "asking": "The cashier is asked."}


@fleet.command()
def shell(
    box: Annotated[str, typer.Argument(help="store/lane, or the box's name")],
    why: Annotated[str, typer.Option(help="What the cashier reads, and the audit log keeps.")],
    minutes: Annotated[int, typer.Option(min=1, max=60, help="It ends by then, whatever happens.")] = 10,
    core: Core = CORE,
    key_file: KeyFile = KEY,
) -> None:
    """A shell on a box, if its own configuration allows it and, where that says so, its cashier. All of it is recorded, on the
    box and at the core. It needs a key of the role admin. Ctrl-] ends it.

    A file does as well as a person: tillbox fleet shell store17/lane2 --why 'look at the disk' < commands
    """
    import httpx

    with _said(), httpx.Client() as client:
        api = Api.at(core, key_file, client)
        made = api.act("open-shell", {"box": box, "why": why, "minutes": minutes})
        _tell(f"{made['position']}: {made['id']}")
        end = Terminal(api, made["id"]).run()
    _tell(end["reason"])
    raise typer.Exit(0 if end["well"] else 1)


@fleet.command()
def recording(
    name: Annotated[str, typer.Argument(metavar="SHELL", help="The shell's id: tillbox fleet commands")],
    core: Core = CORE,
    key_file: KeyFile = KEY,
) -> None:
    """The recording of a shell, as an asciicast (v2), for any player of those: tillbox fleet recording 0199… > visit.cast"""
    with _said():
        sys.stdout.write(Api.at(core, key_file).text(f"recordings/{name}"))


class Terminal:
    """This terminal, or a pipe in its place, and one shell."""

    def __init__(self, api: Api, name: str) -> None:
        self._api, self._name = api, name
        self._over = threading.Event()
        self._resized = threading.Event()
        self._is_person = sys.stdin.isatty()

    def run(self) -> dict[str, Any]:
        """Until it is over: what was seen last. Raises ApiRefused."""
        state, after = "", 0
        was_open = False
        keyboard = threading.Thread(target=self._read_keyboard, daemon=True)
        with contextlib.ExitStack() as inside:
            while state != "over":
                try:
                    seen = self._api.ask(f"shells/{self._name}/output", after=after)
                except KeyboardInterrupt:
                    self._end()
                    continue
                if seen["state"] == "open" and not was_open:
                    was_open = True
                    inside.enter_context(_raw(self._is_person, self._resized))
                    _tell(f"You are in. {END_NAME} ends it. Everything is recorded.")
                    self._resized.set()
                    keyboard.start()
                elif seen["state"] != state and seen["state"] in TELLS:
                    _tell(TELLS[seen["state"]])
                state, after = seen["state"], seen["next"]
                sys.stdout.buffer.write(base64.b64decode(seen["data"]))
                sys.stdout.buffer.flush()
            self._over.set()
        return dict(seen)

    def _read_keyboard(self) -> None:
        with contextlib.suppress(ApiRefused):  # it is over; the other thread hears why
            while not self._over.is_set():
                if self._resized.is_set() and self._is_person:
                    self._resized.clear()
                    columns, rows = os.get_terminal_size(0)
                    self._say({"columns": columns, "rows": rows})
                if not select.select([0], [], [], TURN_S)[0]:
                    continue
                data = os.read(0, READ_BYTES)
                if self._is_person and END in data:
                    self._end()
                    return
                self._say({"data": base64.b64encode(data or LEAVE).decode()})
                if not data:
                    return

    def _say(self, body: dict[str, Any]) -> None:
        """A box that is behind is waited for."""
        while not self._over.is_set():
            try:
                self._api.tell(f"shells/{self._name}/input", body)
                return
            except ApiRefused as why:
                if why.reason != Reason.SHELL_BEHIND:
                    raise
                self._over.wait(TURN_S)

    def _end(self) -> None:
        self._api.act("end-shell", {"shell": self._name})


@contextlib.contextmanager
def _raw(is_person: bool, resized: threading.Event) -> Iterator[None]:
    """Every key goes to the box, until the end of the block."""
    if not is_person:
        yield
        return
    before, heard = termios.tcgetattr(0), signal.signal(signal.SIGWINCH, lambda *_: resized.set())
    try:
        tty.setraw(0)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
        signal.signal(signal.SIGWINCH, heard)


def _tell(what: str) -> None:
    """A reason is a box's own words: a terminal does as it is told, so nothing in them tells it anything."""
    print(f"\r[tillbox] {visible(what)}\r", file=sys.stderr, flush=True)
