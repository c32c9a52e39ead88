"""Configuration files: JSON, checked whole before anything starts, and refused in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

Model = TypeVar("Model", bound=BaseModel)


class Strict(BaseModel):
    """A misspelt setting is an error, not a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SettingsWrong(Exception):
    """The file cannot be used; the message names each setting and why."""


def load(path: Path, model: type[Model]) -> Model:
    """Read and check a file. SettingsWrong says what to change."""
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as fault:
        raise SettingsWrong(f"{path} cannot be read: {fault.strerror}") from fault
    except ValidationError as fault:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in fault.errors())
        raise SettingsWrong(f"{path} is not right: {wrong}") from fault
