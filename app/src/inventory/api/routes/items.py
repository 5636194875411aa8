from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from inventory.api.deps import (
    API,
    Admin,
    Cursor,
    Db,
    IfMatch,
    IfNoneMatch,
    Limit,
    Reader,
    SkuPath,
    check_match,
    etag,
    not_modified,
)
from inventory.api.schemas.fields import Barcode, Category
from inventory.api.schemas.items import ItemCreate, ItemRead, ItemUpdate
from inventory.api.schemas.pages import Page
from inventory.api.schemas.stock import ItemStock, StockAtLocation
from inventory.domain import items as domain
from inventory.domain.stock import item_stock
from inventory.models import Item

router = APIRouter(prefix=API + "/items", tags=["items"])

Search = Annotated[
    str | None,
    Query(alias="q", min_length=1, max_length=200, pattern=r"^[^\x00]+$", description="Beginnings of words."),
]


@router.post("", status_code=201, summary="Create an item")
def create_item(body: ItemCreate, response: Response, caller: Admin, database: Db) -> ItemRead:
    def work(session: Session) -> Item:
        item = Item(**body.model_dump())
        session.add(item)
        session.flush()
        return item

    item = database.write(caller, work)
    response.headers["ETag"] = etag(item.version)
    response.headers["Location"] = f"/api/v1/items/{item.sku}"
    return ItemRead.model_validate(item)


@router.get("", summary="Search, filter and list items")
def list_items(
    _: Reader,
    database: Db,
    search: Search = None,
    category: Annotated[Category | None, Query()] = None,
    barcode: Annotated[Barcode | None, Query()] = None,
    in_stock: Annotated[bool | None, Query(description="With any stock, or with none.")] = None,
    sort: domain.ItemSort = "sku",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ItemRead]:
    wanted = domain.ItemFilter(search, category, barcode, in_stock)
    rows, next_cursor = database.read(lambda session: domain.list_items(session, wanted, sort, limit, cursor))
    return Page(items=[ItemRead.model_validate(row) for row in rows], next_cursor=next_cursor)


@router.get("/{sku}", summary="Read an item", responses={304: {"description": "Unchanged."}})
def read_item(
    sku: SkuPath, response: Response, _: Reader, database: Db, if_none_match: IfNoneMatch = None
) -> ItemRead | None:
    item = database.read(lambda session: domain.get_item(session, sku))
    response.headers["ETag"] = etag(item.version)
    if not_modified(if_none_match, item.version):
        response.status_code = 304
        return None
    return ItemRead.model_validate(item)


@router.patch("/{sku}", summary="Change an item")
def change_item(
    sku: SkuPath, body: ItemUpdate, response: Response, caller: Admin, database: Db, if_match: IfMatch
) -> ItemRead:
    def work(session: Session) -> Item:
        item = domain.get_for_change(session, sku)
        check_match(if_match, item.version)
        return domain.change_item(session, item, body.model_dump(exclude_unset=True))

    item = database.write(caller, work)
    response.headers["ETag"] = etag(item.version)
    return ItemRead.model_validate(item)


@router.delete("/{sku}", status_code=204, summary="Delete an item that never had stock")
def delete_item(sku: SkuPath, caller: Admin, database: Db, if_match: IfMatch) -> None:
    def work(session: Session) -> None:
        item = domain.get_for_change(session, sku)
        check_match(if_match, item.version)
        domain.delete_item(session, item)

    database.write(caller, work)


@router.get("/{sku}/stock", summary="Stock of an item by location")
def read_item_stock(sku: SkuPath, _: Reader, database: Db) -> ItemStock:
    unit, rows = database.read(lambda session: item_stock(session, sku))
    locations = [
        StockAtLocation(location=row.location, quantity=row.quantity, updated_at=row.updated_at)
        for row in rows
    ]
    total = sum((row.quantity for row in locations), start=Decimal(0))
    return ItemStock(sku=sku, unit=unit, total=total, locations=locations)
