"""An upgrade that fails leaves the database as it was, to the byte of its dump."""

import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from inventory import cli
from inventory.migrations import state, upgrade
from inventory.migrations.revisions import DatabaseChangedError
from inventory.migrations.runner import MigrationError, downgrade, migrate
from tests.migrations.conftest import DATA, Sql
from tests.support.postgres import PostgresServer
from tests.support.revisions import ExtraRevisions

EXPAND = 'op.execute("ALTER TABLE items ADD COLUMN colour text")'
BREAK = 'op.execute("SELECT 1/0")'
TWICE = "INSERT INTO locations (code, name) VALUES ('C', 'a')"


def concurrently(statement: str) -> str:
    return f'with op.get_context().autocommit_block():\n    op.execute("{statement}")\n'


PARTLY = """
op.execute("ALTER TABLE items ADD COLUMN size text CHECK (size > '')")
op.execute("CREATE TABLE shelves (id int PRIMARY KEY, bin text REFERENCES items (sku))")
op.execute("CREATE VIEW bins AS SELECT bin FROM shelves")
op.execute("CREATE FUNCTION one(int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$")
with op.get_context().autocommit_block():
    op.execute("CREATE UNIQUE INDEX CONCURRENTLY locations_name ON locations (name)")
"""


def failing(url: str, to: str = "head") -> str:
    with pytest.raises(MigrationError) as caught:
        migrate(url, to)
    return str(caught.value)


@pytest.mark.parametrize("start", ["0001", "0002", "0003", "0004"])
def test_one_transaction_is_rolled_back(
    url: str, sql: Sql, postgres: PostgresServer, extra: ExtraRevisions, start: str
) -> None:
    migrate(url, "0004")
    extra.add(EXPAND)
    # Not of a table whose changes are audited: a rollback does not take back the numbers of a sequence.
    extra.add('op.execute("UPDATE stock_levels SET quantity = 1")')
    extra.add(BREAK)
    migrate(url, "0004")
    downgrade(url, start)
    sql(DATA)
    before = postgres.dump(url)
    told = failing(url)
    assert told.startswith(f"The upgrade from {start} to 0007 failed in revision 0007: division by zero")
    assert told.endswith("the database is as it was.")
    assert postgres.dump(url) == before


@pytest.mark.parametrize("start", ["0001", "0002", "0003", "0004"])
def test_what_autocommit_blocks_did_is_undone(
    url: str, sql: Sql, postgres: PostgresServer, extra: ExtraRevisions, start: str
) -> None:
    """With an invalid index, and revisions that were through already: 0002 makes a table, 0003 an index."""
    extra.add(EXPAND, 'op.drop_column("items", "colour")')
    extra.add(PARTLY, 'op.execute("THIS IS NEVER RUN")')
    migrate(url, start)
    sql(DATA + TWICE)
    before = postgres.dump(url)
    told = failing(url)
    assert "failed in revision 0006: could not create unique index" in told
    assert told.endswith("What it had done was undone: the database is as it was.")
    assert sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert postgres.dump(url) == before
    sql("UPDATE locations SET name = code")
    assert migrate(url) == f"upgraded the schema from {start} to 0006"


def test_an_empty_database_stays_empty(url: str, postgres: PostgresServer, extra: ExtraRevisions) -> None:
    before = postgres.dump(url)
    extra.add(concurrently("CREATE INDEX CONCURRENTLY nothing ON nowhere (name)"))
    assert "relation nowhere does not exist" in failing(url).replace('"', "")
    assert postgres.dump(url) == before


def test_errors_that_are_not_the_databases_count_too(
    url: str, sql: Sql, postgres: PostgresServer, extra: ExtraRevisions
) -> None:
    migrate(url, "0002")
    sql(DATA)
    before = postgres.dump(url)
    extra.add('raise ValueError("half past nine")')
    assert "failed in revision 0005: half past nine (ValueError)." in failing(url)
    assert postgres.dump(url) == before


def test_a_table_in_use_to_the_last_is_no_change_either(
    url: str, sql: Sql, postgres: PostgresServer, extra: ExtraRevisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(url, "0003")
    sql(DATA)
    before = postgres.dump(url)
    extra.add('op.execute("ALTER TABLE locations ADD COLUMN colour text")')
    monkeypatch.setattr(upgrade, "LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(upgrade, "LOCK_ATTEMPTS", 2)
    with psycopg.connect(url.replace("+psycopg", "")) as busy:
        busy.execute("LOCK TABLE locations IN ACCESS SHARE MODE")
        assert "failed in revision 0005: canceling statement due to lock timeout" in failing(url)
    assert postgres.dump(url) == before


def test_rows_that_an_autocommit_block_committed_are_told(url: str, sql: Sql, extra: ExtraRevisions) -> None:
    extra.add('op.execute("UPDATE items SET name = upper(name)")')
    extra.add(concurrently("SELECT 1/0"))
    migrate(url, "0004")
    sql(DATA)
    with pytest.raises(DatabaseChangedError) as caught:
        migrate(url, "head")
    told = str(caught.value)
    assert (
        "rows of audit_log, items were changed. The database is NOT as it was: restore the snapshot" in told
    )
    assert sql("SELECT version_num FROM alembic_version") == [("0004",)]


def test_a_changed_database_has_an_exit_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for error, code in ((DatabaseChangedError("changed"), 3), (MigrationError("as it was"), 1)):

        def fail(_: object, error: MigrationError = error) -> int:
            raise error

        monkeypatch.setattr(cli, "_run", fail)
        assert cli.main(["migrate"]) == code


def test_an_end_that_fails_names_the_newest_revision(
    url: str, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(url, "0003")
    sql(DATA)
    real = state.read_state
    seen: list[object] = []

    def late(connection: object) -> object:
        # Once before, and once after the newest revision was applied: then something fails.
        seen.append(connection)
        if len(seen) == 2:
            raise RuntimeError("the connection is gone")
        return real(connection)  # type: ignore[arg-type]

    monkeypatch.setattr(upgrade, "read_state", late)
    assert "failed in revision 0004: the connection is gone" in failing(url)


def test_going_back_that_fails_is_told_with_both_reasons(url: str, sql: Sql, extra: ExtraRevisions) -> None:
    extra.add(EXPAND, 'raise ValueError("no way back")')
    extra.add(concurrently("SELECT 1/0"))
    migrate(url, "0004")
    sql(DATA)
    told = failing(url)
    assert "failed in revision 0006: division by zero" in told
    assert "Going back failed too: no way back" in told
    assert "restore the snapshot" in told


def test_what_cannot_be_brought_back_is_named(url: str, sql: Sql, extra: ExtraRevisions) -> None:
    extra.add('op.execute("DROP TABLE audit_log")\n' + concurrently("SELECT 1/0"))
    migrate(url, "0004")
    told = failing(url)
    assert "not the same as before are" in told
    assert "table audit_log" in told
    assert sql("SELECT version_num FROM alembic_version") == [("0004",)]


def test_a_failing_downgrade_says_where_to_look(url: str, extra: ExtraRevisions) -> None:
    extra.add(EXPAND, BREAK)
    migrate(url)
    with pytest.raises(MigrationError, match="The downgrade from 0005 to 0003 failed: division by zero"):
        downgrade(url, "0003")


RUN = """
import sys
from pathlib import Path
from inventory import cli
from inventory.migrations import revisions
revisions.VERSIONS = Path(sys.argv[1])
sys.exit(cli.main(["migrate"]))
"""


def test_told_to_stop_it_goes_back_first(
    url: str, sql: Sql, postgres: PostgresServer, extra: ExtraRevisions
) -> None:
    """As at a Job's deadline."""
    extra.add(EXPAND, 'op.drop_column("items", "colour")')
    extra.add(concurrently("SELECT pg_sleep(300)"))
    migrate(url, "0004")
    sql(DATA)
    before = postgres.dump(url)
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(extra.folder)],
        env=os.environ | {"INVENTORY_DATABASE_URL": url, "INVENTORY_API_KEYS": "[]"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        asleep = (
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
        )
        deadline = time.monotonic() + 30
        while sql(asleep) == [(0,)] and time.monotonic() < deadline:
            time.sleep(0.1)
        assert ("0005",) in sql("SELECT version_num FROM alembic_version")
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "failed in revision 0006: it was told to stop. What it had done was undone" in told
    assert postgres.dump(url) == before


def test_what_stands_on_an_earlier_revision_goes_first(
    url: str, sql: Sql, postgres: PostgresServer, extra: ExtraRevisions
) -> None:
    extra.add('op.execute("CREATE TABLE shelves (id int PRIMARY KEY)")', 'op.execute("DROP TABLE shelves")')
    view = 'op.execute("CREATE VIEW bins AS SELECT id FROM shelves")'
    extra.add("\n".join([view, concurrently("SELECT 1/0")]))
    migrate(url, "0004")
    sql(DATA)
    before = postgres.dump(url)
    assert failing(url).endswith("the database is as it was.")
    assert postgres.dump(url) == before
