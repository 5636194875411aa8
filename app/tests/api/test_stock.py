from tests.support.api import Api, slug, unique


def test_stock_levels_are_listed_by_item_and_location(api: Api) -> None:
    first, second = sorted([api.item(), api.item()])
    main, shop = sorted([api.location(), api.location()])
    for sku, location in ((second, main), (first, shop), (first, main)):
        api.receive(sku, location, 1)

    def listed(**query: object) -> list[tuple[str, str]]:
        rows: list[tuple[str, str]] = []
        cursor = None
        while True:
            page = api.get("/stock", params=query | ({"cursor": cursor} if cursor else {})).json()
            rows += [(row["sku"], row["location"]) for row in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return rows

    assert listed(sku=first, limit=1) == [(first, main), (first, shop)]
    assert listed(location=main, limit=1) == [(first, main), (second, main)]
    assert (first, shop) in listed(limit=1)
    assert listed(sku=first, location=shop) == [(first, shop)]


def test_stock_of_an_item_without_any(api: Api) -> None:
    sku = api.item(unit="kg")
    assert api.get(f"/items/{sku}/stock").json() == {
        "sku": sku,
        "unit": "kg",
        "total": "0",
        "locations": [],
    }
    assert slug(api.get("/items/NOTHING/stock")) == "item-not-found"


def test_low_stock_counts_all_locations(api: Api) -> None:
    category = unique("cat")
    main, shop = api.location(), api.location()
    low = api.item(category=category, reorder_level="10")
    enough = api.item(category=category, reorder_level="10")
    at_level = api.item(category=category, reorder_level="3")
    api.item(category=category, reorder_level="0")
    never = api.item(category=category, reorder_level="1")
    api.receive(low, main, "6")
    api.receive(low, shop, "3.5")
    api.receive(enough, main, "10.001")
    api.receive(at_level, main, "3")

    rows, cursor = [], None
    while True:
        query = {"category": category, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = api.get("/reports/low-stock", params=query).json()
        rows += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    found = {row["sku"]: (row["total"], row["missing"]) for row in rows}
    assert {sku: [float(number) for number in numbers] for sku, numbers in found.items()} == {
        low: [9.5, 0.5],
        at_level: [3, 0],
        never: [0, 1],
    }


def test_valuation_sums_units_and_value(api: Api) -> None:
    main, empty = api.location(), api.location()
    cheap, dear = api.item(price="0.25"), api.item(price="100")
    api.receive(cheap, main, "10")
    api.receive(dear, main, "1.5")
    rows = {row["location"]: row for row in api.get("/reports/valuation").json()}
    assert (rows[main]["units"], rows[main]["value"]) == ("11.500", "152.50")
    assert (float(rows[empty]["units"]), float(rows[empty]["value"])) == (0, 0)
