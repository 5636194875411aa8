"""Snapshots in an S3-compatible store: the real client against a store of the tests' own."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory.cli import main
from tests.support.postgres import PostgresServer, free_port
from tests.support.s3 import ACCESS_KEY, SECRET_KEY, Store
from tests.support.snapshots import plan, run_script, snapshots

NAME = "inventory-20260102T030405Z-0003-1.4.0.dump"
OLD = [f"inventory-2025010{day}T000000Z-0001-1.0.0.dump" for day in (1, 2, 3)]


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as store:
        yield store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "snapshots"
    folder.mkdir()
    return folder


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "access_key_id").write_text(f"{ACCESS_KEY}\n")
    (folder / "secret_access_key").write_text(SECRET_KEY)
    return folder


def put(folder: Path, content: bytes = b"PGDMP content", name: str = NAME) -> None:
    (folder / name).write_bytes(content)
    (folder / f"{name}.sha256").write_text(f"{hashlib.sha256(content).hexdigest()}  {name}\n")


def run(action: str, store: Store, folder: Path, credentials: Path, *more: str, prefix: str = "a/b") -> int:
    where = ["--folder", str(folder), "--bucket", "backups", "--prefix", prefix, "--region", "eu-1"]
    store_options = ["--endpoint", store.endpoint, "--credentials", str(credentials)]
    return main(["snapshot", action, *where, *store_options, *more])


@pytest.mark.parametrize("prefix", ["", "a/b"])
@pytest.mark.parametrize("size", [13, 12 << 20])  # in one piece, and in several
def test_what_is_stored_comes_back(
    store: Store, folder: Path, credentials: Path, tmp_path: Path, prefix: str, size: int
) -> None:
    content = bytes(range(256)) * (size // 256) + b"end"
    put(folder, content)
    assert run("upload", store, folder, credentials, "--retain", "3", prefix=prefix) == 0
    key = f"backups/{prefix}/{NAME}".replace("//", "/")
    assert set(store.objects) == {key, f"{key}.sha256"}
    assert store.objects[key] == content
    back = tmp_path / "back"
    back.mkdir()
    assert run("download", store, back, credentials, "--name", NAME, prefix=prefix) == 0
    assert (back / NAME).read_bytes() == content
    assert store.users == {ACCESS_KEY}


def test_the_oldest_go_and_nothing_else(store: Store, folder: Path, credentials: Path) -> None:
    put(folder)
    foreign = ["notes.txt", "inventory-old.dump", f"x/{OLD[0]}"]
    for name in [*OLD, *[f"{each}.sha256" for each in OLD], *foreign]:
        store.objects[f"backups/a/b/{name}"] = b"x"
    store.objects[f"backups/{OLD[0]}"] = b"x"
    assert run("upload", store, folder, credentials, "--retain", "2") == 0
    left = {key.removeprefix("backups/a/b/") for key in store.objects}
    kept = {OLD[2], NAME}
    assert left == kept | {f"{name}.sha256" for name in kept} | {*foreign, f"backups/{OLD[0]}"}


@pytest.mark.parametrize(
    ("damage", "words"),
    [("cut", "is listed with 12 bytes; it has 13"), ("changed", "came back with SHA-256")],
)
def test_a_store_that_keeps_something_else_is_found_out(
    store: Store,
    folder: Path,
    credentials: Path,
    damage: str,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    put(folder)
    store.damage = damage
    store.objects[f"backups/a/b/{OLD[0]}"] = b"x"
    assert run("upload", store, folder, credentials, "--retain", "1") == 1
    told = capsys.readouterr().err
    assert words in told
    assert "The schema was not changed." in told
    assert f"backups/a/b/{OLD[0]}" in store.objects


def test_a_damaged_snapshot_is_not_stored(
    store: Store, folder: Path, credentials: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(folder)
    (folder / NAME).write_bytes(b"PGDMP")
    assert run("upload", store, folder, credentials, "--retain", "1") == 1
    assert "is damaged" in capsys.readouterr().err
    assert store.objects == {}


def test_a_damaged_object_is_not_handed_out(
    store: Store, folder: Path, credentials: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(folder)
    assert run("upload", store, folder, credentials, "--retain", "1") == 0
    store.objects[f"backups/a/b/{NAME}"] = b"something else"
    back = tmp_path / "back"
    back.mkdir()
    assert run("download", store, back, credentials, "--name", NAME) == 1
    assert "take another snapshot" in capsys.readouterr().err
    assert not (back / NAME).exists()
    assert run("download", store, back, credentials, "--name", "../secret") == 1
    assert run("download", store, back, credentials, "--name", OLD[0]) == 1
    assert "could not be read from bucket backups" in capsys.readouterr().err


def test_refused_or_missing_credentials_are_told_without_them(
    store: Store, folder: Path, credentials: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(folder)
    (credentials / "access_key_id").write_text("somebody-else")
    assert run("upload", store, folder, credentials, "--retain", "1") == 1
    captured = capsys.readouterr()
    assert "could not be stored in bucket backups" in captured.err
    assert "The access key does not exist" in captured.err
    assert SECRET_KEY not in captured.out + captured.err
    (credentials / "secret_access_key").unlink()
    assert run("upload", store, folder, credentials, "--retain", "1") == 1
    assert "the Secret needs the keys access_key_id and secret_access_key" in capsys.readouterr().err


def test_a_store_that_does_not_answer_is_told(
    folder: Path, credentials: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(folder)
    arguments = ["--folder", str(folder), "--bucket", "backups", "--region", "eu-1", "--retain", "1"]
    endpoint = ["--endpoint", f"http://127.0.0.1:{free_port()}", "--credentials", str(credentials)]
    assert main(["snapshot", "upload", *arguments, *endpoint]) == 1
    assert "could not be stored in bucket backups at http://127.0.0.1:" in capsys.readouterr().err


def test_without_keys_the_pods_own_identity_counts(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{store.endpoint}/identity")
    arguments = ["--folder", str(folder), "--bucket", "backups", "--region", "eu-1", "--retain", "1"]
    assert main(["snapshot", "upload", *arguments, "--endpoint", store.endpoint]) == 0
    assert f"backups/{NAME}" in store.objects
    assert store.users == {"", ACCESS_KEY}


def test_without_a_snapshot_there_is_nothing_to_do(
    store: Store, folder: Path, credentials: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("upload", store, folder, credentials, "--retain", "1") == 0
    assert "there is no snapshot to store" in capsys.readouterr().out
    assert store.users == set()


def test_a_real_snapshot_takes_the_whole_way(
    url: str, postgres: PostgresServer, store: Store, folder: Path, credentials: Path, tmp_path: Path
) -> None:
    before = postgres.dump(url)
    plan(tmp_path / "plan", "migrate")
    assert run_script(postgres, "snapshot.sh", tmp_path / "plan", folder, 0).returncode == 0
    assert run("upload", store, folder, credentials, "--retain", "5") == 0
    name, back = snapshots(folder)[0], tmp_path / "back"
    back.mkdir()
    assert run("download", store, back, credentials, "--name", name) == 0
    empty = postgres.new_database()
    restored = run_script(postgres, "restore.sh", back / name, PGDATABASE=empty.replace("+psycopg", ""))
    assert restored.returncode == 0, restored.stderr
    assert postgres.dump(empty) == before
