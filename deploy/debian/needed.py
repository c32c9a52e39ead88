"""Which lines of the lock a machine in the field needs: the extras that it runs, and what those need in turn.

The lock holds everything that developing needs, browsers and type checkers too. A second lock for the field could come
to disagree with the one that was tested; this takes the same lines.
"""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXTRAS = ("agent", "camera", "labels", "cloud", "postgres")
"""What `tillbox box` and `tillbox core` run on."""


def needed(extras: tuple[str, ...] = EXTRAS) -> set[str]:
    """The names of every package of those extras, as they are installed here."""
    found: set[str] = set()
    waiting = [("tillbox", frozenset(extras))]
    seen = set(waiting)
    while waiting:
        name, wanted = waiting.pop()
        for one in map(Requirement, requires(name) or ()):
            if not any(_applies(one, extra) for extra in ("", *wanted)):
                continue
            found.add(canonicalize_name(one.name))
            step = (one.name, frozenset(one.extras))
            if step not in seen:
                seen.add(step)
                waiting.append(step)
    return found - {"tillbox"}


def lines_of(lock: Path, names: set[str]) -> str:
    """The lock's entries of those packages, hashes and all. KeyError where it has none for one of them."""
    entries = re.findall(r"^[\w.-]+==(?:[^\n]*\\\n)*[^\n]*", lock.read_text(), re.MULTILINE)
    by_name = {canonicalize_name(entry.partition("==")[0]): entry for entry in entries}
    return "\n".join(by_name[name] for name in sorted(names)) + "\n"


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
