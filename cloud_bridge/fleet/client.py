"""The API as the command line asks it: one key, one address, and refusals as sentences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tillbox.cloud_bridge.payments.channels.sandbox_seal import SecretUnsafe, read_private

ASK_S = 60.0


class ApiRefused(Exception):
    """The core said no, or cannot be reached; the message is a sentence."""

    def __init__(self, sentence: str, reason: str = "") -> None:
        super().__init__(sentence)
        self.reason = reason
        """As contracts/verdicts.py has it; empty where it is none of those."""


@dataclass(frozen=True, slots=True)
class Api:
    """A core's API."""

    url: str
    key: str
    client: httpx.Client | None = None
    """One that keeps its connection, for whoever asks all the time."""

    @classmethod
    def at(cls, url: str, key_file: Path, client: httpx.Client | None = None) -> Api:
        """With the key from its file. ApiRefused where that cannot be read, or others can read it."""
        try:
            return cls(url.rstrip("/"), read_private(key_file), client)
        except SecretUnsafe as why:
            raise ApiRefused(f"{why} Make a key with `tillbox core key`.") from why

    def act(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do something."""
        found: dict[str, Any] = self._ask("POST", f"/api/1/acts/{name}", json=body)
        return found

    def ask(self, path: str, **query: str | int) -> Any:
        """Look at something."""
        return self._ask("GET", f"/api/1/{path}", params=query)

    def tell(self, path: str, body: dict[str, Any]) -> Any:
        """Say something that is no act."""
        return self._ask("POST", f"/api/1/{path}", json=body)

    def text(self, path: str) -> str:
        """Look at something that is no JSON."""
        return self._answer("GET", f"/api/1/{path}").text

    def _ask(self, verb: str, path: str, **more: Any) -> Any:
        return self._answer(verb, path, **more).json()

    def _answer(self, verb: str, path: str, **more: Any) -> httpx.Response:
        try:
            answer = (self.client or httpx).request(
                verb,
                f"{self.url}{path}",
                headers={"Authorization": f"Bearer {self.key}"},
                timeout=ASK_S,
                **more,
            )
        except httpx.HTTPError as fault:
            raise ApiRefused(f"the core at {self.url} does not answer: {fault}") from fault
        if answer.is_success:
            return answer
        raise ApiRefused(*_sentence(answer))


def _sentence(answer: httpx.Response) -> tuple[str, str]:
    try:
        said = answer.json()
    except ValueError:
        return f"the core answered {answer.status_code}", ""
    if "en" in said:
        words = f"{said['en']} ({said['detail']})" if said.get("detail") else str(said["en"])
        return words, str(said.get("refused", ""))
    detail = said.get("detail", said)
    if isinstance(detail, list):
        faults = (f"{'.'.join(map(str, one.get('loc', ())))}: {one.get('msg', '')}" for one in detail[:5])
        return "; ".join(faults), ""
    return str(detail), ""
