"""What the till says when it says yes, in the two languages of the screen. (No is in contracts.verdicts.)"""

from __future__ import annotations

from enum import StrEnum

from tillbox.contracts.verdicts import Text


class Word(StrEnum):
    """Every positive or neutral message of the till. `{0}` and `{1}` are filled with amounts and names."""

    READY = "ready"
    ADDED = "added"
    CLEARED = "cleared"
    COUPON_ATTACHED = "coupon_attached"
    COUPON_NEEDS_MORE = "coupon_needs_more"
    COUPON_DROPPED = "coupon_dropped"
    CHECKING_COUPON = "checking_coupon"
    CODE_HELD = "code_held"
    CHARGING = "charging"
    USER_PAYING = "user_paying"
    STILL_ASKING = "still_asking"
    PAID = "paid"
    CHANGE = "change"
    GIVEN_UP = "given_up"
    VOIDED = "voided"
    REFUNDED = "refunded"
    REPRINTED = "reprinted"
    LINE_UP = "line_up"
    LINE_DOWN = "line_down"
    RIGHTS_LOST = "rights_lost"
    LAST_SALE = "last_sale"
    PRINTER_BACK = "printer_back"
    DRAWER_OPENED = "drawer_opened"
    SLIP_NEW = "slip_new"
    SLIP_KNOWN = "slip_known"
    RESCUE_READ = "rescue_read"
    RESCUE_SENT = "rescue_sent"


WORDS: dict[Word, Text] = {
    Word.SLIP_NEW: Text(
        "旧盒子的小票已补录，还缺 {0} 条",
        "The old box's slip is in the book now; {0} records are missing still.",
    ),
    Word.SLIP_KNOWN: Text(
        "这张小票云端已有，还缺 {0} 条", "That slip was in the book already; {0} records are missing still."
    ),
    Word.RESCUE_READ: Text(
        "正在读旧盒子的记录 {0}/{1}，请继续扫", "Reading the old box's records, {0} of {1}. Go on."
    ),
    Word.RESCUE_SENT: Text(
        "旧盒子的记录已交给云端核对", "The old box's records are on their way to the core."
    ),
    Word.READY: Text("请选商品、输入金额或扫码", "Choose a product, type an amount, or scan a code."),
    Word.ADDED: Text("已加入：{0}，共 {1}", "Added {0}. Total {1}."),
    Word.CLEARED: Text("已清空", "Cleared."),
    Word.COUPON_ATTACHED: Text("已用券，减 {0}", "Coupon accepted: {0} off."),
    Word.COUPON_NEEDS_MORE: Text("券已记下，再买 {0} 可用", "Coupon kept: buy {0} more and it counts."),
    Word.COUPON_DROPPED: Text("已取消用券", "Coupon taken off."),
    Word.CHECKING_COUPON: Text("正在核对优惠券……", "Checking the coupon with the core …"),
    Word.CODE_HELD: Text(
        "付款码已记下，输入金额后按“收款”", "Payment code kept. Enter the amount, then press Charge."
    ),
    Word.CHARGING: Text("正在收款 {0}……", "Charging {0} …"),
    Word.USER_PAYING: Text("请顾客在手机上输入密码", "The customer is entering the password on the phone."),
    Word.STILL_ASKING: Text("正在查询付款结果……", "Asking for the result …"),
    Word.PAID: Text("收款成功 {0}", "Paid: {0}."),
    Word.CHANGE: Text("收现金 {0}，找零 {1}", "Cash {0}, change {1}."),
    Word.GIVEN_UP: Text(
        "已放弃这次收款；若顾客已付，会自动退回",
        "Payment given up. If the customer paid, the money goes back by itself.",
    ),
    Word.VOIDED: Text("第 {0} 单已撤销，退 {1}", "Sale {0} is voided, {1} goes back."),
    Word.REFUNDED: Text("第 {0} 单已退 {1}", "Sale {0}: {1} refunded."),
    Word.REPRINTED: Text("补打第 {0} 单", "Reprinting sale {0}."),
    Word.LINE_UP: Text("网络已恢复", "The line is up."),
    Word.LINE_DOWN: Text("网络断开，仍可收现金", "The line is down. Cash sales go on."),
    Word.RIGHTS_LOST: Text(
        "存储卡比记录旧，旧核销权已作废", "The card is older than its record: the old coupon rights are void."
    ),
    Word.LAST_SALE: Text(
        "上一单第 {0} 单已记账，可补打", "The last sale, number {0}, is recorded. It can be reprinted."
    ),
    Word.DRAWER_OPENED: Text("开钱箱：{0}（已记录）", "Drawer opened: {0}. It is on record."),
    Word.PRINTER_BACK: Text("打印机恢复正常", "The printer works again."),
}
