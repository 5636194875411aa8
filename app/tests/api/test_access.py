import re

import pytest
from fastapi.testclient import TestClient

from inventory.core.config import Role
from inventory.main import create_app
from tests.support.api import Api, make_settings, slug

CALLS = {
    ("GET", "/items"): Role.READER,
    ("GET", "/items/X"): Role.READER,
    ("GET", "/items/X/stock"): Role.READER,
    ("GET", "/items.csv"): Role.READER,
    ("GET", "/locations"): Role.READER,
    ("GET", "/locations/X"): Role.READER,
    ("GET", "/stock"): Role.READER,
    ("GET", "/reports/low-stock"): Role.READER,
    ("GET", "/reports/valuation"): Role.READER,
    ("GET", "/movements"): Role.READER,
    ("GET", "/movements/1"): Role.READER,
    ("POST", "/movements"): Role.CLERK,
    ("POST", "/items"): Role.ADMIN,
    ("PATCH", "/items/X"): Role.ADMIN,
    ("DELETE", "/items/X"): Role.ADMIN,
    ("POST", "/items.csv"): Role.ADMIN,
    ("POST", "/locations"): Role.ADMIN,
    ("PATCH", "/locations/X"): Role.ADMIN,
    ("DELETE", "/locations/X"): Role.ADMIN,
    ("GET", "/audit"): Role.ADMIN,
}
RANK = [Role.READER, Role.CLERK, Role.ADMIN]


@pytest.mark.parametrize(("call", "needed"), CALLS.items(), ids=str)
def test_each_call_needs_its_role(api: Api, call: tuple[str, str], needed: Role) -> None:
    method, path = call
    stranger = api.holding(None).send(method, f"/api/v1{path}")
    assert (stranger.status_code, slug(stranger)) == (401, "unauthorized")
    assert stranger.headers["www-authenticate"].startswith("ApiKey")
    for role in RANK:
        status = api.holding(role).send(method, f"/api/v1{path}").status_code
        assert (status == 403) == (RANK.index(role) < RANK.index(needed)), (role, status)


def test_every_operation_is_in_the_list_above(api: Api) -> None:
    document = api.get("/openapi.json").json()
    operations = {
        (method.upper(), re.sub(r"/\{movement_id\}", "/1", path.removeprefix("/api/v1")))
        for path, methods in document["paths"].items()
        for method in methods
        if path.startswith("/api/v1")
    }
    assert {(method, re.sub(r"\{\w+\}", "X", path)) for method, path in operations} == set(CALLS)


def test_a_wrong_key_is_refused(api: Api) -> None:
    answer = api.send("GET", "/api/v1/items", headers={"X-API-Key": "wrong"})
    assert (answer.status_code, slug(answer)) == (401, "unauthorized")


def test_the_rate_limit_counts_each_key_and_address(database_url: str) -> None:
    settings = make_settings(database_url, rate_limit_per_minute=12)  # a burst of two
    with TestClient(create_app(settings)) as client:
        reader, clerk = Api(client).holding(Role.READER), Api(client).holding(Role.CLERK)
        for caller, allowed in ((reader, 200), (clerk, 200), (Api(client).holding(None), 401)):
            assert [caller.get("/locations").status_code for _ in range(3)] == [allowed, allowed, 429]
        limited = reader.get("/locations")
        assert slug(limited) == "rate-limited"
        assert 1 <= int(limited.headers["retry-after"]) <= 5
        assert client.get("/healthz").status_code == 200
        assert "inventory_rate_limited_total 4.0" in client.get("/metrics").text


def test_a_request_that_is_too_large_is_refused(database_url: str) -> None:
    with TestClient(create_app(make_settings(database_url, max_request_bytes=1024))) as client:
        api = Api(client)
        declared = api.send("POST", "/api/v1/items.csv", content=b"x" * 1025)
        assert (declared.status_code, slug(declared)) == (413, "request-too-large")
        assert declared.headers["connection"] == "close"
        streamed = api.send("POST", "/api/v1/items.csv", content=iter([b"x" * 600, b"x" * 600]))
        assert (streamed.status_code, slug(streamed)) == (413, "request-too-large")
        assert api.send("POST", "/api/v1/items.csv", content=b"x" * 1024).status_code != 413
