"""Many writers at once, on real PostgreSQL."""

import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import psycopg
import pytest
from sqlalchemy import event

from inventory.core.problems import Problem
from tests.support.api import Api, slug, unique

WRITERS = 8


def ledger_differences(database_url: str) -> list[tuple[object, ...]]:
    """Stock rows that are not the sum of their movements, or are negative."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        return connection.execute(
            "WITH flows AS ("
            "  SELECT item_id, destination_id AS location_id, quantity FROM movements"
            "  UNION ALL SELECT item_id, source_id, -quantity FROM movements),"
            " sums AS (SELECT item_id, location_id, sum(quantity) AS total FROM flows"
            "  WHERE location_id IS NOT NULL GROUP BY 1, 2)"
            " SELECT item_id, location_id, total, quantity"
            " FROM sums FULL JOIN stock_levels USING (item_id, location_id)"
            " WHERE total IS DISTINCT FROM quantity OR quantity < 0"
        ).fetchall()


def test_transfers_in_every_direction_lose_and_invent_nothing(api: Api, database_url: str) -> None:
    skus = [api.item() for _ in range(2)]
    places = [api.location() for _ in range(3)]
    for sku in skus:
        for place in places:
            api.receive(sku, place, 20)

    def work(seed: int) -> list[int]:
        rng = random.Random(seed)
        statuses = []
        for _ in range(15):
            source, destination = rng.sample(places, 2)
            quantity = rng.randint(1, 15)
            answer = api.move(
                "transfer", rng.choice(skus), source=source, destination=destination, quantity=quantity
            )
            statuses.append(answer.status_code)
        return statuses

    with ThreadPoolExecutor(WRITERS) as pool:
        statuses = [status for result in pool.map(work, range(WRITERS)) for status in result]
    assert set(statuses) <= {201, 409}
    assert statuses.count(201) > len(statuses) / 4
    for sku in skus:
        assert sum(map(Decimal, api.stock(sku).values())) == 60
    assert ledger_differences(database_url) == []


def test_the_last_units_go_to_one_of_many(api: Api, database_url: str) -> None:
    sku, main = api.item(), api.location()
    api.receive(sku, main, 10)
    with ThreadPoolExecutor(WRITERS) as pool:
        answers = list(pool.map(lambda _: api.move("issue", sku, source=main, quantity=1), range(40)))
    assert [answer.status_code for answer in answers].count(201) == 10
    assert {slug(answer) for answer in answers if answer.status_code != 201} == {"insufficient-stock"}
    assert api.stock(sku) == {main: "0.000"}
    assert ledger_differences(database_url) == []


def test_one_key_sent_many_times_at_once_counts_once(api: Api, database_url: str) -> None:
    sku, main = api.item(), api.location()
    api.receive(sku, main, 1)
    for kind, fields in (("issue", {"source": main}), ("receipt", {"destination": main})):
        key = unique("storm")

        def send(_: int, kind: str = kind, fields: dict[str, str] = fields, key: str = key) -> object:
            answer = api.move(kind, sku, key=key, quantity=1, **fields)
            return answer.status_code, answer.json()["id"]

        with ThreadPoolExecutor(WRITERS) as pool:
            assert len(set(pool.map(send, range(16)))) == 1
    assert api.stock(sku) == {main: "1.000"}
    assert ledger_differences(database_url) == []


def test_first_receipts_at_once_make_one_row(api: Api) -> None:
    sku, main = api.item(), api.location()
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda _: api.receive(sku, main, 1), range(WRITERS)))
    assert api.stock(sku) == {main: "8.000"}


def test_of_two_changes_to_one_version_one_wins(api: Api) -> None:
    sku = api.item()

    def rename(number: int) -> int:
        headers = {"If-Match": '"1"'}
        status: int = api.patch(f"/items/{sku}", {"name": f"N{number}"}, headers=headers).status_code
        return status

    with ThreadPoolExecutor(WRITERS) as pool:
        statuses = list(pool.map(rename, range(WRITERS)))
    assert sorted(statuses) == [200] + [412] * (WRITERS - 1)
    assert api.get(f"/items/{sku}").json()["version"] == 2


def test_an_item_is_not_deleted_under_a_receipt(api: Api, database_url: str) -> None:
    main = api.location()
    for _ in range(5):
        sku = api.item()
        with ThreadPoolExecutor(2) as pool:
            received = pool.submit(api.move, "receipt", sku, destination=main, quantity=1)
            deleted = pool.submit(api.delete, f"/items/{sku}", headers={"If-Match": "*"})
        outcome = (received.result().status_code, deleted.result().status_code)
        assert outcome in {(201, 409), (422, 204), (409, 204)}
    assert ledger_differences(database_url) == []


def test_a_deadlock_is_tried_again(api: Api) -> None:
    database = api.client.app.state.database  # type: ignore[attr-defined]
    failures = iter([psycopg.errors.DeadlockDetected("once"), psycopg.errors.SerializationFailure("twice")])

    def fail(*_: object) -> None:
        failure = next(failures, None)
        if failure is not None:
            raise failure

    event.listen(database.engine, "before_cursor_execute", fail)
    try:
        sku = api.item()
    finally:
        event.remove(database.engine, "before_cursor_execute", fail)
    assert api.get(f"/items/{sku}").status_code == 200


def test_a_deadlock_that_stays_is_told(api: Api) -> None:
    database = api.client.app.state.database  # type: ignore[attr-defined]

    def fail(*_: object) -> None:
        raise psycopg.errors.DeadlockDetected("always")

    event.listen(database.engine, "before_cursor_execute", fail)
    try:
        body = {"code": unique("L"), "name": "x"}
        answer = api.post("/locations", body)
    finally:
        event.remove(database.engine, "before_cursor_execute", fail)
    assert (answer.status_code, slug(answer)) == (503, "database-busy")


def test_problems_carry_their_reason() -> None:
    with pytest.raises(Problem, match="gone"):
        raise Problem(410, "gone", "It is gone.")  # type: ignore[arg-type]
