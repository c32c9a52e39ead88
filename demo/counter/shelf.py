"""The shelf of sample codes: everything that a customer could show, as pictures, made on demand."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import segno
from PIL import Image

from tillbox.cloud_bridge.payments.channels.sandbox_manners import MannerName, write_code
from tillbox.demo.town import Town

SPACE = 40


@dataclass(frozen=True, slots=True)
class Sample:
    """One thing on the shelf."""

    name: str
    zh: str
    en: str
    texts: Callable[[Town, int], tuple[str, ...]]


def _pay(manner: MannerName) -> Callable[[Town, int], tuple[str, ...]]:
    return lambda _, n: (write_code(wallet="wechat", payer=n % 9_000 + 1, serial=n, manner=manner),)


def _serial(n: int) -> int:
    """A coupon that no box holds yet: the first hundred numbers are leased to the boxes."""
    return 100 + n % 400


def _forged(town: Town, n: int) -> tuple[str, ...]:
    genuine = town.coupon(_serial(n))
    return (genuine[:-6] + ("A" if genuine[-6] != "A" else "B") + genuine[-5:],)


SAMPLES: tuple[Sample, ...] = (
    Sample("pay", "付款码", "Payment code", _pay(MannerName.GOOD)),
    Sample("both", "付款码 + 优惠券", "Payment code and coupon",
           lambda town, n: (town.coupon(_serial(n)), write_code(wallet="alipay", payer=n % 9_000 + 1, serial=n))),
    Sample("coupon", "优惠券（有编号）", "Coupon with a number", lambda town, n: (town.coupon(_serial(n)),)),
    Sample("poster", "海报券（无编号）", "Poster coupon", lambda town, _: (town.coupon(None),)),
    Sample("declined", "会被拒的付款码", "Payment that is declined", _pay(MannerName.DECLINED)),
    Sample("password", "要输密码的付款码", "Payment with a password", _pay(MannerName.USER_PAYING)),
    Sample("silent", "付款成功但回应丢失", "Paid, and the answer is lost", _pay(MannerName.SILENT_PAID)),
    Sample("forged", "伪造的券", "Forged coupon", _forged),
    Sample("link", "网址", "A web address", lambda _, __: ("https://tillbox.example/hello",)),
)  # fmt: skip


def picture(texts: tuple[str, ...]) -> bytes:
    """QR codes side by side on one photo, as a PNG."""
    codes = [_code(text) for text in texts]
    width = sum(one.width for one in codes) + SPACE * (len(codes) + 1)
    page = Image.new("L", (width, max(one.height for one in codes) + 2 * SPACE), 240)
    left = SPACE
    for one in codes:
        page.paste(one, (left, SPACE))
        left += one.width + SPACE
    out = io.BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def _code(text: str) -> Image.Image:
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(out, kind="png", scale=6, border=4)
    return Image.open(out).convert("L")
