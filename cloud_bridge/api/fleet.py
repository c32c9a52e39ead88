"""The fleet over HTTP: a route for each act and each list, made from their tables, so that none can be forgotten.

A program shows its key (`Authorization: Bearer …`). Nothing is read of what it sends before that key is known and may. A
refusal has the status of its kind, a reason for programs and a sentence for people in both languages.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from tillbox.cloud_bridge.fleet.acts import ACTS, Act, Fleet, may, perform
from tillbox.cloud_bridge.fleet.onlooker import LogRow, Onlooker
from tillbox.cloud_bridge.store import (
    command_lists,
    fleet_lists,
    health_lists,
    provisioning,
    setting_lists,
    timeline,
)
from tillbox.cloud_bridge.store.command_lists import BulkRow, CommandRow, CommandStory
from tillbox.cloud_bridge.store.database import Database
from tillbox.cloud_bridge.store.fleet_lists import AuditRow, BoxStory, ClaimRow, PlaceRow
from tillbox.cloud_bridge.store.health_lists import AlertEvent, HealthRow, StoreAlerts
from tillbox.cloud_bridge.store.provisioning import Board
from tillbox.cloud_bridge.store.setting_lists import LevelRow, TwinRow, VersionRow
from tillbox.cloud_bridge.store.timeline import TimelineRow
from tillbox.contracts.verdicts import TEXTS, Reason, Refused

from .keys import Caller, caller_of

STATUS = {Reason.NOT_ALLOWED: 403, Reason.NOT_UNDERSTOOD: 422, Reason.SETTINGS_WRONG: 422}
"""409 for every other no: the request was understood, and the fleet does not stand so."""
NO_KEY = {"detail": "show a key: make one with `tillbox core key NAME --owner OPERATOR`"}


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


def behind(database: Database, least: str) -> type[APIRoute]:
    """A route that asks for a key of that role before anything else: who has none learns nothing, and costs one look."""

    class Behind(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            answer = super().get_route_handler()

            async def ask(request: Request) -> Response:
                header = request.headers.get("authorization", "")
                found = await run_in_threadpool(caller_of, database, header)
                if found is None:
                    return JSONResponse(NO_KEY, 401)
                if not may(found.role, least):
                    needs = f"it needs the role {least}, of the key and of its owner"
                    return JSONResponse(problem(Refused(Reason.NOT_ALLOWED, needs)).model_dump(), 403)
                request.state.caller = found
                return await answer(request)

            return ask

    return Behind


def add_fleet_api(
    app: FastAPI,
    database: Database,
    fleet: Fleet,
    *,
    now_ms: Callable[[], int],
    chance: Callable[[int], bytes],
    done: Callable[[], None],
    onlooker: Onlooker,
) -> None:
    """Put the routes under /api/1. `done` is called after an act that was not refused."""
    shared: dict[str, Any] = {"prefix": "/api/1", "responses": {409: {"model": Problem}}}
    shared["dependencies"] = [Depends(HTTPBearer(auto_error=False, description="A program's key."))]
    viewers = APIRouter(route_class=behind(database, "viewer"), **shared)
    operators = APIRouter(route_class=behind(database, "operator"), **shared)

    def door(name: str, act: Act) -> Callable[..., Any]:
        def answer(request: Request, body: Any) -> Any:
            caller: Caller = request.state.caller
            found = perform(
                database,
                fleet,
                name,
                body.model_dump(exclude_unset=True),
                who=caller.person,
                key=caller.key,
                role=caller.role,
                now_ms=now_ms(),
                chance=chance,
            )
            if isinstance(found, Refused):
                return JSONResponse(problem(found).model_dump(), STATUS.get(found.reason, 409))
            done()
            return found

        answer.__annotations__ |= {"request": Request, "body": act.takes}
        return answer

    for name, act in ACTS.items():
        viewers.add_api_route(
            f"/acts/{name}", door(name, act), methods=["POST"], response_model=act.gives,
            name=name, summary=act.do.__doc__ or act.takes.__doc__, tags=["acts"],
            route_class_override=behind(database, act.least),
        )  # fmt: skip

    @viewers.get("/places", tags=["lists"])
    def places(search: str = "", after: str = "", most: int = 100) -> list[PlaceRow]:
        with database.reading() as connection:
            return fleet_lists.places(connection, search=search[:64], after=after[:64], most=most)

    @operators.get("/claims", tags=["lists"])
    def claims(most: int = 100) -> list[ClaimRow]:
        with database.reading() as connection:
            return fleet_lists.claims(connection, most=most)

    @operators.get("/provisioning", tags=["lists"])
    def provisioned(after: str = "", most: int = 100) -> Board:
        with database.reading() as connection:
            return provisioning.board(connection, now_ms(), after=after[:64], most=most)

    @viewers.get("/boxes/{device}", tags=["lists"])
    def box(device: str) -> BoxStory:
        with database.reading() as connection:
            found = fleet_lists.box_story(connection, device[:32])
        if found is None:
            raise HTTPException(404, "no box of that name ever enrolled")
        return found

    @viewers.get("/boxes/{device}/twin", tags=["lists"])
    def twin(device: str) -> TwinRow:
        with database.reading() as connection:
            found = setting_lists.twin(connection, device[:32])
        if found is None:
            raise HTTPException(404, "no settings were ever made for a box of that name")
        return found

    @viewers.get("/boxes/{device}/timeline", tags=["lists"])
    def happened(device: str, kind: str = "", before: str = "", most: int = 50) -> list[TimelineRow]:
        kinds = [one for one in kind.split(",") if one]
        with database.reading() as connection:
            return timeline.timeline(connection, device[:32], kinds=kinds, before=before[:120], most=most)

    @operators.get("/settings", tags=["lists"])
    def levels(after: str = "", most: int = 100) -> list[LevelRow]:
        with database.reading() as connection:
            return setting_lists.levels(connection, after=after[:80], most=most)

    @operators.get("/settings/versions", tags=["lists"])
    def versions(scope: str = "tenant", before: int | None = None, most: int = 20) -> list[VersionRow]:
        with database.reading() as connection:
            return setting_lists.versions(connection, scope[:80], before=before, most=most)

    @operators.get("/boxes/{device}/log", tags=["lists"])
    def box_log(device: str, after: int = 0) -> list[LogRow]:
        """The log of a box that is watched, line by line as it comes; empty where nobody asked for it."""
        return onlooker.log(device[:32], after=after)

    @viewers.get("/commands", tags=["lists"])
    def commands(box: str = "", bulk: str = "", most: int = 100) -> list[CommandRow]:
        with database.reading() as connection:
            return command_lists.commands(connection, device=box[:64], bulk_id=bulk[:36], most=most)

    @operators.get("/commands/{command}", tags=["lists"])
    def command(command: str) -> CommandStory:
        with database.reading() as connection:
            found = command_lists.command_story(connection, command[:36])
        if found is None:
            raise HTTPException(404, "there is no command of that id")
        return found

    @viewers.get("/bulks", tags=["lists"])
    def bulks(most: int = 100) -> list[BulkRow]:
        with database.reading() as connection:
            return command_lists.bulks(connection, most=most)

    @viewers.get("/alerts", tags=["lists"])
    def alerts(store: str = "", most: int = 500) -> list[StoreAlerts]:
        with database.reading() as connection:
            return health_lists.open_alerts(connection, store=store[:32], most=most)

    @viewers.get("/alert-events", tags=["lists"])
    def alert_events(after: int = 0, most: int = 200) -> list[AlertEvent]:
        with database.reading() as connection:
            return health_lists.events_after(connection, after, most=most)

    @viewers.get("/health", tags=["lists"])
    def healths(search: str = "", after: str = "", most: int = 100) -> list[HealthRow]:
        with database.reading() as connection:
            return health_lists.health(
                connection, now_ms=now_ms(), search=search[:64], after=after[:32], most=most
            )

    @operators.get("/audit", tags=["lists"])
    def audited(before: int | None = None, subject: str = "", most: int = 100) -> list[AuditRow]:
        with database.reading() as connection:
            return fleet_lists.audit_rows(connection, before=before, subject=subject[:80], most=most)

    @viewers.get("/openapi.json", include_in_schema=False)
    def described() -> dict[str, Any]:
        """What a program needs to know to use all this."""
        return get_openapi(title="Tillbox fleet", version="1", routes=app.routes, description=__doc__)

    app.include_router(viewers)
    app.include_router(operators)
