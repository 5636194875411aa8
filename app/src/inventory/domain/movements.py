"""Recording movements: once per idempotency key, never below zero, with any number of writers."""

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm import Session

from inventory.core.context import Principal
from inventory.core.problems import Problem
from inventory.domain.movement_queries import MovementView, get_movement
from inventory.models import Item, Location, Movement, StockLevel

_LOCK_KEY = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


@dataclass(frozen=True, slots=True)
class Draft:
    """A movement to record. Quantity is positive; at least one of the locations is set."""

    kind: str
    sku: str
    quantity: Decimal
    source: str | None
    destination: str | None
    reference: str | None = None
    note: str | None = None

    def fingerprint(self) -> str:
        """Equal for requests that mean the same, however they were spelled."""
        fields = [self.kind, self.sku, f"{self.quantity:.3f}", self.source, self.destination]
        return hashlib.sha256(json.dumps([*fields, self.reference, self.note]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Recorded:
    movement: MovementView
    replayed: bool


class InsufficientStock(Problem):
    def __init__(self, draft: Draft, available: Decimal) -> None:
        super().__init__(
            HTTPStatus.CONFLICT,
            "insufficient-stock",
            f"{draft.source} has {available} of {draft.sku}; {draft.quantity} are asked for.",
            sku=draft.sku,
            location=draft.source,
            available=available,
            requested=draft.quantity,
        )


def record(session: Session, principal: Principal, key: str, draft: Draft) -> Recorded:
    """Applies `draft` once; the same key again returns the first result, or a problem for other content."""
    # Twins wait for each other here, so that the second finds what the first has committed.
    session.execute(_LOCK_KEY, {"key": f"{principal.name}/{key}"})
    earlier = session.execute(
        select(Movement.id, Movement.request_hash).where(
            Movement.actor == principal.name, Movement.idempotency_key == key
        )
    ).one_or_none()
    if earlier is not None:
        if earlier.request_hash != draft.fingerprint():
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "This Idempotency-Key belongs to another movement; use a new key for a new movement.",
            )
        return Recorded(get_movement(session, earlier.id), replayed=True)

    item_id, places = _resolve(session, draft)
    balances = _apply(session, draft, item_id, places)
    source_balance, destination_balance = (
        balances.get(draft.source or ""),
        balances.get(draft.destination or ""),
    )
    row = session.execute(
        insert(Movement)
        .values(
            kind=draft.kind,
            item_id=item_id,
            source_id=places.get(draft.source or ""),
            destination_id=places.get(draft.destination or ""),
            quantity=draft.quantity,
            source_balance=source_balance,
            destination_balance=destination_balance,
            reference=draft.reference,
            note=draft.note,
            actor=principal.name,
            idempotency_key=key,
            request_hash=draft.fingerprint(),
        )
        .returning(Movement.id, Movement.quantity, Movement.created_at)
    ).one()
    view = MovementView(
        id=row.id,
        kind=draft.kind,
        sku=draft.sku,
        quantity=row.quantity,
        source=draft.source,
        destination=draft.destination,
        source_balance=source_balance,
        destination_balance=destination_balance,
        reference=draft.reference,
        note=draft.note,
        actor=principal.name,
        created_at=row.created_at,
    )
    return Recorded(view, replayed=False)


def _resolve(session: Session, draft: Draft) -> tuple[int, dict[str, int]]:
    codes = [code for code in (draft.source, draft.destination) if code is not None]
    rows = session.execute(
        select(Item.id.label("item_id"), Location.code, Location.id.label("location_id"))
        .select_from(Item)
        .outerjoin(Location, Location.code.in_(codes))
        .where(Item.sku == draft.sku)
    ).all()
    if not rows:
        raise _unknown("item", draft.sku)
    places = {row.code: row.location_id for row in rows}
    for code in codes:
        if code not in places:
            raise _unknown("location", code)
    return rows[0].item_id, places


def _unknown(kind: str, key: str) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"unknown-{kind}",
        f"There is no {kind} {key!r}; create it first.",
        unknown=key,
    )


def _apply(session: Session, draft: Draft, item_id: int, places: dict[str, int]) -> dict[str, Decimal]:
    """Changes the stock rows. Every writer takes an item's rows in the order of location ids, so transfers in
    opposite directions wait for each other and never deadlock."""
    balances: dict[str, Decimal] = {}
    changed = [code for code in (draft.source, draft.destination) if code is not None]
    for code in sorted(changed, key=places.__getitem__):
        if code == draft.source:
            balances[code] = _take(session, draft, item_id, places[code])
        else:
            balances[code] = _put(session, draft, item_id, places[code])
    return balances


def _take(session: Session, draft: Draft, item_id: int, location_id: int) -> Decimal:
    row = (StockLevel.item_id == item_id) & (StockLevel.location_id == location_id)
    balance = session.scalar(
        update(StockLevel)
        .where(row, StockLevel.quantity >= draft.quantity)
        .values(quantity=StockLevel.quantity - draft.quantity, updated_at=func.now())
        .returning(StockLevel.quantity)
        .execution_options(synchronize_session=False)
    )
    if balance is None:
        available = session.scalar(select(StockLevel.quantity).where(row))
        raise InsufficientStock(draft, available or Decimal(0))
    return balance


def _put(session: Session, draft: Draft, item_id: int, location_id: int) -> Decimal:
    new = pg_insert(StockLevel).values(item_id=item_id, location_id=location_id, quantity=draft.quantity)
    balance = session.scalar(
        new.on_conflict_do_update(
            index_elements=[StockLevel.item_id, StockLevel.location_id],
            set_={"quantity": StockLevel.quantity + new.excluded.quantity, "updated_at": func.now()},
        ).returning(StockLevel.quantity)
    )
    return balance or Decimal(0)
