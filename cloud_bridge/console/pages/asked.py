"""What a page is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tillbox.cloud_bridge.fleet.onlooker import Onlooker


@dataclass(frozen=True, slots=True)
class Asked:
    """The names in the address, the words behind its question mark, the hour, who asks, and who knows what boxes show."""

    now_ms: int
    names: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    who: str = ""
    onlooker: Onlooker | None = None

    @classmethod
    def by(
        cls,
        now_ms: int,
        names: Mapping[str, str],
        query: Mapping[str, str],
        who: str = "",
        onlooker: Onlooker | None = None,
    ) -> Asked:
        """What an address asks for, less what no name holds and PostgreSQL takes in no text: NUL."""
        return cls(now_ms, _sound(names), _sound(query), who, onlooker)


def _sound(words: Mapping[str, str]) -> dict[str, str]:
    return {name: word.replace("\0", "") for name, word in words.items()}
