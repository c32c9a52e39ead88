"""A key and a certificate for every simulated box, as a real one has them, made by all processors at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tillbox.broker.pki import Authority

BATCH = 250  # names for one worker at a time: some half a second


def make(authority: Authority, home: Path, names: Sequence[str], *, workers: int) -> None:
    """Certificates below `home`, a folder a box."""
    batches = [names[start : start + BATCH] for start in range(0, len(names), BATCH)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(_issue, authority, home, datetime.now(UTC)), batches))


def _issue(authority: Authority, home: Path, now: datetime, names: Sequence[str]) -> None:
    for name in names:
        authority.issue_client(home / name, name=name, now=now)
