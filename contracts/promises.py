"""How it is said what a box can still do without the core: the same words on the till and in the console. Pure."""

from __future__ import annotations

from .messages import Promise
from .money import CNY, Amount
from .verdicts import Text


def sentence(said: Promise, *, oldest_age_ms: int | None) -> Text:
    """The tile on the till and in the console."""
    days = Text(f"还能收款 {said.days} 天", f"can sell {said.days} more day{'s' * (said.days != 1)}")
    if said.at_least:
        days = Text(
            f"至少还能收款 {said.days} 天",
            f"can sell at least {said.days} more day{'s' * (said.days != 1)}",
        )
    zh, en = [days.zh], [days.en]
    if said.redeem or not said.coupons:
        yuan = Amount(said.redeem, CNY).decimal()
        zh.append(f"还能抵扣 {yuan} 元")
        en.append(f"redeem {yuan} yuan more")
    if said.coupons:
        zh.append(f"还能核销 {said.coupons} 张券")
        en.append(f"redeem {said.coupons} more coupon{'s' * (said.coupons != 1)}")
    if oldest_age_ms is None:
        zh.append("销售已全部上传")
        en.append("every sale is with the core")
    else:
        zh.append(f"最早未上传的销售 {age(oldest_age_ms)}")
        en.append(f"oldest unsynced sale {age(oldest_age_ms)}")
    return Text("，".join(zh), ", ".join(en))


def age(span_ms: int) -> str:
    """Hours and minutes, as a clock shows them; days where it is days."""
    hours, minutes = divmod(max(0, span_ms) // 60_000, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02}:{minutes:02}" if days else f"{hours:02}:{minutes:02}"
