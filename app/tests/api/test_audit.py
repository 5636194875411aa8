import psycopg
import pytest

from inventory.core.config import Role
from tests.support.api import Api, slug


def connect(database_url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True)


def test_the_trail_tells_who_changed_what(api: Api) -> None:
    sku, location = api.item(price="1.50"), api.location()
    api.patch(f"/items/{sku}", {"price": "2"}, headers={"If-Match": "*", "X-Request-ID": "price-change"})
    movement = api.holding(Role.CLERK).move("receipt", sku, destination=location, quantity="1.5").json()
    rows = api.get("/audit", params={"entity": "items", "key": sku}).json()["items"]
    assert [(row["action"], row["actor"], row["role"]) for row in rows] == [
        ("update", "admin", "admin"),
        ("insert", "admin", "admin"),
    ]
    assert (rows[0]["before"]["price"], rows[0]["after"]["price"]) == ("1.50", "2.00")
    assert rows[0]["request_id"] == "price-change"
    assert rows[1]["before"] is None

    moves = api.get("/audit", params={"entity": "movements", "actor": "clerk"}).json()["items"]
    assert [row["entity_key"] for row in moves] == [str(movement["id"])]
    assert moves[0]["after"]["quantity"] == "1.500"
    assert "request_hash" not in moves[0]["after"]


def test_deletions_and_changes_by_hand_are_in_it_too(api: Api, database_url: str) -> None:
    code = api.location()
    with connect(database_url) as connection:
        connection.execute("UPDATE locations SET name = 'By hand' WHERE code = %s", [code])
    api.delete(f"/locations/{code}", headers={"If-Match": "*"})
    rows = api.get("/audit", params={"entity": "locations", "key": code}).json()["items"]
    assert [(row["action"], row["actor"]) for row in rows] == [
        ("delete", "admin"),
        ("update", "inventory"),
        ("insert", "admin"),
    ]


def test_the_trail_is_paged_and_for_admins_only(api: Api) -> None:
    for _ in range(3):
        api.location()
    first = api.get("/audit", params={"limit": 2}).json()
    second = api.get("/audit", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    ids = [row["id"] for row in first["items"] + second["items"]]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == len(ids)
    assert slug(api.holding(Role.CLERK).get("/audit")) == "forbidden"


@pytest.mark.parametrize("table", ["audit_log", "movements"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET actor = 'x'", "TRUNCATE {} CASCADE"])
@pytest.mark.parametrize("replica", [False, True])
def test_history_cannot_be_changed(
    api: Api, database_url: str, table: str, statement: str, replica: bool
) -> None:
    api.receive(api.item(), api.location(), 1)
    with connect(database_url) as connection:
        if replica:  # what restores and replication use to switch ordinary triggers off
            connection.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            connection.execute(statement.format(table).encode())
