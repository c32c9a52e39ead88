"""The core's recording of a remote shell: as an asciicast for a player, and as plain text for a page."""

from __future__ import annotations

from collections import deque
from itertools import chain

from sqlalchemy import Connection

from tillbox.cloud_bridge.store import shells
from tillbox.cloud_bridge.store.command_lists import CommandRow, command_story
from tillbox.contracts.casts import OUT, Tape, head
from tillbox.contracts.commands import Verb

from .plain import plain

TEXT_BYTES_MAX = 256 * 1024  # some thousand lines: a page, made in a moment


def cast(connection: Connection, shell: str) -> str | None:
    """The whole recording; None where there is none."""
    found, pieces = of(connection, shell), shells.chunks(connection, shell)
    first = next(pieces, None)
    if found is None or first is None:
        return None
    title = f"{found.position} {found.made_by}: {found.params['why']}"
    tape, lines = Tape(), [head(title=title, begun_ms=first.at_ms)]
    lines += (
        tape.line(max(0, one.at_ms - first.at_ms), one.way, one.data) for one in chain((first,), pieces)
    )
    return "".join(lines)


def shown(connection: Connection, shell: str) -> tuple[list[str], bool]:
    """What was on the terminal, line by line, and whether that is all of it: of a long one, the end."""
    last, size, whole = deque[bytes](), 0, True
    for one in shells.chunks(connection, shell):
        if one.way == OUT:
            last.append(one.data)
            size += len(one.data)
        while size > TEXT_BYTES_MAX:
            size -= len(last.popleft())
            whole = False
    return plain((b"".join(last).decode("utf-8", "replace"),)), whole


def of(connection: Connection, shell: str) -> CommandRow | None:
    """The command of a shell: who asked, why, and how it ended."""
    story = command_story(connection, shell)
    return story.command if story is not None and story.command.verb == Verb.SHELL else None
