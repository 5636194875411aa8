import json
import logging

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from inventory.main import create_app
from tests.support.api import KEYS, Api, make_settings, slug
from tests.support.postgres import PostgresServer, free_port


def metric(client: TestClient, line: str) -> float | None:
    for row in client.get("/metrics").text.splitlines():
        if row.rsplit(" ", 1)[0] == line:
            return float(row.rsplit(" ", 1)[1])
    return None


def test_every_answer_tells_version_and_request_id(api: Api) -> None:
    answer = api.client.get("/healthz", headers={"X-Request-ID": "my-id.1"})
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    assert answer.headers["x-inventory-version"] == "9.8.7"
    assert answer.headers["x-request-id"] == "my-id.1"
    forged = api.client.get("/nowhere", headers={"X-Request-ID": "new\\nline {}"})
    assert len(forged.headers["x-request-id"]) == 32
    assert (forged.status_code, slug(forged)) == (404, "not-found")
    wrong = api.client.put("/api/v1/items")
    assert (wrong.status_code, slug(wrong)) == (405, "method-not-allowed")


def test_ready_tells_the_schema(api: Api) -> None:
    answer = api.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "reason": "schema 0004"})
    assert metric(api.client, "inventory_ready") == 1


def test_not_ready_without_schema_or_database(postgres: PostgresServer) -> None:
    empty = postgres.new_database()
    with TestClient(create_app(make_settings(empty))) as client:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
        assert "inventory migrate" in answer.json()["reason"]
        assert client.get("/healthz").status_code == 200
        assert "inventory_stock_units{" not in client.get("/metrics").text

    nowhere = f"postgresql+psycopg://inventory@127.0.0.1:{free_port()}/none"
    with TestClient(create_app(make_settings(nowhere))) as client:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["reason"]) == (503, "the database cannot be reached")
        refused = Api(client).get("/items")
        assert (refused.status_code, slug(refused)) == (503, "database-unavailable")
        assert refused.headers["retry-after"] == "2"
        assert metric(client, "inventory_ready") == 0


def test_the_first_failure_of_a_route_is_an_increase(api: Api) -> None:
    for route, status in (
        ("/api/v1/items", "201"),
        ("/api/v1/items", "500"),
        ("/api/v1/movements", "503"),
        ("/api/v1/movements", "422"),
    ):
        labels = f'method="POST",route="{route}",status="{status}"'
        assert metric(api.client, f"http_requests_total{{{labels}}}") == 0


def test_requests_are_counted_by_route_not_by_path(api: Api) -> None:
    sku = api.item()
    api.get(f"/items/{sku}")
    api.get("/items/NOTHING")
    api.client.request("BREW", "/healthz")
    labels = 'method="GET",route="/api/v1/items/{sku}",status='
    assert metric(api.client, f'http_requests_total{{{labels}"200"}}') == 1
    assert metric(api.client, f'http_requests_total{{{labels}"404"}}') == 1
    assert metric(api.client, f'http_request_duration_seconds_count{{{labels}"200"}}') == 1
    text = api.client.get("/metrics").text
    assert sku not in text
    assert 'method="other"' in text
    assert "BREW" not in text
    assert metric(api.client, "http_requests_in_flight") == 1  # the scrape itself
    assert metric(api.client, 'inventory_build_info{environment="development",version="9.8.7"}') == 1


def test_pool_and_movements_are_counted(api: Api) -> None:
    sku, main = api.item(), api.location()
    before = metric(api.client, 'inventory_movements_total{kind="receipt"}') or 0
    api.receive(sku, main, 1)
    api.move("receipt", sku, key="twice", destination=main, quantity=1)
    api.move("receipt", sku, key="twice", destination=main, quantity=1)
    api.move("issue", sku, source=main, quantity=100)
    assert metric(api.client, 'inventory_movements_total{kind="receipt"}') == before + 2
    assert metric(api.client, 'inventory_movements_replayed_total{kind="receipt"}') == 1
    rejected = 'inventory_movements_rejected_total{kind="issue",reason="insufficient-stock"}'
    assert metric(api.client, rejected) == 1
    assert metric(api.client, "inventory_db_pool_size") == 8
    assert metric(api.client, "inventory_db_pool_in_use") == 0
    assert metric(api.client, "inventory_db_pool_waiting") == 0
    assert (metric(api.client, "inventory_db_pool_idle") or 0) >= 1


def test_stock_is_in_the_metrics(database_url: str) -> None:
    settings = make_settings(database_url)
    with TestClient(create_app(settings)) as client:
        api = Api(client)
        main = api.location(code="METRICS")
        sku = api.item(price="2.50", reorder_level=100)
        api.receive(sku, main, "4")
    with TestClient(create_app(settings)) as client:
        client.get("/readyz")
        for _ in range(100):
            if metric(client, "inventory_low_stock_items") is not None:
                break
        assert metric(client, 'inventory_stock_units{location="METRICS"}') == 4
        assert metric(client, 'inventory_stock_value{location="METRICS"}') == 10
        assert metric(client, "inventory_low_stock_items") == 1
        assert (metric(client, "inventory_stock_snapshot_timestamp_seconds") or 0) > 1.7e9


@pytest.fixture
def broken(database_url: str) -> FastAPI:
    app = create_app(make_settings(database_url))

    @app.get("/broken")
    async def fail() -> None:
        raise RuntimeError("password=hunter2")

    return app


def test_an_unexpected_error_tells_nothing_but_its_id(
    broken: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    with TestClient(broken) as client, caplog.at_level(logging.ERROR, "inventory.request"):
        answer = client.get("/broken")
        assert (answer.status_code, slug(answer)) == (500, "internal-error")
        assert "hunter2" not in answer.text
        assert metric(client, 'http_exceptions_total{method="GET",route="/broken"}') == 1
        assert metric(client, 'http_requests_total{method="GET",route="/broken",status="500"}') == 1
    assert [record.message for record in caplog.records] == ["unexpected error"]


def test_each_request_leaves_one_line(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "inventory.request"):
        api.get("/items?q=secret-search")
        api.client.get("/healthz")
    (record,) = caplog.records
    fields = {name: getattr(record, name) for name in ("method", "path", "route", "status", "principal")}
    assert fields == {
        "method": "GET",
        "path": "/api/v1/items",
        "route": "/api/v1/items",
        "status": 200,
        "principal": "admin",
    }
    everything = json.dumps(vars(record), default=str)
    assert not any(key in everything for key in KEYS.values())


def test_the_description_is_complete(api: Api) -> None:
    document = api.get("/openapi.json").json()
    assert document["info"]["version"] == "9.8.7"
    assert "APIKeyHeader" in document["components"]["securitySchemes"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            if path.startswith("/api/v1"):
                assert operation["security"] == [{"APIKeyHeader": []}], (method, path)
                assert "application/problem+json" in operation["responses"]["429"]["content"]
