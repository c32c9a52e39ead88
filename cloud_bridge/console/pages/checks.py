"""A box's own report of its self-test, as pages show it. It comes from outside: what is not there is empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Check = tuple[str, str, str]
"""What was looked at, its light, and what the box says of it."""


def checks_of(birth: Mapping[str, Any] | None) -> tuple[Check, ...]:
    """Its checks, in the order in which the box made them."""
    told = (birth or {}).get("checks", [])
    return tuple(
        (str(one.get("check", "")), str(one.get("light", "")), str(one.get("says", "")))
        for one in (told if isinstance(told, list) else [])
        if isinstance(one, dict)
    )
