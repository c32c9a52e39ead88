r"""What head office may command a box to do, and the life of such a command. Both sides read this table.

    init ──> executing ──> successful
      │ \──> blocked ──/└─> failed        blocked: a customer is at the till, or money is in doubt; it is tried again
      └────> expired, failed              expired: its time was over before it began; once begun it is carried through

A command is signed by the fleet's key for one box, and is good until a time that is in it. The box's own journal says
what became of it: the core only repeats a command until it hears that, and never guesses how it went.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError

from .messages import VERSION, CommandVerb, Count, Device, Id, Milliseconds, Wire, canonical
from .sealing import open_document, seal_document
from .settings import Strict
from .shells import MINUTES_MAX
from .verdicts import Reason, Refused, Text

COMMAND_BYTES_MAX = 4_096
"""A verb and a sentence. What is longer is nothing of ours."""
RELEASE_PATTERN = r"^[0-9]{1,6}(?:\.[0-9]{1,6}){0,3}$"
"""How a release is numbered: what cannot be compared is not signed."""
WATCH_MINUTES_MAX = 30
"""Whoever wants to see more of a shop asks again."""
_CONTEXT = b"tillbox command 1\n"


class State(StrEnum):
    """Where a command is."""

    INIT = "init"
    EXECUTING = "executing"
    BLOCKED = "blocked"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    EXPIRED = "expired"


NEXT: dict[State, frozenset[State]] = {
    State.INIT: frozenset({State.EXECUTING, State.BLOCKED, State.FAILED, State.EXPIRED}),
    State.BLOCKED: frozenset({State.EXECUTING, State.FAILED, State.EXPIRED}),
    # It says `executing` again with each part of a result that is too large for one record.
    State.EXECUTING: frozenset({State.EXECUTING, State.SUCCESSFUL, State.FAILED}),
    State.SUCCESSFUL: frozenset(),
    State.FAILED: frozenset(),
    State.EXPIRED: frozenset(),
}
ENDS = frozenset(state for state, following in NEXT.items() if not following)


class Verb(StrEnum):
    """What can be commanded."""

    SELF_TEST = "self-test"
    TEST_PAGE = "test-page"
    REPRINT = "reprint"
    COLLECT_DIAGNOSTICS = "collect-diagnostics"
    RESTART = "restart"
    DRAIN = "drain"
    RESUME = "resume"
    QUARANTINE = "quarantine"
    RELEASE = "release"
    UPDATE = "update"
    WATCH = "watch"
    ROTATE_LOGS = "rotate-logs"
    SHELL = "shell"


MANY = tuple(verb for verb in Verb if verb not in (Verb.WATCH, Verb.SHELL))
"""What many boxes can be commanded at once. One box is looked at, or talked to, by somebody who sits there: neither is a bulk's,
nor does it count for a second person's word."""


class Nothing(Strict):
    """A verb that needs no more words."""


class Reprint(Strict):
    """The receipt of a sale; the last one, where none is named."""

    sale: Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-f-]{36})?$")] = ""


class Why(Strict):
    """Why, in words that the cashier reads."""

    why: Annotated[str, StringConstraints(min_length=1, max_length=80)]


class Update(Strict):
    """The release to run from now on, as it is signed and published. A box takes it when nobody is disturbed."""

    release: Annotated[str, StringConstraints(pattern=RELEASE_PATTERN)]


class Watch(Strict):
    """What is to be seen of it: its screen, its log, or nothing any more. The minutes count from when it was asked, so that
    a box that hears of it late ends with the others."""

    what: Literal["screen", "log", "nothing"]
    minutes: Annotated[int, Field(ge=1, le=WATCH_MINUTES_MAX)] = 5


class Shell(Strict):
    """Somebody wants in. `key` is the core's public part of the session's key, hexadecimal."""

    who: Annotated[str, StringConstraints(min_length=1, max_length=48)]
    why: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    minutes: Annotated[int, Field(ge=1, le=MINUTES_MAX)]
    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


PARAMS: dict[Verb, type[Strict]] = {
    Verb.SELF_TEST: Nothing,
    Verb.TEST_PAGE: Nothing,
    Verb.REPRINT: Reprint,
    Verb.COLLECT_DIAGNOSTICS: Nothing,
    Verb.RESTART: Nothing,
    Verb.DRAIN: Why,
    Verb.RESUME: Nothing,
    Verb.QUARANTINE: Why,
    Verb.RELEASE: Nothing,
    Verb.UPDATE: Update,
    Verb.WATCH: Watch,
    Verb.ROTATE_LOGS: Nothing,
    Verb.SHELL: Shell,
}
"""What each takes beside its name."""

SAYS: dict[Verb, Text] = {
    Verb.SELF_TEST: Text("自检", "Look at itself, and report."),
    Verb.TEST_PAGE: Text("打印测试页", "Print a test page."),
    Verb.REPRINT: Text("补打小票", "Print a receipt once more."),
    Verb.COLLECT_DIAGNOSTICS: Text("收集诊断信息", "Send what support needs to see, without secrets."),
    Verb.RESTART: Text("重新启动盒子程序", "Start the box's program anew."),
    Verb.DRAIN: Text("停止收款并交出全部记录", "Stop selling and hand everything in."),
    Verb.RESUME: Text("恢复收款", "Sell again after a drain."),
    Verb.QUARANTINE: Text("隔离：停止收款", "Stop selling, and say why on the screen, until released."),
    Verb.RELEASE: Text("解除隔离", "Sell again after a quarantine."),
    Verb.UPDATE: Text("安装新版本，没人用时重启试用", "Take a release, and try it when nobody is disturbed."),
    Verb.WATCH: Text("观看屏幕或日志", "Show head office its screen or its log for some minutes."),
    Verb.ROTATE_LOGS: Text("更换日志文件", "Begin a new log file."),
    Verb.SHELL: Text("远程命令行", "Let somebody in, by `tillbox fleet shell`."),
}


class Command(Wire):
    """One command for one box. `epoch` is that of its place: a box that has moved on does not take it."""

    v: int = VERSION
    id: Id
    device: Device
    epoch: Count
    verb: CommandVerb
    params: dict[str, Any] = Field(default_factory=dict)
    made_ms: Milliseconds
    expires_ms: Milliseconds


def params_of(verb: str, params: Mapping[str, Any]) -> Strict | Refused:
    """What a verb was given, checked; or why it will not do."""
    if verb not in set(Verb):
        return Refused(Reason.COMMAND_UNKNOWN, verb)
    try:
        return PARAMS[Verb(verb)].model_validate(dict(params))
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return Refused(Reason.COMMAND_WRONG, f"{where}: {first['msg']}"[:120])


def seal_command(command: Command, *, private_key: bytes) -> str:
    """The signed text."""
    document = canonical(command.model_dump(mode="json"))
    assert len(document) <= COMMAND_BYTES_MAX, "parameters are bounded where they are taken"
    return seal_document(document, private_key=private_key, context=_CONTEXT)


def open_command(
    text: str, *, keys: Mapping[bytes, Sequence[bytes]], device: str, epoch: int
) -> Command | Refused:
    """The command for this very box in this epoch of its place, or why it is none. Never raises."""
    if len(text) > 2 * COMMAND_BYTES_MAX:
        return Refused(Reason.TOO_LARGE)
    document = open_document(text, keys=keys, context=_CONTEXT)
    if isinstance(document, Refused):
        return document
    try:
        command = Command.model_validate_json(document)
    except ValidationError:
        return Refused(Reason.FUTURE_VERSION)
    mine = (command.device, command.epoch) == (device, epoch)
    return command if mine else Refused(Reason.FOREIGN_DEVICE)
