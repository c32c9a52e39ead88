"""What the fields of a form mean to its act. A form has words only, an act has lists of things; most are the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def body_of(act: str, said: dict[str, str]) -> dict[str, Any]:
    """What an act takes, from what a form said. Whether it is right, the act says."""
    return _BODIES[act](said) if act in _BODIES else dict(said)


def _one_place(said: dict[str, str]) -> dict[str, Any]:
    return {"places": [said]}


def _listed(name: str) -> Callable[[dict[str, str]], dict[str, Any]]:
    """Places, or figures, between spaces or commas: a person types them, or pastes them."""
    return lambda said: said | ({name: said[name].replace(",", " ").split()} if name in said else {})


def _slips(said: dict[str, str]) -> dict[str, Any]:
    """A code in a line, as a scanner writes them."""
    return {"codes": [line.strip() for line in said.get("codes", "").splitlines() if line.strip()]}


_BODIES: dict[str, Callable[[dict[str, str]], dict[str, Any]]] = {
    "plan-places": _one_place,
    "make-claims": _listed("places"),
    "send-commands": _listed("waves"),
    "take-slips": _slips,
}
