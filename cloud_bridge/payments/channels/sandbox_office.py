"""The wallet's own people: they set its mood and read its books. For demos, proofs and checkers.

Unlike the channel it raises when the wallet is silent: a checker that cannot read the statement must stop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from .sandbox_line import PATIENCE_MS, Line, Nothing, first_line, trouble_of
from .sandbox_wire import OFFICE, STATEMENT_BYTES_MAX, Mood, Statement, StatementLine

Shape = TypeVar("Shape", bound=BaseModel)


class OfficeSilent(Exception):
    """The wallet's office gave no usable answer. Is the wallet running, and is this the office's secret?"""


class SandboxOffice:
    """The wallet's own people: they set its mood and read its books. For demos, proofs and checkers."""

    def __init__(
        self,
        base_url: str,
        secret: bytes,
        *,
        now_ms: Callable[[], int],
        chance: Callable[[int], bytes],
        patience_ms: int = PATIENCE_MS,
    ) -> None:
        self._line = Line(base_url, OFFICE, secret, now_ms=now_ms, chance=chance, patience_ms=patience_ms)

    def set_mood(self, mood: Mood) -> None:
        """Behave so from the next payment on. Raises OfficeSilent."""
        self._ask("POST", "/v1/admin/mood", mood.model_dump_json().encode(), Mood)

    def statement(self) -> Statement:
        """Every trade, and every account as of the last page. Raises OfficeSilent."""
        lines: list[StatementLine] = []
        after: int | None = 0
        while after is not None:
            page = self._ask("GET", f"/v1/statement?after={after}", b"", Statement)
            lines += page.lines
            after = page.next_after
        return page.model_copy(update={"lines": tuple(lines)})

    def close(self) -> None:
        """Let the connections go."""
        self._line.close()

    def _ask(self, method: str, path: str, body: bytes, shape: type[Shape]) -> Shape:
        heard = self._line.ask(method, path, body, STATEMENT_BYTES_MAX)
        if isinstance(heard, Nothing):
            raise OfficeSilent(heard.why)
        if heard.status != httpx.codes.OK:
            raise OfficeSilent(trouble_of(heard))
        try:
            return shape.model_validate_json(heard.body)
        except ValidationError as trouble:
            raise OfficeSilent(f"an answer that cannot be read: {first_line(trouble)}") from trouble
