"""Recording movements: once per idempotency key, never below zero, with any number of writers."""

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus

from sqlalchemy import text
from sqlalchemy.orm import Session

from inventory.core.context import Principal
from inventory.core.problems import Problem
from inventory.domain.movement_queries import MovementView, get_movement

# The busiest writes there are, so they are text: building the same statements from the models each time took
# as much processor time as all the rest of a movement.
_LOCK_KEY = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_EARLIER = text("SELECT id, request_hash FROM movements WHERE actor = :actor AND idempotency_key = :key")
_RESOLVE = text(
    "SELECT items.id AS item_id, locations.code, locations.id AS location_id"
    " FROM items LEFT JOIN locations ON locations.code IN (:source, :destination) WHERE items.sku = :sku"
)
_TAKE = text(
    "UPDATE stock_levels SET quantity = quantity - :quantity, updated_at = now()"
    " WHERE item_id = :item_id AND location_id = :location_id AND quantity >= :quantity RETURNING quantity"
)
_AVAILABLE = text("SELECT quantity FROM stock_levels WHERE item_id = :item_id AND location_id = :location_id")
_PUT = text(
    "INSERT INTO stock_levels AS old (item_id, location_id, quantity)"
    " VALUES (:item_id, :location_id, :quantity) ON CONFLICT (item_id, location_id)"
    " DO UPDATE SET quantity = old.quantity + excluded.quantity, updated_at = now() RETURNING quantity"
)
_RECORD = text(
    "INSERT INTO movements (kind, item_id, source_id, destination_id, quantity, source_balance,"
    " destination_balance, reference, note, actor, idempotency_key, request_hash)"
    " VALUES (:kind, :item_id, :source_id, :destination_id, :quantity, :source_balance,"
    " :destination_balance, :reference, :note, :actor, :key, :request_hash)"
    " RETURNING id, quantity, created_at"
)


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
    earlier = session.execute(_EARLIER, {"actor": principal.name, "key": key}).one_or_none()
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
    source_balance = balances.get(draft.source or "")
    destination_balance = balances.get(draft.destination or "")
    row = session.execute(
        _RECORD,
        {
            "kind": draft.kind,
            "item_id": item_id,
            "source_id": places.get(draft.source or ""),
            "destination_id": places.get(draft.destination or ""),
            "quantity": draft.quantity,
            "source_balance": source_balance,
            "destination_balance": destination_balance,
            "reference": draft.reference,
            "note": draft.note,
            "actor": principal.name,
            "key": key,
            "request_hash": draft.fingerprint(),
        },
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
    names = {"sku": draft.sku, "source": draft.source, "destination": draft.destination}
    rows = session.execute(_RESOLVE, names).all()
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
    place = {"item_id": item_id, "location_id": location_id}
    balance: Decimal | None = session.scalar(_TAKE, place | {"quantity": draft.quantity})
    if balance is None:
        raise InsufficientStock(draft, session.scalar(_AVAILABLE, place) or Decimal(0))
    return balance


def _put(session: Session, draft: Draft, item_id: int, location_id: int) -> Decimal:
    row = {"item_id": item_id, "location_id": location_id, "quantity": draft.quantity}
    balance: Decimal = session.execute(_PUT, row).scalar_one()
    return balance
