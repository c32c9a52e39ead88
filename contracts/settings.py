"""Configuration files: TOML or JSON, checked whole before anything starts, and refused in one sentence."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

Model = TypeVar("Model", bound=BaseModel)


class Strict(BaseModel):
    """A misspelt setting is an error, not a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SettingsWrong(Exception):
    """The file cannot be used; the message names each setting and why."""


def names_in(path: Path) -> set[str]:
    """The settings that a file names, whatever they say; none where it cannot be read, which `load` will say."""
    try:
        data = path.read_bytes()
        found = tomllib.loads(data.decode()) if path.suffix == ".toml" else json.loads(data)
    except (OSError, ValueError):
        return set()
    return set(found) if isinstance(found, dict) else set()


def load(path: Path, model: type[Model]) -> Model:
    """Read and check a file: TOML where its name ends so, else JSON. SettingsWrong says what to change."""
    try:
        if path.suffix == ".toml":
            return model.model_validate(tomllib.loads(path.read_text()), strict=False)
        return model.model_validate_json(path.read_bytes())
    except OSError as fault:
        raise SettingsWrong(f"{path} cannot be read: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise SettingsWrong(f"{path} is no TOML: {fault}") from fault
    except ValidationError as fault:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in fault.errors())
        raise SettingsWrong(f"{path} is not right: {wrong}") from fault
