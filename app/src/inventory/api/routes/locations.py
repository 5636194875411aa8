from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from inventory.api.deps import (
    API,
    Admin,
    Cursor,
    Db,
    IfMatch,
    IfNoneMatch,
    Limit,
    LocationPath,
    Reader,
    check_match,
    etag,
    not_modified,
)
from inventory.api.schemas.locations import LocationCreate, LocationRead, LocationUpdate
from inventory.api.schemas.pages import Page
from inventory.domain import locations as domain
from inventory.models import Location

router = APIRouter(prefix=API + "/locations", tags=["locations"])


@router.post("", status_code=201, summary="Create a location")
def create_location(body: LocationCreate, response: Response, caller: Admin, database: Db) -> LocationRead:
    def work(session: Session) -> Location:
        location = Location(**body.model_dump())
        session.add(location)
        session.flush()
        return location

    location = database.write(caller, work)
    response.headers["ETag"] = etag(location.version)
    response.headers["Location"] = f"/api/v1/locations/{location.code}"
    return LocationRead.model_validate(location)


@router.get("", summary="List locations")
def list_locations(_: Reader, database: Db, limit: Limit = 50, cursor: Cursor = None) -> Page[LocationRead]:
    rows, next_cursor = database.read(lambda session: domain.list_locations(session, limit, cursor))
    return Page(items=[LocationRead.model_validate(row) for row in rows], next_cursor=next_cursor)


@router.get("/{code}", summary="Read a location", responses={304: {"description": "Unchanged."}})
def read_location(
    code: LocationPath, response: Response, _: Reader, database: Db, if_none_match: IfNoneMatch = None
) -> LocationRead | None:
    location = database.read(lambda session: domain.get_location(session, code))
    response.headers["ETag"] = etag(location.version)
    if not_modified(if_none_match, location.version):
        response.status_code = 304
        return None
    return LocationRead.model_validate(location)


@router.patch("/{code}", summary="Rename a location")
def change_location(
    code: LocationPath,
    body: LocationUpdate,
    response: Response,
    caller: Admin,
    database: Db,
    if_match: IfMatch,
) -> LocationRead:
    def work(session: Session) -> Location:
        location = domain.get_location(session, code, for_change=True)
        check_match(if_match, location.version)
        return domain.rename_location(session, location, body.name)

    location = database.write(caller, work)
    response.headers["ETag"] = etag(location.version)
    return LocationRead.model_validate(location)


@router.delete("/{code}", status_code=204, summary="Delete a location that never had stock")
def delete_location(code: LocationPath, caller: Admin, database: Db, if_match: IfMatch) -> None:
    def work(session: Session) -> None:
        location = domain.get_location(session, code, for_change=True)
        check_match(if_match, location.version)
        session.delete(location)
        session.flush()

    database.write(caller, work)
