"""Everything that somebody must see to in a shop: a closed list, each with what happened and what to do now.

A box raises and clears its own; the last three only the core can know. The other list, of what went wrong in the book,
is the core's `alarms.py`: those are events and stay, these are states and end.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from .verdicts import Text


class AlertKind(StrEnum):
    """The value is what travels and what is stored."""

    # what hangs on the box
    PAPER_OUT = "paper_out"
    PAPER_LOW = "paper_low"
    PRINTER_LOST = "printer_lost"
    PRINTER_TROUBLE = "printer_trouble"
    READER_LOST = "reader_lost"
    CAMERA_STALLED = "camera_stalled"
    CAMERA_BLIND = "camera_blind"
    DEVICE_LOST = "device_lost"
    # the machine
    DISK_LOW = "disk_low"
    FLUSH_SLOW = "flush_slow"
    CARD_WEARING = "card_wearing"
    HOT = "hot"
    CLOCK_UNKNOWN = "clock_unknown"
    DATA_HIGH = "data_high"
    # the money and the software
    STOPPED = "stopped"
    QUEUE_OLD = "queue_old"
    CERTIFICATE_ENDS = "certificate_ends"
    UPDATE_REFUSED = "update_refused"
    # what only the core can know
    BOX_LOST = "box_lost"
    RECORDS_MISSING = "records_missing"
    BROKER_DROPS = "broker_drops"


CORE_KINDS = (AlertKind.BOX_LOST, AlertKind.RECORDS_MISSING, AlertKind.BROKER_DROPS)

TEXTS: dict[AlertKind, Text] = {
    AlertKind.PAPER_OUT: Text(
        "小票纸用完了，小票在排队。请换一卷纸，会自动接着打",
        "The receipt printer is out of paper; receipts wait. Put in a new roll, and it goes on by itself.",
    ),
    AlertKind.PAPER_LOW: Text(
        "小票纸快用完了。请准备一卷新纸", "The receipt paper is near its end. Have a new roll at hand."
    ),
    AlertKind.PRINTER_LOST: Text(
        "找不到打印机，可以照常收款。请看电源和线，再按打印机的电源键",
        "The printer is not there; sales go on. Look at its power and its cable, then switch it on.",
    ),
    AlertKind.PRINTER_TROUBLE: Text(
        "打印机不能打印。请合上盖子，取出卡住的纸，再关开一次",
        "The printer does not print. Shut its cover, take out stuck paper, and switch it off and on.",
    ),
    AlertKind.READER_LOST: Text(
        "找不到扫码枪。请把线拔下再插好；仍不行就换一个 USB 口",
        "A scanner is not there. Pull out its plug and put it in again, or try another socket.",
    ),
    AlertKind.CAMERA_STALLED: Text(
        "摄像头没有画面。请把线拔下再插好",
        "The camera sends no pictures. Pull out its plug and put it in again.",
    ),
    AlertKind.CAMERA_BLIND: Text(
        "摄像头看不清。请擦镜头，挪开遮挡，开灯或避开强光",
        "The camera sees nothing it can read. Wipe its lens, clear the view, and mind the light.",
    ),
    AlertKind.DEVICE_LOST: Text(
        "一个外设没有连接，可以照常收款。请看它的线和电源",
        "A device is not connected; sales go on. Look at its cable and its power.",
    ),
    AlertKind.DISK_LOW: Text(
        "存储快满了，满了就不能收款。请让盒子联网上传，并通知工程师",
        "The card is nearly full, and a full one stops sales. See that the box has a line, and call an engineer.",
    ),
    AlertKind.FLUSH_SLOW: Text(
        "存储写得很慢，收款会卡。请通知工程师准备换卡",
        "The card takes long to write, and so does every sale. Call an engineer: the card may be about to fail.",
    ),
    AlertKind.CARD_WEARING: Text(
        "存储卡的寿命快用完了。请在打烊后换卡",
        "The card has used up most of its life. Have it exchanged after closing time.",
    ),
    AlertKind.HOT: Text(
        "盒子太热，会变慢。请让它通风，远离热源",
        "The box is too hot and grows slow. Give it air, and move it away from what warms it.",
    ),
    AlertKind.CLOCK_UNKNOWN: Text(
        "盒子不知道时间，离线券的期限无法核对。请让它联网几秒",
        "The box does not know the hour and cannot judge what expires. Give it a line for some seconds.",
    ),
    AlertKind.DATA_HIGH: Text(
        "流量快于套餐。请看盒子是否在下载更新、有没有别的程序用这条线路，或提高设置里的月流量",
        "More mobile data is used than the plan has. See whether an update comes or another program uses the line; or raise the plan in the settings.",
    ),
    AlertKind.STOPPED: Text(
        "盒子停止收款了。屏幕上写着原因，请照做",
        "The box does not sell. Its screen says why, and what to do.",
    ),
    AlertKind.QUEUE_OLD: Text(
        "有销售很久没有上传。请看网络；不要关机或拔卡",
        "Sales have waited long for the core. Look at the network; do not take out the card.",
    ),
    AlertKind.CERTIFICATE_ENDS: Text(
        "盒子的证书快到期，到期后不能上传。请让它联网，会自动换新",
        "The box's certificate ends soon, and then nothing is handed in. Give it a line: it renews by itself.",
    ),
    AlertKind.UPDATE_REFUSED: Text(
        "盒子没有接受新版本，仍用旧版本收款。请看更新页的原因",
        "The box refused a release and sells with the one it has. The page of releases says why.",
    ),
    AlertKind.BOX_LOST: Text(
        "盒子没有消息。它可能仍在离线收款。请打电话问门店：有电吗？网络通吗？",
        "Nothing is heard of the box; it may go on selling alone. Call the shop: has it power, and a network?",
    ),
    AlertKind.RECORDS_MISSING: Text(
        "盒子以为都上传了，云端却缺记录。请不要动这台盒子的卡，并通知开发者",
        "The box believes that all is handed in, and the core lacks records. Keep its card, and call the developers.",
    ),
    AlertKind.BROKER_DROPS: Text(
        "消息服务器丢弃了消息。钱不会丢，盒子会重发；请看服务器是否过载",
        "The broker let messages go. No money is lost, boxes send again; see whether the broker is overloaded.",
    ),
}

NAMES: dict[AlertKind, Text] = {
    AlertKind.PAPER_OUT: Text("缺纸", "Paper out"),
    AlertKind.PAPER_LOW: Text("纸将用完", "Paper low"),
    AlertKind.PRINTER_LOST: Text("找不到打印机", "Printer not there"),
    AlertKind.PRINTER_TROUBLE: Text("打印机故障", "Printer in trouble"),
    AlertKind.READER_LOST: Text("找不到扫码枪", "Scanner not there"),
    AlertKind.CAMERA_STALLED: Text("摄像头无画面", "Camera stalled"),
    AlertKind.CAMERA_BLIND: Text("摄像头看不清", "Camera sees nothing"),
    AlertKind.DEVICE_LOST: Text("外设断开", "Device not there"),
    AlertKind.DISK_LOW: Text("存储快满", "Card nearly full"),
    AlertKind.FLUSH_SLOW: Text("存储写得慢", "Card slow"),
    AlertKind.CARD_WEARING: Text("存储卡将用坏", "Card wearing out"),
    AlertKind.HOT: Text("过热", "Too hot"),
    AlertKind.CLOCK_UNKNOWN: Text("时间未知", "Hour not known"),
    AlertKind.DATA_HIGH: Text("流量过快", "Too much data"),
    AlertKind.STOPPED: Text("停止收款", "Does not sell"),
    AlertKind.QUEUE_OLD: Text("销售久未上传", "Sales wait long"),
    AlertKind.CERTIFICATE_ENDS: Text("证书将到期", "Certificate ends"),
    AlertKind.UPDATE_REFUSED: Text("未接受新版本", "Release refused"),
    AlertKind.BOX_LOST: Text("盒子失联", "Box lost"),
    AlertKind.RECORDS_MISSING: Text("缺少记录", "Records missing"),
    AlertKind.BROKER_DROPS: Text("消息被丢弃", "Broker drops"),
}
"""Each in two or three words, for lists."""


class Weight(IntEnum):
    """How soon somebody must see to it; the smaller, the sooner."""

    NOW = 0
    """Sales stand still, or money is at risk."""
    TODAY = 1
    """The shop sells, and is hampered."""
    SOON = 2
    """It will be one of the others in some days."""


_NOW = frozenset(
    {
        AlertKind.STOPPED,
        AlertKind.DISK_LOW,
        AlertKind.QUEUE_OLD,
        AlertKind.BOX_LOST,
        AlertKind.RECORDS_MISSING,
        AlertKind.BROKER_DROPS,
    }
)
_SOON = frozenset(
    {AlertKind.PAPER_LOW, AlertKind.CARD_WEARING, AlertKind.DATA_HIGH, AlertKind.UPDATE_REFUSED}
)


def weight_of(kind: str) -> Weight:
    """How soon somebody must see to it. A newer box's kind is for today: somebody has to read it."""
    return Weight.NOW if kind in _NOW else Weight.SOON if kind in _SOON else Weight.TODAY


def name_of(kind: str) -> Text:
    """A kind in short; a newer box's by its own name."""
    return NAMES[AlertKind(kind)] if kind in set(AlertKind) else Text(kind, kind)


def text_of(kind: str) -> Text:
    """The words for a kind; a newer box's kind is at least named."""
    if kind in set(AlertKind):
        return TEXTS[AlertKind(kind)]
    return Text(
        f"新的提醒：{kind}。请升级云端后再看", f"A newer kind of alert: {kind}. Upgrade the core to read it."
    )
