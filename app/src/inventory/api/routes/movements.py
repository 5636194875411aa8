from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import AwareDatetime

from inventory.api.deps import API, AppMetrics, Clerk, Cursor, Db, IdempotencyKey, Limit, Reader
from inventory.api.schemas.fields import LocationCode, Reference, Sku
from inventory.api.schemas.movements import Adjustment, Issue, MovementCreate, MovementRead, Receipt, Transfer
from inventory.api.schemas.pages import Page
from inventory.core.problems import Problem
from inventory.domain import movement_queries as queries
from inventory.domain.movements import Draft, record

router = APIRouter(prefix=API + "/movements", tags=["movements"])

MAX_ID = 2**63 - 1


def _draft(body: Receipt | Issue | Transfer | Adjustment) -> Draft:
    common = (body.reference, body.note)
    match body:
        case Receipt():
            return Draft("receipt", body.sku, body.quantity, None, body.destination, *common)
        case Issue():
            return Draft("issue", body.sku, body.quantity, body.source, None, *common)
        case Transfer():
            return Draft("transfer", body.sku, body.quantity, body.source, body.destination, *common)
        case Adjustment():
            found = body.delta > 0
            source, destination = (None, body.location) if found else (body.location, None)
            return Draft("adjustment", body.sku, abs(body.delta), source, destination, *common)


@router.post("", status_code=201, summary="Record a movement, once per Idempotency-Key")
def record_movement(
    body: Annotated[MovementCreate, Body()],
    response: Response,
    caller: Clerk,
    database: Db,
    metrics: AppMetrics,
    idempotency_key: IdempotencyKey = None,
) -> MovementRead:
    """A request repeated because its answer was lost gets the first result and `Idempotency-Replayed`."""
    if idempotency_key is None:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "idempotency-key-required",
            "Send an Idempotency-Key header, new for each movement and the same when you repeat a request.",
        )
    draft = _draft(body)
    try:
        recorded = database.write(
            caller, lambda session: record(session, caller, idempotency_key, draft), repeatable=True
        )
    except Problem as problem:
        metrics.rejected.labels(draft.kind, problem.slug).inc()
        raise
    if recorded.replayed:
        metrics.replayed.labels(draft.kind).inc()
        response.headers["Idempotency-Replayed"] = "true"
    else:
        metrics.movements.labels(draft.kind).inc()
    response.headers["Location"] = f"/api/v1/movements/{recorded.movement.id}"
    return MovementRead.model_validate(recorded.movement)


@router.get("", summary="List movements, newest first")
def list_movements(
    _: Reader,
    database: Db,
    kind: Literal["receipt", "issue", "transfer", "adjustment"] | None = None,
    sku: Annotated[Sku | None, Query()] = None,
    location: Annotated[LocationCode | None, Query(description="As source or as destination.")] = None,
    reference: Annotated[Reference | None, Query()] = None,
    since: Annotated[AwareDatetime | None, Query(description="Inclusive, with a time zone.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Exclusive, with a time zone.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[MovementRead]:
    wanted = queries.MovementFilter(kind, sku, location, reference, since, until)
    rows, next_cursor = database.read(lambda session: queries.list_movements(session, wanted, limit, cursor))
    return Page(items=[MovementRead.model_validate(row) for row in rows], next_cursor=next_cursor)


@router.get("/{movement_id}", summary="Read a movement")
def read_movement(
    movement_id: Annotated[int, Path(ge=1, le=MAX_ID)], _: Reader, database: Db
) -> MovementRead:
    return MovementRead.model_validate(
        database.read(lambda session: queries.get_movement(session, movement_id))
    )
