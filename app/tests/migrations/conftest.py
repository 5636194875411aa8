from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from inventory.migrations import revisions
from tests.support.postgres import PostgresServer
from tests.support.revisions import ExtraRevisions

Sql = Callable[[str], list[tuple[object, ...]]]

DATA = """
INSERT INTO items (sku, name, category, unit, reorder_level, price)
    SELECT 'S' || n, 'Bolt ' || n, 'c', 'piece', n, n FROM generate_series(1, 50) n;
INSERT INTO locations (code, name) VALUES ('A', 'a'), ('B', 'b');
INSERT INTO stock_levels (item_id, location_id, quantity)
    SELECT i.id, l.id, 7.5 FROM items i, locations l;
INSERT INTO movements (kind, item_id, destination_id, quantity, destination_balance, actor)
    SELECT 'receipt', item_id, location_id, quantity, quantity, 'old' FROM stock_levels;
"""


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def sql(url: str) -> Sql:
    def run(statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExtraRevisions:
    """The service's revisions, and room for more."""
    folder = tmp_path / "versions"
    folder.mkdir()
    created = ExtraRevisions.create(folder)
    monkeypatch.setattr(revisions, "VERSIONS", folder)
    return created
