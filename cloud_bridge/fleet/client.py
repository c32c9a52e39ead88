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


@dataclass(frozen=True, slots=True)
class Api:
    """A core's API."""

    url: str
    key: str

    @classmethod
    def at(cls, url: str, key_file: Path) -> Api:
        """With the key from its file. ApiRefused where that cannot be read, or others can read it."""
        try:
            return cls(url.rstrip("/"), read_private(key_file))
        except SecretUnsafe as why:
            raise ApiRefused(f"{why} Make a key with `tillbox core key`.") from why

    def act(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do something."""
        found: dict[str, Any] = self._ask("POST", f"/api/1/acts/{name}", json=body)
        return found

    def ask(self, path: str, **query: str | int) -> Any:
        """Look at something."""
        return self._ask("GET", f"/api/1/{path}", params=query)

    def _ask(self, verb: str, path: str, **more: Any) -> Any:
        try:
            answer = httpx.request(
                verb,
                f"{self.url}{path}",
                headers={"Authorization": f"Bearer {self.key}"},
                timeout=ASK_S,
                **more,
            )
        except httpx.HTTPError as fault:
            raise ApiRefused(f"the core at {self.url} does not answer: {fault}") from fault
        if answer.is_success:
            return answer.json()
        raise ApiRefused(_sentence(answer))


def _sentence(answer: httpx.Response) -> str:
    try:
        said = answer.json()
    except ValueError:
        return f"the core answered {answer.status_code}"
    if "en" in said:
        return f"{said['en']} ({said['detail']})" if said.get("detail") else str(said["en"])
    detail = said.get("detail", said)
    if isinstance(detail, list):
        return "; ".join(
            f"{'.'.join(map(str, one.get('loc', ())))}: {one.get('msg', '')}" for one in detail[:5]
        )
    return str(detail)
