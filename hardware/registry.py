"""Which driver a line of configuration means. Ours and a third party's come through the same door: an entry point.

A package that ships a driver declares it, for example `[project.entry-points."tillbox.printers"] acme =
"acme_till:DRIVER"`, where `DRIVER` is a `Driver`. It is loaded when a box asks for it and not before: OpenCV alone
takes more memory than the rest of a box that has no camera.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import entry_points
from typing import Any

from pydantic import ValidationError

from tillbox.contracts.settings import Strict

from .ports import CodeReader, CustomerDisplay, LabelPrinter, Printer, Speaker


class Group(StrEnum):
    """One for each port; the name is the entry points' group."""

    CODE_READERS = "tillbox.code_readers"
    PRINTERS = "tillbox.printers"
    LABEL_PRINTERS = "tillbox.label_printers"
    DISPLAYS = "tillbox.displays"
    SPEAKERS = "tillbox.speakers"


class Options(Strict):
    """What a driver may be told besides its address; a driver without options uses this one."""


@dataclass(frozen=True, slots=True)
class Driver:
    """What an entry point leads to. `make(name, address, options)` gives a device that is not started yet, and
    raises ValueError for an address that cannot be one."""

    make: Callable[[str, str, Any], Any]
    options: type[Options] = Options


class NoSuchDriver(ValueError):
    """The configuration asks for a driver that is not there, or does not load, or does not take these options."""


def kinds(group: Group) -> tuple[str, ...]:
    """The names of the drivers that are installed for a port."""
    return tuple(sorted({point.name for point in entry_points(group=group)}))


def reader(kind: str, name: str, address: str, options: Mapping[str, Any] | None = None) -> CodeReader:
    """A reader that is not started yet.

    reader("serial", "counter", "/dev/ttyACM0", {"suffix": "crlf"})
    reader("keys", "counter", "/dev/input/by-id/usb-Honeywell_1400g-event-kbd")
    reader("camera", "eye", "0")                   # /dev/video0
    reader("folder", "inbox", "/srv/pictures")
    """
    made = _make(Group.CODE_READERS, kind, name, address, options)
    assert isinstance(made, CodeReader), f"{kind} makes no code reader"
    return made


def printer(kind: str, name: str, address: str, options: Mapping[str, Any] | None = None) -> Printer:
    """printer("network", "receipts", "192.168.1.50:9100", {"language": "escpos"})"""
    made = _make(Group.PRINTERS, kind, name, address, options)
    assert isinstance(made, Printer), f"{kind} makes no printer"
    return made


def label_printer(
    kind: str, name: str, address: str, options: Mapping[str, Any] | None = None
) -> LabelPrinter:
    """label_printer("usb", "labels", "/dev/usb/lp1", {"language": "tspl"})"""
    made = _make(Group.LABEL_PRINTERS, kind, name, address, options)
    assert isinstance(made, LabelPrinter), f"{kind} makes no label printer"
    return made


def display(kind: str, name: str, address: str, options: Mapping[str, Any] | None = None) -> CustomerDisplay:
    """display("vfd", "customer", "/dev/ttyUSB0", {"alphabet": "gb18030"})"""
    made = _make(Group.DISPLAYS, kind, name, address, options)
    assert isinstance(made, CustomerDisplay), f"{kind} makes no display"
    return made


def speaker(kind: str, name: str, address: str, options: Mapping[str, Any] | None = None) -> Speaker:
    """speaker("alsa", "voice", "/srv/clips"): the address is the folder of its clips, or empty."""
    made = _make(Group.SPEAKERS, kind, name, address, options)
    assert isinstance(made, Speaker), f"{kind} makes no speaker"
    return made


def _make(group: Group, kind: str, name: str, address: str, options: Mapping[str, Any] | None) -> Any:
    point = next((point for point in entry_points(group=group) if point.name == kind), None)
    if point is None:
        raise NoSuchDriver(f"There is no driver {kind!r} here. Choose one of: {', '.join(kinds(group))}.")
    try:
        driver = point.load()
    except Exception as why:  # a stranger's module may raise anything while it is imported
        raise NoSuchDriver(f"The driver {kind!r} ({point.value}) does not load: {why}") from why
    if not isinstance(driver, Driver):
        raise NoSuchDriver(f"{point.value} is no tillbox driver.")
    try:
        told = driver.options.model_validate(dict(options or {}))
    except ValidationError as wrong:
        first = wrong.errors()[0]
        at = ".".join(map(str, first["loc"]))
        raise NoSuchDriver(f"The driver {kind!r} does not take {at}: {first['msg']}.") from wrong
    return driver.make(name, address, told)
