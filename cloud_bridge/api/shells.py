"""Remote shells over HTTP: what a terminal types and sees, and the recordings. Opening and ending are acts, as everything."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import Field, StringConstraints

from tillbox.cloud_bridge.fleet.acts import Fleet
from tillbox.cloud_bridge.fleet.recordings import cast
from tillbox.cloud_bridge.fleet.shells import ShellSeen
from tillbox.cloud_bridge.store.database import Database
from tillbox.contracts.settings import Strict
from tillbox.contracts.shells import COLUMNS_MAX, ROWS_MAX
from tillbox.contracts.verdicts import Refused

from .fleet import behind, problem
from .keys import Caller

TYPED_CHARACTERS_MAX = 22_000  # base64 of 16 KB: a page that was pasted


class Typed(Strict):
    """What was typed, in base64; and the window's size, where that is new."""

    data: Annotated[str, StringConstraints(max_length=TYPED_CHARACTERS_MAX)] = ""
    columns: Annotated[int, Field(ge=0, le=COLUMNS_MAX)] = 0
    rows: Annotated[int, Field(ge=0, le=ROWS_MAX)] = 0


def add_shell_api(app: FastAPI, database: Database, fleet: Fleet) -> None:
    """Put the routes under /api/1. All of them are an admin's, and a shell is whoever's opened it."""
    router = APIRouter(prefix="/api/1", tags=["shells"], route_class=behind(database, "admin"))
    shells = fleet.shells
    assert shells is not None, "there is a fleet, so there are shells"

    def refused(why: Refused) -> JSONResponse:
        return JSONResponse(problem(why).model_dump(), 409)

    @router.post("/shells/{shell}/input", response_model=None)
    def type_in(request: Request, shell: str, body: Typed) -> JSONResponse:
        caller: Caller = request.state.caller
        try:
            data = base64.b64decode(body.data, validate=True)
        except binascii.Error as fault:
            raise HTTPException(422, "data is no base64") from fault
        size = (body.columns, body.rows) if body.columns and body.rows else None
        why = shells.type(shell[:36], caller.person, data, size)
        return refused(why) if why is not None else JSONResponse({})

    @router.get("/shells/{shell}/output", response_model=None)
    def look_at(request: Request, shell: str, after: int = 0) -> ShellSeen | JSONResponse:
        caller: Caller = request.state.caller
        found = shells.look(shell[:36], caller.person, after)
        return refused(found) if isinstance(found, Refused) else found

    @router.get("/recordings/{shell}", response_class=PlainTextResponse)
    def recording(shell: str) -> PlainTextResponse:
        with database.reading() as connection:
            found = cast(connection, shell[:36])
        if found is None:
            raise HTTPException(404, "there is no recording of that shell")
        return PlainTextResponse(found)

    app.include_router(router)
