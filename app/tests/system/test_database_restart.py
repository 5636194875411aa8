from collections.abc import Iterator

import psycopg
import pytest
from fastapi.testclient import TestClient

from inventory.core import readiness
from inventory.main import create_app
from inventory.migrations.runner import migrate
from tests.support.api import Api, make_settings, slug
from tests.support.postgres import PostgresServer


@pytest.fixture
def database() -> Iterator[PostgresServer]:
    """A server of its own, since others would miss it."""
    server = PostgresServer()
    try:
        server.create()
        yield server
    finally:
        server.remove()


def test_the_service_outlives_a_restart_of_the_database(
    database: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "CACHE_SECONDS", 0)
    url = database.new_database()
    migrate(url)
    with TestClient(create_app(make_settings(url))) as client:
        api = Api(client)
        sku, location = api.item(), api.location()
        assert client.get("/readyz").status_code == 200

        database.stop()
        away = api.get(f"/items/{sku}")
        assert (away.status_code, slug(away)) == (503, "database-unavailable")
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200

        database.start()
        # No request is lost to a connection from before, whatever it does.
        api.receive(sku, location, 1)
        assert api.get(f"/items/{sku}").status_code == 200
        assert client.get("/readyz").status_code == 200


def test_no_kind_of_request_is_lost_to_a_broken_connection(api: Api, database_url: str) -> None:
    sku, location = api.item(), api.location()

    def break_connections() -> None:
        with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    break_connections()
    assert api.get(f"/items/{sku}").status_code == 200
    break_connections()
    assert api.client.get("/readyz").status_code == 200
    break_connections()
    api.receive(sku, location, 1)
    break_connections()
    assert api.item()
    break_connections()
    assert api.patch(f"/items/{sku}", {"name": "New"}, headers={"If-Match": '"1"'}).status_code == 200
