"""How much is where, what runs low, and what it is worth."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select, tuple_
from sqlalchemy.orm import Session

from inventory.core.cursor import decode_cursor, encode_cursor
from inventory.core.problems import not_found
from inventory.models import Item, Location, StockLevel

_ZERO = Decimal(0)


def item_stock(session: Session, sku: str) -> tuple[str, Sequence[Row[*tuple[Any, ...]]]]:
    """The item's unit, and its stock by location."""
    rows = session.execute(
        select(Item.unit, Location.code.label("location"), StockLevel.quantity, StockLevel.updated_at)
        .select_from(Item)
        .outerjoin(StockLevel, StockLevel.item_id == Item.id)
        .outerjoin(Location, Location.id == StockLevel.location_id)
        .where(Item.sku == sku)
        .order_by(Location.code)
    ).all()
    if not rows:
        raise not_found("item", sku)
    return rows[0].unit, [row for row in rows if row.location is not None]


def list_stock(
    session: Session, *, sku: str | None, location: str | None, limit: int, cursor: str | None
) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
    """Stock rows by SKU, then location; rows at zero included, since something was there once."""
    query = (
        select(Item.sku, Location.code.label("location"), StockLevel.quantity, StockLevel.updated_at)
        .join(Item, Item.id == StockLevel.item_id)
        .join(Location, Location.id == StockLevel.location_id)
        .order_by(Item.sku, Location.code)
        .limit(limit + 1)
    )
    if sku is not None:
        query = query.where(Item.sku == sku)
    if location is not None:
        query = query.where(Location.code == location)
    if cursor is not None:
        query = query.where(tuple_(Item.sku, Location.code) > decode_cursor(cursor, "sku,location", str, str))
    rows = session.execute(query).all()
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], encode_cursor("sku,location", rows[limit - 1].sku, rows[limit - 1].location)


def _total() -> ColumnElement[Decimal]:
    return (
        select(func.coalesce(func.sum(StockLevel.quantity), _ZERO))
        .where(StockLevel.item_id == Item.id)
        .scalar_subquery()
    )


def _low_items() -> Select[*tuple[Any, ...]]:
    total = _total().label("total")
    counted = select(Item.sku, Item.name, Item.category, Item.unit, Item.reorder_level, total).where(
        Item.reorder_level > 0
    )
    low = counted.subquery()
    return select(low, (low.c.reorder_level - low.c.total).label("missing")).where(
        low.c.total <= low.c.reorder_level
    )


def low_stock(
    session: Session, *, category: str | None, limit: int, cursor: str | None
) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
    """Items whose stock over all locations is at or below their reorder level, by SKU."""
    query = _low_items()
    columns = query.selected_columns
    if category is not None:
        query = query.where(columns.category == category)
    if cursor is not None:
        query = query.where(columns.sku > decode_cursor(cursor, "sku", str)[0])
    rows = session.execute(query.order_by(columns.sku).limit(limit + 1)).all()
    return rows[:limit], encode_cursor("sku", rows[limit - 1].sku) if len(rows) > limit else None


def count_low_stock(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(_low_items().subquery())) or 0


def value_by_location(session: Session) -> Sequence[Row[*tuple[Any, ...]]]:
    """Units and value of each location, empty ones included."""
    return session.execute(
        select(
            Location.code.label("location"),
            func.coalesce(func.sum(StockLevel.quantity), _ZERO).label("units"),
            func.round(func.coalesce(func.sum(StockLevel.quantity * Item.price), _ZERO), 2).label("value"),
        )
        .select_from(Location)
        .outerjoin(StockLevel, StockLevel.location_id == Location.id)
        .outerjoin(Item, Item.id == StockLevel.item_id)
        .group_by(Location.code)
        .order_by(Location.code)
    ).all()
