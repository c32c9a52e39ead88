"""How far the places of the fleet have come, and its claims: plan a place, make claims, see them used, end them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.console.pages.audit.page import number_of
from tillbox.cloud_bridge.store import fleet_lists, provisioning
from tillbox.cloud_bridge.store.fleet_lists import ClaimRow
from tillbox.cloud_bridge.store.provisioning import STAGES, StageRow, claim_state

ROWS = 50


@dataclass(frozen=True, slots=True)
class ProvisionPage:
    """Places of one stage or of all that do not stand yet, and claims with their states, both a page at a time."""

    counts: Mapping[str, int]
    stage: str
    rows: tuple[StageRow, ...]
    claims: tuple[tuple[ClaimRow, str], ...]
    more: str
    older: str

    def address(self, **said: str) -> str:
        """This board from another row on."""
        return "/provision?" + urlencode({"stage": self.stage, **said})


def show(connection: Connection, asked: Asked) -> ProvisionPage:
    """`?stage=` narrows the places, `?after=` goes on with them, `?before=` with the claims."""
    stage = asked.query.get("stage", "")
    stage = stage if stage in STAGES else ""
    after, now_ms = asked.query.get("after", "")[:64], asked.now_ms
    rows = provisioning.stage_rows(connection, now_ms, stage=stage, after=after, most=ROWS)
    before = number_of(asked.query.get("before", ""))
    claims = fleet_lists.claims(connection, before=before, most=ROWS)
    return ProvisionPage(
        counts=provisioning.stage_counts(connection, now_ms),
        stage=stage,
        rows=tuple(rows),
        claims=tuple((one, claim_state(one, now_ms)) for one in claims),
        more=rows[-1].place if len(rows) == ROWS else "",
        older=str(claims[-1].number) if len(claims) == ROWS else "",
    )
