"""Every coupon template: its stock, and who holds rights to it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.store import reading
from tillbox.cloud_bridge.store.reading import CouponDetail


@dataclass(frozen=True, slots=True)
class CouponsPage:
    """By name."""

    coupons: tuple[CouponDetail, ...]


def show(connection: Connection, _: Asked) -> CouponsPage:
    """All of them."""
    found = (reading.coupon(connection, name) for name in reading.templates(connection))
    return CouponsPage(tuple(one for one in found if one is not None))
