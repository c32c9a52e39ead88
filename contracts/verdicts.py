"""Every answer the product can give, and how it is said. A refusal is a value; nobody raises it.

The enum is closed: a reason that is not here cannot be given, and one without words in both languages
fails a test. Each text says what happened and what to do now, since a cashier has a queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why not. The value is what travels and what is counted."""

    # what was shown
    UNREADABLE = "unreadable"
    CODE_TOO_LONG = "code_too_long"
    CONTROL_CHARACTERS = "control_characters"
    CODE_DAMAGED = "code_damaged"
    UNKNOWN_CODE = "unknown_code"
    NOT_FOR_THIS_TILL = "not_for_this_till"
    SIGNATURE_WRONG = "signature_wrong"
    SIGNER_UNKNOWN = "signer_unknown"
    FOREIGN_TENANT = "foreign_tenant"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    TIME_UNKNOWN = "time_unknown"
    UNKNOWN_GOODS = "unknown_goods"
    NO_PICTURE = "no_picture"
    NO_CODE = "no_code"
    PICTURE_TOO_LARGE = "picture_too_large"
    PICTURE_BUSY = "picture_busy"
    # the sale
    NOTHING_TO_PAY = "nothing_to_pay"
    NOTHING_LEFT_TO_PAY = "nothing_left_to_pay"
    NOT_AN_AMOUNT = "not_an_amount"
    AMOUNT_TOO_LARGE = "amount_too_large"
    TOO_LITTLE_CASH = "too_little_cash"
    BASKET_FULL = "basket_full"
    PAYMENT_UNDER_WAY = "payment_under_way"
    ASK_UNDER_WAY = "ask_under_way"
    UNKNOWN_SALE = "unknown_sale"
    ALREADY_VOIDED = "already_voided"
    PARTLY_REFUNDED = "partly_refunded"
    REFUND_TOO_LARGE = "refund_too_large"
    SALE_CHANGED = "sale_changed"
    NOT_NOW = "not_now"
    # coupons
    COUPON_ALREADY_ATTACHED = "coupon_already_attached"
    COUPON_BELOW_THRESHOLD = "coupon_below_threshold"
    COUPON_SPENT = "coupon_spent"
    COUPON_HELD_ELSEWHERE = "coupon_held_elsewhere"
    COUPON_RIGHT_LOST = "coupon_right_lost"
    COUPON_UNKNOWN = "coupon_unknown"
    NO_RIGHT = "no_right"
    NO_RIGHT_OFFLINE = "no_right_offline"
    RIGHTS_FROZEN = "rights_frozen"
    RIGHTS_SHARE_USED = "rights_share_used"
    # payment codes
    OFFLINE_PAYMENT_CODE = "offline_payment_code"
    PAYMENT_DECLINED = "payment_declined"
    PAYMENT_REVERSED = "payment_reversed"
    PAYMENT_UNKNOWN = "payment_unknown"
    REFUND_NEEDS_LINE = "refund_needs_line"
    CORE_SILENT = "core_silent"
    # the box
    DISK_FULL = "disk_full"
    JOURNAL_BROKEN = "journal_broken"
    PRINTER_TROUBLE = "printer_trouble"
    DRAWER_SHUT = "drawer_shut"
    ANSWERED_ALREADY = "answered_already"
    DRAWER_WHY = "drawer_why"
    TILL_BUSY = "till_busy"
    REQUEST_DIFFERS = "request_differs"
    ORDER_CLEARED = "order_cleared"
    NOT_A_PAYMENT_CODE = "not_a_payment_code"
    QUEUE_FULL = "queue_full"
    WITNESS_FAILED = "witness_failed"
    # a box and its place
    NOT_A_CLAIM = "not_a_claim"
    CLAIM_UNKNOWN = "claim_unknown"
    CLAIM_USED = "claim_used"
    CLAIM_EXPIRED = "claim_expired"
    CLAIM_REVOKED = "claim_revoked"
    CLAIM_OTHER_FLEET = "claim_other_fleet"
    CLAIM_NEEDS_LINE = "claim_needs_line"
    CLAIM_NEEDS_SHEET = "claim_needs_sheet"
    POSITION_HELD = "position_held"
    POSITION_UNKNOWN = "position_unknown"
    POSITION_EMPTY = "position_empty"
    NOT_ALLOWED = "not_allowed"
    SLIP_OF_ANOTHER = "slip_of_another"
    STORE_FULL = "store_full"
    REQUEST_WRONG = "request_wrong"
    BOX_UNKNOWN = "box_unknown"
    BOX_ELSEWHERE = "box_elsewhere"
    BOX_REPLACED = "box_replaced"
    BOX_REVOKED = "box_revoked"
    BOX_RETIRED = "box_retired"
    BOX_UNSYNCED = "box_unsynced"
    RESCUE_NEEDS_LINE = "rescue_needs_line"
    RANGE_OPEN = "range_open"
    NOT_A_SLIP = "not_a_slip"
    PROVISIONAL_SALE = "provisional_sale"
    PROVISIONAL_TOTAL = "provisional_total"
    SETTINGS_WRONG = "settings_wrong"
    NOTHING_TO_UNDO = "nothing_to_undo"
    DECIDED_MEANWHILE = "decided_meanwhile"
    SETTINGS_UNCONFIRMED = "settings_unconfirmed"
    # commands of head office
    DRAINED = "drained"
    QUARANTINED = "quarantined"
    COMMAND_UNKNOWN = "command_unknown"
    COMMAND_WRONG = "command_wrong"
    NO_BOX_THERE = "no_box_there"
    OVER_BUDGET = "over_budget"
    SAME_PERSON = "same_person"
    SECOND_PERSON = "second_person"
    BULK_UNKNOWN = "bulk_unknown"
    BULK_OVER = "bulk_over"
    VIEWS_FULL = "views_full"
    SHELL_UNKNOWN = "shell_unknown"
    SHELL_BUSY = "shell_busy"
    SHELL_EARLY = "shell_early"
    SHELL_BEHIND = "shell_behind"
    SHELL_FOREIGN = "shell_foreign"
    # the line
    NOT_UNDERSTOOD = "not_understood"
    FUTURE_VERSION = "future_version"
    FOREIGN_DEVICE = "foreign_device"
    CHAIN_BROKEN = "chain_broken"
    ID_REUSED = "id_reused"
    SEQUENCE_GAP = "sequence_gap"
    TOO_LARGE = "too_large"
    ENOUGH_TODAY = "enough_today"


@dataclass(frozen=True, slots=True)
class Text:
    """One message in the two languages of the screens."""

    zh: str
    en: str

    def say(self, language: str) -> str:
        """The text in `zh` or `en`; English for anything else."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Refused:
    """No, and why. `detail` is short extra data for the message (a serial, an amount), never raw input."""

    reason: Reason
    detail: str = ""

    def say(self, language: str) -> str:
        """The whole sentence for a person."""
        text = TEXTS[self.reason].say(language)
        return f"{text} ({self.detail})" if self.detail else text


TEXTS: dict[Reason, Text] = {
    Reason.UNREADABLE: Text(
        "读不出这个码，请让顾客调亮屏幕后再扫",
        "This code cannot be read. Ask the customer to brighten the screen, then scan again.",
    ),
    Reason.CODE_TOO_LONG: Text(
        "码的内容过长，不是收银用的码，请换一个码",
        "This code is too long to be one of ours. Ask for another code.",
    ),
    Reason.CONTROL_CHARACTERS: Text(
        "码里有控制字符，已拒绝，请换一个码",
        "This code carries control characters and was refused. Ask for another code.",
    ),
    Reason.CODE_DAMAGED: Text(
        "码不完整或校验错误，请重新扫", "This code is damaged or incomplete. Scan it again."
    ),
    Reason.UNKNOWN_CODE: Text(
        "认不出这是什么码，请换一个码或手工输入",
        "This is no code we know. Ask for another, or enter it by hand.",
    ),
    Reason.NOT_FOR_THIS_TILL: Text(
        "这类码在收银台用不了，请顾客出示付款码或优惠券",
        "This kind of code is not used at the till. Ask for a payment code or a coupon.",
    ),
    Reason.SIGNATURE_WRONG: Text(
        "签名不对，可能是伪造的，请不要接受", "The signature is wrong; it may be forged. Do not accept it."
    ),
    Reason.SIGNER_UNKNOWN: Text(
        "签发方不认识，请联网后再试或换一张",
        "The signer is unknown here. Try again when the line is up, or use another.",
    ),
    Reason.FOREIGN_TENANT: Text(
        "这是别家商户的码，本店不能用", "This code belongs to another merchant and is not valid here."
    ),
    Reason.NOT_YET_VALID: Text("还没到使用时间", "It is not valid yet."),
    Reason.EXPIRED: Text("已过期，请换一张", "It has expired. Ask for another."),
    Reason.TIME_UNKNOWN: Text(
        "盒子还不知道现在几点，联网后再用",
        "The box does not know the time yet. Try again when the line is up.",
    ),
    Reason.UNKNOWN_GOODS: Text(
        "没有这个商品，请手工输入金额", "This product is not in the list. Enter the amount by hand."
    ),
    Reason.NO_PICTURE: Text("这不是图片，请选一张照片", "This is no picture. Choose a photo."),
    Reason.NO_CODE: Text(
        "图上没有找到码，请拍近一点、拍清楚一点",
        "There is no code on this picture. Take another, closer and sharper.",
    ),
    Reason.PICTURE_TOO_LARGE: Text(
        "图片太大，请选 8 MB 以内的照片", "The picture is too large. Choose one of at most 8 MB."
    ),
    Reason.PICTURE_BUSY: Text(
        "正在处理别的照片，请再发一次", "Other photographs are being worked on. Send it again."
    ),
    Reason.NOT_AN_AMOUNT: Text("这不是金额，请输入例如 12.50", "This is no amount. Type for example 12.50."),
    Reason.NOTHING_TO_PAY: Text(
        "还没有金额，请先选商品或输入金额",
        "There is nothing to pay yet. Choose a product or type an amount first.",
    ),
    Reason.NOTHING_LEFT_TO_PAY: Text(
        "优惠后不用付款，请按“现金”结这一单",
        "The coupon pays for all of it. Finish the sale with Cash, 0.00.",
    ),
    Reason.SALE_CHANGED: Text(
        "这一单刚退过款，没有重复退；要再退，请看清剩余金额再按。剩余",
        "This sale was paid back a moment ago, and not a second time. To pay back more, look at what is left.",
    ),
    Reason.COUPON_RIGHT_LOST: Text(
        "这张券的核销权随一台盒子的存储卡丢失了，不能再核销，请给顾客别的优惠",
        "The right to this coupon was lost with a box's memory card. It cannot be redeemed; offer something else.",
    ),
    Reason.TILL_BUSY: Text(
        "收银台上还有别的单，请先结完",
        "The box's till is in the middle of another sale. Finish that, then ask again.",
    ),
    Reason.REQUEST_DIFFERS: Text(
        "这个请求号已用于另一笔，请换一个新号",
        "This request id was used for something else. Repeat the first request as it was, or take a new id.",
    ),
    Reason.ORDER_CLEARED: Text(
        "在收银台上被清掉了，或盒子断过电，没有收款",
        "It was cleared at the till, or the box was switched off, before anybody paid.",
    ),
    Reason.NOT_A_PAYMENT_CODE: Text("这不是付款码", "That is no payment code. Ask the customer for one."),
    Reason.DRAWER_WHY: Text("开钱箱要写明原因", "Say why the drawer is to be opened; it goes on record."),
    Reason.ANSWERED_ALREADY: Text(
        "这张纸已经有人答过了", "Somebody has answered for this paper already; nothing was printed."
    ),
    Reason.DRAWER_SHUT: Text(
        "打印机有问题，钱箱没有弹开，请用钥匙打开",
        "The drawer did not open, for the printer is in trouble. Open it with its key.",
    ),
    Reason.WITNESS_FAILED: Text(
        "防回滚计数写不进去，收款照常，请通知维护人员",
        "The count that guards the coupon rights cannot be written. Selling goes on; tell whoever looks after the box.",
    ),
    Reason.AMOUNT_TOO_LARGE: Text(
        "金额超出上限，请核对后分笔收款", "The amount is above the limit. Check it, and split the sale."
    ),
    Reason.TOO_LITTLE_CASH: Text("现金不够，请再收一些", "Too little cash. Ask for the rest."),
    Reason.BASKET_FULL: Text("商品太多，请先结这一单", "The basket is full. Settle this sale first."),
    Reason.PAYMENT_UNDER_WAY: Text("正在收款，请等结果", "A payment is under way. Wait for its result."),
    Reason.ASK_UNDER_WAY: Text("正在核对优惠券，请稍等", "The coupon is being checked. Wait a moment."),
    Reason.UNKNOWN_SALE: Text(
        "本机没有这一单，请到原收银台处理", "This box has no such sale. Go to the till that made it."
    ),
    Reason.ALREADY_VOIDED: Text("这一单已撤销或已退完", "This sale is already voided or refunded in full."),
    Reason.PARTLY_REFUNDED: Text(
        "这一单已退过一部分，不能整单撤销，请退剩下的金额",
        "A part of this sale is refunded already, so it cannot be voided. Refund what is left.",
    ),
    Reason.REFUND_TOO_LARGE: Text("退款超过可退金额", "The refund is more than what is left to refund."),
    Reason.NOT_NOW: Text(
        "现在不能做这个操作，请先结束当前这一单", "This cannot be done now. Finish the current sale first."
    ),
    Reason.COUPON_ALREADY_ATTACHED: Text(
        "这一单已用了一张券，不能再用", "This sale already has a coupon. Only one can be used."
    ),
    Reason.COUPON_BELOW_THRESHOLD: Text(
        "没到满减门槛，再买一点就能用",
        "The sale is below the coupon's threshold. It can be used once more is bought.",
    ),
    Reason.COUPON_SPENT: Text("这张券已经用过", "This coupon has already been used."),
    Reason.COUPON_HELD_ELSEWHERE: Text(
        "这张券的核销权在另一台盒子上，请到那台核销",
        "Another box holds the right to redeem this coupon. Use it there.",
    ),
    Reason.COUPON_UNKNOWN: Text("没有这个券", "There is no such coupon."),
    Reason.NO_RIGHT: Text(
        "这种券已经发完或没有可用的核销权，请按原价收款",
        "No right to redeem this coupon is left to give. Sell at full price.",
    ),
    Reason.NO_RIGHT_OFFLINE: Text(
        "断网中，本机没有这张券的核销权；联网后可用，或先按原价收款",
        "The line is down and this box holds no right to redeem it. Use it when the line is back, or sell at full price.",
    ),
    Reason.RIGHTS_FROZEN: Text(
        "盒子刚重启，核销权要联网确认后才能用；请先按原价收款",
        "The box has restarted and its rights wait for the core. Sell at full price, or wait for the line.",
    ),
    Reason.RIGHTS_SHARE_USED: Text(
        "这台盒子持有的该券核销权已到上限，请换一台收银，或按原价收款",
        "This box holds as many rights to this coupon as one box may. Use another till, or sell at full price.",
    ),
    Reason.OFFLINE_PAYMENT_CODE: Text(
        "断网时不能收付款码，请收现金，或等网络恢复",
        "Payment codes need the line, and it is down. Take cash, or wait for the line.",
    ),
    Reason.PAYMENT_DECLINED: Text(
        "付款没有成功，也没有扣款，请顾客换一种方式",
        "The payment did not go through, and nothing was charged. Ask for another way to pay.",
    ),
    Reason.PAYMENT_REVERSED: Text(
        "付款已撤销，没有收钱，请重新收款",
        "The payment was reversed and no money was taken. Take the payment again.",
    ),
    Reason.PAYMENT_UNKNOWN: Text(
        "付款结果还不知道，请不要重复收款；系统会查到底",
        "The result is not known yet. Do not charge again; the core will find out.",
    ),
    Reason.REFUND_NEEDS_LINE: Text(
        "原路退款要联网，请等网络恢复", "A refund to the wallet needs the line. Wait until it is back."
    ),
    Reason.CORE_SILENT: Text(
        "云端没有回答，请再试一次或收现金", "The core did not answer. Try again, or take cash."
    ),
    Reason.DISK_FULL: Text(
        "盒子存储快满，不能再记账，请联系维护",
        "The box's disk is nearly full and it cannot record sales. Call the engineer.",
    ),
    Reason.JOURNAL_BROKEN: Text(
        "盒子的账本出错，已停止收款，请联系维护",
        "The box's journal is damaged and it stopped selling. Call the engineer.",
    ),
    Reason.PRINTER_TROUBLE: Text(
        "打印机有问题，交易已记账；修好后会自动打出来",
        "The printer is in trouble. The sale is recorded, and its paper comes when the printer is mended.",
    ),
    Reason.QUEUE_FULL: Text("操作太快，请稍等再试", "Too many things at once. Wait a moment and try again."),
    Reason.NOT_A_CLAIM: Text(
        "这不是安装单上的码，请扫安装单",
        "This is not the code of a claim sheet. Show the claim sheet.",
    ),
    Reason.CLAIM_UNKNOWN: Text(
        "云端没有这张安装单，请核对后重新输入，或换一张",
        "The core knows no such claim. Compare the letters and type them again, or take another sheet.",
    ),
    Reason.CLAIM_USED: Text(
        "这张安装单已经用过了，请换一张；要换机请用换机单",
        "This claim has been used. Take another sheet; to exchange a box, ask for a replacement's sheet.",
    ),
    Reason.CLAIM_EXPIRED: Text(
        "这张安装单已过期，请让总部延期或重新打印",
        "This claim has expired. Ask head office to extend it or to print another.",
    ),
    Reason.CLAIM_REVOKED: Text("这张安装单已被作废，请换一张", "This claim was revoked. Take another sheet."),
    Reason.CLAIM_OTHER_FLEET: Text(
        "这是别家系统的安装单，本机不能用",
        "This claim belongs to another fleet. Take a sheet of the fleet that this box was made for.",
    ),
    Reason.CLAIM_NEEDS_LINE: Text(
        "手工输入的码要联网才能核对，请接上网络，或扫安装单",
        "A typed claim needs the line. Connect the box, or show it the sheet itself.",
    ),
    Reason.CLAIM_NEEDS_SHEET: Text(
        "本机没有设置云端地址，手工输入的码用不了，请扫安装单",
        "This box was not told where a typed claim asks. Show it the sheet itself.",
    ),
    Reason.POSITION_HELD: Text(
        "这个收银位已有盒子，换机请先在控制台点“换机”",
        "This position has a box. To exchange it, say so on the console first.",
    ),
    Reason.POSITION_UNKNOWN: Text(
        "没有计划过这个收银位，请先在控制台增加", "This position was never planned. Plan it first."
    ),
    Reason.POSITION_EMPTY: Text(
        "这个收银位还没有盒子，请用安装单，不用换机",
        "This position has no box yet. Use a claim; there is nothing to replace.",
    ),
    Reason.SLIP_OF_ANOTHER: Text(
        "扫到的凭条不是这台盒子的，请扫它打出的开机凭条",
        "The slip is not this box's. Scan the birth slip that it printed.",
    ),
    Reason.NOT_ALLOWED: Text(
        "您的账号没有这个权限，请找管理员", "Your role may not do this. Ask an administrator."
    ),
    Reason.STORE_FULL: Text(
        "这家店计划的收银位都已装满，请在控制台增加收银位",
        "Every planned position of this store has a box. Plan another one on the console.",
    ),
    Reason.REQUEST_WRONG: Text(
        "盒子的证书请求不对，请重新启动后再试",
        "The box's request for a certificate is not right. Restart it and try again.",
    ),
    Reason.BOX_UNKNOWN: Text(
        "云端不认识这台盒子，请扫一张安装单",
        "The core does not know this box. Show it a claim sheet.",
    ),
    Reason.BOX_ELSEWHERE: Text(
        "这台盒子已装在别的收银位，请先让它退役",
        "This box stands at another position. Retire it there first.",
    ),
    Reason.BOX_REPLACED: Text(
        "这台盒子已被换下，不能再收银；请让它联网交完旧账",
        "This box was replaced and sells no more. Leave it on and connected until its records are in.",
    ),
    Reason.DRAINED: Text(
        "总部已停用本收银台，正在交出全部记录；请到别的收银台收款，不要关机",
        "Head office has stopped this till; it hands in what it has. Sell at another till, and leave this one on.",
    ),
    Reason.QUARANTINED: Text(
        "本收银台已被总部隔离，暂不收款；请联系总部",
        "Head office has put this till in quarantine. Sell at another till, and call them.",
    ),
    Reason.COMMAND_UNKNOWN: Text(
        "没有这个命令，盒子软件可能太旧",
        "There is no such command here; newer software may know it.",
    ),
    Reason.COMMAND_WRONG: Text(
        "命令的参数不对，请改正后重发", "The command's parameters are wrong. Mend them and send it again."
    ),
    Reason.NO_BOX_THERE: Text(
        "那里没有在用的盒子，请核对收银位或盒子编号",
        "No box in service is there. Look the place or the box up, and send it again.",
    ),
    Reason.OVER_BUDGET: Text(
        "涉及的盒子超出上限，什么也没有发送；请缩小范围或提高上限",
        "It would reach more boxes than its budget allows, so nothing was sent. Name fewer, or raise the budget.",
    ),
    Reason.SAME_PERSON: Text(
        "需要另一个人批准，不能由发起人自己批准",
        "Somebody else has to approve it: you have asked for it yourself.",
    ),
    Reason.SECOND_PERSON: Text(
        "一小时内命令或停用的盒子超过一个人可独自决定的数量；命令请用批量发送，由另一个人批准；其余盒子请由另一位操作员停用",
        "Within an hour that is more boxes than one person may command or put out alone. Send a command as a bulk, which somebody else approves; have another operator put out the rest.",
    ),
    Reason.BULK_UNKNOWN: Text(
        "没有这批命令，请核对编号", "There is no bulk of that id. Look it up in the list of bulks."
    ),
    Reason.BULK_OVER: Text(
        "这批命令已经批准、停止或完成",
        "That bulk was approved, stopped or done before; look at where it stands.",
    ),
    Reason.BOX_RETIRED: Text(
        "这台盒子已退役；要再用请联系总部", "This box was retired. Call head office if it is to sell again."
    ),
    Reason.BOX_UNSYNCED: Text(
        "这台盒子还有没上交的记录，不能退役。请让它联网，或用“找回”",
        "This box has records that are not in yet. Let it reach the core, or rescue them; then retire it.",
    ),
    Reason.RESCUE_NEEDS_LINE: Text(
        "这台盒子没联网，交不了旧盒子的记录，联网后请再扫一遍",
        "This box has no line to hand the old box's records in. Connect it, then scan them again.",
    ),
    Reason.RANGE_OPEN: Text(
        "还缺这些记录，请先找回，或注明原因核销",
        "These records are still missing. Rescue them, or write them off and say why.",
    ),
    Reason.NOT_A_SLIP: Text(
        "这不是我们小票上的码，请换一张", "This is not the code of a slip of ours. Take another."
    ),
    Reason.BOX_REVOKED: Text(
        "这台盒子已被停用，请联系总部", "This box was taken out of service. Call head office."
    ),
    Reason.PROVISIONAL_SALE: Text(
        "盒子还没联网开通，单笔金额超过上限；请接上网络，或分开结账",
        "The box has not reached the core yet, and this sale is above what it may take alone. Connect it, or sell in parts.",
    ),
    Reason.PROVISIONAL_TOTAL: Text(
        "盒子还没联网开通，累计金额已到上限，请先接上网络",
        "The box has not reached the core yet and has sold what it may alone. Connect it.",
    ),
    Reason.SETTINGS_WRONG: Text(
        "下发的设置有误，没有采用，请在控制台改正",
        "The settings sent to this box are not right and were not taken. Mend them on the console.",
    ),
    Reason.SETTINGS_UNCONFIRMED: Text(
        "换到新线路后 5 分钟内联系不上云端，已自动换回",
        "With its line changed the box could not reach the core for five minutes, and went back by itself.",
    ),
    Reason.NOTHING_TO_UNDO: Text(
        "这一级还没有做过设置，没有可撤销的",
        "This level has never decided anything. There is nothing to undo.",
    ),
    Reason.DECIDED_MEANWHILE: Text(
        "这一级刚被别人改过。请看看改了什么，再决定一次",
        "Somebody else has decided this level meanwhile. Look at what they changed, then decide again.",
    ),
    Reason.VIEWS_FULL: Text(
        "保存的视图已满，请先删掉一个",
        "No room for another saved view. Drop one first.",
    ),
    Reason.NOT_UNDERSTOOD: Text(
        "消息看不懂，已拒绝并计数", "The message was not understood. It was refused and counted."
    ),
    Reason.FUTURE_VERSION: Text(
        "消息来自更新的版本，请先升级", "The message is of a newer version. Update this side first."
    ),
    Reason.FOREIGN_DEVICE: Text(
        "消息是给另一台设备的，已拒绝", "The message belongs to another device and was refused."
    ),
    Reason.CHAIN_BROKEN: Text(
        "记录链断了，已隔离，请检查这台盒子",
        "The chain of records is broken. The box is set aside; look at it.",
    ),
    Reason.ID_REUSED: Text(
        "同一个编号带着不同内容，已拒绝", "The same id came with other content and was refused."
    ),
    Reason.SEQUENCE_GAP: Text(
        "中间缺了记录，等盒子重发", "Records are missing in between; the box will send them again."
    ),
    Reason.SHELL_UNKNOWN: Text(
        "没有这个远程命令行，或已结束，或不是您的",
        "There is no such remote shell, it is over, or it is not yours.",
    ),
    Reason.SHELL_EARLY: Text(
        "问题刚刚出现：先看清楚，再按一次", "The question came up only just now: read it, then press again"
    ),
    Reason.SHELL_BUSY: Text(
        "这台盒子已有一个远程命令行，或打开的太多",
        "This box has a remote shell already, or too many are open. End one first.",
    ),
    Reason.SHELL_BEHIND: Text(
        "盒子还没有收下之前输入的内容，请稍等", "The box has not taken what was typed before. Wait a moment."
    ),
    Reason.SHELL_FOREIGN: Text(
        "不是这个远程命令行的消息，已拒绝", "It is not of this remote shell, and was refused."
    ),
    Reason.TOO_LARGE: Text("消息太大，已拒绝", "The message is too large and was refused."),
    Reason.ENOUGH_TODAY: Text(
        "这台已停用的盒子今天上交的记录已到上限，明天再交，不会丢失",
        "This box was put out, and has handed in what it may in a day. Nothing is lost: hand the rest in tomorrow.",
    ),
}
