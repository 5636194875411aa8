"""Locations: the places that stock lies at."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.core.cursor import decode_cursor, encode_cursor
from inventory.core.problems import not_found
from inventory.models import Location


def get_location(session: Session, code: str, *, for_change: bool = False) -> Location:
    query = select(Location).where(Location.code == code)
    location = session.scalar(query.with_for_update() if for_change else query)
    if location is None:
        raise not_found("location", code)
    return location


def list_locations(session: Session, limit: int, cursor: str | None) -> tuple[list[Location], str | None]:
    query = select(Location).order_by(Location.code).limit(limit + 1)
    if cursor is not None:
        query = query.where(Location.code > decode_cursor(cursor, "code", str)[0])
    rows = list(session.scalars(query))
    return rows[:limit], encode_cursor("code", rows[limit - 1].code) if len(rows) > limit else None


def rename_location(session: Session, location: Location, name: str) -> Location:
    if location.name != name:
        location.name = name
        location.version += 1
        session.flush()
    return location
