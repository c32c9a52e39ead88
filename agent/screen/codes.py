"""The unsent records of a box as codes on its own screen. Its journal is copied and read; the running till is not disturbed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import segno

from tillbox.agent.provisioning.place import Identity
from tillbox.agent.provisioning.rescue import NothingToRescue, messages, read_disk
from tillbox.contracts.codes.frames import frames
from tillbox.contracts.verdicts import Text

TITLE = Text("把没上交的记录交给另一台盒子", "Hand the unsent records to another box")
HOW = Text(
    "让本店另一台盒子的摄像头依次读下面每个码，读完它会交给云端",
    "Let another box of the fleet read each of these codes with its camera. When it has them all, it hands them in.",
)
NOTHING = Text("没有要交的记录", "There is nothing to hand in.")
NOT_HERE = Text(
    "这台盒子没有自己的密钥，交不出记录", "This box has no key of its own, and cannot sign for its records."
)


@dataclass(frozen=True, slots=True)
class RescuePage:
    """The codes as pictures, or why there are none."""

    title: str
    how: str
    device: str
    language: str
    codes: tuple[str, ...]

    @classmethod
    def of(cls, codes: list[str], why: Text | None, device: str, language: str) -> RescuePage:
        """The page in a language."""
        pictures = tuple(segno.make_qr(code, error="l").png_data_uri(scale=6) for code in codes)
        said = why or (HOW if codes else NOTHING)
        return cls(TITLE.say(language), said.say(language), device, language, pictures)


def rescue_codes(state: Path) -> tuple[list[str], Text | None]:
    """The texts of the codes; or none, and why."""
    try:
        disk = read_disk(state)
    except NothingToRescue as why:
        if not Identity(state / "identity").has_key:
            return [], NOT_HERE
        return [], Text(
            f"读不出记录，请保留存储卡并找工程师：{why}",
            f"The records cannot be read. Keep the card and call an engineer: {why}",
        )
    return [text for message in messages(disk) for text in frames(message)], None
