from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from inventory.api.deps import API, Admin, Db, Reader
from inventory.api.schemas.items import ImportResult
from inventory.domain import item_csv

router = APIRouter(prefix=API + "/items", tags=["items"])


@router.get(
    ".csv",
    summary="Export all items as CSV",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}}},
)
def export_items(_: Reader, database: Db) -> StreamingResponse:
    return StreamingResponse(
        item_csv.export(database.read),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="items.csv"'},
    )


@router.post(".csv", summary="Create and change items from CSV", responses={422: {"model": ImportResult}})
def import_items(
    content: Annotated[bytes, Body(media_type="text/csv", description="UTF-8, with a header line.")],
    response: Response,
    caller: Admin,
    database: Db,
    on_error: Annotated[
        Literal["stop", "skip"],
        Query(description="Apply nothing when a line is bad, or the good lines only."),
    ] = "stop",
    dry_run: Annotated[bool, Query(description="Check and count, and change nothing.")] = False,
) -> ImportResult:
    parsed = item_csv.parse(content)
    rejected = ImportResult(created=0, updated=0, unchanged=0, applied=False, errors=parsed.errors)

    def work(session: Session) -> ImportResult:
        taken = item_csv.taken_barcodes(session, parsed.items)
        errors = sorted([*parsed.errors, *taken], key=lambda error: error.line)
        if errors and on_error == "stop":
            return rejected.model_copy(update={"errors": errors})
        bad = {error.line for error in taken}
        counts = item_csv.upsert(session, [item for line, item in parsed.items.items() if line not in bad])
        if dry_run:
            session.rollback()
        return ImportResult(
            created=counts.created,
            updated=counts.updated,
            unchanged=counts.unchanged,
            applied=not dry_run,
            errors=errors,
        )

    result = database.write(caller, work)
    if result.errors and on_error == "stop":
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    return result
