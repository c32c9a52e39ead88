"""What is generated from the code and checked in says what the code says. `make docs` writes it anew."""

from __future__ import annotations

from pathlib import Path

from tillbox.agent.diagram import edges, mermaid
from tillbox.agent.till import PHASES
from tillbox.contracts.schemas import schemas

DOCS = Path(__file__).parents[2] / "docs"


def test_the_till_is_drawn_as_it_is() -> None:
    assert (DOCS / "till.mmd").read_text() == mermaid()
    assert mermaid() in (DOCS / "till.md").read_text()
    phases = {one.__name__ for one in PHASES}
    assert {target for source, target, _ in edges() if source != target} == phases, "a phase nobody gets into"
    assert {source for source, target, _ in edges() if source != target} == phases, (
        "a phase nobody gets out of"
    )


def test_the_schemas_are_those_of_the_messages() -> None:
    assert {path.name: path.read_text() for path in (DOCS / "schemas").glob("*.json")} == schemas()
