from typing import Annotated

from fastapi import APIRouter, Query

from inventory.api.deps import API, Cursor, Db, Limit, Reader
from inventory.api.schemas.fields import Category, LocationCode, Sku
from inventory.api.schemas.pages import Page
from inventory.api.schemas.stock import LocationValue, LowStockRow, StockRow
from inventory.domain import stock as domain

router = APIRouter(prefix=API, tags=["stock"])


@router.get("/stock", summary="Stock levels by item and location")
def list_stock(
    _: Reader,
    database: Db,
    sku: Annotated[Sku | None, Query()] = None,
    location: Annotated[LocationCode | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[StockRow]:
    rows, next_cursor = database.read(
        lambda session: domain.list_stock(session, sku=sku, location=location, limit=limit, cursor=cursor)
    )
    return Page(items=[StockRow.model_validate(row._mapping) for row in rows], next_cursor=next_cursor)


@router.get("/reports/low-stock", summary="Items at or below their reorder level")
def low_stock(
    _: Reader,
    database: Db,
    category: Annotated[Category | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[LowStockRow]:
    rows, next_cursor = database.read(
        lambda session: domain.low_stock(session, category=category, limit=limit, cursor=cursor)
    )
    return Page(items=[LowStockRow.model_validate(row._mapping) for row in rows], next_cursor=next_cursor)


@router.get("/reports/valuation", summary="Units and value of each location")
def valuation(_: Reader, database: Db) -> list[LocationValue]:
    return [LocationValue.model_validate(row._mapping) for row in database.read(domain.value_by_location)]
