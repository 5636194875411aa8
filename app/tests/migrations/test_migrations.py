"""Every migration up and down on a database that holds data."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from fastapi.testclient import TestClient
from sqlalchemy import NullPool, create_engine

from inventory.main import create_app
from inventory.migrations import upgrade
from inventory.migrations.runner import ADVISORY_LOCK, MigrationError, downgrade, migrate
from inventory.models import Base
from tests.conftest import TEMPLATE
from tests.migrations.conftest import DATA, Sql
from tests.support.api import Api, make_settings
from tests.support.postgres import PostgresServer, free_port


def totals(sql: Sql) -> list[tuple[object, ...]]:
    return sql(
        "SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM locations),"
        " (SELECT sum(quantity) FROM stock_levels), (SELECT count(*) FROM movements WHERE actor = 'old')"
    )


def structure(sql: Sql) -> list[tuple[object, ...]]:
    """Columns, indexes, constraints and triggers of the whole schema."""
    return sql(
        "SELECT 'column', table_name, column_name, data_type || coalesce(column_default, '') || is_nullable"
        " FROM information_schema.columns WHERE table_schema = 'public'"
        " UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes"
        " WHERE schemaname = 'public'"
        " UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
        " UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname,"
        " pg_get_triggerdef(oid) || tgenabled::text"
        " FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2, 3, 4"
    )


def test_the_models_are_what_the_migrations_make(url: str) -> None:
    migrate(url)
    with create_engine(url, poolclass=NullPool).connect() as connection:
        options = {"compare_type": True, "include_object": lambda _, __, kind, *___: kind == "column"}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    assert differences == []


@pytest.mark.parametrize(("lower", "upper"), [("0001", "0002"), ("0002", "0003"), ("0003", "0004")])
def test_up_down_and_up_again_keeps_the_data(url: str, sql: Sql, lower: str, upper: str) -> None:
    migrate(url, lower)
    sql(DATA)
    before, data = structure(sql), totals(sql)
    assert migrate(url, upper) == f"upgraded the schema from {lower} to {upper}"
    above = structure(sql)
    assert totals(sql) == data
    assert downgrade(url, lower) == f"downgraded the schema from {upper} to {lower}"
    assert totals(sql) == data
    # The audit trail, which begins with 0002, is the one thing that outlives a downgrade.
    assert [row for row in structure(sql) if lower != "0001" or row[1] != "audit_log"] == before
    migrate(url, upper)
    assert (structure(sql), totals(sql)) == (above, data)


def test_the_whole_way_up_and_down(url: str, sql: Sql) -> None:
    assert migrate(url) == "upgraded the schema from empty to 0004"
    assert migrate(url) == "the schema is at 0004; nothing to do"
    assert migrate(url, "0002") == "the schema is at 0004; nothing to do"
    sql(DATA)
    assert downgrade(url, "base") == "downgraded the schema from 0004 to base"
    assert sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("alembic_version",)]
    assert sql("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace") == [(0,)]
    assert downgrade(url, "base") == "the schema is at base; nothing to do"


def test_0001_has_no_room_for_wrong_data(url: str, sql: Sql) -> None:
    migrate(url, "0001")
    sql(DATA)
    sql("ALTER TABLE movements ALTER quantity SET DEFAULT 1, ALTER actor SET DEFAULT 'x'")
    moves = "INSERT INTO movements (item_id, kind, source_id, destination_id) VALUES (1, "
    for statement in (
        "UPDATE stock_levels SET quantity = -0.001",
        "UPDATE items SET price = -1",
        "DELETE FROM items",
        moves + "'receipt', NULL, NULL)",
        moves + "'issue', NULL, 1)",
        moves + "'transfer', 1, 1)",
        moves + "'transfer', 1, NULL)",
        moves + "'adjustment', 1, 2)",
        moves + "'gift', NULL, 1)",
    ):
        with pytest.raises(psycopg.errors.IntegrityError):
            sql(statement)


def test_0002_keeps_the_trail_across_a_downgrade(url: str, sql: Sql) -> None:
    migrate(url, "0002")
    sql(DATA)
    downgrade(url, "0001")
    entries = sql("SELECT count(*) FROM audit_log")
    sql("UPDATE items SET name = 'quiet'")
    assert sql("SELECT count(*) FROM audit_log") == entries == [(152,)]
    migrate(url, "0002")
    sql("UPDATE locations SET name = 'loud'")
    assert sql("SELECT count(*) FROM audit_log") == [(154,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sql("DELETE FROM audit_log")


def test_0003_and_0004_go_on_after_an_interrupted_index_build(url: str, sql: Sql) -> None:
    migrate(url, "0002")
    sql("ALTER TABLE items ADD COLUMN barcode varchar(32)")
    sql("CREATE INDEX items_barcode ON items (barcode)")
    migrate(url, "0003")
    sql("CREATE INDEX items_search ON items (name)")
    migrate(url, "0004")
    rows = sql("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'items'")
    definitions = {name: str(definition) for name, definition in rows}
    assert "UNIQUE" in definitions["items_barcode"]
    assert "gin" in definitions["items_search"]


def test_0004_is_used_by_the_search(url: str, sql: Sql) -> None:
    migrate(url)
    sql(DATA)
    sql("ANALYZE items")
    with TestClient(create_app(make_settings(url))) as client:
        sql("SELECT pg_stat_reset()")
        assert len(Api(client).get("/items?q=bolt+42").json()["items"]) == 1
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SET enable_seqscan = off")
        plan = connection.execute(
            "EXPLAIN SELECT id FROM items WHERE to_tsvector('simple', sku || ' ' || name || ' ' || category)"
            " @@ to_tsquery('simple', $$'bolt':*$$)"
        ).fetchall()
    assert "items_search" in str(plan)


def test_two_at_once_make_one_schema(url: str, sql: Sql) -> None:
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: migrate(url), range(3)))
    assert sorted(results) == ["the schema is at 0004; nothing to do"] * 2 + [
        "upgraded the schema from empty to 0004"
    ]
    assert sql("SELECT version_num FROM alembic_version") == [("0004",)]


def test_a_migration_that_runs_too_long_stops_the_next(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        with pytest.raises(MigrationError, match="look at its Job"):
            migrate(url, wait_seconds=0.1)
    assert migrate(url) == "upgraded the schema from empty to 0004"


def test_a_table_in_use_is_tried_again(
    url: str, sql: Sql, monkeypatch: pytest.MonkeyPatch, postgres: PostgresServer
) -> None:
    migrate(url, "0002")
    monkeypatch.setattr(upgrade, "LOCK_TIMEOUT", "100ms")
    with psycopg.connect(url.replace("+psycopg", "")) as busy:
        busy.execute("LOCK TABLE items IN ACCESS SHARE MODE")
        timer = threading.Timer(0.6, busy.commit)
        timer.start()
        assert migrate(url, "0003") == "upgraded the schema from 0002 to 0003"
        timer.join()
        busy.execute("LOCK TABLE items IN ACCESS SHARE MODE")
        monkeypatch.setattr(upgrade, "LOCK_ATTEMPTS", 1)
        with pytest.raises(Exception, match="LockNotAvailable"):
            downgrade(url, "0002")
    assert sql("SELECT version_num FROM alembic_version") == [("0003",)]


def test_it_waits_for_the_database_and_not_for_ever() -> None:
    nowhere = f"postgresql+psycopg://inventory:hunter2@127.0.0.1:{free_port()}/none"
    started = time.monotonic()
    with pytest.raises(MigrationError, match="did not answer within 1 s") as caught:
        migrate(nowhere, wait_seconds=1)
    assert time.monotonic() - started < 10
    assert "hunter2" not in str(caught.value)


def test_a_database_from_a_newer_build(url: str, sql: Sql) -> None:
    migrate(url)
    sql("UPDATE alembic_version SET version_num = '0099'")
    assert migrate(url) == "the schema is at 0099, newer than this build knows; nothing to do"
    with pytest.raises(MigrationError, match="with the build that made it"):
        downgrade(url, "0001")
    with TestClient(create_app(make_settings(url))) as client:
        assert client.get("/readyz").status_code == 503
        sql("INSERT INTO schema_revisions VALUES ('0099', '0004')")
        time.sleep(1.1)  # readiness is remembered for a second
        assert client.get("/readyz").json()["reason"] == "schema 0099 is newer and still compatible"


@pytest.mark.parametrize("action", [migrate, downgrade])
def test_an_unknown_revision_is_named(url: str, action: Callable[[str, str], str]) -> None:
    with pytest.raises(MigrationError, match="no revision '0042'; it has 0001, 0002"):
        action(url, "0042")


def test_the_service_works_on_the_oldest_schema_it_claims(postgres: PostgresServer) -> None:
    url = postgres.new_database(TEMPLATE)
    downgrade(url, "0003")
    with TestClient(create_app(make_settings(url, expected_schema_revision="0003"))) as client:
        assert client.get("/readyz").status_code == 200
        api = Api(client)
        sku, location = api.item(name="Rare find"), api.location()
        api.receive(sku, location, 1)
        assert [row["sku"] for row in api.get("/items?q=rare").json()["items"]] == [sku]
