"""What routes depend on. All of it is asynchronous and quick, so none costs a hop to a worker thread."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request, Security
from fastapi.security import APIKeyHeader

from inventory.api.schemas.fields import LocationCode, Sku
from inventory.core.config import Role
from inventory.core.context import Principal
from inventory.core.database import Database
from inventory.core.metrics import Metrics
from inventory.core.problems import Problem
from inventory.core.ratelimit import RateLimiter
from inventory.core.security import authorize

# In each router's own prefix, not in include_router: only so is it in the route's path, a metrics label.
API = "/api/v1"

_api_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="Roles: reader, clerk, admin.")


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


def _enforce_rate(request: Request, caller: str) -> None:
    limiter: RateLimiter = request.app.state.rate_limiter
    wait = limiter.retry_after(caller)
    if wait:
        request.app.state.metrics.rate_limited.inc()
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "rate-limited",
            f"More than {limiter.per_minute} requests a minute; go on in {wait} s.",
            headers={"Retry-After": str(wait)},
        )


def requires(role: Role) -> Callable[..., Coroutine[Any, Any, Principal]]:
    """The caller, once known, within the rate limit and allowed to act as `role`."""

    async def principal(request: Request, key: Annotated[str | None, Security(_api_key)]) -> Principal:
        try:
            caller: Principal = request.app.state.key_ring.authenticate(key)
        except Problem:
            # Guessing is slowed down too, by address.
            _enforce_rate(request, f"address {request.client.host if request.client else ''}")
            raise
        _enforce_rate(request, f"key {caller.name}")
        request.state.principal = caller
        authorize(caller, role)
        return caller

    return principal


Reader = Annotated[Principal, Depends(requires(Role.READER))]
Clerk = Annotated[Principal, Depends(requires(Role.CLERK))]
Admin = Annotated[Principal, Depends(requires(Role.ADMIN))]
Db = Annotated[Database, Depends(_database)]
AppMetrics = Annotated[Metrics, Depends(_metrics)]

SkuPath = Annotated[Sku, Path()]
LocationPath = Annotated[LocationCode, Path()]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows a page.")]
Cursor = Annotated[str | None, Query(max_length=1024, description="`next_cursor` of the page before.")]


async def _if_match(
    if_match: Annotated[str | None, Header(description="ETag last read, or `*`.")] = None,
) -> str:
    if if_match is None:
        raise Problem(
            HTTPStatus.PRECONDITION_REQUIRED,
            "if-match-required",
            "Send the ETag that you last read in If-Match, so that no change of others is lost.",
        )
    return if_match


IfMatch = Annotated[str, Depends(_if_match)]
IfNoneMatch = Annotated[str | None, Header(description="ETag last read; answered 304 when unchanged.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="New for each movement; the same key again returns the first result.",
    ),
]


def etag(version: int) -> str:
    return f'"{version}"'


def check_match(if_match: str, version: int) -> None:
    """Raises a 412 problem when the record has changed since the caller read it."""
    if if_match.strip() != "*" and etag(version) not in {tag.strip() for tag in if_match.split(",")}:
        raise Problem(
            HTTPStatus.PRECONDITION_FAILED,
            "changed-meanwhile",
            "The record has changed since you read it; read it again, then repeat the change.",
            version=version,
        )


def not_modified(if_none_match: str | None, version: int) -> bool:
    if if_none_match is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in tags or etag(version) in tags
