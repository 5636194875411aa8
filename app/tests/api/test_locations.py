from tests.support.api import Api, slug, unique


def test_a_location_is_created_read_renamed_and_deleted(api: Api) -> None:
    code = unique("wh")
    created = api.post("/locations", {"code": code, "name": "Warehouse"})
    assert (created.status_code, created.headers["etag"]) == (201, '"1"')
    path = created.headers["location"].removeprefix("/api/v1")
    assert path == f"/locations/{code.upper()}"
    assert api.get(path).json() == created.json()
    assert api.get(path, headers={"If-None-Match": '"1"'}).status_code == 304

    renamed = api.patch(path, {"name": "Depot"}, headers={"If-Match": '"1"'})
    assert (renamed.json()["name"], renamed.json()["version"]) == ("Depot", 2)
    same = api.patch(path, {"name": "Depot"}, headers={"If-Match": '"2"'})
    assert same.json() == renamed.json()
    assert slug(api.patch(path, {"name": "X"}, headers={"If-Match": '"1"'})) == "changed-meanwhile"
    assert slug(api.delete(path, headers={"If-Match": '"1"'})) == "changed-meanwhile"
    assert api.delete(path, headers={"If-Match": '"2"'}).status_code == 204
    assert slug(api.get(path)) == "location-not-found"


def test_codes_are_unique_and_a_location_with_a_past_stays(api: Api) -> None:
    code = api.location()
    assert slug(api.post("/locations", {"code": code, "name": "Twin"})) == "already-exists"
    api.receive(api.item(), code, 1)
    assert slug(api.delete(f"/locations/{code}", headers={"If-Match": "*"})) == "in-use"


def test_locations_are_paged(api: Api) -> None:
    expected = {api.location() for _ in range(5)}
    found: list[str] = []
    cursor = None
    while True:
        page = api.get("/locations", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += [row["code"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == sorted(found)
    assert expected <= set(found)
    assert len(found) == len(set(found))
