"""Reading the audit trail; only the database's triggers write it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.core.cursor import decode_cursor, encode_cursor
from inventory.models import AuditEntry


def list_audit(
    session: Session,
    *,
    entity: str | None,
    entity_key: str | None,
    actor: str | None,
    limit: int,
    cursor: str | None,
) -> tuple[list[AuditEntry], str | None]:
    """Newest first."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit + 1)
    if entity is not None:
        query = query.where(AuditEntry.entity == entity)
    if entity_key is not None:
        query = query.where(AuditEntry.entity_key == entity_key)
    if actor is not None:
        query = query.where(AuditEntry.actor == actor)
    if cursor is not None:
        query = query.where(AuditEntry.id < decode_cursor(cursor, "-id", int)[0])
    rows = list(session.scalars(query))
    return rows[:limit], encode_cursor("-id", rows[limit - 1].id) if len(rows) > limit else None
