"""Items: the master data that stock is counted in."""

from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.core.cursor import CursorValue, decode_cursor, encode_cursor
from inventory.core.problems import Problem, not_found
from inventory.models import Item, StockLevel

ItemSort = Literal["sku", "-sku", "name", "-name", "price", "-price"]

_SORTABLE: dict[str, InstrumentedAttribute[str] | InstrumentedAttribute[Decimal]] = {
    "sku": Item.sku,
    "name": Item.name,
    "price": Item.price,
}

# The same expression as the index of migration 0004.
_DOCUMENT: ColumnElement[str] = literal_column("to_tsvector('simple', sku || ' ' || name || ' ' || category)")
_CONFIG: ColumnElement[str] = literal_column("'simple'")


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Every field that is set narrows the list."""

    search: str | None = None
    category: str | None = None
    barcode: str | None = None
    in_stock: bool | None = None


def get_item(session: Session, sku: str) -> Item:
    item = session.scalar(select(Item).where(Item.sku == sku))
    if item is None:
        raise not_found("item", sku)
    return item


def get_for_change(session: Session, sku: str) -> Item:
    item = session.scalar(select(Item).where(Item.sku == sku).with_for_update())
    if item is None:
        raise not_found("item", sku)
    return item


def list_items(
    session: Session, wanted: ItemFilter, sort: ItemSort, limit: int, cursor: str | None
) -> tuple[list[Item], str | None]:
    """One page in the order asked for, ties broken by id, with the cursor of the next page."""
    field = sort.removeprefix("-")
    column = _SORTABLE[field]
    descending = sort.startswith("-")
    query = _filtered(wanted).order_by(
        *((column.desc(), Item.id.desc()) if descending else (column.asc(), Item.id.asc()))
    )
    if cursor is not None:
        value, last_id = decode_cursor(cursor, sort, str, int)
        query = query.where(_after(column, _typed(field, value), last_id, descending))
    items = list(session.scalars(query.limit(limit + 1)))
    if len(items) <= limit:
        return items, None
    last = items[limit - 1]
    return items[:limit], encode_cursor(sort, str(getattr(last, field)), last.id)


def _typed(field: str, value: CursorValue) -> CursorValue | Decimal:
    if field != "price":
        return value
    try:
        return Decimal(value)
    except ArithmeticError:
        raise Problem(HTTPStatus.BAD_REQUEST, "invalid-cursor", "Start again without `cursor`.") from None


def _after(
    column: InstrumentedAttribute[str] | InstrumentedAttribute[Decimal],
    value: CursorValue | Decimal,
    last_id: CursorValue,
    descending: bool,
) -> ColumnElement[bool]:
    if descending:
        return or_(column < value, and_(column == value, Item.id < last_id))
    return or_(column > value, and_(column == value, Item.id > last_id))


def _filtered(wanted: ItemFilter) -> Select[Item]:
    query = select(Item)
    if wanted.search is not None:
        # Each word has to begin a word of the item; quoting makes every sign in it harmless.
        words = [word.replace("\\", "").replace("'", "") for word in wanted.search.split()]
        prefixes = " & ".join(f"'{word}':*" for word in words if word)
        if prefixes:
            query = query.where(_DOCUMENT.op("@@")(func.to_tsquery(_CONFIG, prefixes)))
    if wanted.category is not None:
        query = query.where(Item.category == wanted.category)
    if wanted.barcode is not None:
        query = query.where(Item.barcode == wanted.barcode)
    if wanted.in_stock is not None:
        has_stock = (
            select(StockLevel.item_id).where(StockLevel.item_id == Item.id, StockLevel.quantity > 0).exists()
        )
        query = query.where(has_stock if wanted.in_stock else ~has_stock)
    return query


def change_item(session: Session, item: Item, changes: dict[str, Any]) -> Item:
    """Applies the fields given; the version goes up when anything is different."""
    if any(getattr(item, name) != value for name, value in changes.items()):
        for name, value in changes.items():
            setattr(item, name, value)
        item.version += 1
        session.flush()
    return item


def delete_item(session: Session, item: Item) -> None:
    """Works for items that never had stock; the database refuses it for the others."""
    session.delete(item)
    session.flush()
