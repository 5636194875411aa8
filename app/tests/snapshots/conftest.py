import logging
from collections.abc import Iterator

import psycopg
import pytest

from inventory.migrations.runner import migrate
from tests.migrations.conftest import DATA
from tests.support.postgres import PostgresServer


@pytest.fixture(autouse=True)
def quiet_logging() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before


@pytest.fixture
def url(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with data at revision 0003, as the service's settings have it."""
    url = postgres.new_database()
    migrate(url, "0003")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(DATA.encode())
    use(url, monkeypatch)
    return url


def use(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVENTORY_DATABASE_URL", url)
    monkeypatch.setenv("INVENTORY_API_KEYS", "[]")
    monkeypatch.setenv("INVENTORY_VERSION", "1.4.0")
