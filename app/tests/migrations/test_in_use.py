"""A contracting migration is refused while a version that needs the old schema can still serve."""

from pathlib import Path

import pytest

from inventory.migrations.in_use import read_in_use
from inventory.migrations.revisions import compatible_from, known_revisions
from inventory.migrations.runner import MigrationError, check_migrate, migrate
from tests.migrations.conftest import DATA, Sql
from tests.support.postgres import PostgresServer
from tests.support.revisions import ExtraRevisions

EXPAND = 'op.execute("ALTER TABLE items ADD COLUMN IF NOT EXISTS colour text")'
CONTRACT = 'op.execute("ALTER TABLE items DROP COLUMN barcode")'


@pytest.fixture
def contract(extra: ExtraRevisions) -> ExtraRevisions:
    """0005 expands; 0006 takes away what versions before 0005 need."""
    extra.add(EXPAND)
    extra.add(CONTRACT, compatible_from="0005")
    return extra


@pytest.mark.usefixtures("contract")
@pytest.mark.parametrize("in_use", [("0004",), ("0005", "0003"), ("0004", "0005")])
def test_it_is_refused_while_an_older_version_is_in_use(
    url: str, sql: Sql, postgres: PostgresServer, in_use: tuple[str, ...]
) -> None:
    migrate(url, "0004")
    sql(DATA)
    before = postgres.dump(url)
    for action in (check_migrate, migrate):
        with pytest.raises(MigrationError) as caught:
            action(url, "0006", in_use=in_use)
        told = str(caught.value)
        assert told.startswith(
            "Revision 0006 is refused: once it is there, only versions made for schema 0005"
        )
        assert f"a version made for schema {min(in_use)} serves or can still be rolled back to" in told
        assert "First release a version with schemaRevision 0005 or later, but before 0006" in told
        assert postgres.dump(url) == before
    assert migrate(url, "0005", in_use=in_use) == "upgraded the schema from 0004 to 0005"


@pytest.mark.usefixtures("contract")
@pytest.mark.parametrize("in_use", [(), ("0005",), ("0006", "0005"), ("0099", "0005"), ("0099",)])
def test_it_is_let_through_when_nothing_older_is(url: str, in_use: tuple[str, ...]) -> None:
    migrate(url, "0004")
    assert check_migrate(url, "0006", in_use=in_use).future == "would upgrade the schema from 0004 to 0006"
    assert migrate(url, "0006", in_use=in_use) == "upgraded the schema from 0004 to 0006"


def test_every_revision_records_what_it_says(url: str, sql: Sql) -> None:
    migrate(url)
    recorded = sql("SELECT revision, compatible_from FROM schema_revisions ORDER BY revision")
    assert recorded == [(revision, compatible_from(revision)) for revision in known_revisions()]


@pytest.mark.usefixtures("contract")
def test_what_is_done_already_is_not_refused(url: str) -> None:
    migrate(url, "0006")
    assert migrate(url, "0006", in_use=("0004",)) == "the schema is at 0006; nothing to do"


def test_a_revision_that_does_not_say_whom_it_suits_is_refused(
    url: str, sql: Sql, extra: ExtraRevisions
) -> None:
    migrate(url, "0004")
    extra.add(EXPAND, compatible_from=None)
    with pytest.raises(MigrationError, match="Revision 0005 does not say which versions still work with it"):
        migrate(url, in_use=("0004",))
    assert sql("SELECT version_num FROM alembic_version") == [("0004",)]


@pytest.mark.parametrize(
    ("content", "found"), [("", ()), ("0003\n", ("0003",)), ("0004\n0003", ("0004", "0003"))]
)
def test_the_file(tmp_path: Path, content: str, found: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text(content)
    assert read_in_use(tmp_path / "file") == found


def test_no_file_means_that_nothing_is_in_use(tmp_path: Path) -> None:
    assert read_in_use(tmp_path / "missing") == read_in_use(None) == ()


@pytest.mark.parametrize(
    "content", ["head", "0004 0003", "0004\n\n0003", " 0004", "4", "00043", "0004\r\n0003x"]
)
def test_a_file_of_something_else(tmp_path: Path, content: str) -> None:
    (tmp_path / "file").write_bytes(content.encode())
    with pytest.raises(MigrationError, match="it takes one schema revision of four digits a line"):
        read_in_use(tmp_path / "file")
