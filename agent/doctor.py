"""What is wrong with a box and what to do, as one page. Pure: facts in, lines out.

Nothing on it is secret: no key, no code, no customer. So the page may be read to support over the telephone, and is the
same in the terminal and on the till's screen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tillbox.contracts.verdicts import Text
from tillbox.hardware.ports import PrinterState

DISK_RED_BYTES = 64 * 1024 * 1024  # the journal stops below it
DISK_YELLOW_BYTES = 512 * 1024 * 1024
FLUSH_YELLOW_MS, FLUSH_RED_MS = 100.0, 1_000.0  # a sale waits for two of them; a worn card takes seconds
CERTIFICATE_YELLOW_DAYS = 7  # a box renews ten days before the end; if it has not by now, it cannot


NOTHING = Text("", "")


class Light(StrEnum):
    """How a line is."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at: how it is, and what to do where it is not well."""

    check: str
    light: Light
    says: Text
    todo: Text = NOTHING

    def as_json(self) -> dict[str, str]:
        """Ready for `--json`: both languages."""
        return {
            "check": self.check,
            "light": self.light,
            "zh": self.says.zh,
            "en": self.says.en,
            "todo_zh": self.todo.zh,
            "todo_en": self.todo.en,
        }


@dataclass(frozen=True, slots=True)
class DeviceFact:
    """One device of the configuration. `hint` is empty while it is well."""

    name: str
    kind: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found out about a box. None where it was not looked at, or is not there."""

    software: str = ""
    config_fault: str = ""
    journal_fault: str = ""
    journal_records: int | None = None
    free_bytes: int | None = None
    flush_ms: tuple[float, float] | None = None
    """Median and worst of some writes that were waited for until they were on the disk."""
    clock_known: bool | None = None
    line_fault: str | None = None
    certificate_days: int | None = None
    key_fault: str = ""
    key_sealed: bool | None = None
    """Whether the box's key is sealed by its board; False where it lies in a file."""
    pending: int | None = None
    readers: tuple[DeviceFact, ...] = ()
    printer: PrinterState | None = None
    unanswered_prints: int = 0
    display: DeviceFact | None = None
    voice: DeviceFact | None = None
    tap: DeviceFact | None = None
    slip: str | None = None
    """What became of the test slip: empty if it was read back, else why not; None if none was printed."""
    unused: tuple[str, ...] = field(default=())
    """Devices that are plugged in and that the configuration does not know."""


NAMES: dict[str, Text] = {
    "configuration": Text("配置", "configuration"),
    "journal": Text("账本", "journal"),
    "free disk": Text("磁盘空间", "free disk"),
    "disk flush": Text("磁盘写入", "disk flush"),
    "clock": Text("时钟", "clock"),
    "core": Text("云端", "core"),
    "to hand in": Text("待上传", "to hand in"),
    "certificate": Text("证书", "certificate"),
    "key": Text("密钥", "key"),
    "readers": Text("扫码设备", "readers"),
    "printer": Text("打印机", "printer"),
    "unanswered papers": Text("待确认小票", "unanswered papers"),
    "test slip": Text("测试小票", "test slip"),
    "display": Text("顾客屏", "display"),
    "voice": Text("语音", "voice"),
    "tap": Text("小票采集", "tap"),
    "unused devices": Text("未用设备", "unused devices"),
}
"""What each check is called; a reader by the name that the shop gave it."""


def name_of(check: str) -> Text:
    """A check's name for a person."""
    reader = check.removeprefix("reader ")
    return NAMES.get(check, Text(f"扫码 {reader}", check))


def examine(facts: Facts) -> tuple[Line, ...]:
    """The page, in the order in which one mends a box."""
    return tuple(_lines(facts))


def report(facts: Facts) -> dict[str, Any]:
    """The page as `tillbox doctor --json` prints it."""
    lines = examine(facts)
    return {
        "ok": all(line.light is not Light.RED for line in lines),
        "software": facts.software,
        "lines": [line.as_json() for line in lines],
    }


def _lines(facts: Facts) -> Iterator[Line]:
    if facts.config_fault:
        todo = Text(
            "按提示修改配置文件，再运行一次", "Change the configuration as it says, then run this again."
        )
        yield Line("configuration", Light.RED, _same(facts.config_fault), todo)
        return
    yield Line("configuration", Light.GREEN, Text("配置可用", "It can be used."))
    if facts.key_fault:
        todo = Text("卡和主板要在一起；按提示处理，再运行一次", "Keep card and board together; do as it says, then run this again.")  # fmt: skip
        yield Line("key", Light.RED, _same(facts.key_fault), todo)
        return
    yield from _journal(facts)
    yield from _disk(facts)
    yield from _clock(facts)
    yield from _core(facts)
    if not facts.readers:
        todo = Text("把扫码枪写进配置的 readers，见 tillbox devices", "Name a scanner in `readers`; `tillbox devices` proposes one.")  # fmt: skip
        yield Line("readers", Light.YELLOW, Text("没有扫码设备", "There is nothing that reads codes."), todo)
    for reader in facts.readers:
        yield _device(f"reader {reader.name}", reader)
    yield from _printer(facts)
    for check, device in (("display", facts.display), ("voice", facts.voice), ("tap", facts.tap)):
        if device is not None:
            yield _device(check, device)
    if facts.unused:
        names = ", ".join(facts.unused)
        says = Text(f"已插上但没有使用：{names}", f"Plugged in and not used: {names}")
        yield Line("unused devices", Light.YELLOW, says, Text("需要的话按 tillbox devices 的建议写进配置", "If it is meant to be used, `tillbox devices` says how."))  # fmt: skip


def _journal(facts: Facts) -> Iterator[Line]:
    if facts.journal_fault:
        todo = Text("不要删除账本文件；请联系维护", "Keep the journal's files; call the engineer.")
        yield Line("journal", Light.RED, _same(facts.journal_fault), todo)
    elif facts.journal_records is not None:
        says = Text(f"完好，{facts.journal_records} 条记录", f"Sound; {facts.journal_records} records.")
        yield Line("journal", Light.GREEN, says)


def _disk(facts: Facts) -> Iterator[Line]:
    if facts.free_bytes is not None:
        megabytes = facts.free_bytes // 1_000_000
        light = _light(facts.free_bytes >= DISK_YELLOW_BYTES, facts.free_bytes >= DISK_RED_BYTES)
        todo = Text(
            "删除不用的文件，或换一张更大的存储卡", "Remove what is not needed, or put in a larger card."
        )
        yield Line(
            "free disk",
            light,
            Text(f"剩余 {megabytes} MB", f"{megabytes} MB are free."),
            _if_not_green(light, todo),
        )
    if facts.flush_ms is not None:
        median, worst = facts.flush_ms
        light = _light(median < FLUSH_YELLOW_MS, median < FLUSH_RED_MS)
        says = Text(f"写入确认 {median:.1f} 毫秒，最慢 {worst:.1f}", f"A write is safe after {median:.1f} ms, at worst {worst:.1f} ms.")  # fmt: skip
        todo = Text(
            "存储卡太慢或将坏，请换工业级存储卡", "The card is slow or worn: put in an industrial one."
        )
        yield Line("disk flush", light, says, _if_not_green(light, todo))


def _clock(facts: Facts) -> Iterator[Line]:
    if facts.clock_known is None:
        return
    if facts.clock_known:
        yield Line("clock", Light.GREEN, Text("时间已校准", "The hour is known."))
        return
    todo = Text("接通网络等一分钟；收款照常，小票上没有时间", "Connect the network and wait a minute. Selling goes on; slips show no hour.")  # fmt: skip
    yield Line("clock", Light.YELLOW, Text("时间未校准", "The hour is not known."), todo)


def _core(facts: Facts) -> Iterator[Line]:
    if facts.line_fault is not None:
        if facts.line_fault:
            todo = Text("检查网线和路由器；现金收款照常，联网后自动上传", "Look at the network's cable and router. Cash goes on; all is handed in later.")  # fmt: skip
            yield Line("core", Light.RED, _same(facts.line_fault), todo)
        else:
            yield Line("core", Light.GREEN, Text("连接正常", "It answers."))
    if facts.pending:
        says = Text(f"{facts.pending} 条待上传", f"{facts.pending} records wait to be handed in.")
        yield Line(
            "to hand in",
            Light.YELLOW,
            says,
            Text("联网后自动上传", "They go by themselves when the line is up."),
        )
    if facts.certificate_days is not None:
        days = facts.certificate_days
        light = _light(days > CERTIFICATE_YELLOW_DAYS, days > 0)
        says = Text(f"证书还有 {days} 天", f"The certificate is good for {days} days.")
        todo = Text("请联系维护更换盒子的证书", "Ask the engineer for a new certificate of this box.")
        yield Line("certificate", light, says, _if_not_green(light, todo))
    if facts.key_sealed is not None:
        says = (
            Text(
                "由主板的 TPM 封存；只拿走存储卡没有用",
                "Sealed by this board's TPM; the card alone is worthless.",
            )
            if facts.key_sealed
            else Text("在存储卡的文件里；谁有卡，谁就有密钥", "In a file; whoever has the card has the key.")
        )
        yield Line("key", Light.GREEN, says)


def _device(check: str, device: DeviceFact) -> Line:
    if device.hint:
        todo = Text("插好线或重新开机；不行就换一个接口", "Put its plug in again or switch it off and on; then try another socket.")  # fmt: skip
        return Line(check, Light.RED, _same(device.hint), todo)
    return Line(check, Light.GREEN, Text(f"正常（{device.kind}）", f"Well ({device.kind})."))


_PRINTERS: dict[PrinterState, tuple[Light, Text, Text]] = {
    PrinterState.READY: (Light.GREEN, Text("正常", "Ready."), NOTHING),
    PrinterState.PAPER_NEAR_END: (Light.YELLOW, Text("纸快用完", "The paper is near its end."), Text("准备一卷新纸", "Have a new roll at hand.")),
    PrinterState.PAPER_OUT: (Light.RED, Text("缺纸", "No paper."), Text("换上新纸卷", "Put in a new roll.")),
    PrinterState.COVER_OPEN: (Light.RED, Text("盖子未合", "The cover is open."), Text("合上盖子", "Close the cover.")),
    PrinterState.CUTTER_JAM: (Light.RED, Text("切刀卡住", "The cutter is stuck."), Text("打开盖子取出碎纸", "Open the cover and free it.")),
    PrinterState.RIBBON_OUT: (Light.RED, Text("色带用完", "The ribbon is at its end."), Text("换上新色带", "Put in a new ribbon.")),
    PrinterState.PAUSED: (Light.RED, Text("已暂停", "It is paused."), Text("按一下暂停键或走纸键", "Press its pause or feed key.")),
    PrinterState.BROKEN: (Light.RED, Text("打印机故障", "It reports an error."), Text("关机等十秒再开机", "Switch it off, wait ten seconds, switch it on.")),
    PrinterState.SILENT: (Light.RED, Text("没有回应", "It does not answer."), Text("关机再开机；检查型号设置", "Switch it off and on; then look whether its profile is right.")),
    PrinterState.LOST: (Light.RED, Text("未连接", "It is not there."), Text("检查电源和连线", "Is it switched on, is its cable in?")),
}  # fmt: skip
"""Every state of a printer, in words that a cashier understands."""


def _printer(facts: Facts) -> Iterator[Line]:
    if facts.printer is not None:
        light, says, todo = _PRINTERS[facts.printer]
        yield Line("printer", light, says, todo)
    if facts.unanswered_prints:
        says = Text(f"{facts.unanswered_prints} 张小票不知道打出来没有", f"Papers that may or may not be printed: {facts.unanswered_prints}.")  # fmt: skip
        yield Line(
            "unanswered papers", Light.YELLOW, says, Text("在收银屏上回答", "Answer on the till's screen.")
        )
    if facts.slip is not None:
        if facts.slip:
            yield Line("test slip", Light.RED, _same(facts.slip), Text("看测试小票是否清晰，再扫一次", "Is the slip sharp and black? Hold it before the scanner once more."))  # fmt: skip
        else:
            yield Line("test slip", Light.GREEN, Text("打印并扫码成功", "Printed, and read back."))


def _light(green: bool, yellow: bool) -> Light:
    return Light.GREEN if green else Light.YELLOW if yellow else Light.RED


def _if_not_green(light: Light, todo: Text) -> Text:
    return NOTHING if light is Light.GREEN else todo


def _same(text: str) -> Text:
    """A driver's own words, which are English."""
    return Text(text, text)
