"""The snapshot before a migration, and the way back from it, on a real server."""

import re
import resource
import signal
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from inventory.cli import main
from inventory.snapshots.plan import write_connection
from tests.snapshots.conftest import use
from tests.support.postgres import PostgresServer
from tests.support.snapshots import SCRIPTS, plan, run_script, snapshots

NAME = r"inventory-\d{8}T\d{6}Z-0003-1\.4\.0\.dump"


def checksums(url: str) -> dict[str, str]:
    """Of the rows of every table."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        query = (
            "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') FROM {} t"
        )
        return {name: connection.execute(query.format(name).encode()).fetchone()[0] for (name,) in tables}  # type: ignore[index]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "snapshots"
    folder.mkdir()
    return folder


def test_a_restored_database_is_the_one_that_the_snapshot_was_taken_of(
    url: str, postgres: PostgresServer, tmp_path: Path, folder: Path
) -> None:
    before, rows = postgres.dump(url, "--schema-only"), checksums(url)
    assert plan(tmp_path / "plan", "migrate", "--to", "0004") == 0
    taken = run_script(postgres, "snapshot.sh", tmp_path / "plan", folder, 10)
    assert taken.returncode == 0, taken.stderr
    name, checksum = snapshots(folder)
    assert re.fullmatch(NAME, name)
    assert checksum == f"{name}.sha256"
    assert f"snapshot {name}: " in taken.stdout
    assert main(["migrate"]) == 0
    assert postgres.dump(url, "--schema-only") != before

    empty = postgres.new_database()
    where = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "inventory"}
    where["PGDATABASE"] = empty.rsplit("/", 1)[1]
    restored = run_script(postgres, "restore.sh", folder / name, **where)
    assert restored.returncode == 0, restored.stderr
    assert postgres.dump(empty, "--schema-only") == before
    assert checksums(empty) == rows
    assert len(rows) == 7

    again = run_script(postgres, "restore.sh", folder / name, **where)
    assert again.returncode == 1
    assert "the database is not empty, it has" in again.stderr
    assert checksums(empty) == rows


def test_restoring_by_the_plans_connection(
    url: str, postgres: PostgresServer, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = checksums(url)
    plan(tmp_path / "plan", "migrate")
    run_script(postgres, "snapshot.sh", tmp_path / "plan", folder, 10)
    empty = postgres.new_database()
    use(empty, monkeypatch)
    plan(tmp_path / "empty", "migrate")
    name = snapshots(folder)[0]
    restored = run_script(postgres, "restore.sh", folder / name, tmp_path / "empty")
    assert (restored.returncode, restored.stdout) == (0, f"restored {name}\n")
    assert checksums(empty) == rows


def test_a_name_that_is_not_there_is_answered_with_those_that_are(
    postgres: PostgresServer, folder: Path
) -> None:
    url = postgres.new_database().replace("+psycopg", "")
    for content in ("there are: none", "there are: inventory-1.dump inventory-2.dump"):
        result = run_script(postgres, "restore.sh", folder / "which.dump", PGDATABASE=url)
        assert result.returncode == 1
        assert f"Nothing was restored: there is no which.dump; {content}" in result.stderr
        for name in ("inventory-2.dump", "inventory-1.dump", "inventory-1.dump.sha256"):
            (folder / name).touch()


@pytest.mark.parametrize("damage", [b"", b"PGDMP", None])
def test_a_damaged_snapshot_is_not_restored(
    url: str, postgres: PostgresServer, tmp_path: Path, folder: Path, damage: bytes | None
) -> None:
    assert url
    plan(tmp_path / "plan", "migrate")
    run_script(postgres, "snapshot.sh", tmp_path / "plan", folder, 10)
    name = snapshots(folder)[0]
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-100] if damage is None else damage)
    empty = postgres.new_database()
    result = run_script(postgres, "restore.sh", folder / name, PGDATABASE=empty.replace("+psycopg", ""))
    assert result.returncode == 1
    assert "is damaged; take another one" in result.stderr
    assert checksums(empty) == {}


def test_no_snapshot_where_none_is_needed(
    url: str, postgres: PostgresServer, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(tmp_path / "same", "migrate", "--to", "0003")
    result = run_script(postgres, "snapshot.sh", tmp_path / "same", folder, 10)
    assert result.stdout == "no snapshot is needed: the schema does not change, it is at 0003\n"
    use(postgres.new_database(), monkeypatch)
    plan(tmp_path / "empty", "migrate", "--snapshot-when", "always")
    result = run_script(postgres, "snapshot.sh", tmp_path / "empty", folder, 10)
    assert (result.returncode, result.stdout) == (0, "no snapshot is needed: the database is empty\n")
    assert snapshots(folder) == []
    use(url, monkeypatch)
    plan(tmp_path / "always", "migrate", "--to", "0003", "--snapshot-when", "always")
    assert run_script(postgres, "snapshot.sh", tmp_path / "always", folder, 10).returncode == 0
    assert len(snapshots(folder)) == 2


def test_a_downgrade_has_a_snapshot_too(
    url: str, postgres: PostgresServer, tmp_path: Path, folder: Path
) -> None:
    assert url
    plan(tmp_path / "plan", "downgrade", "--to", "0002")
    assert run_script(postgres, "snapshot.sh", tmp_path / "plan", folder, 10).returncode == 0
    assert re.fullmatch(NAME, snapshots(folder)[0])


def test_a_database_that_somebody_else_filled_has_one_too(
    postgres: PostgresServer, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.new_database()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE old_inventory AS SELECT 1 AS id")
    use(url, monkeypatch)
    plan(tmp_path / "plan", "migrate")
    assert run_script(postgres, "snapshot.sh", tmp_path / "plan", folder, 10).returncode == 0
    assert "-none-1.4.0.dump" in snapshots(folder)[0]


def test_only_the_newest_are_kept_and_nothing_else_is_touched(
    url: str, postgres: PostgresServer, tmp_path: Path, folder: Path
) -> None:
    assert url
    old = [f"inventory-202501{day:02}T000000Z-0001-1.0.0.dump" for day in (3, 1, 2)]
    foreign = ["inventory-old.dump", "notes.txt", "inventory-20250101T000000Z-0001-1.0.0.dump.gz"]
    for name in [*old, *[f"{each}.sha256" for each in old], *foreign]:
        (folder / name).write_text("x")
    plan(tmp_path / "plan", "migrate")
    result = run_script(postgres, "snapshot.sh", tmp_path / "plan", folder, 2)
    assert result.returncode == 0
    assert result.stdout.count("removed the older snapshot") == 2
    left = [name for name in snapshots(folder) if name not in foreign]
    assert left[:2] == [old[0], f"{old[0]}.sha256"]
    assert len(left) == 4
    assert set(foreign) < set(snapshots(folder))


def test_a_full_volume_leaves_no_half_snapshot_and_the_older_ones(
    url: str, postgres: PostgresServer, tmp_path: Path, folder: Path
) -> None:
    assert url
    older = "inventory-20250101T000000Z-0001-1.0.0.dump"
    (folder / older).write_text("x")
    plan(tmp_path / "plan", "migrate")

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    result = subprocess.run(
        ["sh", SCRIPTS / "snapshot.sh", tmp_path / "plan", folder, "1"],
        capture_output=True,
        text=True,
        env={"PATH": f"{postgres.programs}:/usr/bin:/bin"},
        preexec_fn=little_room,
        check=False,
    )
    assert result.returncode == 1
    assert "pg_dump failed, see above; for want of room, raise" in result.stderr
    assert result.stderr.endswith("The schema was not changed.\n")
    assert snapshots(folder) == [older]


def test_told_to_stop_it_leaves_nothing(
    url: str, postgres: PostgresServer, tmp_path: Path, folder: Path
) -> None:
    plan(tmp_path / "plan", "migrate")
    with psycopg.connect(url.replace("+psycopg", "")) as busy:
        busy.execute("LOCK TABLE items IN ACCESS EXCLUSIVE MODE")
        process = subprocess.Popen(
            ["sh", SCRIPTS / "snapshot.sh", tmp_path / "plan", folder, "1"],
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": f"{postgres.programs}:/usr/bin:/bin"},
        )
        waiting = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        deadline = time.monotonic() + 30
        while busy.execute(waiting).fetchone() == (0,) and time.monotonic() < deadline:
            busy.execute("SELECT pg_stat_clear_snapshot()")
            assert process.poll() is None
        assert snapshots(folder) != []
        process.terminate()
        _, told = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "it was told to stop" in told
    assert snapshots(folder) == []


def test_a_password_of_any_characters_is_taken(
    url: str, postgres: PostgresServer, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = postgres.folder / "data/pg_hba.conf"
    access.write_text(f"host all reader all scram-sha-256\n{access.read_text()}")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE ROLE reader SUPERUSER LOGIN PASSWORD 'a:b\\c %d@/'")
        connection.execute("SELECT pg_reload_conf()")
    for written, code in (("a%3Ab%5Cc%20%25d%40%2F", 0), ("a%3Ab", 1)):
        use(url.replace("inventory@", "reader:a%3Ab%5Cc%20%25d%40%2F@"), monkeypatch)
        plan(tmp_path / "plan", "migrate")
        write_connection(tmp_path / "plan", url.replace("inventory@", f"reader:{written}@"))
        result = run_script(postgres, "snapshot.sh", tmp_path / "plan", folder, 10)
        assert result.returncode == code, result.stderr
        assert ("password authentication failed" in result.stderr) == bool(code)
        for file in folder.iterdir():
            file.unlink()


def test_a_database_that_does_not_answer_shows_no_password(
    postgres: PostgresServer, tmp_path: Path, folder: Path
) -> None:
    plan_folder = tmp_path / "plan"
    plan_folder.mkdir()
    write_connection(plan_folder, "postgresql+psycopg://inventory:hunter%3A2%5C@127.0.0.1:1/inventory")
    (plan_folder / "name").write_text("inventory-20250101T000000Z-0001-1.0.0.dump\n")
    result = run_script(postgres, "snapshot.sh", plan_folder, folder, 1)
    assert result.returncode == 1
    assert "hunter" not in result.stdout + result.stderr
    assert snapshots(folder) == []
    assert (plan_folder / "pgpass").read_text() == "*:*:*:*:hunter\\:2\\\\\n"
    assert (plan_folder / "pgpass").stat().st_mode & 0o777 == 0o600
    assert "hunter" not in (plan_folder / "pg_service.conf").read_text()
