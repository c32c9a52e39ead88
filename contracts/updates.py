"""What an update may wait for, in the words of the people who ask why nothing happens: a cashier, an operator."""

from __future__ import annotations

from enum import StrEnum

from .verdicts import Text


class Blocker(StrEnum):
    """What an update may wait for."""

    CUSTOMER = "customer"
    PAYMENT = "payment"
    DOUBT = "doubt"
    STOPPED = "stopped"
    BUSY = "busy"
    REDEMPTION = "redemption"
    QUEUE = "queue"
    LINE = "line"
    CLOCK = "clock"
    DISK = "disk"
    PAPER = "paper"


BLOCKER_TEXTS: dict[Blocker, Text] = {
    Blocker.CUSTOMER: Text("收银台上有顾客的东西", "A customer's goods are on the till."),
    Blocker.PAYMENT: Text("正在收款", "A payment is under way."),
    Blocker.DOUBT: Text("有一笔款结果未知", "A payment is in doubt."),
    Blocker.STOPPED: Text("收银台已停，请先处理", "The till has stopped; mend that first."),
    Blocker.BUSY: Text("刚刚还有人用收银台", "The till was used a moment ago."),
    Blocker.REDEMPTION: Text("有核销过的券还没有上传", "A coupon was redeemed here and is not handed in."),
    Blocker.QUEUE: Text("有记录还没有上传", "Records are not handed in."),
    Blocker.LINE: Text("网络断开", "The line to the core is down."),
    Blocker.CLOCK: Text("时间未校准", "The hour is not known."),
    Blocker.DISK: Text("存储空间不足", "There is too little room on the card."),
    Blocker.PAPER: Text("有小票待确认", "A receipt waits for somebody's word whether it was printed."),
}
