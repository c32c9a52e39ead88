"""`tillbox fleet`: plan places, print claims, replace and revoke boxes, see who did what. It asks a running core."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tillbox.cloud_bridge.clock import wall_ms
from tillbox.cloud_bridge.letters import visible, visible_lines

HELP = """Plan where boxes are to stand, print their claim sheets, exchange and revoke boxes, and see who did what.

\b
  tillbox fleet init   /var/lib/tillbox/fleet --name 'Corner Tea'     once, on the core's machine
  tillbox fleet plan   stores.csv --to pdf sheets.pdf                 places, and a sheet for each
  tillbox fleet boxes                                                 who stands where, and how it is
  tillbox fleet replace store17/lane2 --to png sheet.png              a box died
  tillbox fleet revoke  b2f4…                                         a box was stolen
  tillbox fleet command store17/lane2 self-test                       have a box do something
  tillbox fleet watch store17/lane2 log                               see what it logs, as it comes
  tillbox fleet shell   store17/lane2 --why 'the printer is silent'   be let in, recorded, for ten minutes

All but `init` and `broker` ask a running core. It is named by --core and a key by --key-file, or by TILLBOX_CORE and
TILLBOX_KEY_FILE. Make a key with `tillbox core key`.
"""

fleet = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Core = Annotated[str, typer.Option("--core", envvar="TILLBOX_CORE", help="The core's address.")]
KeyFile = Annotated[
    Path, typer.Option("--key-file", envvar="TILLBOX_KEY_FILE", help="The file of an API key.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]
To = Annotated[
    tuple[str, Path], typer.Option("--to", help="pdf, png, tspl or zpl, and the file: --to pdf sheets.pdf")
]
CORE_DAYS = 365  # the core is on a machine that somebody looks after
CORE, KEY = "http://127.0.0.1:8081", Path("/etc/tillbox/api.key")
TIME_MS_MAX = 221_845_392_000_000  # the year 9000: what a box says beyond it is no time
NOWHERE = ("", Path())


@contextmanager
def _said() -> Iterator[None]:
    from .client import ApiRefused

    try:
        yield
    except ApiRefused as why:
        sys.exit(f"tillbox fleet: {visible_lines(str(why))}")


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    Console(highlight=False).print(table)


def _when(at_ms: int | None, *, seconds: bool = False) -> str:
    if not at_ms or at_ms > TIME_MS_MAX:
        return ""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M" + (":%S" if seconds else ""))


@fleet.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A new folder for the fleet's own keys.")],
    name: Annotated[str, typer.Option(help="What the authority is called.")] = "Tillbox fleet",
    as_json: AsJson = False,
) -> None:
    """Make a fleet's keys: its certificate authority, the key that signs claims and settings, and trust.json for the boxes.

    Afterwards move ca/root.key to a safe: it is needed again only to make a new intermediate, in two years.
    """
    from .home import FleetHome

    try:
        home = FleetHome.create(
            folder, name=name, now=datetime.fromtimestamp(wall_ms() / 1000, UTC), chance=os.urandom
        )
    except FileExistsError:
        sys.exit(
            f"tillbox fleet: there is a fleet in {folder} already; its boxes would believe nobody any more"
        )
    except OSError as fault:
        sys.exit(f"tillbox fleet: {folder} cannot be made: {fault.strerror}")
    if as_json:
        print(
            json.dumps({"folder": str(folder), "trust": str(home.trust_path), "key": home.public_key.hex()})
        )
        return
    print(f"The fleet's keys are in {folder}. Put {home.trust_path} into every box's image.")
    print(f"Move {folder / 'ca' / 'root.key'} to a safe place, off this machine.")


@fleet.command()
def broker(
    home: Annotated[Path, typer.Argument(help="The folder of the fleet's keys.")],
    to: Annotated[Path, typer.Option(help="The broker's own folder.")] = Path("/var/lib/tillbox-broker"),
    name: Annotated[
        list[str] | None, typer.Option(help="A name or address of the broker; as many as it has.")
    ] = None,
    core: Annotated[Path, typer.Option(help="The folder of the core's own certificate.")] = Path(
        "/var/lib/tillbox-core/identity"
    ),
    claim_port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Where boxes ask for a certificate.")
    ] = 8884,
    service_port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Where the core ends connections.")
    ] = 1884,
    core_elsewhere: Annotated[
        bool,
        typer.Option(
            "--core-elsewhere",
            help="The core is on another machine or in another container: that door is on every address, by TLS, and not on this machine alone.",
        ),
    ] = False,
) -> None:
    """Make or renew what the broker and the core need of the fleet: certificates, passwords, the two other doors.

    Give the files to their users afterwards (chown), and restart both. Example:
    tillbox fleet broker /var/lib/tillbox-core/fleet --name broker.example
    """
    from .home import FleetHome

    now = datetime.fromtimestamp(wall_ms() / 1000, UTC)
    fleet_home = FleetHome(home)
    try:
        to.mkdir(parents=True, exist_ok=True)
        fleet_home.equip_broker(
            to,
            names=tuple(name or ["localhost"]),
            claim_port=claim_port,
            service_port=service_port,
            core_elsewhere=core_elsewhere,
            now=now,
        )
        fleet_home.authority.issue_client(core, name="core", now=now, days=CORE_DAYS)
    except OSError as fault:
        sys.exit(f"tillbox fleet: {fault.filename or to} cannot be used: {fault.strerror}")
    print(f"The broker's files are in {to}, the core's in {core}. They end in a year: run this again before.")


@fleet.command()
def plan(
    table: Annotated[
        Path, typer.Argument(help="CSV with the columns store, lane, title and, if wanted, group.")
    ],
    to: To = NOWHERE,
    days: Annotated[int, typer.Option(min=1, max=365, help="How long the claims live.")] = 30,
    core: Core = CORE,
    key_file: KeyFile = KEY,
    as_json: AsJson = False,
) -> None:
    """Plan the places of a table, and print a claim sheet for each.

    Places that were planned before keep their boxes. Without --to nothing is printed and no claim is made.
    """
    from .client import Api
    from .plan import BadPlan, read_plan

    try:
        rows = read_plan(table.read_bytes())
    except OSError as fault:
        sys.exit(f"tillbox fleet: {table} cannot be read: {fault.strerror}")
    if isinstance(rows, BadPlan):
        sys.exit("tillbox fleet: nothing was planned.\n" + "\n".join(rows.rows[:20]))
    with _said():
        api = Api.at(core, key_file)
        planned = api.act("plan-places", {"places": [row.model_dump() for row in rows]})
        made = (
            api.act("make-claims", {"places": [row.place for row in rows], "days": days})
            if to[0]
            else {"claims": []}
        )
    _written(made["claims"], to)
    _claims_out(made["claims"], as_json, planned)


@fleet.command()
def claim(
    places: Annotated[
        list[str], typer.Argument(help="store/lane; or a store alone, and the core chooses the lane.")
    ],
    to: To = NOWHERE,
    uses: Annotated[int, typer.Option(min=1, max=1_000, help="How many boxes a store's claim lets in.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it lives.")] = 30,
    core: Core = CORE,
    key_file: KeyFile = KEY,
    as_json: AsJson = False,
) -> None:
    """Make claims for places that are planned, and print their sheets."""
    from .client import Api

    with _said():
        made = Api.at(core, key_file).act("make-claims", {"places": places, "uses": uses, "days": days})
    _written(made["claims"], to)
    _claims_out(made["claims"], as_json, {})


@fleet.command()
def replace(
    place: Annotated[str, typer.Argument(help="store/lane")],
    to: To = NOWHERE,
    core: Core = CORE,
    key_file: KeyFile = KEY,
    as_json: AsJson = False,
) -> None:
    """Make the sheet for a replacement. The box that is there goes on until the new one has shown the sheet; then it is
    put out, and hands in what it has.
    """
    from .client import Api

    with _said():
        made = Api.at(core, key_file).act("replace-box", {"place": place})
    _written(made["claims"], to)
    _claims_out(made["claims"], as_json, {})


def _written(claims: list[dict[str, Any]], to: tuple[str, Path]) -> None:
    """The sheets of claims, where they are wanted."""
    how, path = to
    if not how or not claims:
        return
    if how not in ("pdf", "png", "tspl", "zpl"):
        sys.exit(f"tillbox fleet: --to {how[:20]}: the formats are pdf, png, tspl and zpl")
    from rich.console import Console
    from rich.progress import Progress

    from tillbox.hardware.labels.making import Format

    from .sheets import write_sheets

    with Progress(console=Console(stderr=True), disable=len(claims) < 20) as bar:
        task = bar.add_task("sheets", total=len(claims))
        why = write_sheets(claims, cast(Format, how), path, step=lambda: bar.advance(task))
    if why:
        sys.exit(f"tillbox fleet: the claims are made and their sheets are not: {why}")


def _claims_out(claims: list[dict[str, Any]], as_json: bool, more: dict[str, Any]) -> None:
    if as_json:
        print(json.dumps({**more, "claims": claims}))
        return
    if more:
        print(f"{more['places']} places are planned.")
    rows = [(str(one["number"]), one["position"], one["typed"], _when(one["not_after_ms"])) for one in claims]
    if rows:
        _table(("claim", "for", "to type", "until (UTC)"), rows)


@fleet.command()
def claims(core: Core = CORE, key_file: KeyFile = KEY, as_json: AsJson = False) -> None:
    """The newest claims: for whom, until when, and whom they let in."""
    from .client import Api

    with _said():
        found = Api.at(core, key_file).ask("claims", most=500)
    if as_json:
        print(json.dumps({"claims": found}))
        return
    now_ms = wall_ms()
    rows = [
        (
            str(one["number"]),
            one["position"],
            _claim_state(one, now_ms),
            ", ".join(one["used_by"]),
            one["made_by"],
            _when(one["not_after_ms"]),
        )
        for one in found
    ]
    _table(("claim", "for", "state", "used by", "made by", "until (UTC)"), rows)


def _claim_state(one: dict[str, Any], now_ms: int) -> str:
    from tillbox.cloud_bridge.store.fleet_lists import ClaimRow
    from tillbox.cloud_bridge.store.provisioning import claim_state

    state = claim_state(ClaimRow.model_validate(one), now_ms).removeprefix("claim_")
    return "for a replacement" if state == "open" and one["replaces"] else state


@fleet.command()
def extend(
    number: Annotated[int, typer.Argument(help="The claim's number.")],
    days: Annotated[int, typer.Option(min=1, max=365, help="From now on.")] = 30,
    core: Core = CORE,
    key_file: KeyFile = KEY,
) -> None:
    """Let a claim live longer. Its sheet stays good."""
    from .client import Api

    with _said():
        found = Api.at(core, key_file).act("extend-claim", {"number": number, "days": days})
    print(f"claim {number} lives until {_when(found['not_after_ms'])} UTC")


@fleet.command("revoke-claim")
def revoke_claim(
    number: Annotated[int, typer.Argument(help="The claim's number.")],
    core: Core = CORE,
    key_file: KeyFile = KEY,
) -> None:
    """End a claim: a sheet was lost."""
    from .client import Api

    with _said():
        Api.at(core, key_file).act("revoke-claim", {"number": number})
    print(f"claim {number} lets nobody in any more")


@fleet.command()
def boxes(
    search: Annotated[str, typer.Argument(help="A part of a place, a title or a box.")] = "",
    core: Core = CORE,
    key_file: KeyFile = KEY,
    as_json: AsJson = False,
) -> None:
    """Places and the boxes that stand there."""
    from .client import Api

    with _said():
        found = Api.at(core, key_file).ask("places", search=search, most=500)
    if as_json:
        print(json.dumps({"places": found}))
        return
    rows = [
        (
            one["position"],
            one["title"],
            one["device"] or "",
            (one["state"] or "never heard") if one["device"] else "no box",
            "" if one["pending"] is None else str(one["pending"]),
            "yes" if one["accepted_ms"] else "",
        )
        for one in found
    ]
    _table(("place", "title", "box", "state", "to hand in", "accepted"), rows)


@fleet.command()
def box(
    device: Annotated[str, typer.Argument(help="The box's name.")],
    core: Core = CORE,
    key_file: KeyFile = KEY,
) -> None:
    """Everything about one box, as JSON: its certificate, where it stood, its self-test."""
    from .client import Api

    with _said():
        print(json.dumps(Api.at(core, key_file).ask(f"boxes/{device}"), indent=1))


@fleet.command()
def revoke(
    device: Annotated[str, typer.Argument(help="The box's name.")], core: Core = CORE, key_file: KeyFile = KEY
) -> None:
    """Put a box out at once: it is thrown off the line and does not come back. For one that was stolen."""
    from .client import Api

    with _said():
        found = Api.at(core, key_file).act("revoke-box", {"device": device})
    print(f"{device} is {found['state']}; {found['position']} is free for another box")


@fleet.command()
def retire(
    device: Annotated[str, typer.Argument(help="The box's name.")], core: Core = CORE, key_file: KeyFile = KEY
) -> None:
    """Take a box out of service for good. Refused while anything of it is not in."""
    from .client import Api

    with _said():
        Api.at(core, key_file).act("retire-box", {"device": device})
    print(f"{device} is retired; wipe it before it goes anywhere")


@fleet.command()
def close(
    device: Annotated[str, typer.Argument(help="A box that was put out.")],
    write_off: Annotated[
        str, typer.Option("--write-off", help="Close although records are missing, and why.")
    ] = "",
    core: Core = CORE,
    key_file: KeyFile = KEY,
) -> None:
    """Say that all of a box that was put out is in. Refused, with the exact numbers, while something is missing."""
    from .client import Api

    with _said():
        body = {"device": device, "write_off": bool(write_off), "why": write_off}
        Api.at(core, key_file).act("close-range", body)
    print(f"{device} is closed: nothing of it is taken any more")


@fleet.command("set")
def set_(
    scope: Annotated[str, typer.Argument(help="operator, tenant, group:NAME, store:NAME or box:STORE/LANE")],
    settings: Annotated[Path, typer.Argument(help="A JSON file of what this level decides, whole.")],
    core: Core = CORE,
    key_file: KeyFile = KEY,
) -> None:
    """Decide settings for a level of the fleet. The narrower level counts, setting by setting."""
    from .client import Api

    told = _settings(settings)
    with _said():
        found = Api.at(core, key_file).act("decide-settings", {"scope": scope, "settings": told})
    print(f"{scope} decides by its version {found['version']} now")


def _settings(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as fault:
        sys.exit(f"tillbox fleet: {path} cannot be used: {fault}")


twin = typer.Typer(
    help="What a box is told: see what a decision would change, undo it, keep it off one box.",
    no_args_is_help=True,
)
fleet.add_typer(twin, name="twin")


@twin.command()
def diff(
    scope: Annotated[str, typer.Argument(help="operator, tenant, group:NAME, store:NAME or box:STORE/LANE")],
    settings: Annotated[Path, typer.Argument(help="A JSON file of what this level would decide.")],
    core: Core = CORE,
    key_file: KeyFile = KEY,
    as_json: AsJson = False,
) -> None:
    """What a decision would change, box by box. Nothing is decided."""
    from .client import Api

    told = _settings(settings)
    with _said():
        found = Api.at(core, key_file).act("preview-settings", {"scope": scope, "settings": told})
    if as_json:
        print(json.dumps(found))
        return
    rows = [
        (one["position"], one["device"], change["setting"], _short(change["before"]), _short(change["after"]))
        for one in found["listed"]
        for change in one["changes"]
    ]
    if rows:
        _table(("place", "box", "setting", "now", "then"), rows)
    print(f"{found['boxes']} of {found['of']} places would change")


def _short(value: object) -> str:
    text = f"{len(value)} entries" if isinstance(value, list) else json.dumps(value, ensure_ascii=False)
    return text[:60]


@twin.command()
def undo(
    scope: Annotated[str, typer.Argument(help="The level.")], core: Core = CORE, key_file: KeyFile = KEY
) -> None:
    """What a level decided before counts again."""
    from .client import Api

    with _said():
        found = Api.at(core, key_file).act("undo-settings", {"scope": scope})
    print(f"{scope} decides by its version {found['version']} now, which says what the one before said")


@twin.command()
def pin(
    place: Annotated[str, typer.Argument(help="store/lane")], core: Core = CORE, key_file: KeyFile = KEY
) -> None:
    """A box keeps what it has, whatever the wider levels decide from now on. `undo` of its own level ends that."""
    from .client import Api

    with _said():
        found = Api.at(core, key_file).act("pin-box", {"place": place})
    print(f"{place} keeps what it has ({found['scope']}, version {found['version']})")


@fleet.command()
def audit(
    subject: Annotated[str, typer.Argument(help="A box, a place, a claim; everything without.")] = "",
    core: Core = CORE,
    key_file: KeyFile = KEY,
    as_json: AsJson = False,
) -> None:
    """Who did what, the newest first."""
    from .client import Api

    with _said():
        found = Api.at(core, key_file).ask("audit", subject=subject, most=200)
    if as_json:
        print(json.dumps({"audit": found}))
        return
    rows = [(_when(one["at_ms"]), one["who"], one["act"], one["subject"], one["detail"]) for one in found]
    _table(("when (UTC)", "who", "did", "to", ""), rows)


from . import board, box_line, command_line, terminal, watch_line  # noqa: E402, F401  # their commands are of the same door, and need what is above
