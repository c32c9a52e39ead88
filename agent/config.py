"""What one box is told: a JSON file, checked whole before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tillbox.contracts.codes import by_kid
from tillbox.contracts.messages import Device, Line, Name
from tillbox.contracts.settings import Strict
from tillbox.contracts.shells import MINUTES_MAX
from tillbox.contracts.shop import ShopSettings
from tillbox.hardware.ports import CodeReader, CustomerDisplay, Printer, Speaker
from tillbox.hardware.printing.profiles import PROFILES
from tillbox.hardware.registry import display, printer, reader, speaker

from .tapping import Tap
from .till import Setup
from .updates.settings import Updates


class Broker(Strict):
    """Where the core is heard."""

    host: str = Field(description="The broker's name or address.")
    port: int = Field(ge=1, le=65_535, description="Its TLS port.")
    authority: Path = Field(description="The fleet authority's certificate.")
    certificate: Path = Field(description="This box's certificate; its name is the device.")
    key: Path = Field(description="This box's key, made here and readable by the box alone.")


Options = dict[str, str | int | bool]


class ReceiptPrinter(Strict):
    """What prints the receipts, and opens the drawer behind it."""

    kind: str = Field(default="network", description="Its driver: network, usb, serial, spooler, file.")
    address: str = Field(description="host:port, a device path, a queue or a file.")
    profile: Literal[tuple(PROFILES)] = Field(default="chinese-80", description="What it can do.")  # type: ignore[valid-type]
    options: Options = Field(default_factory=dict, description="What the driver may be told besides, as a serial line's baud.")  # fmt: skip

    @model_validator(mode="after")
    def _can_be_made(self) -> ReceiptPrinter:
        self.make()
        return self

    def make(self) -> Printer:
        """The printer, not asked anything yet; ValueError says what cannot be."""
        options = {"language": PROFILES[self.profile].language, **self.options}
        return printer(self.kind, "receipts", self.address, options)


class Reader(Strict):
    """Something that reads codes."""

    kind: str = Field(
        description="Its driver: serial, keys, camera, folder, film, or one that is installed beside."
    )
    name: Name = Field(description="What the shop calls it.")
    address: str = Field(description="A device path, a camera's number, a folder or a film.")
    options: Options = Field(default_factory=dict, description="What the driver may be told besides: suffix, baud and the like.")  # fmt: skip

    @model_validator(mode="after")
    def _can_be_made(self) -> Reader:
        self.make()
        return self

    def make(self) -> CodeReader:
        """The reader, not started yet; ValueError says what cannot be."""
        return reader(self.kind, self.name, self.address, self.options)


class Display(Strict):
    """The small display that faces the customer."""

    kind: str = Field(description="Its driver: vfd or led8.")
    address: str = Field(description="Its serial line; prefer its name under /dev/serial/by-id.")
    options: Options = Field(default_factory=dict, description="What the driver may be told besides: alphabet, lamps, baud.")  # fmt: skip

    @model_validator(mode="after")
    def _can_be_made(self) -> Display:
        self.make()
        return self

    def make(self) -> CustomerDisplay:
        """The display, not opened yet; ValueError says what cannot be."""
        return display(self.kind, "display", self.address, self.options)


class Voice(Strict):
    """What says amounts aloud."""

    kind: str = Field(default="alsa", description="Its driver.")
    clips: str = Field(
        default="", description="A folder of recorded words; without them a synthetic voice speaks."
    )

    @model_validator(mode="after")
    def _can_be_made(self) -> Voice:
        self.make()
        return self

    def make(self) -> Speaker:
        """The voice, silent until it is started; ValueError says what cannot be."""
        return speaker(self.kind, "voice", self.clips)


class Api(Strict):
    """The door for another program's till on this machine."""

    port: int = Field(ge=1, le=65_535, description="Its loopback port.")
    origins: tuple[str, ...] = Field(default=(), description="Web pages that may ask, as https://pos.example; none by default.")  # fmt: skip


def _is_printer(told: object) -> object:
    """host:port alone means a network printer; nothing means none."""
    return {"address": told} if told and isinstance(told, str) else told or None


class Machine(Strict):
    """What belongs to the machine and stays with it, whichever shop it stands in."""

    state: Path = Field(description="The folder of the journal.")
    logs: Path | None = Field(default=None, description="A folder for the log's own files, five of 2 MB; without one the lines are in the system's journal alone.")  # fmt: skip
    witness: Path | None = Field(default=None, description="A file on another medium; without one, rights wait for the core after a boot.")  # fmt: skip
    readers: tuple[Reader, ...] = Field(default=(), description="Scanners and cameras, as many as there are.")
    printer: Annotated[ReceiptPrinter | None, BeforeValidator(_is_printer)] = Field(
        default=None, description="The receipt printer, or host:port of one on the network; empty for none."
    )
    display: Display | None = Field(
        default=None, description="The customer's display; none unless it is set."
    )
    voice: Voice | None = Field(default=None, description="Amounts said aloud; silent unless it is set.")
    api: Api | None = Field(
        default=None, description="A door for another program's till; shut unless it is set."
    )
    tap: Tap | None = Field(
        default=None, description="Read what another program's till prints; off unless it is set."
    )
    updates: Updates | None = Field(
        default=None, description="Take signed releases into two slots; off unless it is set."
    )
    shell: Literal["never", "ask", "always"] = Field(default="never", description="Whether head office gets a remote shell: never, only if the cashier says so, always.")  # fmt: skip
    shell_minutes: int = Field(default=15, ge=1, le=MINUTES_MAX, description="For how long at the most.")
    screen_port: int = Field(default=0, ge=0, le=65_535, description="The till screen's loopback port; 0: no screen.")  # fmt: skip

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        if self.updates is not None and not self.screen_port:
            raise ValueError("updates need the till's screen: a trial is judged by it, so set screen_port")
        if self.shell == "ask" and not self.screen_port:
            raise ValueError("the cashier is asked on the till's screen, so set screen_port")
        return self


VIA = r"^(?:[A-Za-z0-9.-]{1,64}:[0-9]{1,5})?$"


class FleetPart(Strict):
    """How a box finds its fleet."""

    trust: Path = Field(
        description="Whom it believes: the fleet's trust.json, the same in every box's image."
    )
    key: Literal["file", "tpm"] = Field(
        default="file", description="Where the box's key lies: in a file, or sealed by the board's TPM 2.0."
    )
    claim_host: str = Field(
        default="", description="Where a claim that is typed asks; a sheet says so itself."
    )
    claim_port: int = Field(default=0, ge=0, le=65_535, description="The port for that.")
    broker_via: str = Field(default="", pattern=VIA, description="host:port of a tunnel to the broker, where this shop needs one.")  # fmt: skip
    claims_via: str = Field(
        default="", pattern=VIA, description="host:port of a tunnel to its door for claims."
    )
    sticks: Path = Field(default=Path("/media"), description="Where memory sticks appear; claim.tillbox on one is a claim.")  # fmt: skip


class FleetBoxConfig(Machine):
    """What a box is told that gets its place, its shop's settings and its certificate from its fleet."""

    fleet: FleetPart = Field(description="How it finds its fleet.")


class BoxConfig(Machine, ShopSettings):
    """Everything a box needs to know."""

    device: Device = Field(description="The box's name, as in its certificate.")
    broker: Broker = Field(description="Where the core is heard, and who this box is to it.")

    def setup(self) -> Setup:
        """The part of it that the till decides by."""
        goods = {one.gtin: Line(name=one.name, price=one.price, goods=one.gtin) for one in self.goods}
        return Setup(self.device, self.tenant, by_kid(map(bytes.fromhex, self.issuers)), goods, self.stocks)
