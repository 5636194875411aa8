import signal
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from inventory.main import create_app
from inventory.migrations.runner import migrate
from tests.support.api import Api, make_settings
from tests.support.postgres import PostgresServer

TEMPLATE = "template_inventory"

hypothesis_settings.register_profile(
    "tests",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
hypothesis_settings.load_profile("tests")


def pytest_configure() -> None:
    """A run that is told to end ends as after Ctrl-C, so that it takes its database server with it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server of this run, with a template database at the newest revision."""
    server = PostgresServer()
    try:
        server.create()
        migrate(server.new_database(name=TEMPLATE))
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="module")
def database_url(postgres: PostgresServer) -> str:
    """A fresh database at the newest revision for each module of tests."""
    return postgres.new_database(TEMPLATE)


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[Api]:
    """The running application, in this process, as an admin sees it."""
    with TestClient(create_app(make_settings(database_url))) as client:
        yield Api(client)
