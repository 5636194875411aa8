from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from inventory.core.cursor import encode_cursor
from tests.support.api import Api, slug, unique


def test_an_item_is_created_read_changed_and_deleted(api: Api) -> None:
    body = {
        "sku": "bolt-m8",
        "name": " Bolt M8 ",
        "category": "fasteners",
        "unit": "piece",
        "reorder_level": 50,
        "price": "0.25",
        "barcode": "4006381333931",
    }
    created = api.post("/items", body)
    assert created.status_code == 201
    assert created.headers["location"] == "/api/v1/items/BOLT-M8"
    assert created.headers["etag"] == '"1"'
    fields = ("sku", "name", "reorder_level", "price", "version")
    assert [created.json()[field] for field in fields] == ["BOLT-M8", "Bolt M8", "50.000", "0.25", 1]

    changed = api.patch("/items/BOLT-M8", {"price": "0.3", "barcode": None}, headers={"If-Match": '"1"'})
    assert changed.status_code == 200
    assert (changed.json()["price"], changed.json()["barcode"]) == ("0.30", None)
    assert changed.headers["etag"] == '"2"'
    assert changed.json()["updated_at"] > created.json()["updated_at"]
    assert api.get("/items/bolt-m8").json() == changed.json()

    assert api.delete("/items/BOLT-M8", headers={"If-Match": '"2"'}).status_code == 204
    assert slug(api.get("/items/BOLT-M8")) == "item-not-found"


def test_a_change_that_changes_nothing_keeps_the_version(api: Api) -> None:
    sku = api.item()
    answer = api.patch(f"/items/{sku}", {"name": "Bolt"}, headers={"If-Match": "*"})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')


@pytest.mark.parametrize(
    ("method", "header", "status", "expected"),
    [
        ("PATCH", None, 428, "if-match-required"),
        ("DELETE", None, 428, "if-match-required"),
        ("PATCH", '"7"', 412, "changed-meanwhile"),
        ("DELETE", 'W/"1"', 412, "changed-meanwhile"),
    ],
)
def test_a_change_needs_the_present_etag(
    api: Api, method: str, header: str | None, status: int, expected: str
) -> None:
    sku = api.item()
    headers = {"If-Match": header} if header else {}
    body = {"json": {"name": "Other"}} if method == "PATCH" else {}
    answer = api.send(method, f"/api/v1/items/{sku}", headers=headers, **body)
    assert (answer.status_code, slug(answer)) == (status, expected)
    assert api.get(f"/items/{sku}").json()["name"] == "Bolt"


def test_one_of_several_etags_is_enough(api: Api) -> None:
    sku = api.item()
    assert api.patch(f"/items/{sku}", {"name": "Other"}, headers={"If-Match": '"9", "1"'}).status_code == 200


@pytest.mark.parametrize(("tag", "status"), [('"1"', 304), ('W/"1"', 304), ("*", 304), ('"2"', 200)])
def test_an_unchanged_item_is_not_sent_again(api: Api, tag: str, status: int) -> None:
    sku = api.item()
    answer = api.get(f"/items/{sku}", headers={"If-None-Match": tag})
    assert answer.status_code == status
    assert answer.headers["etag"] == '"1"'
    assert (answer.content == b"") == (status == 304)


@pytest.mark.parametrize(
    ("changes", "location"),
    [
        ({"sku": "has space"}, "body.sku"),
        ({"sku": ""}, "body.sku"),
        ({"sku": "x" * 65}, "body.sku"),
        ({"name": ""}, "body.name"),
        ({"name": "=SUM(A1)"}, "body.name"),
        ({"name": "tab\tinside"}, "body.name"),
        ({"name": "nul\x00"}, "body.name"),
        ({"price": "-0.01"}, "body.price"),
        ({"price": "0.001"}, "body.price"),
        ({"price": "NaN"}, "body.price"),
        ({"price": "1e12"}, "body.price"),
        ({"reorder_level": "-1"}, "body.reorder_level"),
        ({"barcode": "a b"}, "body.barcode"),
        ({"colour": "red"}, "body.colour"),
    ],
)
def test_bad_fields_are_named(api: Api, changes: dict[str, str], location: str) -> None:
    body = {"sku": unique("SKU"), "name": "Bolt", "category": "fasteners", "price": "1"} | changes
    answer = api.post("/items", body)
    assert (answer.status_code, slug(answer)) == (422, "invalid-request")
    assert [error["location"] for error in answer.json()["errors"]] == [location]


@pytest.mark.parametrize("body", [{}, {"name": None}, {"sku": "OTHER"}])
def test_a_change_has_to_be_one(api: Api, body: dict[str, None]) -> None:
    answer = api.patch(f"/items/{api.item()}", body, headers={"If-Match": "*"})
    assert (answer.status_code, slug(answer)) == (422, "invalid-request")


def test_sku_and_barcode_are_unique(api: Api) -> None:
    sku = api.item(barcode="11112222")
    again = api.post("/items", {"sku": sku.lower(), "name": "Other", "category": "x", "price": 1})
    assert (again.status_code, slug(again)) == (409, "already-exists")
    twin = api.post(
        "/items", {"sku": unique("S"), "name": "O", "category": "x", "price": 1, "barcode": "11112222"}
    )
    assert twin.json()["constraint"] == "items_barcode"


def test_an_item_with_a_past_stays(api: Api) -> None:
    sku, location = api.item(), api.location()
    api.receive(sku, location, 1)
    answer = api.delete(f"/items/{sku}", headers={"If-Match": "*"})
    assert (answer.status_code, slug(answer)) == (409, "in-use")


def test_search_filters_and_order(api: Api) -> None:
    category = unique("cat")
    location = api.location()
    names = {"Hex bolt": "3", "Round bolt": "1", "Bolt cutter": "20", "Washer": "2"}
    skus = {name: api.item(name=name, price=price, category=category) for name, price in names.items()}
    api.receive(skus["Washer"], location, 4)

    def listed(**query: object) -> list[str]:
        answer = api.get("/items", params={"category": category, **query})
        assert answer.status_code == 200, answer.text
        return [row["name"] for row in answer.json()["items"]]

    assert sorted(listed(q="bol")) == ["Bolt cutter", "Hex bolt", "Round bolt"]
    assert listed(q="bolt cut") == ["Bolt cutter"]
    assert listed(q="olt") == []
    assert listed(q=f"HEX {category}") == ["Hex bolt"]
    assert listed(q=skus["Washer"].lower()) == ["Washer"]
    assert len(listed(q="'\\ '")) == 4  # nothing to search for is left
    assert listed(sort="name") == ["Bolt cutter", "Hex bolt", "Round bolt", "Washer"]
    assert listed(sort="-price") == ["Bolt cutter", "Hex bolt", "Washer", "Round bolt"]
    assert listed(in_stock=True) == ["Washer"]
    assert len(listed(in_stock=False)) == 3
    assert api.get("/items", params={"barcode": "00000000"}).json()["items"] == []


@pytest.mark.parametrize("sort", ["sku", "-sku", "name", "-name", "price", "-price"])
def test_pages_hold_every_item_once_and_in_order(api: Api, sort: str) -> None:
    category = unique("cat")
    for number in range(11):
        api.item(category=category, name=f"N{number % 3}", price=str(number % 4))
    whole = api.get("/items", params={"category": category, "sort": sort, "limit": 200}).json()["items"]
    pages, cursor = [], None
    while True:
        query = {"category": category, "sort": sort, "limit": 4} | ({"cursor": cursor} if cursor else {})
        page = api.get("/items", params=query).json()
        pages.append([row["sku"] for row in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [len(page) for page in pages] == [4, 4, 3]
    assert [sku for page in pages for sku in page] == [row["sku"] for row in whole]
    field = sort.removeprefix("-")
    keys = [Decimal(row[field]) if field == "price" else row[field] for row in whole]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


@given(text=st.text(min_size=1, max_size=40))
@hypothesis_settings(max_examples=60)
def test_no_search_text_breaks_the_query(api: Api, text: str) -> None:
    answer = api.get("/items", params={"q": text})
    assert answer.status_code == (422 if "\x00" in text else 200), answer.text


@pytest.mark.parametrize(
    "cursor", ["x", "AAAA", "WyJza3UiXQ", "WyJza3UiLCAxLCAxXQ", "é", "WyItbmFtZSIsICJhIiwgMV0"]
)
def test_a_made_up_cursor_is_refused(api: Api, cursor: str) -> None:
    answer = api.get("/items", params={"cursor": cursor})
    assert (answer.status_code, slug(answer)) == (400, "invalid-cursor")


def test_a_cursor_of_prices_holds_a_number(api: Api) -> None:
    answer = api.get("/items", params={"sort": "price", "cursor": encode_cursor("price", "dear", 1)})
    assert (answer.status_code, slug(answer)) == (400, "invalid-cursor")
