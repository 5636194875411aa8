"""Items as CSV: import with an error for each bad line, export that can be imported again."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from sqlalchemy import case, func, literal_column, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from inventory.api.schemas.items import ItemCreate, LineError
from inventory.core.problems import Problem
from inventory.models import Item

COLUMNS = ("sku", "name", "category", "unit", "reorder_level", "price", "barcode")
REQUIRED = frozenset({"sku", "name", "category", "price"})
BATCH = 500
_CHANGING = COLUMNS[1:]


@dataclass(frozen=True, slots=True)
class Parsed:
    """Valid items by the line they stand on, and an error for each line that is not."""

    items: dict[int, ItemCreate]
    errors: list[LineError]


@dataclass(frozen=True, slots=True)
class Counts:
    created: int
    updated: int
    unchanged: int


def parse(content: bytes) -> Parsed:
    """Reads UTF-8 with a header line; raises a 400 problem when the file as a whole cannot be read."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(f"Byte {error.start} is not UTF-8; save the file as UTF-8.") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    items: dict[int, ItemCreate] = {}
    errors: list[LineError] = []
    lines: dict[str, int] = {}
    try:
        _check_header(list(reader.fieldnames or []))
        for row in reader:
            line = reader.line_num
            try:
                item = _item(row)
            except ValidationError as error:
                errors.extend(_line_errors(line, error))
                continue
            if (first := lines.setdefault(item.sku, line)) != line:
                errors.append(
                    LineError(line=line, field="sku", message=f"{item.sku} is on line {first} already")
                )
                continue
            items[line] = item
    except csv.Error as error:
        raise _unreadable(f"Line {reader.line_num} is not valid CSV: {error}.") from None
    return Parsed(items, errors)


def _unreadable(detail: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "unreadable-csv", detail)


def _check_header(header: list[str]) -> None:
    missing, unknown = REQUIRED - set(header), set(header) - set(COLUMNS)
    if missing or unknown or len(set(header)) != len(header):
        raise _unreadable(
            f"The first line must name columns out of {', '.join(COLUMNS)};"
            f" {', '.join(sorted(REQUIRED))} are required;"
            f" it has {', '.join(header) or 'nothing'}."
        )


def _item(row: dict[str | Any, str | Any]) -> ItemCreate:
    """DictReader files surplus cells under None and missing ones as None; both fail validation."""
    given = {str(name): value for name, value in row.items() if value or name in REQUIRED}
    return ItemCreate.model_validate(given)


def _line_errors(line: int, error: ValidationError) -> Iterator[LineError]:
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        field = str(problem["loc"][0]) if problem["loc"] else None
        if field == "None":
            yield LineError(line=line, field=None, message="more cells than the header has columns")
        else:
            yield LineError(line=line, field=field, message=problem["msg"])


def taken_barcodes(session: Session, items: dict[int, ItemCreate]) -> list[LineError]:
    """Errors for barcodes that another item has, in the file or in the database."""
    errors: list[LineError] = []
    first: dict[str, int] = {}
    for line, item in items.items():
        if item.barcode is not None and (other := first.setdefault(item.barcode, line)) != line:
            errors.append(LineError(line=line, field="barcode", message=f"is on line {other} already"))
    wanted = [(item.barcode, item.sku) for item in items.values() if item.barcode is not None]
    lines = {item.barcode: line for line, item in items.items()}
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        rows = session.execute(
            select(Item.barcode, Item.sku).where(
                Item.barcode.in_([barcode for barcode, _ in batch]),
                tuple_(Item.barcode, Item.sku).not_in(batch),
            )
        )
        errors.extend(
            LineError(line=lines[row.barcode], field="barcode", message=f"belongs to {row.sku}")
            for row in rows
        )
    return errors


def upsert(session: Session, items: list[ItemCreate]) -> Counts:
    """Creates or changes items by SKU, in SKU order so that two imports cannot deadlock."""
    rows = [item.model_dump() for item in sorted(items, key=lambda item: item.sku)]
    created = changed = 0
    for start in range(0, len(rows), BATCH):
        statement = insert(Item).values(rows[start : start + BATCH])
        new = statement.excluded
        different = or_(*(getattr(Item, name).is_distinct_from(new[name]) for name in _CHANGING))
        inserted = session.scalars(
            statement.on_conflict_do_update(
                index_elements=[Item.sku],
                set_={name: new[name] for name in _CHANGING}
                | {"version": Item.version + 1, "updated_at": func.now()},
                where=different,
            ).returning(case((literal_column("xmax") == literal_column("'0'::xid"), True), else_=False))
        ).all()
        created += sum(inserted)
        changed += len(inserted) - sum(inserted)
    return Counts(created, changed, len(rows) - created - changed)


def export(read: Callable[[Callable[[Session], list[Item]]], list[Item]]) -> Iterator[str]:
    """All items by SKU. Each batch is a short read of its own, so a slow client holds no connection."""
    yield ",".join(COLUMNS) + "\r\n"
    last = ""
    while True:
        query = select(Item).where(Item.sku > last).order_by(Item.sku).limit(BATCH)
        batch = read(lambda session, query=query: list(session.scalars(query)))  # type: ignore[misc]
        if not batch:
            return
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer)
        writer.writerows([getattr(item, name) for name in COLUMNS] for item in batch)
        yield buffer.getvalue()
        last = batch[-1].sku
