"""Everything that the core shouts about: a closed list, each with what happened and what to do now."""

from __future__ import annotations

from enum import StrEnum

from tillbox.contracts.verdicts import Text


class Alarm(StrEnum):
    """Somebody must look. The value is what is stored."""

    # a box and its journal
    FORK = "fork"
    CHAIN_BROKEN = "chain_broken"
    ID_REUSED = "id_reused"
    ROLLED_BACK = "rolled_back"
    RIGHTS_LOST = "rights_lost"
    SOLD_AFTER_END = "sold_after_end"
    # a box that speaks of what is not its own
    PAYMENT_OF_ANOTHER = "payment_of_another"
    COUPON_OF_ANOTHER = "coupon_of_another"
    SALE_OF_ANOTHER = "sale_of_another"
    # what the book could not post as it was told
    SOLD_UNPAID = "variance_payment_unknown"
    SPENT_TWICE = "variance_coupon_spent"
    VOIDED_TWICE = "variance_already_voided"
    VOID_OF_NOTHING = "void_of_nothing"
    # money at the wallet company
    LATE_SUCCESS = "late_success"
    GIVEN_UP_BUT_SOLD = "given_up_but_sold"
    REVERSED_BUT_SOLD = "reversed_but_sold"
    REFUND_REFUSED = "refund_refused"
    REFUND_TOO_LARGE = "refund_too_large"
    REFUND_NOT_OWED = "refund_not_owed"
    # the coupon stock
    STOCK_MISMATCH = "stock_mismatch"


TEXTS: dict[Alarm, Text] = {
    Alarm.FORK: Text(
        "同一编号出现两条不同的记录：这台盒子的存储卡被复制过。请停用并检查",
        "Two different records bear one number: this box's card was copied. Take it out of service and look.",
    ),
    Alarm.CHAIN_BROKEN: Text(
        "记录的哈希链断了：存储损坏或有人改过。请保留存储卡并检查",
        "The chain of records is broken: a damaged card, or somebody changed it. Keep the card and look.",
    ),
    Alarm.ID_REUSED: Text(
        "同一个交易号带来了不同的内容，以先到的为准。请核对小票",
        "One transaction id came with two contents; the first stands. Compare the slips.",
    ),
    Alarm.ROLLED_BACK: Text(
        "盒子换上了旧的或空的存储卡，它持有的核销权已作废。请核对最近的小票",
        "The box runs on an old or empty card; its coupon rights are void. Compare its latest slips.",
    ),
    Alarm.RIGHTS_LOST: Text(
        "盒子自己发现存储卡是旧的，它持有的核销权已作废",
        "The box itself found its card to be old; its coupon rights are void.",
    ),
    Alarm.SOLD_AFTER_END: Text(
        "一台已被换下或停用的盒子上交了之后的交易，没有入账。请找到它，核对它的钱箱",
        "A box that was put out handed in sales from after its end. They are not in the book. Find it, and count its drawer.",
    ),
    Alarm.PAYMENT_OF_ANOTHER: Text(
        "这台盒子声称一笔不属于它的付款，未予采信，金额记在它自己的钱箱。请检查盒子",
        "The box claimed a payment that is not its own. It was not believed; the sum stays with its own drawer. Look at the box.",
    ),
    Alarm.COUPON_OF_ANOTHER: Text(
        "这台盒子用了不属于它的优惠券权利，未予采信。请检查盒子",
        "The box spent a coupon right that is not its own. It was not believed. Look at the box.",
    ),
    Alarm.SALE_OF_ANOTHER: Text(
        "这台盒子要撤销或退掉别的盒子的单，未予采信。请检查盒子",
        "The box took back a sale of another box. It was not believed. Look at the box.",
    ),
    Alarm.SOLD_UNPAID: Text(
        "货已交付，但对应的付款不足。请核对小票和钱包公司的账单",
        "Goods were handed out and the payment does not cover them. Compare the slip with the wallet's statement.",
    ),
    Alarm.SPENT_TWICE: Text(
        "同一张券被用了两次，差额记为损失",
        "A coupon was spent twice; the discount is booked as a loss.",
    ),
    Alarm.VOIDED_TWICE: Text(
        "同一单被撤销了两次，第二次付出的钱记为差异。请核对钱箱",
        "A sale was voided twice; what the second paid out is a variance. Count the drawer.",
    ),
    Alarm.VOID_OF_NOTHING: Text(
        "撤销了一张没有收到过的单，或已撤销过的单。请核对小票",
        "A void of a sale that never came, or was voided before. Compare the slips.",
    ),
    Alarm.LATE_SUCCESS: Text(
        "钱包公司事后才说已付，正在自动退回",
        "The wallet said paid after the sale was given up. The money is being sent back.",
    ),
    Alarm.GIVEN_UP_BUT_SOLD: Text(
        "一笔被放弃的付款已有对应的成交。请核对",
        "A payment that was given up belongs to a settled sale. Compare the slips.",
    ),
    Alarm.REVERSED_BUT_SOLD: Text(
        "付款已撤回，但货已成交。请联系门店",
        "A payment was reversed although goods were sold on it. Call the shop.",
    ),
    Alarm.REFUND_REFUSED: Text(
        "钱包公司拒绝退款，需要人工退给顾客",
        "The wallet company refused a refund: pay the customer back by hand.",
    ),
    Alarm.REFUND_TOO_LARGE: Text(
        "要求退的钱超过了已付的钱，没有退。请核对小票",
        "More was to be paid back than was paid; nothing was sent. Compare the slips.",
    ),
    Alarm.REFUND_NOT_OWED: Text(
        "退了一笔账上并不欠的款。请与钱包公司对账",
        "Money went back that the book did not owe. Reconcile with the wallet company.",
    ),
    Alarm.STOCK_MISMATCH: Text(
        "优惠券库存与账本不符，暂停发放。请联系开发者",
        "The coupon stock and the book disagree; nothing is given out. Call the developers.",
    ),
}
