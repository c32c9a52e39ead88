"""The example that the documentation shows can be used as it stands."""

from __future__ import annotations

from pathlib import Path

from tillbox.agent.config import BoxConfig
from tillbox.contracts.settings import load

EXAMPLE = Path(__file__).parents[2] / "docs" / "box.example.json"


def test_the_example_is_right_and_has_every_setting() -> None:
    config = load(EXAMPLE, BoxConfig)
    assert config.model_fields_set == set(BoxConfig.model_fields)
