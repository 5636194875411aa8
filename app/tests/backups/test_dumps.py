"""A dump on its whole way: taken, encrypted, stored, fetched, restored and judged, on a real server."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from inventory.cli import main
from tests.snapshots.conftest import url, use
from tests.support.backups import Backups
from tests.support.postgres import PostgresServer, temporary_folder
from tests.support.s3 import Store

__all__ = ["url"]

KEPT = ("--retention-days", 30, "--minimum-kept", 7)


@pytest.fixture
def backups(
    store: Store, credentials: Path, keys_folder: Path, postgres: PostgresServer
) -> Iterator[Backups]:
    folder = temporary_folder()
    try:
        yield Backups(store, credentials, keys_folder, folder, postgres)
    finally:
        shutil.rmtree(folder)


def back_up(backups: Backups) -> int:
    plan, folder = backups.new("plan"), backups.new("dump")
    assert backups.plain("plan", "--plan", plan) == 0
    dumped = backups.script("dump.sh", plan, folder)
    assert dumped.returncode == 0, dumped.stderr
    return backups.run("store", "--kind", "dump", "--folder", folder, "--plan", plan, *KEPT)


def test_a_dump_takes_the_whole_way_and_passes_its_test(
    url: str, backups: Backups, postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    before = postgres.dump(url)
    assert back_up(backups) == 0
    assert all(b"BOLT" not in content for content in backups.store.objects.values())
    capsys.readouterr()
    assert backups.run("list") == 0
    (line,) = capsys.readouterr().out.splitlines()
    entry = json.loads(line)
    assert entry["kind"] == "dump"

    test = backups.new("test")
    assert backups.run("fetch", "--kind", "dump", "--folder", test) == 0
    manifest = json.loads((test / "manifest.json").read_text())
    assert manifest["name"] == entry["name"]
    assert manifest["schemaRevision"] == "0003"
    assert manifest["tables"]["public.items"] > 0
    restored = backups.script("test-dump.sh", test, "inventory")
    assert restored.returncode == 0, restored.stderr
    assert not (test / "failed").exists(), restored.stderr
    assert backups.plain("report-test", "--kind", "dump", "--folder", test) == 0

    # Into an empty database, and into none that has something.
    empty = postgres.new_database()
    recover(backups, empty)
    assert postgres.dump(empty) == before
    shutil.rmtree(backups.folder / "recovered")
    told = recover(backups, empty)
    assert "nothing is recovered" in told
    assert postgres.dump(empty) == before


def recover(backups: Backups, empty: str) -> str:
    plan, folder = backups.new("recover-plan"), backups.new("recovered")
    with pytest.MonkeyPatch.context() as patch:
        use(empty, patch)
        assert backups.run("recover-dump", "--plan", plan, "--folder", folder) == 0
    restored = backups.script("recover-dump.sh", plan, folder)
    assert restored.returncode == 0, restored.stderr
    return restored.stdout


def test_rows_that_are_missing_are_found_out(
    url: str, backups: Backups, capsys: pytest.CaptureFixture[str]
) -> None:
    assert back_up(backups) == 0
    test = backups.new("test")
    assert backups.run("fetch", "--kind", "dump", "--folder", test) == 0
    manifest = json.loads((test / "manifest.json").read_text())
    manifest["tables"]["public.items"] += 1
    manifest["schemaRevision"] = "0004"
    (test / "manifest.json").write_text(json.dumps(manifest))
    assert backups.script("test-dump.sh", test, "inventory").returncode == 0
    assert backups.plain("report-test", "--kind", "dump", "--folder", test) == 1
    told = capsys.readouterr().err
    assert "the schema is at 0003, not at 0004" in told
    assert f"public.items has {manifest['tables']['public.items'] - 1} rows, not" in told


def test_a_dump_that_cannot_be_restored_fails_its_test(
    url: str, backups: Backups, capsys: pytest.CaptureFixture[str]
) -> None:
    assert back_up(backups) == 0
    test = backups.new("test")
    assert backups.run("fetch", "--kind", "dump", "--folder", test) == 0
    dump = test / "database.dump"
    dump.write_bytes(dump.read_bytes()[: dump.stat().st_size // 2])
    assert backups.script("test-dump.sh", test, "inventory").returncode == 0
    assert backups.plain("report-test", "--kind", "dump", "--folder", test) == 1
    assert "PostgreSQL's program failed: pg_restore failed" in capsys.readouterr().err


def test_counts_and_dump_are_of_the_same_moment_whatever_is_written_meanwhile(
    url: str, backups: Backups
) -> None:
    plan, folder = backups.new("plan"), backups.new("dump")
    assert backups.plain("plan", "--plan", plan) == 0
    with psycopg.connect(url.replace("+psycopg", "")) as busy:
        # The dump waits for this lock with its snapshot taken; then rows are added.
        busy.execute("LOCK TABLE items IN ACCESS EXCLUSIVE MODE")
        process = backups.start("dump.sh", plan, folder)
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as other:
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()"
            )
            while other.execute(waiting).fetchone() == (0,):
                assert process.poll() is None
            other.execute("INSERT INTO locations (code, name) VALUES ('LATE', 'Late')")
    assert process.wait(timeout=60) == 0
    counts = dict(line.split("\t") for line in (folder / "tables.tsv").read_text().splitlines())
    content = backups.postgres.program(
        "pg_restore", "--data-only", "--table=locations", "-f", "-", str(folder / "database.dump")
    )
    assert "LATE" not in content
    rows = content.partition("FROM stdin;\n")[2].partition("\n\\.")[0].count("\n") + 1
    assert counts["public.locations"] == str(rows)


def test_what_pg_dump_fails_of_is_told_and_nothing_is_stored(
    url: str, backups: Backups, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, folder = backups.new("plan"), backups.new("dump")
    assert backups.plain("plan", "--plan", plan) == 0
    (plan / "pg_service.conf").write_text("[snapshot]\nhost=127.0.0.1\nport=1\nuser=x\ndbname=x\n")
    assert backups.script("dump.sh", plan, folder).returncode == 0
    assert backups.run("store", "--kind", "dump", "--folder", folder, "--plan", plan, *KEPT) == 1
    assert "the database cannot be read" in capsys.readouterr().err
    assert backups.store.objects == {}


def test_a_store_that_keeps_something_else_removes_nothing(
    url: str, backups: Backups, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("database.dump", "manifest.json"):
        backups.store.objects[f"backups/p/dumps/inventory-20200101T000000Z-0001-1.0.0/{name}.enc"] = b"x"
    backups.store.damage = "cut"
    assert back_up(backups) == 1
    assert "is kept with" in capsys.readouterr().err
    assert len([key for key in backups.store.objects if "20200101" in key]) == 2


def test_keys_and_passwords_are_never_told(
    url: str, backups: Backups, capfd: pytest.CaptureFixture[str]
) -> None:
    assert back_up(backups) == 0
    backups.store.broken = True
    assert (
        main(
            [
                "backup",
                "list",
                "--bucket",
                "b",
                "--region",
                "r",
                "--endpoint",
                backups.store.endpoint,
                "--credentials",
                str(backups.credentials),
                "--keys",
                str(backups.keys),
            ]
        )
        == 1
    )
    captured = capfd.readouterr()
    for secret in ((backups.keys / "current").read_text().strip(), "test-secret-key"):
        assert secret not in captured.out + captured.err
