"""Two doors for whoever watches over the core, without a session: one word each, and nothing of the shop in it.

`/livez` asks whether the worker still turns: if not, starting the core again helps. `/healthz` asks whether the
store answers: if not, starting the core again does not help, and nobody should be sent to its pages.
"""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from .app import Core

log = structlog.get_logger(__name__)


def add_probes(app: FastAPI, core: Core) -> None:
    """Open both doors on the console."""

    @app.get("/livez")
    def livez() -> Response:
        return _said("the worker hangs" if core.hangs else "")

    @app.get("/healthz")
    def healthz() -> Response:
        try:
            with core.database.reading() as connection:
                connection.execute(select(1))
        except SQLAlchemyError as away:
            # The reason goes into the log, where an address or a name does no harm.
            log.warning("core.store_silent", why=str(away))
            return _said("the store does not answer")
        return _said("")


def _said(wrong: str) -> Response:
    return PlainTextResponse(f"{wrong or 'well'}\n", 503 if wrong else 200)
