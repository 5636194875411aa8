import psycopg
import pytest

from inventory.core.config import Role
from tests.support.api import Api, slug, unique


def test_each_kind_moves_stock_and_shows_the_balances(api: Api) -> None:
    sku, main, shop = api.item(), api.location(), api.location()
    steps: list[tuple[str, dict[str, object], tuple[str | None, str | None], dict[str, str]]] = [
        ("receipt", {"destination": main, "quantity": "10"}, (None, "10.000"), {main: "10.000"}),
        (
            "transfer",
            {"source": main, "destination": shop, "quantity": 4},
            ("6.000", "4.000"),
            {main: "6.000", shop: "4.000"},
        ),
        ("issue", {"source": shop, "quantity": "1.5"}, ("2.500", None), {main: "6.000", shop: "2.500"}),
        (
            "adjustment",
            {"location": main, "delta": "-0.25", "note": "broken"},
            ("5.750", None),
            {main: "5.750", shop: "2.500"},
        ),
        (
            "adjustment",
            {"location": shop, "delta": "1", "note": "found"},
            (None, "3.500"),
            {main: "5.750", shop: "3.500"},
        ),
    ]
    for kind, fields, balances, stock in steps:
        answer = api.move(kind, sku, key=None, reference="PO-1", **fields)
        assert answer.status_code == 201, answer.text
        body = answer.json()
        assert (body["source_balance"], body["destination_balance"]) == balances
        assert (body["kind"], body["sku"], body["actor"], body["reference"]) == (kind, sku, "admin", "PO-1")
        assert api.stock(sku) == stock
        assert api.send("GET", answer.headers["location"]).json() == body

    whole = api.get(f"/items/{sku}/stock").json()
    assert (whole["total"], whole["unit"]) == ("9.250", "piece")


def test_a_repeated_request_is_answered_and_not_applied(api: Api) -> None:
    sku, main = api.item(), api.location()
    first = api.move("receipt", sku, key="same", destination=main, quantity="2")
    again = api.move("receipt", sku.lower(), key="same", destination=main, quantity="2.000")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert api.stock(sku) == {main: "2.000"}


def test_a_key_belongs_to_one_content_and_one_caller(api: Api) -> None:
    sku, main = api.item(), api.location()
    assert api.move("receipt", sku, key="mine", destination=main, quantity=2).status_code == 201
    other = api.move("receipt", sku, key="mine", destination=main, quantity=3)
    assert (other.status_code, slug(other)) == (422, "idempotency-key-reused")
    clerk = api.holding(Role.CLERK).move("receipt", sku, key="mine", destination=main, quantity=3)
    assert clerk.status_code == 201
    assert api.stock(sku) == {main: "5.000"}


def test_a_refused_movement_leaves_its_key_free(api: Api) -> None:
    sku, main = api.item(), api.location()
    refused = api.move("issue", sku, key="retry", source=main, quantity=1)
    assert slug(refused) == "insufficient-stock"
    api.receive(sku, main, 1)
    assert api.move("issue", sku, key="retry", source=main, quantity=1).status_code == 201


def test_stock_never_goes_below_zero(api: Api) -> None:
    sku, main, shop = api.item(), api.location(), api.location()
    api.receive(sku, main, "3")
    moves = [
        ("issue", {"source": main, "quantity": "3.001"}),
        ("transfer", {"source": main, "destination": shop, "quantity": "4"}),
        ("adjustment", {"location": main, "delta": "-5", "note": "count"}),
    ]
    for kind, fields in moves:
        answer = api.move(kind, sku, **fields)
        assert (answer.status_code, slug(answer)) == (409, "insufficient-stock")
        assert (answer.json()["available"], answer.json()["location"]) == ("3.000", main)
    assert api.stock(sku) == {main: "3.000"}


def test_a_stock_that_no_longer_fits_its_column_is_refused(api: Api, database_url: str) -> None:
    sku, main = api.item(), api.location()
    api.receive(sku, main, 1)
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        item = connection.execute("SELECT id FROM items WHERE sku = %s", [sku]).fetchone()
        connection.execute("UPDATE stock_levels SET quantity = 99999999999.999 WHERE item_id = %s", item)
    answer = api.move("receipt", sku, destination=main, quantity=1)
    assert (answer.status_code, slug(answer)) == (409, "number-too-large")
    assert api.stock(sku) == {main: "99999999999.999"}


@pytest.mark.parametrize(
    ("kind", "fields", "status", "expected"),
    [
        ("receipt", {"destination": "NOWHERE", "quantity": 1}, 422, "unknown-location"),
        ("receipt", {"destination": "@main", "quantity": 1, "sku": "NOTHING"}, 422, "unknown-item"),
        ("transfer", {"source": "@main", "destination": "NOWHERE", "quantity": 1}, 422, "unknown-location"),
        ("transfer", {"source": "@main", "destination": "@main", "quantity": 1}, 422, "invalid-request"),
        ("receipt", {"destination": "@main", "quantity": 0}, 422, "invalid-request"),
        ("receipt", {"destination": "@main", "quantity": "0.0001"}, 422, "invalid-request"),
        ("receipt", {"destination": "@main", "quantity": "Infinity"}, 422, "invalid-request"),
        ("receipt", {"source": "@main", "quantity": 1}, 422, "invalid-request"),
        ("adjustment", {"location": "@main", "delta": 0, "note": "x"}, 422, "invalid-request"),
        ("adjustment", {"location": "@main", "delta": 1}, 422, "invalid-request"),
        ("gift", {"destination": "@main", "quantity": 1}, 422, "invalid-request"),
    ],
)
def test_bad_movements_are_refused(
    api: Api, kind: str, fields: dict[str, object], status: int, expected: str
) -> None:
    main, sku = api.location(), api.item()
    given = {name: main if value == "@main" else value for name, value in fields.items()}
    answer = api.move(kind, str(given.pop("sku", sku)), key=None, **given)
    assert (answer.status_code, slug(answer)) == (status, expected)
    assert api.stock(sku) == {}


def test_the_key_is_required_and_plain(api: Api) -> None:
    sku, main = api.item(), api.location()
    body = {"kind": "receipt", "sku": sku, "destination": main, "quantity": 1}
    missing = api.post("/movements", body)
    assert (missing.status_code, slug(missing)) == (400, "idempotency-key-required")
    for bad in ("", "a b", "x" * 129):
        answer = api.post("/movements", body, headers={"Idempotency-Key": bad})
        assert (answer.status_code, slug(answer)) == (422, "invalid-request")
    assert api.stock(sku) == {}


def test_movements_are_listed_newest_first_and_filtered(api: Api) -> None:
    sku, main, shop = api.item(), api.location(), api.location()
    order = unique("PO")
    api.receive(sku, main, 5)
    api.move("transfer", sku, source=main, destination=shop, quantity=2, reference=order)
    last = api.move("issue", sku, source=shop, quantity=1).json()

    def kinds(**query: object) -> list[str]:
        answer = api.get("/movements", params={"sku": sku, **query})
        assert answer.status_code == 200, answer.text
        return [row["kind"] for row in answer.json()["items"]]

    assert kinds() == ["issue", "transfer", "receipt"]
    assert kinds(location=main) == ["transfer", "receipt"]
    assert kinds(location=shop) == ["issue", "transfer"]
    assert kinds(kind="receipt") == ["receipt"]
    assert kinds(reference=order) == ["transfer"]
    assert kinds(since=last["created_at"]) == ["issue"]
    assert kinds(until=last["created_at"]) == ["transfer", "receipt"]
    assert slug(api.get("/movements", params={"since": "2026-01-01T00:00:00"})) == "invalid-request"

    first = api.get("/movements", params={"sku": sku, "limit": 2}).json()
    second = api.get("/movements", params={"sku": sku, "limit": 2, "cursor": first["next_cursor"]}).json()
    assert [row["kind"] for row in second["items"]] == ["receipt"]
    assert second["next_cursor"] is None


def test_an_unknown_movement(api: Api) -> None:
    assert slug(api.get("/movements/999999999")) == "movement-not-found"
    assert slug(api.get("/movements/0")) == "invalid-request"
