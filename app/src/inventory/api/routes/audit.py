from typing import Annotated, Literal

from fastapi import APIRouter, Query

from inventory.api.deps import API, Admin, Cursor, Db, Limit
from inventory.api.schemas.audit import AuditRead
from inventory.api.schemas.pages import Page
from inventory.domain.audit import list_audit as query_audit

router = APIRouter(prefix=API + "/audit", tags=["audit"])

Text = Annotated[str | None, Query(max_length=128, pattern=r"^[^\x00]+$")]


@router.get("", summary="Who changed what, newest first")
def list_audit(
    _: Admin,
    database: Db,
    entity: Literal["items", "locations", "movements"] | None = None,
    key: Text = None,
    actor: Text = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[AuditRead]:
    rows, next_cursor = database.read(
        lambda session: query_audit(
            session, entity=entity, entity_key=key, actor=actor, limit=limit, cursor=cursor
        )
    )
    return Page(items=[AuditRead.model_validate(row) for row in rows], next_cursor=next_cursor)
