"""The fleet over HTTP: a route for each act and each list, made from their tables, so that none can be forgotten.

A program shows its key (`Authorization: Bearer …`). A refusal has the status of its kind, a reason for programs and a
sentence for people in both languages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, HTTPException
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from tillbox.cloud_bridge.fleet.acts import ACTS, Act, Fleet, may, perform
from tillbox.cloud_bridge.store import command_lists, fleet_lists, health_lists, provisioning
from tillbox.cloud_bridge.store.command_lists import BulkRow, CommandRow, CommandStory
from tillbox.cloud_bridge.store.database import Database
from tillbox.cloud_bridge.store.fleet_lists import AuditRow, BoxStory, ClaimRow, PlaceRow
from tillbox.cloud_bridge.store.health_lists import EventRow, HealthRow, StoreAlerts
from tillbox.cloud_bridge.store.provisioning import Board
from tillbox.contracts.verdicts import TEXTS, Reason, Refused

from .keys import Caller, caller_of

STATUS = {Reason.NOT_ALLOWED: 403, Reason.NOT_UNDERSTOOD: 422, Reason.SETTINGS_WRONG: 422}
"""409 for every other no: the request was understood, and the fleet does not stand so."""
Key = Annotated[str, Header(alias="Authorization", description="Bearer and the program's key.")]


class Problem(BaseModel):
    """Why not."""

    refused: str
    detail: str
    zh: str
    en: str


def problem(refused: Refused) -> Problem:
    """A refusal as it travels."""
    text = TEXTS[refused.reason]
    return Problem(refused=refused.reason, detail=refused.detail, zh=text.zh, en=text.en)


def add_fleet_api(
    app: FastAPI,
    database: Database,
    fleet: Fleet,
    *,
    now_ms: Callable[[], int],
    chance: Callable[[int], bytes],
    done: Callable[[], None],
) -> None:
    """Put the routes under /api/1. `done` is called after an act that was not refused."""
    router = APIRouter(prefix="/api/1", responses={409: {"model": Problem}})

    def caller(header: str, least: str) -> Caller:
        found = caller_of(database, header)
        if found is None:
            raise HTTPException(401, "show a key: make one with `tillbox core key`")
        if not may(found.role, least):
            raise HTTPException(
                403, f"this needs the role {least}: make a key with `tillbox core key NAME --role {least}`"
            )
        return found

    def door(name: str, act: Act) -> Callable[..., Any]:
        def answer(body: Any, authorization: Key = "") -> Any:
            who = caller(authorization, "viewer")  # any key; whether it may is for `perform` to say
            found = perform(
                database,
                fleet,
                name,
                body.model_dump(),
                who=who.name,
                role=who.role,
                now_ms=now_ms(),
                chance=chance,
            )
            if isinstance(found, Refused):
                return JSONResponse(problem(found).model_dump(), STATUS.get(found.reason, 409))
            done()
            return found

        answer.__annotations__["body"] = act.takes
        return answer

    for name, act in ACTS.items():
        router.add_api_route(
            f"/acts/{name}", door(name, act), methods=["POST"], response_model=act.gives,
            name=name, summary=act.do.__doc__ or act.takes.__doc__, tags=["acts"],
        )  # fmt: skip

    @router.get("/places", tags=["lists"])
    def places(search: str = "", after: str = "", most: int = 100, authorization: Key = "") -> list[PlaceRow]:
        caller(authorization, "viewer")
        with database.reading() as connection:
            return fleet_lists.places(connection, search=search[:64], after=after[:64], most=most)

    @router.get("/claims", tags=["lists"])
    def claims(most: int = 100, authorization: Key = "") -> list[ClaimRow]:
        caller(authorization, "operator")
        with database.reading() as connection:
            return fleet_lists.claims(connection, most=most)

    @router.get("/provisioning", tags=["lists"])
    def provisioned(after: str = "", most: int = 100, authorization: Key = "") -> Board:
        caller(authorization, "operator")
        with database.reading() as connection:
            return provisioning.board(connection, now_ms(), after=after[:64], most=most)

    @router.get("/boxes/{device}", tags=["lists"])
    def box(device: str, authorization: Key = "") -> BoxStory:
        caller(authorization, "viewer")
        with database.reading() as connection:
            found = fleet_lists.box_story(connection, device[:32])
        if found is None:
            raise HTTPException(404, "no box of that name ever enrolled")
        return found

    @router.get("/commands", tags=["lists"])
    def commands(box: str = "", bulk: str = "", most: int = 100, authorization: Key = "") -> list[CommandRow]:
        caller(authorization, "viewer")
        with database.reading() as connection:
            return command_lists.commands(connection, device=box[:64], bulk_id=bulk[:36], most=most)

    @router.get("/commands/{command}", tags=["lists"])
    def command(command: str, authorization: Key = "") -> CommandStory:
        caller(authorization, "operator")
        with database.reading() as connection:
            found = command_lists.command_story(connection, command[:36])
        if found is None:
            raise HTTPException(404, "there is no command of that id")
        return found

    @router.get("/bulks", tags=["lists"])
    def bulks(most: int = 100, authorization: Key = "") -> list[BulkRow]:
        caller(authorization, "viewer")
        with database.reading() as connection:
            return command_lists.bulks(connection, most=most)

    @router.get("/alerts", tags=["lists"])
    def alerts(store: str = "", most: int = 500, authorization: Key = "") -> list[StoreAlerts]:
        caller(authorization, "viewer")
        with database.reading() as connection:
            return health_lists.open_alerts(connection, store=store[:32], most=most)

    @router.get("/alert-events", tags=["lists"])
    def alert_events(after: int = 0, most: int = 200, authorization: Key = "") -> list[EventRow]:
        caller(authorization, "viewer")
        with database.reading() as connection:
            return health_lists.events_after(connection, after, most=most)

    @router.get("/health", tags=["lists"])
    def healths(
        search: str = "", after: str = "", most: int = 100, authorization: Key = ""
    ) -> list[HealthRow]:
        caller(authorization, "viewer")
        with database.reading() as connection:
            return health_lists.health(
                connection, now_ms=now_ms(), search=search[:64], after=after[:32], most=most
            )

    @router.get("/audit", tags=["lists"])
    def audited(
        before: int | None = None, subject: str = "", most: int = 100, authorization: Key = ""
    ) -> list[AuditRow]:
        caller(authorization, "operator")
        with database.reading() as connection:
            return fleet_lists.audit_rows(connection, before=before, subject=subject[:80], most=most)

    @router.get("/openapi.json", include_in_schema=False)
    def described() -> dict[str, Any]:
        """What a program needs to know to use all this; there is nothing secret in it."""
        return get_openapi(title="Tillbox fleet", version="1", routes=app.routes, description=__doc__)

    app.include_router(router)
