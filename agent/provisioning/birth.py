"""The self-test of a box at its place, and the slip that an engineer's phone reads to accept it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tillbox.agent.doctor import Light, name_of
from tillbox.agent.doctor import Line as Check
from tillbox.contracts.messages import canonical
from tillbox.contracts.proofs import BIRTH, web
from tillbox.hardware.printing.document import QR, Columns, Cut, Document, Feed, Line, Rule

from .keystore import KeyStore

MARKS = {Light.GREEN: "好 OK", Light.YELLOW: "注意 !", Light.RED: "坏 BAD"}
REPORT_BYTES_MAX = 3_000


def report_of(
    checks: Sequence[Check], *, device: str, position: str, software: str, hardware: str, seconds: float
) -> str:
    """The self-test as canonical JSON. What is too long for a message loses its sentences first."""
    found: dict[str, Any] = {
        "device": device,
        "position": position,
        "software": software,
        "hardware": hardware,
        "seconds": round(seconds),
        "checks": [{"check": one.check, "light": one.light, "says": one.says.en[:80]} for one in checks],
    }
    data = canonical(found)
    if len(data) > REPORT_BYTES_MAX:
        found["checks"] = [{"check": one.check[:40], "light": one.light} for one in checks[:40]]
        data = canonical(found)
    return data.decode()


def accept_link(page: str, report: str, key: KeyStore) -> str:
    """The page on which an engineer accepts this box, with the proof that this paper is the box's own."""
    return f"{page}?s={web(key.sign(BIRTH + report.encode()))}"


def birth_slip(
    checks: Sequence[dict[str, Any]],
    *,
    title: str,
    position: str,
    epoch: int,
    device: str,
    software: str,
    link: str,
) -> Document:
    """The paper: what this box is, how it is, and the code for the engineer's phone."""
    rows = [Columns(_name(str(one["check"])), MARKS[Light(str(one["light"]))]) for one in checks]
    code = (
        [QR(link, 5), Line("工程师扫码验收 Engineer: scan to accept", align="center")]
        if link
        else [Line("控制台未设置验收页 The console has no page for this", align="center")]
    )
    return Document(
        (
            Line(title, align="center", bold=True, double=True),
            Line("开机凭条 BIRTH SLIP", align="center"),
            Rule(),
            Columns("收银位 Position", f"{position} #{epoch}", bold=True),
            Columns("盒子 Box", device),
            Columns("软件 Software", software),
            Rule(),
            *rows,
            Rule(),
            *code,
            Feed(3),
            Cut(),
        )
    )


def greeting(device: str) -> Document:
    """What a box without a place prints."""
    return Document(
        (
            Line("请扫安装单", align="center", bold=True, double=True),
            Line("Show me your claim sheet", align="center"),
            Rule(),
            Line("把安装单上的码对准扫码枪或摄像头", align="center"),
            Line("Hold its code before the scanner or the camera", align="center"),
            Columns("盒子 Box", device),
            Feed(3),
            Cut(),
        )
    )


def no_slip(says_zh: str, says_en: str, detail: str) -> Document:
    """A claim that did not do, on paper."""
    return Document(
        (
            Line("安装未成功 NOT ENROLLED", align="center", bold=True),
            Rule(),
            Line(says_zh),
            Line(says_en),
            *([Line(detail)] if detail else []),
            Feed(3),
            Cut(),
        )
    )


def _name(check: str) -> str:
    """A check in both languages; a reader's own name is the same in both."""
    name = name_of(check)
    return name.zh if check.startswith("reader ") else f"{name.zh} {name.en}"
