"""What travels through the local door: requests and answers as pydantic models. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from tillbox.contracts.settings import Strict
from tillbox.contracts.verdicts import Reason, Refused
from tillbox.hardware.printing.document import QR, BarCode, Columns, Cut, Feed, Line, Part, Rule

from .orders import Order

RequestId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]


class PaymentRequest(Strict):
    """A payment. Without `auth_code` the customer shows it to this box's own scanner, or pays cash at its till."""

    request_id: RequestId = Field(description="Yours, new for each payment, the same for each repetition.")
    order_ref: Annotated[str, StringConstraints(min_length=1, max_length=80)] = Field(description="What you call it; it stands on the receipt.")  # fmt: skip
    amount: Annotated[int, Field(gt=0, le=10**9)] = Field(description="In the smallest coin: 1250 is 12.50.")
    currency: Literal["CNY"] = "CNY"
    auth_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{10,32}$")] | None = Field(default=None, description="The customer's payment code, if you have scanned it.")  # fmt: skip


class Payment(BaseModel):
    """Where a payment is. Only `succeeded` means money; `unknown` means ask again, never pay again."""

    request_id: str
    order_ref: str
    amount: int
    state: Literal["created", "await_scan", "in_progress", "succeeded", "failed", "unknown"]
    reason: str = Field(default="", description="Why it failed, as a word for programs.")
    says: str = Field(default="", description="The same for a person, in English.")
    sale: str = Field(default="", description="The sale's id for life, once it succeeded.")
    tender: str = Field(default="", description="cash or merchant_scan, once it succeeded.")
    paid: int = Field(
        default=0, description="What was paid; a coupon, or what a cashier added, makes it differ."
    )


class PrintPart(Strict):
    """One part of a paper. `kind` says which of the other fields count."""

    kind: Literal["line", "columns", "rule", "qr", "bar_code", "feed", "cut"]
    text: Annotated[str, StringConstraints(max_length=1_000)] = ""
    right: Annotated[str, StringConstraints(max_length=48)] = ""
    align: Literal["left", "center", "right"] = "left"
    bold: bool = False
    double: bool = False
    lines: Annotated[int, Field(ge=1, le=20)] = 1


class PrintRequest(Strict):
    """A paper, from top to bottom; it is cut at the end."""

    request_id: RequestId
    parts: Annotated[tuple[PrintPart, ...], Field(min_length=1, max_length=400)]


class Print(BaseModel):
    """Where a paper is. `unknown` means that a person was asked to look."""

    request_id: str
    state: Literal["queued", "begun", "sent", "confirmed", "unknown"]


class DrawerRequest(Strict):
    """Open the drawer; the reason goes on record."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=80)]


class DisplayRequest(Strict):
    """What the customer's display shows while the box's own till is idle."""

    amount: Annotated[int, Field(ge=0, le=10**9)]
    text: Annotated[str, StringConstraints(max_length=80)] = ""


class Device(BaseModel):
    """One thing that the box looks after, as `tillbox doctor` says it."""

    check: str
    light: Literal["green", "yellow", "red"]
    zh: str
    en: str
    todo_zh: str = ""
    todo_en: str = ""


def payment_of(order: Order) -> Payment:
    """An order as the other program hears of it."""
    return Payment(
        request_id=order.request_id,
        order_ref=order.order_ref,
        amount=order.amount,
        state=order.state.value,
        reason=order.reason,
        says=Refused(Reason(order.reason)).say("en") if order.reason else "",
        sale=order.sale if order.tender else "",
        tender=order.tender,
        paid=order.paid,
    )


def part_of(part: PrintPart) -> Part:
    """A part of a paper; ValueError for what no code holds."""
    match part.kind:
        case "line":
            return Line(part.text, part.align, part.bold, part.double)
        case "columns":
            return Columns(part.text, part.right, part.bold)
        case "rule":
            return Rule()
        case "qr":
            if not part.text:
                raise ValueError("a QR code holds a text")
            return QR(part.text)
        case "bar_code":
            return BarCode(part.text)
        case "feed":
            return Feed(part.lines)
        case "cut":
            return Cut()
