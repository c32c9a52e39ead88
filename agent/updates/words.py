"""Why a release is refused or rolled back, in the words of the people who will read it: an operator, a cashier."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tillbox.contracts.verdicts import Text


class Why(StrEnum):
    """A closed list: a reason that is not here cannot be given."""

    # what was published
    UNREACHABLE = "unreachable"
    INCOMPLETE = "incomplete"
    UNSIGNED = "unsigned"
    DAMAGED = "damaged"
    EXPIRED = "expired"
    ROLLED_BACK = "rolled_back"
    MIXED = "mixed"
    CLOCK_UNKNOWN = "clock_unknown"
    # the release
    NOT_OFFERED = "not_offered"
    DOWNGRADE = "downgrade"
    TOO_FAR = "too_far"
    OTHER_HARDWARE = "other_hardware"
    OTHER_LIBRARIES = "other_libraries"
    TOO_LARGE = "too_large"
    FAILED_BEFORE = "failed_before"
    INTERRUPTED = "interrupted"
    TAMPERED = "tampered"
    NO_ROOM = "no_room"
    # what it answered
    NO_ANSWER = "no_answer"
    SELLS_WRONGLY = "sells_wrongly"
    PRINTS_WRONGLY = "prints_wrongly"
    # its trial
    NO_SCREEN = "no_screen"
    NO_LINE = "no_line"
    NO_CANARY = "no_canary"
    CANARY_WRONG = "canary_wrong"
    CANARY_UNSETTLED = "canary_unsettled"


BACK = Text("；已退回原版本", " The box is back on the release before it.")

WORDS: dict[Why, Text] = {
    Why.UNREACHABLE: Text("更新服务器连不上，稍后再试", "The update server cannot be reached. It is tried again later."),
    Why.INCOMPLETE: Text("更新服务器上缺文件，没有安装；请发布方重新发布", "A file is missing on the update server, so nothing was installed. Publish the release again."),
    Why.UNSIGNED: Text("更新的签名不对或不够，可能被改过，没有安装；请问发布方", "The update is not signed by the keys that this box trusts; it may have been changed. Nothing was installed; ask whoever publishes releases."),
    Why.DAMAGED: Text("更新的说明文件看不懂，没有安装；请发布方检查", "What the update server says cannot be read. Nothing was installed; look at what was published."),
    Why.EXPIRED: Text("更新的说明已过期，可能有人扣住了新版本，没有安装；请发布方刷新", "What the update server says has expired; somebody may be holding newer releases back. Nothing was installed; run `tillbox release refresh`."),
    Why.ROLLED_BACK: Text("更新服务器给的说明比以前见过的旧，没有安装；请问发布方", "The update server shows an older state than this box has seen before. Nothing was installed; ask whoever publishes releases."),
    Why.MIXED: Text("更新的各部分对不上，没有安装；请发布方重新发布", "The parts of the update do not belong together. Nothing was installed; publish the release again."),
    Why.CLOCK_UNKNOWN: Text("盒子还不知道现在几点，不能判断更新是否过期；联网后再试", "The box does not know the hour, so it cannot tell what has expired. It is tried again when the line is up."),
    Why.NOT_OFFERED: Text("总部要的版本和更新服务器上的不一致，没有安装；请先发布它", "The update server offers another release than head office commanded. Nothing was installed; publish that one first."),
    Why.DOWNGRADE: Text("给的版本不比现在的新，没有安装；请发布更新的版本", "The release offered is not newer than what this box runs. Nothing was installed; publish a newer one."),
    Why.TOO_FAR: Text("要先装中间的版本，没有安装", "This box is too old for the release; a release between must be installed first."),
    Why.OTHER_HARDWARE: Text("这个版本是给别的机型的，没有安装；请为本机型发布", "The release is for other hardware. Nothing was installed; publish one for this box."),
    Why.OTHER_LIBRARIES: Text("这个版本要别的程序库，包里没有带，没有安装", "The release needs other libraries than this box has, and does not bring them. Sign it again with --libraries."),
    Why.TOO_LARGE: Text("更新包超过了流量上限，没有下载", "The release is larger than this box may download. Raise `archive_bytes_max`, or sign a smaller one."),
    Why.FAILED_BEFORE: Text("这个版本在本机失败过，不再安装；请发布新版本", "This release has failed on this box before and is not tried again. Publish another version."),
    Why.INTERRUPTED: Text("下载中断，下次从断点继续", "The download was interrupted. It goes on from there next time."),
    Why.TAMPERED: Text("更新包的内容和签名对不上，已丢弃，没有安装", "The archive is not what was signed. It was thrown away and nothing was installed."),
    Why.NO_ROOM: Text("存储卡空间不够放新版本，没有安装；请清理", "There is no room on the card for the new release. Free some, then it is tried again."),
    Why.NO_ANSWER: Text("新版本连一笔演练都算不出来，没有安装", "The new release cannot even answer a rehearsal, so it was not started."),
    Why.SELLS_WRONGLY: Text("新版本算错钱，没有安装", "The new release sells wrongly, so it was not started."),
    Why.PRINTS_WRONGLY: Text("新版本小票金额不对，没有安装", "The new release prints wrong amounts on the receipt, so it was not started."),
    Why.NO_SCREEN: Text("新版本的收银界面没有出现", "The new release's till did not come up."),
    Why.NO_LINE: Text("新版本没能连上云端", "The new release did not get its line to the core."),
    Why.NO_CANARY: Text("新版本没有记下试卖的一单", "The new release did not record the canary sale."),
    Why.CANARY_WRONG: Text("新版本把试卖的一单算错了", "The new release got the canary sale wrong."),
    Why.CANARY_UNSETTLED: Text("云端没有确认新版本试卖的一单", "The core did not acknowledge the new release's canary sale."),
}  # fmt: skip
"""What happened, why, and what now. Trials add that the box is back."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No, and why. `detail` is short: versions, figures, sizes."""

    why: Why
    detail: str = ""

    @property
    def text(self) -> Text:
        """The whole sentence."""
        text = WORDS[self.why]
        return Text(f"{text.zh}（{self.detail}）", f"{text.en} ({self.detail})") if self.detail else text

    @property
    def back(self) -> Text:
        """The sentence for a trial that ended."""
        text = self.text
        return Text(f"{text.zh}{BACK.zh}", f"{text.en}{BACK.en}")
