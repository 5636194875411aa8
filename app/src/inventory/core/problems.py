"""Errors as application/problem+json (RFC 9457)."""

import json
import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from psycopg import errors as pg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from inventory.core import context

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:inventory:problem:"


class Problem(HTTPException):
    """An expected error. `slug` names its kind for programs, `detail` tells people what to do next."""

    def __init__(
        self,
        status: HTTPStatus,
        slug: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(status_code=status, detail=detail, headers=headers)
        self.slug = slug
        self.extra = extra


def problem_response(
    status: int, slug: str, detail: str, headers: dict[str, str] | None = None, **extra: Any
) -> Response:
    body = {
        "type": TYPE_PREFIX + slug,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "request_id": context.request_id.get(),
        **extra,
    }
    return Response(json.dumps(body, default=str), status, headers, media_type=MEDIA_TYPE)


def not_found(kind: str, key: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, f"{kind}-not-found", f"There is no {kind} {key!r}.")


def database_problem(error: DBAPIError) -> Problem | None:
    """The answer for what the database refused, or None when it is a defect of this service."""
    match error.orig:
        case pg.NumericValueOutOfRange():
            return Problem(
                HTTPStatus.CONFLICT, "number-too-large", "The result would exceed 99,999,999,999.999 units."
            )
        case pg.DataError():
            return Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "invalid-value",
                "A value cannot be stored: text without NUL characters and numbers in range are taken.",
            )
        case pg.UniqueViolation() as cause:
            return Problem(
                HTTPStatus.CONFLICT,
                "already-exists",
                "Another record has this value already; read it, or choose another value.",
                constraint=cause.diag.constraint_name,
            )
        case pg.ForeignKeyViolation() as cause:
            return Problem(
                HTTPStatus.CONFLICT,
                "in-use",
                "Stock or movements refer to this record, so it has to stay.",
                constraint=cause.diag.constraint_name,
            )
        case pg.QueryCanceled() | pg.LockNotAvailable() | pg.SerializationFailure() | pg.DeadlockDetected():
            return _unavailable(
                "database-busy", "The database is busy; send the same request again in a moment."
            )
        case pg.OperationalError() | pg.InterfaceError():
            return _unavailable(
                "database-unavailable",
                "The database cannot be reached; send the same request again in a moment.",
            )
    return None


def _unavailable(slug: str, detail: str) -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, slug, detail, headers={"Retry-After": "2"})


async def _on_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # nosec B101
    headers = dict(error.headers) if error.headers else None
    if isinstance(error, Problem):
        return problem_response(error.status_code, error.slug, error.detail, headers, **error.extra)
    slug = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    return problem_response(error.status_code, slug, str(error.detail), headers)


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # nosec B101
    errors = [
        {"location": ".".join(str(part) for part in item["loc"]), "message": item["msg"]}
        for item in error.errors()
    ]
    detail = "The request does not match the API; see `errors`."
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, errors=errors)


async def _on_database(request: Request, error: Exception) -> Response:
    assert isinstance(error, DBAPIError)  # noqa: S101  # nosec B101
    problem = database_problem(error)
    if problem is None:
        raise error
    if problem.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        logger.warning("database error", extra={"error": type(error.orig).__name__})
    return await _on_http(request, problem)


async def _on_pool_timeout(request: Request, _: Exception) -> Response:
    return await _on_http(
        request, _unavailable("database-busy", "All database connections are in use; retry.")
    )


def install_problem_handlers(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(DBAPIError, _on_database)
    app.add_exception_handler(PoolTimeoutError, _on_pool_timeout)
