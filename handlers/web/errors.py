"""Errors as answers: one shape for programs, and for the unexpected an id that is also in the log."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from engine.domain.errors import BadInput, GreenlightError, NotAllowed, UnknownId
from engine.support.faults import fault_id

log = structlog.get_logger(__name__)


class Problem(BaseModel):
    """What went wrong, in words."""

    detail: str


class AlreadyAnswered(Problem):
    """Somebody was first: who, and what the approval is now."""

    status: str
    by: list[str]


class Refusal(Exception):
    """An answer that is not the one hoped for.

    Args:
        code: The HTTP status.
        detail: Why, in words.
        status: What the approval is, where one was answered before.
        by: Who answered it.
    """

    def __init__(self, code: int, detail: str, *, status: str = "", by: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.body = AlreadyAnswered(detail=detail, status=status, by=list(by)) if status else Problem(detail=detail)


def install(app: FastAPI) -> None:
    """Let the app answer errors in our shape."""

    @app.exception_handler(Refusal)
    async def refused(_: Request, error: Refusal) -> JSONResponse:
        headers = {"www-authenticate": "Bearer"} if error.code == 401 else None  # noqa: PLR2004 - Unauthorized
        return JSONResponse(error.body.model_dump(), error.code, headers=headers)

    @app.exception_handler(GreenlightError)
    async def failed(_: Request, error: GreenlightError) -> JSONResponse:
        return JSONResponse(Problem(detail=str(error)).model_dump(), _code(error))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        reference = fault_id()
        log.error("web_request_failed", reference=reference, path=request.url.path, exc_info=error)
        problem = Problem(detail=f"Something went wrong here; its id in the log is {reference}.")
        return JSONResponse(problem.model_dump(), 500)


def _code(error: GreenlightError) -> int:
    match error:
        case UnknownId():
            return 404
        case NotAllowed():
            return 403
        case BadInput():
            return 400
        case _:
            return 503
