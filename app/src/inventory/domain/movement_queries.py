"""Reading the ledger of movements."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.core.cursor import decode_cursor, encode_cursor
from inventory.core.problems import not_found
from inventory.models import Item, Location, Movement

_SOURCE, _DESTINATION = aliased(Location), aliased(Location)


@dataclass(frozen=True, slots=True)
class MovementView:
    """A movement by the names people know."""

    id: int
    kind: str
    sku: str
    quantity: Decimal
    source: str | None
    destination: str | None
    source_balance: Decimal | None
    destination_balance: Decimal | None
    reference: str | None
    note: str | None
    actor: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MovementFilter:
    """Every field that is set narrows the list; `since` is inclusive, `until` is not."""

    kind: str | None = None
    sku: str | None = None
    location: str | None = None
    reference: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def _select() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Movement.id,
            Movement.kind,
            Item.sku,
            Movement.quantity,
            _SOURCE.code.label("source"),
            _DESTINATION.code.label("destination"),
            Movement.source_balance,
            Movement.destination_balance,
            Movement.reference,
            Movement.note,
            Movement.actor,
            Movement.created_at,
        )
        .join(Item, Item.id == Movement.item_id)
        .outerjoin(_SOURCE, _SOURCE.id == Movement.source_id)
        .outerjoin(_DESTINATION, _DESTINATION.id == Movement.destination_id)
    )


def get_movement(session: Session, movement_id: int) -> MovementView:
    row = session.execute(_select().where(Movement.id == movement_id)).one_or_none()
    if row is None:
        raise not_found("movement", str(movement_id))
    return MovementView(*row)


def list_movements(
    session: Session, wanted: MovementFilter, limit: int, cursor: str | None
) -> tuple[list[MovementView], str | None]:
    """Newest first, with the cursor of the next page."""
    query = _select().order_by(Movement.id.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(Movement.id < decode_cursor(cursor, "-id", int)[0])
    conditions: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "kind": Movement.kind.__eq__,
        "sku": Item.sku.__eq__,
        "location": _touches,
        "reference": Movement.reference.__eq__,
        "since": Movement.created_at.__ge__,
        "until": Movement.created_at.__lt__,
    }
    for name, value in asdict(wanted).items():
        if value is not None:
            query = query.where(conditions[name](value))
    rows = session.execute(query).all()
    page = [MovementView(*row) for row in rows[:limit]]
    return page, encode_cursor("-id", page[-1].id) if len(rows) > limit else None


def _touches(code: str) -> ColumnElement[bool]:
    location_id = select(Location.id).where(Location.code == code).scalar_subquery()
    return or_(Movement.source_id == location_id, Movement.destination_id == location_id)
