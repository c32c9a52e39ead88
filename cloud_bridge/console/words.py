"""Every fixed word of the console, in Chinese and English."""

from __future__ import annotations

from tillbox.cloud_bridge.alarms import TEXTS as ALARM_TEXTS
from tillbox.cloud_bridge.alarms import Alarm
from tillbox.contracts.alerts import text_of
from tillbox.contracts.commands import SAYS, Verb
from tillbox.contracts.updates import BLOCKER_TEXTS, Blocker
from tillbox.contracts.verdicts import TEXTS, Reason, Text

WORDS: dict[str, Text] = {
    "sales": Text("交易", "Sales"),
    "sale": Text("交易", "Sale"),
    "boxes": Text("盒子", "Boxes"),
    "coupons": Text("优惠券", "Coupons"),
    "beside": Text("旁录", "Beside"),
    "beside_what": Text(
        "别的收银软件打出的小票（不入账），以及没有交易的开钱箱",
        "Papers of other tills that were read (none of it is in the book), and drawers opened without a sale.",
    ),
    "what": Text("内容", "What"),
    "drawer_opened": Text("开钱箱", "drawer opened"),
    "reconciled": Text("已核对", "reconciled"),
    "unreconciled": Text("未核对", "unreconciled"),
    "no_receipt": Text("不是小票", "no receipt"),
    "refund": Text("退货", "refund"),
    "void": Text("作废", "void"),
    "reprint": Text("补打", "reprint"),
    "prebill": Text("预结", "pre-bill"),
    "kitchen": Text("后厨", "kitchen"),
    "nothing": Text("空", "nothing"),
    "trouble": Text("异常", "Trouble"),
    "field": Text("验收", "Accept"),
    "visit": Text("现场", "On site"),
    "visit_what": Text(
        "收银位、店名、盒子编号，或凭条上的网址", "A place, a shop, a box, or the address on its slip"
    ),
    "more_letters": Text("还有更多，请再多输几个字", "There are more. Type a little more of it."),
    "ask_operator": Text(
        "换盒子要一张新的激活码：请总部的操作员开一张",
        "To put another box here, ask head office for a claim.",
    ),
    "provision": Text("开通", "Set up"),
    "recording": Text("远程命令行的录像", "Recording of a remote shell"),
    "shells": Text("远程命令行", "Remote shells"),
    "shell_last": Text("只显示最后一部分", "These are the last lines of it."),
    "audit": Text("操作记录", "Audit log"),
    "subject": Text("对象（盒子、收银位……）", "Subject (a box, a place …)"),
    "who": Text("谁", "Who"),
    "place": Text("收银位", "Place"),
    "places": Text("收银位", "Places"),
    "store": Text("门店", "Store"),
    "lane": Text("收银位", "Lane"),
    "lanes": Text("收银位数", "Lanes"),
    "group": Text("分组", "Group"),
    "every_group": Text("全部分组", "Every group"),
    "shop_name": Text("店名", "Shop's name"),
    "names_how": Text(
        "门店、收银位和分组用小写字母、数字、- 和 _，例如 store17",
        "Store, lane and group: small letters, digits, - and _, such as store17.",
    ),
    "search": Text("查找", "Search"),
    "search_what": Text("收银位、店名或盒子", "A place, a shop or a box"),
    "by_store": Text("按门店", "By store"),
    "by_place": Text("按收银位", "By place"),
    "every_box": Text("显示全部", "Show all"),
    "all_places": Text("收银位", "places"),
    "empty": Text("没有盒子", "no box"),
    "unaccepted": Text("未验收", "not accepted"),
    "put_out": Text("已换下、未结清", "put out, not closed"),
    "unplaced": Text("没有收银位", "without a place"),
    "none_such": Text("没有符合的", "There is none like that."),
    "further": Text("后面的", "Further"),
    "view_name": Text("给这个视图起个名", "A name for this view"),
    "save_view": Text("保存视图", "Save this view"),
    "drop_views": Text("管理保存的视图", "Saved views"),
    "drop": Text("删除", "Drop"),
    "missing_records": Text("缺的记录", "Records missing"),
    "missing_in": Text(
        "盒子已记下、还没交上来。它联网后会自己补交",
        "The box holds them and has not handed them in. It does so by itself once it has a line.",
    ),
    "missing_out": Text(
        "先找回：插上盒子导出的优盘，或在任何一台盒子上扫它的小票。实在找不回，注明原因后核销",
        "Rescue them first: by the box's own stick, or scan its slips at any box. What cannot be had is written off, and why.",
    ),
    "slips": Text("凭条", "Slips"),
    "slip_codes": Text("小票上的码，每行一个", "The codes on its slips, one in a line"),
    "take_slips": Text("补录凭条", "Take the slips in"),
    "slip_new": Text("已入账", "It is in the book now."),
    "slip_known": Text("早已入账", "It was in the book already."),
    "ended": Text("结束", "Ended"),
    "range_closed": Text("已结清", "Closed"),
    "acts": Text("可以做的", "What can be done"),
    "nothing_open": Text("这台盒子已经了结", "Nothing is open with this box."),
    "sure": Text("我确定", "I am sure"),
    "why": Text("原因", "Why"),
    "replace_box": Text("换一台盒子", "Replace this box"),
    "replace_what": Text(
        "开一张激活码给新盒子。新盒子出示它之前，旧盒子照常收银",
        "Makes a claim for the new box. The old one goes on selling until the new one has shown it.",
    ),
    "retire_box": Text("退役", "Retire this box"),
    "retire_what": Text(
        "记录全部交齐的盒子才能退役，之后它不能再收银",
        "Only a box whose records are all in can be retired. It sells no more.",
    ),
    "revoke_box": Text("吊销", "Shut this box out"),
    "revoke_what": Text(
        "立刻断开，证书作废。丢失或被盗时用；它没交的记录以后仍可找回",
        "Cuts it off at once and voids its certificate: for a box that was lost or stolen. What it had not handed in can still be rescued.",
    ),
    "close_range": Text("结清", "Close"),
    "close_what": Text(
        "记录已交齐。结清后不再接受这台盒子的任何记录",
        "All of its records are in. Nothing of it is taken after this.",
    ),
    "write_off": Text("核销缺的记录", "Write off what is missing"),
    "write_off_what": Text(
        "缺的记录将不再等待，之后也不再接受。原因会写进操作记录",
        "Nobody waits for the missing records any more, and they are not taken later. The reason goes into the audit log.",
    ),
    "claim": Text("激活码", "Claim"),
    "claims": Text("激活码", "Claims"),
    "claims_once": Text(
        "激活码只显示这一次，请马上打印或拿给盒子扫",
        "A claim is shown this once. Print it, or hold it before the box now.",
    ),
    "claim_how": Text(
        "把这个码放到新盒子的摄像头或扫码枪前；扫不了就在屏幕上输入字母",
        "Hold this code before the new box's camera or scanner; or type the letters on its screen.",
    ),
    "good_until": Text("有效至", "Good until"),
    "make_claim": Text("开激活码", "Make claims"),
    "plan_place": Text("计划收银位", "Plan a place"),
    "claim_places": Text(
        "收银位（如 s1/l1）或整个门店（如 s1）", "Places (such as s1/l1), or a whole store (s1)"
    ),
    "claim_uses": Text("门店激活码可用的台数", "For a store: how many boxes"),
    "claim_days": Text("有效天数", "Good for how many days"),
    "claim_open": Text("可用", "open"),
    "claim_used": Text("已用", "used"),
    "claim_expired": Text("已过期", "expired"),
    "claim_revoked": Text("已作废", "revoked"),
    "extend_claim": Text("延长 30 天", "Good for 30 more days"),
    "revoke_claim": Text("作废", "Revoke"),
    "revoke_claim_what": Text(
        "纸上的码不再能用；已经开通的盒子不受影响",
        "The sheet lets nobody in any more. Boxes that are in stay in.",
    ),
    "replaces": Text("换盒子", "replaces"),
    "stage_planned": Text("已计划", "planned"),
    "stage_claimed": Text("有激活码", "has a claim"),
    "stage_testing": Text("待验收", "to be accepted"),
    "stage_accepted": Text("已验收", "accepted"),
    "forbidden": Text("没有完成", "Not done"),
    "way_back": Text("返回", "Back"),
    "slip_own": Text("凭条属实", "the slip is this box's"),
    "slip_other": Text("没有扫这台盒子的凭条", "this box's slip was not scanned"),
    "self_test": Text("自检", "self-test"),
    "no_self_test": Text("还没有自检结果", "no self-test yet"),
    "accepted": Text("已验收", "Accepted"),
    "accept": Text("验收通过", "Accept this box"),
    "note": Text("备注", "Note"),
    "hardware": Text("机器", "Machine"),
    "software": Text("软件", "Software"),
    "release": Text("运行版本", "Runs release"),
    "next_release": Text("下一版本", "Next release"),
    "back_from": Text("已退回，放弃", "Went back from"),
    "certificate_until": Text("证书有效至", "Certificate until"),
    "live": Text("现场画面", "Live"),
    "live_what": Text(
        "只能看，不能按。看屏幕时，收银员的屏幕上会写明；时间一到自动结束",
        "Nothing can be pressed here. While its screen is watched, the cashier's screen says so. It ends by itself.",
    ),
    "watched_screen": Text("收银屏幕", "The till's screen"),
    "watched_log": Text("日志", "Log"),
    "watch_for": Text("看", "Watch for"),
    "minutes": Text("分钟", "minutes"),
    "watch_end": Text("停止观看", "Stop watching"),
    "watch_until": Text("到", "until"),
    "watch_none": Text("没有在看", "not watched"),
    "watch_on": Text("正在看", "live"),
    "watch_asked": Text("已请求，等盒子回答", "asked, the box has not answered yet"),
    "watch_away": Text("盒子不在线，联网后才会显示", "the box is not online; it shows it once it is back"),
    "watch_busy": Text("盒子正在交记录，交完再显示", "the box hands in its records first"),
    "watch_silent": Text("还没有收到画面", "nothing has come yet"),
    "watch_refused": Text("盒子没有照办，软件可能太旧", "the box did not; its software may be too old"),
    "no_screen": Text("没有画面", "There is no picture."),
    "no_lines": Text("没有日志", "There are no lines."),
    "lines_lost": Text("行没有收到", "lines did not come through."),
    "level": Text("级别", "Level"),
    "level_all": Text("全部", "every line"),
    "level_warning": Text("警告以上", "warnings and errors"),
    "level_error": Text("仅错误", "errors"),
    "log_text": Text("包含的文字", "Letters in it"),
    "patterns": Text("样式", "Patterns"),
    "all_sales": Text("全部交易", "All sales"),
    "account": Text("账户", "Account"),
    "login": Text("登录", "Log in"),
    "logout": Text("退出", "Log out"),
    "name": Text("用户名", "Name"),
    "password": Text("密码", "Password"),
    "wrong": Text("用户名或密码不对，请再试", "The name or the password is wrong. Try again."),
    "stale": Text(
        "云端没有回应，下面的数字可能已经过时",
        "The core does not answer. What stands below may be old.",
    ),
    "wait": Text("试错太多，请等一分钟", "Too many wrong tries. Wait a minute."),
    "language": Text("English", "中文"),
    "time": Text("时间", "Time"),
    "box": Text("盒子", "Box"),
    "number": Text("单号", "No."),
    "tender": Text("支付", "Paid by"),
    "amount": Text("金额", "Amount"),
    "total": Text("合计", "Total"),
    "discount": Text("优惠", "Discount"),
    "state": Text("状态", "State"),
    "cash": Text("现金", "Cash"),
    "merchant_scan": Text("付款码", "Wallet code"),
    "offline": Text("离线成交", "sold offline"),
    "voided": Text("已撤销", "voided"),
    "refunded": Text("已退", "refunded"),
    "none": Text("还没有", "Nothing yet."),
    "older": Text("更早", "Older"),
    "online": Text("在线", "online"),
    "offline_box": Text("离线", "offline"),
    "lost": Text("失联", "lost"),
    "since": Text("自", "Since"),
    "pending": Text("待上传", "To hand in"),
    "oldest": Text("最早未上传", "Oldest not handed in"),
    "records": Text("记录", "Records"),
    "journal": Text("账本", "Journal"),
    "proven": Text("完整", "complete"),
    "rolled_back": Text("换过旧卡", "from an older medium"),
    "unheard": Text("未知", "not heard"),
    "alarms": Text("告警", "Alarms"),
    "heard": Text("最近一次上报", "Last heard"),
    "disk": Text("剩余空间", "Free disk"),
    "boots": Text("启动记录", "Its starts"),
    "held_to": Text("已收到", "held up to"),
    "local_refused": Text("盒子自己拒绝的", "Refused at the box since it started"),
    "cash_account": Text("钱箱账户", "Cash account"),
    "today": Text("今天", "Today"),
    "sold": Text("成交", "sold"),
    "of_it_cash": Text("现金，减去退回", "cash, less what went back"),
    "taken_back": Text("撤销与退款", "taken back"),
    "sold_offline": Text("离线成交", "sold offline"),
    "issued": Text("发行", "Issued"),
    "free": Text("未分配", "Nobody holds"),
    "leased": Text("盒子持有", "Held by boxes"),
    "redeemed": Text("已核销", "Redeemed"),
    "leases": Text("核销权租约", "Leases of rights"),
    "range": Text("号段", "Numbers"),
    "left": Text("剩余", "Left"),
    "expires": Text("到期", "Expires"),
    "held": Text("持有", "held"),
    "closed": Text("已交回", "given back"),
    "lost_lease": Text("已作废", "void"),
    "postings": Text("分录", "Postings"),
    "balanced": Text("借贷平衡", "Every unit sums to zero"),
    "unbalanced": Text("不平！", "It does not sum to zero!"),
    "record": Text("盒子的记录", "The box's record"),
    "payment": Text("付款过程", "The payment's life"),
    "reversals": Text("撤销与退款", "Voids and refunds"),
    "lines": Text("商品", "Lines"),
    "open_payments": Text("未了结的付款", "Payments that have not ended, or that no sale took up"),
    "refused": Text("被拒的消息", "Messages refused"),
    "receipt": Text("小票", "Your receipt"),
    "receipt_later": Text(
        "还没有收到这一单；离线成交的单要等盒子联网后才能看到",
        "This sale has not arrived yet. A sale made offline shows here once the box is online again.",
    ),
    "boxes_away": Text(
        "失联的盒子：看电源和网线；离线期间照常收现金",
        "Boxes that are away: look at their power and line. A box without a line goes on selling for cash.",
    ),
    "all_well": Text("一切正常", "All is well."),
    "missing": Text("没有这个页面", "There is no such page."),
    "back": Text("回到交易列表", "Back to the sales"),
    "received": Text("收到", "Received"),
    "alerts": Text("提醒", "Alerts"),
    "every_alert": Text("全部提醒", "All alerts"),
    "weight_now": Text("马上", "now"),
    "weight_today": Text("今天", "today"),
    "weight_soon": Text("近日", "soon"),
    "worst_of": Text("只显示最急的", "The worst of them:"),
    "no_store": Text("整个系统，和没有收银位的盒子", "The whole fleet, and boxes without a place"),
    "as_of": Text("失联前", "as it said last,"),
    "lately": Text("最近", "Lately"),
    "last_cleared": Text("最近一次解除", "The last one was cleared"),
    "health": Text("状况", "Health"),
    "sort_worst": Text("最糟的在前", "Worst first"),
    "sort_name": Text("按编号", "By name"),
    "devices": Text("外设", "Devices"),
    "printer": Text("打印机", "printer"),
    "line": Text("时钟与网络", "Clock and line"),
    "promise": Text("离线还能做", "Alone it can still"),
    "waits_for": Text("已等", "for"),
    "flush": Text("写入", "flush"),
    "wear": Text("寿命已用", "card worn"),
    "clock": Text("时钟", "clock"),
    "traffic": Text("开机以来", "since its start"),
    "commands": Text("命令", "Commands"),
    "command": Text("命令", "Command"),
    "every_command": Text("全部命令", "All commands"),
    "one_box": Text("盒子编号或收银位", "A box's name, or its place"),
    "to_many": Text("给很多盒子", "For many boxes"),
    "command_box": Text("命令", "Command"),
    "command_how": Text(
        "要给一台盒子发命令：在上面填它的编号或收银位，或打开它的页面",
        "To command a box, look for its name or place above, or open its page.",
    ),
    "send": Text("发送", "Send"),
    "life_held": Text("还没发出", "not sent yet"),
    "life_sent": Text("已发出", "sent"),
    "life_blocked": Text("等待时机", "waits"),
    "life_executing": Text("进行中", "under way"),
    "life_successful": Text("完成", "done"),
    "life_failed": Text("失败", "failed"),
    "life_unheard": Text("没有回音", "not heard"),
    "life_called_off": Text("已取消", "called off"),
    "life_expired": Text("过期", "too late"),
    "asked_for": Text("要求", "Asked for"),
    "sends": Text("已发次数", "Times sent"),
    "steps": Text("经过", "Step by step"),
    "step_init": Text("盒子收到了", "The box has it"),
    "step_blocked": Text("等待时机", "It waits"),
    "step_executing": Text("开始执行", "It began"),
    "step_successful": Text("完成", "Done"),
    "step_failed": Text("失败", "It failed"),
    "step_expired": Text("盒子说：来不及了", "Too late, says the box"),
    "core_expired": Text("云端不再等", "The core waits no more"),
    "not_heard_yet": Text("盒子还没有回音", "Nothing was heard of it yet."),
    "result": Text("结果", "Result"),
    "more_of_box": Text("这台盒子的全部命令", "All commands of this box"),
    "bulks": Text("批量", "Bulks"),
    "bulk": Text("批量", "bulk"),
    "bulk_what": Text("让很多盒子做什么？", "What shall many boxes do?"),
    "scope_how": Text(
        "门店（store17）、收银位（store17/lane2）、分组（group:north），用空格隔开；* 是全部",
        "Stores (store17), places (store17/lane2), groups (group:north), with spaces between; * is all of them.",
    ),
    "care": Text("要多小心", "How carefully"),
    "bulk_look": Text("先看会到哪些盒子", "Look whom it reaches"),
    "bulk_look_what": Text("这一步什么也不发送", "Nothing is sent by that."),
    "bulk_preview": Text("预览，还没发送", "A preview: nothing was sent"),
    "of_boxes": Text("台盒子", "boxes"),
    "of_fleet": Text("占在用盒子", "of those in service"),
    "away": Text("不在线，上线后才收到", "away: they hear it once they are back"),
    "wave": Text("批次", "wave"),
    "waves": Text("分批", "Waves"),
    "bulk_again": Text("修改", "Change it"),
    "second_person": Text(
        "台数较多，要另一个人批准后才发送",
        "These are so many that a second person has to approve it before anything is sent.",
    ),
    "ask_approval": Text("请另一个人批准", "Ask for approval"),
    "send_now": Text("现在发送", "Send it now"),
    "reaches": Text("会到达", "Whom it reaches"),
    "bulk_awaiting": Text("等待批准", "awaits approval"),
    "bulk_running": Text("进行中", "running"),
    "bulk_stopped": Text("已停止", "stopped"),
    "bulk_done": Text("已结束", "over"),
    "bulk_awaiting_what": Text(
        "等另一个人批准，还没有发送；一天内有效",
        "It waits for a second person; nothing was sent. A day later it has to be asked for again.",
    ),
    "bulk_running_what": Text(
        "一批接一批。这一批都有结果后，或等够了时间，才轮到下一批；失败太多会自动停止",
        "Wave by wave. The next goes once all boxes of this one have ended, or were waited for long enough. Too many that fail stop it.",
    ),
    "bulk_stopped_what": Text(
        "不再发送。已发出的在盒子那里，会做完",
        "Nothing more is sent. What was sent is with its boxes, and is carried through.",
    ),
    "bulk_done_what": Text("各批都已发出并有了结果", "All waves went, and all their boxes have ended."),
    "approve_bulk": Text("批准", "Approve it"),
    "approve_bulk_what": Text(
        "就是下面这些盒子、这件事。批准后第一批马上发出",
        "Just what stands below, for just these boxes. The first wave goes at once.",
    ),
    "second_person_other": Text(
        "请另一位操作员打开这一页批准", "Have another operator open this page and approve it."
    ),
    "stop_bulk": Text("停止", "Stop it"),
    "stop_bulk_what": Text("还没发出的全部取消", "Calls off all that was not sent yet."),
    "wave_waits": Text("还没轮到", "Its turn has not come."),
    "reasons": Text("卡在哪里", "What keeps boxes from it"),
    "approved_by": Text("批准人", "Approved by"),
    "box_by_box": Text("逐台看", "Box by box"),
    "settings": Text("设置", "Settings"),
    "settings_what": Text(
        "越具体的一级越优先，一项一项地算：运营方、商户、分组、门店、收银位",
        "The narrower level counts, setting by setting: operator, tenant, group, store, place.",
    ),
    "level_operator": Text("运营方", "Operator"),
    "level_tenant": Text("商户", "Tenant"),
    "level_group": Text("分组", "Group"),
    "level_store": Text("门店", "Store"),
    "level_box": Text("收银位", "Place"),
    "level_search": Text("找分组、门店、收银位或店名", "Find a group, a store, a place or a shop"),
    "levels": Text("做过决定的各级", "Levels that have decided something"),
    "version": Text("版本", "Version"),
    "decides_nothing": Text("目前什么都不定", "decides nothing now"),
    "decided_never": Text("这一级还没有定过什么", "this level has never decided anything"),
    "decided_now": Text("已生效，版本", "Decided. This is version"),
    "shows_old": Text(
        "表单里是旧版本的内容，预览并确认后才生效：版本",
        "The form shows an older version. It counts once you have looked at what it changes and decided it: version",
    ),
    "look_at_fields": Text(
        "有几处填得不对，已在旁边注明；您填的都还在",
        "Something is not right yet; it says so beside the field. All that you typed is still there.",
    ),
    "decide_here": Text("由这一级决定", "Decide it here"),
    "inherits": Text("沿用自", "It has this from:"),
    "from_place": Text("收银位的店名", "the place's own name"),
    "from_product": Text("出厂默认", "the product's own"),
    "from_nobody": Text(
        "还没有哪一级决定；没有它，盒子收不到设置", "nobody decides it; without it a box gets no settings"
    ),
    "choice_zh": Text("中文", "Chinese"),
    "choice_en": Text("英文", "English"),
    "one_in_a_line": Text("每行一个", "One in each line."),
    "in_yuan": Text("元", "yuan"),
    "more_rows": Text("再加几行", "More rows"),
    "empty_rows": Text("要删掉一行，把它清空即可", "To take a row out, empty it."),
    "preview": Text("看看会改变什么", "See what would change"),
    "preview_what": Text("这一步还不会生效", "Nothing is decided yet."),
    "would_change": Text("会改变什么", "What would change"),
    "undo_would": Text("撤销会改变什么", "What undoing would change"),
    "places_would": Text("个收银位会得到别的设置", "places would get other settings"),
    "when_taken": Text(
        "盒子联网后几秒内收到，等没有顾客时才采用",
        "A box that is online gets them within seconds, and goes by them once nobody stands at its till.",
    ),
    "and_more": Text("没有列出的还有", "Not listed here:"),
    "more_lines": Text("项未列出", "more"),
    "stay": Text("项不变", "stay as they are"),
    "reordered": Text("只是顺序变了", "only their order changes"),
    "no_change": Text("没有变化", "nothing changes"),
    "decide": Text("确定，就这样", "Decide it so"),
    "edit_again": Text("回去再改", "Go on editing"),
    "undo": Text("撤销上一次决定", "Undo the last decision"),
    "undo_look": Text("撤销……", "Undo …"),
    "undo_what": Text(
        "先看会改变什么；上一个版本的内容重新生效",
        "First see what would change. What the version before said counts again.",
    ),
    "pin": Text("钉住这台盒子的设置", "Pin this box's settings"),
    "pin_what": Text(
        "盒子保持现在的全部设置，上面各级以后怎么改都不影响它",
        "The box keeps all that it has now, whatever the wider levels decide from now on.",
    ),
    "pinned": Text("已钉住", "pinned"),
    "unpin": Text("放开……", "Let go …"),
    "unpin_what": Text(
        "这个收银位自己什么都不定，全部沿用上面各级；先看会改变什么",
        "This place decides nothing of its own and takes everything from the wider levels. First see what would change.",
    ),
    "photo": Text("验收照片", "Photo at acceptance"),
    "photo_optional": Text("照片（可以不拍）：盒子和接线", "A photo, if you like: the box and its cables"),
    "photo_add": Text("加上照片", "Add the photo"),
    "photo_kept": Text("照片已保存", "The photo is kept."),
    "photo_not_kept": Text("验收已完成，照片没有保存：", "The box is accepted. Its photo was not kept:"),
    "ended_successful": Text("成功", "done"),
    "ended_failed": Text("失败", "failed"),
    "ended_expired": Text("过期没有执行", "its time ran out"),
    "timeline": Text("经过", "Timeline"),
    "every_kind": Text("全部", "All of it"),
    "kind_start": Text("启动", "Starts"),
    "kind_line": Text("联网", "There or away"),
    "kind_place": Text("收银位与证书", "Places and certificates"),
    "kind_settings": Text("设置", "Settings"),
    "kind_command": Text("命令", "Commands"),
    "kind_alert": Text("提醒", "Alerts"),
    "kind_trouble": Text("异常", "Trouble"),
    "kind_done": Text("操作", "Done by people"),
    "alert_raised": Text("出现", "raised"),
    "alert_cleared": Text("解除", "cleared"),
    "what_started": Text("启动", "Started"),
    "what_bound": Text("来到收银位", "Came to"),
    "what_accepted": Text("验收通过", "Accepted at"),
    "what_put_out": Text("离开收银位", "Put out of"),
    "what_closed": Text("已结清", "Closed for"),
    "what_certified": Text("得到证书", "Got the certificate"),
    "what_settings_made": Text("应当用的设置：版本", "Settings to have: version"),
    "what_settings_used": Text("盒子说在用的设置：版本", "It said that it uses settings version"),
    "what_command_made": Text("下达命令", "Commanded"),
    "what_command_ended": Text("命令结束", "Command ended"),
    "twin_same": Text("已采用", "as it should be"),
    "twin_behind": Text("还没采用", "not taken yet"),
    "twin_refused": Text("盒子没有采用", "Refused by the box"),
    "twin_unheard": Text("盒子没说过", "the box has not said"),
    "twin_wanted": Text("应当用", "To have"),
    "twin_used": Text("正在用", "Says it uses"),
    "twin_own": Text("这一收银位自己决定的", "Decided for this place"),
    "twin_between": Text("两者差在哪里", "What lies between the two"),
    "twin_patch": Text(
        "同样的内容，可以复制（点一下就全选）", "The same to copy; one click selects all of it."
    ),
    "twin_page": Text("这个收银位的设置", "This place's settings"),
    "history": Text("历史", "History"),
    "look_at_version": Text("打开这个版本", "Open this version"),
}


FIELDS: dict[str, Text] = {
    "why": Text("原因，收银员会看到", "Why: the cashier reads it"),
    "sale": Text("交易编号；不填是最后一单", "The sale's id; the last one, if empty"),
    "release": Text("版本，例如 0.2.0", "The release, such as 0.2.0"),
    "minutes": Text("最多等几分钟", "Good for how many minutes"),
    "scope": Text("给谁", "For whom"),
    "max_percent": Text("最多占在用盒子的百分之几", "At most so many percent of the fleet"),
    "max_boxes": Text("最多几台", "At most so many boxes"),
    "stop_if_failed": Text("允许几台失败，再多就停", "So many may fail; one more stops it"),
    "waves": Text("分批，累计百分比", "Waves, percent of the boxes in all"),
    "patience_minutes": Text(
        "一批最多等没有回音的盒子几分钟", "A wave waits for silent boxes so many minutes"
    ),
    "rest_minutes": Text("两批之间歇几分钟", "Minutes of rest between two waves"),
}
"""Fields of forms that are made from what an act takes, by its names for them."""

STATES: dict[str, Text] = {
    "ready": Text("正常", "ready"),
    "paper_near_end": Text("纸将用完", "paper low"),
    "paper_out": Text("缺纸", "paper out"),
    "cover_open": Text("盖子开着", "cover open"),
    "cutter_jam": Text("切刀卡住", "cutter jam"),
    "ribbon_out": Text("碳带用完", "ribbon out"),
    "paused": Text("已暂停", "paused"),
    "broken": Text("故障", "broken"),
    "silent": Text("没有回应", "silent"),
    "lost": Text("找不到", "not there"),
    "overrun": Text("读数太长", "overrun"),
    "unreadable": Text("读数损坏", "unreadable"),
    "blind": Text("看不清", "sees nothing"),
}
"""How a device is, by the box's own word (hardware/ports.py)."""

FACTS: dict[str, Text] = {
    "sale": Text("成交", "sale"),
    "void": Text("撤销", "void"),
    "refund": Text("退款", "refund"),
    "channel_paid": Text("钱包已收款", "paid at the wallet"),
    "channel_refund": Text("钱包已退款", "sent back by the wallet"),
    "channel_reversed": Text("钱包已撤销", "reversed at the wallet"),
    "lease_grant": Text("发放核销权", "rights given out"),
    "lease_close": Text("交回核销权", "rights given back"),
    "issue": Text("发行优惠券", "coupons issued"),
    "applied": Text("已入账", "posted"),
    "replay": Text("重复送达，已有", "came again, held already"),
    "created": Text("已登记", "noted"),
    "submitted": Text("已提交", "submitted"),
    "user_paying": Text("顾客输入密码中", "the customer is paying"),
    "unknown": Text("结果未知", "unknown"),
    "paid": Text("已付", "paid"),
    "declined": Text("未成功", "declined"),
    "reversing": Text("撤销中", "being reversed"),
    "reversed": Text("已撤销", "reversed"),
}
"""Kinds of transactions, outcomes of records and states of payments."""


def fact_text(name: str, language: str) -> str:
    """A fact of the book in words: a reason where it is one, the name itself where it is of a newer version."""
    return FACTS[name].say(language) if name in FACTS else reason_text(name, language)


def field_text(name: str, language: str) -> str:
    """A field in words; the name itself where it is of a newer version."""
    return FIELDS[name].say(language) if name in FIELDS else name.replace("_", " ")


def verb_text(verb: str, language: str) -> str:
    """What a verb does; the verb itself where it is of a newer version."""
    return SAYS[Verb(verb)].say(language).rstrip(".") if verb in set(Verb) else verb


def state_text(state: str, language: str) -> str:
    """How a device is; the box's own word where it is of a newer version, with what cannot be seen left out."""
    if state in STATES:
        return STATES[state].say(language)
    return "".join(one for one in state.replace("_", " ") if one.isprintable())


def word(name: str, language: str) -> str:
    """A word of the console; KeyError for one that is not in the table."""
    return WORDS[name].say(language)


def reason_text(name: str, language: str) -> str:
    """What a reason means; the name itself where it is of a newer version."""
    return TEXTS[Reason(name)].say(language) if name in set(Reason) else name


def because_text(reason: str, language: str) -> str:
    """What a box gave as its reason. Boxes say one sentence, in English; what they wait for is known in both languages."""
    return _BECAUSE[reason].say(language) if reason in _BECAUSE else reason


_BECAUSE = {text.en: text for text in BLOCKER_TEXTS.values()}


def blocker_text(name: str, language: str) -> str:
    """What an update waits for; the name itself where it is of a newer version."""
    return BLOCKER_TEXTS[Blocker(name)].say(language) if name in set(Blocker) else name


def alert_text(name: str, language: str) -> str:
    """What an alert means, and what to do."""
    return text_of(name).say(language)


def alarm_text(name: str, language: str) -> str:
    """What an alarm means; the name itself where it is of a newer version."""
    return ALARM_TEXTS[Alarm(name)].say(language) if name in set(Alarm) else name
