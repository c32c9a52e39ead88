"""The JSON Schemas of everything that travels: `python -m tillbox.contracts.schemas FOLDER` writes them.

They are checked in; a test compares. A required field that is new, or a field that is gone, is a change that
the other side's older version cannot read.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .desired import Desired
from .messages import (
    ASK_BODIES,
    BODIES,
    Ack,
    Alerts,
    Answer,
    EnrolAnswer,
    EnrolAsk,
    Live,
    LogLines,
    Record,
    State,
    Telemetry,
    Wire,
)


def schemas() -> dict[str, str]:
    """File name and content of each."""
    models: dict[str, type[Wire]] = {
        "record": Record,
        "ack": Ack,
        "answer": Answer,
        "state": State,
        "telemetry": Telemetry,
        "alerts": Alerts,
        "live": Live,
        "log_lines": LogLines,
        "enrol.ask": EnrolAsk,
        "enrol.answer": EnrolAnswer,
        "desired": Desired,
    }
    models |= {f"record.{kind}": body for kind, body in BODIES.items()}
    models |= {f"ask.{name}": ask for name, (ask, _) in ASK_BODIES.items()}
    models |= {f"answer.{name}": answer for name, (_, answer) in ASK_BODIES.items()}
    return {
        f"{name}.json": json.dumps(model.model_json_schema(), indent=1, ensure_ascii=False, sort_keys=True)
        + "\n"
        for name, model in sorted(models.items())
    }


def write(folder: Path) -> None:
    """Write them all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in schemas().items():
        (folder / name).write_text(content)


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/schemas"))
