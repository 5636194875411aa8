"""Recovery to a time, for real: a base backup, WAL that is received and shipped, a server made of them."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from inventory.backups.keys import read_keys
from inventory.backups.shipping import Server
from inventory.backups.vault import Vault
from inventory.backups.wal import ship, waiting_files
from inventory.migrations.runner import migrate
from inventory.objectstore import Bucket
from tests.migrations.conftest import DATA
from tests.support.backups import Backups
from tests.support.postgres import PostgresServer, temporary_folder
from tests.support.s3 import Store

KEPT = ("--retention-days", 30, "--minimum-kept", 7)


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of its own: what is recovered is a whole server."""
    server = PostgresServer()
    try:
        server.create()
        migrate(server.new_database(name="inventory"))
        with connect(server) as connection:
            connection.execute(DATA.encode())
            connection.execute("CREATE ROLE postgres SUPERUSER LOGIN")
            connection.execute("CREATE ROLE backup REPLICATION LOGIN")
        yield server
    finally:
        server.remove()


@pytest.fixture
def backups(store: Store, credentials: Path, keys_folder: Path, server: PostgresServer) -> Iterator[Backups]:
    folder = temporary_folder()
    try:
        yield Backups(store, credentials, keys_folder, folder, server)
    finally:
        shutil.rmtree(folder)


def connect(server: PostgresServer, database: str = "inventory") -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(f"postgresql://inventory@127.0.0.1:{server.port}/{database}", autocommit=True)


def until(condition: Callable[[], bool], process: "subprocess.Popen[str] | None" = None) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        assert process is None or process.poll() is None
        time.sleep(0.1)


def access(backups: Backups) -> dict[str, str]:
    password = backups.folder / "password"
    password.write_text("unused\n")
    backups.own()
    return {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(backups.postgres.port),
        "PGUSER": "backup",
        "PGPASSWORD_FILE": str(password),
    }


@contextmanager
def receiving(backups: Backups, spool: Path) -> Iterator["subprocess.Popen[str]"]:
    process = backups.start("receive-wal.sh", spool, "backup", **access(backups))
    try:
        until(lambda: slots(backups.postgres) == 1, process)
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            assert process.wait(timeout=30) == 0


def slots(server: PostgresServer) -> int:
    with connect(server) as connection:
        row = connection.execute("SELECT count(*) FROM pg_replication_slots WHERE active").fetchone()
    assert row is not None
    return int(str(row[0]))


def switch(server: PostgresServer) -> str:
    """Ends the segment; returns its name."""
    with connect(server) as connection:
        row = connection.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()
        connection.execute("SELECT pg_switch_wal()")
        connection.execute("CHECKPOINT")
    assert row is not None
    return str(row[0])


def ship_all(backups: Backups, spool: Path, last: str) -> None:
    until((spool / last).exists)
    bucket = Bucket("backups", "p", "eu-1", backups.store.endpoint, backups.credentials)
    server = Server("127.0.0.1", "backup", backups.folder / "password", "backup", backups.postgres.port)
    assert server.lag() is not None
    assert ship(Vault(bucket, read_keys(backups.keys)), spool, server.system) == []
    assert waiting_files(spool) == []


def base_backup(backups: Backups) -> None:
    folder = backups.new("base")
    shutil.rmtree(folder)
    folder = backups.new("base")
    copied = backups.script("base-backup.sh", folder, **access(backups))
    assert not (folder / "failed").exists(), copied.stderr
    assert backups.run("store", "--kind", "base", "--folder", folder, *KEPT) == 0


def add(server: PostgresServer, code: str) -> datetime:
    """A change, and a time between it and the next one."""
    with connect(server) as connection:
        connection.execute("INSERT INTO locations (code, name) VALUES (%s, 'x')", (code,))
    time.sleep(0.2)
    now = datetime.now(UTC)
    time.sleep(0.2)
    return now


def codes(server: PostgresServer, data: Path) -> set[str]:
    """What a recovered data folder has, by starting a server on it."""
    server.stop()
    original = server.folder / "data"
    shutil.rmtree(server.folder / "lost", ignore_errors=True)
    original.rename(server.folder / "lost")
    shutil.move(data / "pgdata", original)
    server.start()
    with connect(server) as connection:
        return {str(row[0]) for row in connection.execute("SELECT code FROM locations")}


AFTER = "SELECT pg_create_physical_replication_slot('backup', true);\nALTER ROLE backup PASSWORD 'new';\n"


def recover(backups: Backups, name: str, wanted: str, *more: str) -> Path:
    data = backups.new(name)
    assert backups.run("recover-base", "--data", data, "--time", wanted) == 0
    after = backups.folder / "after.sql"
    after.write_text(AFTER)
    backups.own()
    recovered = backups.script("recover.sh", data, "inventory", after, *more)
    assert recovered.returncode == 0, recovered.stderr
    return data


def test_a_server_comes_back_as_it_was_at_a_time_and_goes_on(
    server: PostgresServer, backups: Backups
) -> None:
    spool = backups.new("spool")
    with receiving(backups, spool) as process:
        base_backup(backups)
        first = add(server, "FIRST")
        switch(server)
        second = add(server, "SECOND")
        # The receiver is killed and comes back: the slot has kept what it missed.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    until(lambda: slots(server) == 0)
    add(server, "THIRD")
    last = switch(server)
    with receiving(backups, spool):
        ship_all(backups, spool, last)
        # Of what the first recovery gives up. Names of backups say whole seconds.
        time.sleep(1)
        base_backup(backups)
        ship_all(backups, spool, switch(server))
    assert not (spool / ".gap").exists()

    # To its end, judged as the restore test does it.
    test = backups.new("test")
    assert backups.run("recover-base", "--data", test, "--subject", "restore_test") == 0
    tested = backups.script("test-base.sh", test, "inventory")
    assert not (test / "failed").exists(), tested.stderr
    assert backups.plain("report-test", "--kind", "base", "--folder", test) == 0
    assert "public.locations" in (test / "tables.tsv").read_text()

    # To a time.
    data = recover(backups, "recovered", first.isoformat())
    assert sorted(path.name for path in data.iterdir()) == ["pgdata"]
    # Killed after it ended, before it could tidy up.
    backups.new("recovered/recovery")
    again = backups.script("recover.sh", data, "inventory", "unused")
    assert "the volume has a database" in again.stdout
    assert sorted(path.name for path in data.iterdir()) == ["pgdata"]
    assert backups.run("recover-base", "--data", data) == 0
    found = codes(server, data)
    assert "FIRST" in found
    assert {"SECOND", "THIRD"}.isdisjoint(found)

    # What is written from now on is a timeline of its own, received over the slot that the recovery has made.
    add(server, "AFTERWARDS")
    last = switch(server)
    assert last.startswith("00000002")
    with receiving(backups, spool):
        ship_all(backups, spool, last)
    assert not (spool / ".gap").exists()
    (history,) = [key for key in backups.store.objects if ".history." in key]
    backups.store.modified[history] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}"
    # Not from the newest base backup, which leads to what was given up.
    data = recover(backups, "again", "latest")
    found = codes(server, data)
    assert {"FIRST", "AFTERWARDS"} <= found
    assert "SECOND" not in found

    # To a later time of the timeline that the first recovery has left.
    data = recover(backups, "later", second.isoformat())
    found = codes(server, data)
    assert {"FIRST", "SECOND"} <= found
    assert {"THIRD", "AFTERWARDS"}.isdisjoint(found)
    assert switch(server).startswith("00000003")


def test_what_is_half_recovered_is_begun_anew_and_damage_is_told(
    server: PostgresServer, backups: Backups, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backups.run("recover-base", "--data", backups.new("none")) == 1
    assert "There is no base backup in the store" in capsys.readouterr().err
    spool = backups.new("spool")
    with receiving(backups, spool):
        base_backup(backups)
        first = add(server, "FIRST")
        add(server, "SECOND")
        ship_all(backups, spool, switch(server))
    data = backups.new("data")
    # Killed while it fetched: no `ready`.
    (data / "pgdata.recovering").mkdir()
    (data / "pgdata.recovering/PG_VERSION").write_text("15\n")
    refused = backups.script("recover.sh", data, "inventory", "unused")
    assert refused.returncode == 1
    assert "there is no base backup" in refused.stderr
    assert backups.run("recover-base", "--data", data) == 0
    # Killed after it fetched, with a file damaged.
    damaged = next((data / "pgdata.recovering/base").rglob("1259"))
    damaged.write_bytes(b"x" + damaged.read_bytes()[1:])
    refused = backups.script("recover.sh", data, "inventory", "unused")
    assert refused.returncode == 1
    assert "is damaged" in refused.stderr
    # A time that the WAL does not reach.
    assert backups.run("recover-base", "--data", data, "--time", "2099-01-01T00:00:00Z") == 0
    for _ in range(2):
        refused = backups.script("recover.sh", data, "inventory", "unused")
        assert refused.returncode == 1
        assert "no change is as late as 2099-01-01T00:00:00Z" in refused.stderr
    assert not (data / "pgdata").exists()
    assert backups.run("recover-base", "--data", data, "--time", "2020-01-01T00:00:00Z") == 1
    assert "or earlier; the oldest is" in capsys.readouterr().err
    # Recovered, but not all that comes afterwards; and then as it should be.
    assert backups.run("recover-base", "--data", data, "--time", first.isoformat()) == 0
    after = backups.folder / "after.sql"
    after.write_text("SELECT 1 / 0;\n")
    backups.own()
    refused = backups.script("recover.sh", data, "inventory", after)
    assert refused.returncode == 1
    assert "after.sql failed" in refused.stderr
    after.write_text("SELECT 1;\n")
    recovered = backups.script("recover.sh", data, "inventory", after)
    assert recovered.returncode == 0, recovered.stderr
    found = codes(server, data)
    assert "FIRST" in found
    assert "SECOND" not in found


def test_a_time_behind_the_last_change_is_the_end_of_the_log_where_that_will_do(
    server: PostgresServer, backups: Backups
) -> None:
    spool = backups.new("spool")
    with receiving(backups, spool):
        base_backup(backups)
        first = add(server, "FIRST")
        late = add(server, "SECOND").isoformat()
        last = switch(server)
        ship_all(backups, spool, last)
    # Damage is not the end of the log.
    data = backups.new("damaged")
    assert backups.run("recover-base", "--data", data, "--time", late) == 0
    (data / f"recovery/{last}.gz").write_bytes(b"damaged")
    refused = backups.script("recover.sh", data, "inventory", "unused", "or-end")
    assert refused.returncode == 1
    assert "PostgreSQL ended, see above" in refused.stderr
    # Begun without, as with the settings that were there before.
    data = backups.new("late")
    assert backups.run("recover-base", "--data", data, "--time", late) == 0
    refused = backups.script("recover.sh", data, "inventory", "unused")
    assert refused.returncode == 1
    assert f"no change is as late as {late}" in refused.stderr
    # A time that can be reached stays one, however its zone is written.
    zulu = f"{first:%Y-%m-%dT%H:%M:%S.%fZ}"
    reached = codes(server, recover(backups, "reached", zulu, "or-end"))
    assert "FIRST" in reached
    assert "SECOND" not in reached
    backups.own()
    after = backups.folder / "after.sql"
    recovered = backups.script("recover.sh", data, "inventory", after, "or-end")
    assert recovered.returncode == 0, recovered.stderr
    assert "to the end of its WAL" in recovered.stdout
    assert {"FIRST", "SECOND"} <= codes(server, data)


def test_a_slot_that_holds_nothing_back_has_no_lag(server: PostgresServer, backups: Backups) -> None:
    access(backups)
    asked = Server("127.0.0.1", "backup", backups.folder / "password", "backup", server.port)
    assert asked.lag() is None
    with connect(server) as connection:
        connection.execute("SELECT pg_create_physical_replication_slot('backup')")
    assert asked.lag() is None


def test_a_segment_that_found_no_room_is_received_again(server: PostgresServer, backups: Backups) -> None:
    spool = backups.new("spool")
    with receiving(backups, spool):
        until(lambda: any(spool.glob("*.partial")))
    (partial,) = spool.glob("*.partial")
    os.truncate(partial, 1 << 20)
    with receiving(backups, spool):
        ship_all(backups, spool, switch(server))
    assert not (spool / ".gap").exists()


def test_wal_that_was_lost_is_told_and_received_anew(server: PostgresServer, backups: Backups) -> None:
    spool = backups.new("spool")
    with receiving(backups, spool):
        ship_all(backups, spool, switch(server))
    with connect(server) as connection:
        connection.execute("SELECT pg_drop_replication_slot('backup')")
    for _ in range(3):
        add(server, f"LOST-{time.monotonic_ns()}")
        switch(server)
    with receiving(backups, spool):
        until((spool / ".gap").exists)
        ship_all(backups, spool, switch(server))
