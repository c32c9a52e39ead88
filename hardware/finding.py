"""What is plugged into this machine, and what a configuration would say of it. It only looks: nothing is opened, so a
running box is not disturbed, and a scanner does not beep.

The kernel tells it under `/sys`; the names that stay the same when two equal devices change places are under `/dev`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .drivers.plugs import stable_name

SCANNER_WORDS = re.compile(
    r"barcode|scan|reader|honeywell|datalogic|zebra|newland|symbol|mindeo|symcode|netum", re.I
)
"""What makers call a scanner that types; any other keyboard may be a person's."""


@dataclass(frozen=True, slots=True)
class Found:
    """One device. `setting` and `proposal` are what the configuration would say, or what `tillbox print` would be told
    where `setting` is empty: label printers are no part of a box; `sure` is False where a person has to
    confirm that it is what it looks like."""

    kind: str
    address: str
    name: str
    setting: str
    proposal: dict[str, Any] = field(default_factory=dict)
    sure: bool = True

    def as_json(self) -> dict[str, Any]:
        """Ready for a line of `--json`."""
        return asdict(self)


def find(root: Path = Path("/")) -> tuple[Found, ...]:
    """Everything that a box can use, by kind and address."""
    found = [one for look in LOOKS for one in look(root)]
    return tuple(sorted(found, key=lambda one: (one.kind, one.address)))


def _serial(root: Path) -> Iterator[Found]:
    """USB serial lines: scanners in COM mode, displays, printers. What hangs on one shows only when it speaks."""
    for node in sorted((root / "sys/class/tty").glob("tty[AU]*")):
        device = node / "device"
        if not node.name.startswith(("ttyACM", "ttyUSB", "ttyAMA")):
            continue
        maker = _usb_name(device)
        address = _stable(root, node.name)
        scanner = node.name.startswith("ttyACM") or bool(SCANNER_WORDS.search(maker))
        proposal = {"kind": "serial", "name": "scanner", "address": address}
        yield Found("serial line", address, maker or node.name, "readers", proposal, sure=scanner)


def _keyboards(root: Path) -> Iterator[Found]:
    """Keyboards: what types like one and is named like a scanner is one."""
    for node in sorted((root / "sys/class/input").glob("event*")):
        keys = _text(node / "device/capabilities/key")
        name = _text(node / "device/name") or node.name
        if not _types(keys):
            continue
        address = _stable(root, f"input/{node.name}")
        proposal = {"kind": "keys", "name": "scanner", "address": address}
        yield Found("keyboard", address, name, "readers", proposal, sure=bool(SCANNER_WORDS.search(name)))


def _usb_printers(root: Path) -> Iterator[Found]:
    """USB printers say their language in their IEEE 1284 name."""
    for node in sorted((root / "sys/class/usbmisc").glob("lp*")):
        identity = _text(node / "device/ieee1284_id")
        said = dict(part.split(":", 1) for part in identity.split(";") if ":" in part)
        name = " ".join(said.get(key, "") for key in ("MFG", "MDL")).strip() or node.name
        language = (said.get("CMD") or said.get("COMMAND SET") or "").upper()
        address = _stable(root, f"usb/{node.name}")
        label = next((ours for theirs, ours in LABEL_LANGUAGES.items() if theirs in language), None)
        if label:
            yield Found(
                "label printer", address, name, "", {"print": f"--printer usb:{address} --language {label}"}
            )
            continue
        profile = "star-80" if "STAR" in language else "chinese-80"
        proposal: dict[str, Any] = {"kind": "usb", "address": address, "profile": profile}
        yield Found("receipt printer", address, name, "printer", proposal, sure=bool(language))


LABEL_LANGUAGES = {"ZPL": "zpl", "TSPL": "tspl", "TSPL2": "tspl"}


def _cameras(root: Path) -> Iterator[Found]:
    """Cameras; a camera's other nodes carry no pictures."""
    for node in sorted((root / "sys/class/video4linux").glob("video*")):
        if _text(node / "index") not in ("", "0"):
            continue
        name = _text(node / "name") or node.name
        proposal = {"kind": "camera", "name": "camera", "address": f"/dev/{node.name}"}
        yield Found("camera", f"/dev/{node.name}", name, "readers", proposal)


def _sound(root: Path) -> Iterator[Found]:
    for line in _text(root / "proc/asound/cards").splitlines():
        card = re.match(r"\s*(\d+)\s+\[(.+?)\s*\]:\s*(.+)", line)
        if card:
            yield Found("sound card", f"card {card[1]}", card[3].strip(), "voice", {"kind": "alsa"})


LOOKS: tuple[Callable[[Path], Iterator[Found]], ...] = (_serial, _keyboards, _usb_printers, _cameras, _sound)


def _types(keys: str) -> bool:
    """Whether a device has the letter Q and Enter: the kernel's key map, in hexadecimal words of 64 bits."""
    words = keys.split()
    return bool(words) and int(words[-1], 16) >> 16 & 1 == 1 and int(words[-1], 16) >> 28 & 1 == 1


def _usb_name(device: Path) -> str:
    """The maker's words, from the USB device that a node's interface belongs to."""
    try:
        interface = device.resolve()
    except OSError:
        return ""
    for folder in (interface, *interface.parents[:3]):
        words = [_text(folder / file) for file in ("manufacturer", "product")]
        if any(words):
            return " ".join(word for word in words if word)
    return ""


def _stable(root: Path, node: str) -> str:
    """The name that follows the device, where there is one."""
    path = stable_name(str(root / "dev" / node), root / "dev")
    return "/" + str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else path


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
