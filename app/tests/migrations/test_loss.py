"""What a downgrade would lose is named before it happens."""

import argparse
import re

import pytest
from sqlalchemy import NullPool, create_engine

from inventory.migrations.loss import removed_by
from inventory.migrations.revisions import MigrationError, known_revisions
from inventory.migrations.runner import check_downgrade, downgrade, migrate
from inventory.migrations.state import read_state
from inventory.schema_commands import add_schema_commands
from tests.migrations.conftest import DATA, Sql
from tests.support.revisions import ExtraRevisions


def parts(url: str) -> set[str]:
    """Tables, and columns as `table.column`."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        found = read_state(connection).parts
    return {part.name for part in found if part.kind == "table"} | {
        f"{part.table}.{part.name}" for part in found if part.kind == "column"
    }


@pytest.mark.parametrize("index", range(1, len(known_revisions())))
def test_a_revision_declares_what_its_downgrade_removes(url: str, index: int) -> None:
    lower, upper = known_revisions()[index - 1 : index + 1]
    migrate(url, upper)
    before = parts(url)
    downgrade(url, lower)
    assert before - parts(url) == set(removed_by(upper))


def test_the_first_one_declares_every_table_that_holds_data(url: str) -> None:
    migrate(url)
    tables = {part for part in parts(url) if "." not in part}
    assert set(removed_by("0001")) == tables - {"alembic_version", "schema_revisions"}


def test_rows_that_would_lose_something_are_counted_and_refuse_it(url: str, sql: Sql) -> None:
    migrate(url)
    sql(DATA)
    sql("UPDATE items SET barcode = sku WHERE id <= 3")
    sql("INSERT INTO items (sku, name, category, unit, reorder_level, price) VALUES ('x','x','x','x',1,1)")
    told = r"downgrade to 0002 is refused, for it would lose barcode in 3 rows of items\. Nothing was changed"
    for refused in (check_downgrade, downgrade):
        with pytest.raises(MigrationError, match=told):
            refused(url, "0002", keep_data=True)
    assert sql("SELECT version_num FROM alembic_version") == [("0004",)]
    assert downgrade(url, "0002") == "downgraded the schema from 0004 to 0002"


def test_what_holds_nothing_is_no_loss(url: str, sql: Sql) -> None:
    migrate(url)
    sql(DATA)
    assert (
        check_downgrade(url, "0001", keep_data=True).future == "would downgrade the schema from 0004 to 0001"
    )
    assert downgrade(url, "0001", keep_data=True) == "downgraded the schema from 0004 to 0001"


def test_columns_of_a_table_that_goes_are_not_counted_twice(url: str, sql: Sql) -> None:
    migrate(url)
    sql(DATA)
    sql("UPDATE items SET barcode = sku")
    with pytest.raises(MigrationError) as refused:
        check_downgrade(url, "base", keep_data=True)
    assert "50 rows of items" in str(refused.value)
    assert not re.search("barcode", str(refused.value))


def test_a_revision_that_does_not_say_it_is_not_undone_blindly(url: str, extra: ExtraRevisions) -> None:
    extra.add("op.execute('ALTER TABLE items ADD COLUMN colour text')")
    migrate(url)
    with pytest.raises(MigrationError, match="Revision 0005 does not say what its downgrade removes"):
        check_downgrade(url, "0004", keep_data=True)


def test_the_command_takes_it() -> None:
    parser = argparse.ArgumentParser()
    add_schema_commands(parser.add_subparsers())
    assert parser.parse_args(["downgrade", "--to", "0003", "--check", "--keep-data"]).keep_data
    assert not parser.parse_args(["downgrade", "--to", "0003"]).keep_data
