"""Any history of movements, held against a model of a few lines."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from inventory.core.config import Role
from inventory.core.context import Principal
from inventory.core.database import Database
from inventory.core.problems import Problem
from inventory.domain.movements import Draft, record
from inventory.domain.stock import item_stock, value_by_location
from inventory.models import Item, Location
from tests.conftest import TEMPLATE
from tests.support.api import make_settings, unique
from tests.support.postgres import PostgresServer

CALLER = Principal("property", Role.CLERK)
PLACES = ("P1", "P2", "P3")
quantities = st.decimals(min_value=Decimal("0.001"), max_value=Decimal(1000), places=3)
places = st.sampled_from(PLACES)


@dataclass
class Sent:
    """A movement that was accepted, to be sent again."""

    key: str
    draft: Draft
    movement_id: int


class Ledger(RuleBasedStateMachine):
    """`database` is set by the test below."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.sku = unique("PROP").upper()
        self.model: dict[str, Decimal] = defaultdict(Decimal)
        self.sent: list[Sent] = []
        price = Decimal(2)

        def add(session: object) -> None:
            session.add(Item(sku=self.sku, name="x", category="x", unit="x", reorder_level=0, price=price))  # type: ignore[attr-defined]

        self.database.write(CALLER, add)

    def send(self, draft: Draft) -> None:
        key = unique("key")
        enough = draft.source is None or self.model[draft.source] >= draft.quantity
        try:
            recorded = self.database.write(CALLER, lambda session: record(session, CALLER, key, draft))
        except Problem as problem:
            assert problem.slug == "insufficient-stock"
            assert not enough
            assert problem.extra["available"] == self.model[draft.source or ""]
            return
        assert enough
        movement = recorded.movement
        if draft.source is not None:
            self.model[draft.source] -= draft.quantity
            assert movement.source_balance == self.model[draft.source]
        if draft.destination is not None:
            self.model[draft.destination] += draft.quantity
            assert movement.destination_balance == self.model[draft.destination]
        self.sent.append(Sent(key, draft, movement.id))

    @rule(place=places, quantity=quantities)
    def receive(self, place: str, quantity: Decimal) -> None:
        self.send(Draft("receipt", self.sku, quantity, None, place))

    @rule(place=places, quantity=quantities)
    def issue(self, place: str, quantity: Decimal) -> None:
        self.send(Draft("issue", self.sku, quantity, place, None))

    @precondition(lambda self: any(self.model.values()))
    @rule(place=places)
    def issue_all(self, place: str) -> None:
        if self.model[place] > 0:
            self.send(Draft("issue", self.sku, self.model[place], place, None))

    @rule(pair=st.permutations(PLACES), quantity=quantities)
    def transfer(self, pair: list[str], quantity: Decimal) -> None:
        self.send(Draft("transfer", self.sku, quantity, pair[0], pair[1]))

    @rule(place=places, quantity=quantities, found=st.booleans())
    def adjust(self, place: str, quantity: Decimal, found: bool) -> None:
        source, destination = (None, place) if found else (place, None)
        self.send(Draft("adjustment", self.sku, quantity, source, destination, note="count"))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        earlier = data.draw(st.sampled_from(self.sent))
        again = self.database.write(
            CALLER, lambda session: record(session, CALLER, earlier.key, earlier.draft)
        )
        assert again.replayed
        assert again.movement.id == earlier.movement_id

    @invariant()
    def stock_is_what_the_model_says(self) -> None:
        _, rows = self.database.read(lambda session: item_stock(session, self.sku))
        stock = {row.location: row.quantity for row in rows}
        assert {place: quantity for place, quantity in stock.items() if quantity} == {
            place: quantity for place, quantity in self.model.items() if quantity
        }
        assert all(quantity >= 0 for quantity in stock.values())


def test_any_history_of_movements(postgres: PostgresServer) -> None:
    database = Database(make_settings(postgres.new_database(TEMPLATE)))

    def add_places(session: object) -> None:
        for code in PLACES:
            session.add(Location(code=code, name=code))  # type: ignore[attr-defined]

    try:
        database.write(CALLER, add_places)
        Ledger.database = database
        case = Ledger.TestCase
        case.settings = hypothesis_settings(max_examples=20, stateful_step_count=15, deadline=None)
        case().runTest()
        total = sum(row.units for row in database.read(value_by_location))
        assert total >= 0
    finally:
        database.dispose()


@pytest.mark.parametrize(
    "changes",
    [{"quantity": Decimal(2)}, {"source": "B"}, {"note": "x"}, {"reference": "x"}, {"kind": "issue"}],
)
def test_a_fingerprint_tells_different_requests_apart(changes: dict[str, object]) -> None:
    fields: dict[str, object] = {
        "kind": "transfer",
        "sku": "S",
        "quantity": Decimal(1),
        "source": "A",
        "destination": "C",
    }
    first = Draft(**fields)  # type: ignore[arg-type]
    same = Draft(**fields | {"quantity": Decimal("1.000")})  # type: ignore[arg-type]
    other = Draft(**fields | changes)  # type: ignore[arg-type]
    assert first.fingerprint() == same.fingerprint() != other.fingerprint()
