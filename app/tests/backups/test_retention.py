"""Which backups are kept, and which are found."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.backups.archive import (
    Retention,
    choose,
    fetch_backup,
    find_backups,
    remove_expired,
    store_backup,
)
from inventory.backups.errors import BackupError
from inventory.backups.manifest import Manifest
from inventory.backups.naming import Kind, expired, taken_at
from inventory.backups.vault import Vault
from tests.support.s3 import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAYS = timedelta(days=1)


def dump_name(day: float) -> str:
    return f"inventory-{NOW - day * DAYS:%Y%m%dT%H%M%SZ}-0004-1.0.0"


def base_name(day: int, start: str, system: str = "7") -> str:
    return f"inventory-{NOW - day * DAYS:%Y%m%dT%H%M%SZ}-{system}-{start}"


def segment(number: int, timeline: int = 1) -> str:
    return f"{timeline:08X}{0:08X}{number:08X}"


def put(vault: Vault, kind: Kind, name: str, folder: Path) -> None:
    (folder / "file").write_bytes(name.encode())
    store_backup(vault, Manifest(kind=kind, name=name, takenAt=NOW, files={}), folder, ["file"])


@given(st.lists(st.integers(0, 400), unique=True), st.integers(1, 100), st.integers(0, 20))
def test_old_ones_go_but_for_the_newest(ages: list[int], days: int, minimum: int) -> None:
    names = [dump_name(age) for age in ages]
    gone = expired(names, NOW, days * DAYS, minimum)
    kept = set(names) - set(gone)
    assert len(kept) >= min(minimum, len(names))
    assert all(taken_at(name) < NOW - days * DAYS for name in gone)
    assert all(name in sorted(names)[-minimum:] or taken_at(name) >= NOW - days * DAYS for name in kept)
    assert gone == sorted(gone)


def test_removal_touches_what_is_a_backup_and_nothing_else(
    vault: Vault, store: Store, tmp_path: Path
) -> None:
    for day in (0, 5, 40, 50):
        put(vault, Kind.DUMP, dump_name(day), tmp_path)
    unfinished = {day: f"backups/a/b/dumps/{dump_name(day)}/file.enc" for day in (0.5, 2)}
    foreign = ["backups/a/b/dumps/notes/file.enc", "backups/a/b/dumps/readme.txt", "backups/dumps/x/y.enc"]
    for key in [*unfinished.values(), *foreign]:
        store.objects[key] = b"x"
    gone = remove_expired(vault, Kind.DUMP, NOW, Retention(30 * DAYS, 1))
    assert gone == [dump_name(50), dump_name(40)]
    assert list(find_backups(vault, Kind.DUMP).complete) == [dump_name(5), dump_name(0)]
    assert unfinished[0.5] in store.objects
    assert unfinished[2] not in store.objects
    assert all(key in store.objects for key in foreign)


def test_segments_are_kept_as_long_as_a_base_backup_leads_to_them(
    vault: Vault, store: Store, tmp_path: Path
) -> None:
    put(vault, Kind.BASE, base_name(40, segment(3)), tmp_path)
    put(vault, Kind.BASE, base_name(5, segment(7)), tmp_path)
    put(vault, Kind.BASE, base_name(1, segment(9, timeline=2)), tmp_path)
    names = [segment(3), segment(6), segment(7), segment(8), segment(6, 2), segment(9, 2), "00000002.history"]
    for name in names:
        store.objects[f"backups/a/b/wal/7/{name}.gz.enc"] = b"x"
    # Of servers without a base backup: a former one, and one whose first backup is under way.
    store.objects[f"backups/a/b/wal/8/{segment(1)}.gz.enc"] = b"x"
    store.objects[f"backups/a/b/wal/9/{segment(1)}.gz.enc"] = b"x"
    store.modified[f"backups/a/b/wal/9/{segment(1)}.gz.enc"] = "2026-02-27T00:00:00.000Z"
    remove_expired(vault, Kind.BASE, NOW, Retention(30 * DAYS, 1))
    left = {
        key.removeprefix("backups/a/b/wal/").removesuffix(".gz.enc")
        for key in store.objects
        if "/wal/" in key
    }
    assert left == {f"7/{name}" for name in names} - {
        f"7/{segment(3)}",
        f"7/{segment(6)}",
        f"7/{segment(6, 2)}",
    } | {f"9/{segment(1)}"}


def test_the_newest_is_found_or_the_newest_of_a_time_or_the_named_one(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"There is no dump backup in the store\. To begin with an empty"):
        choose(vault, Kind.DUMP, "latest")
    for day in (1, 5, 9):
        put(vault, Kind.DUMP, dump_name(day), tmp_path)
    assert choose(vault, Kind.DUMP, "latest") == dump_name(1)
    assert choose(vault, Kind.DUMP, dump_name(9)) == dump_name(9)
    assert choose(vault, Kind.DUMP, "latest", NOW - 5 * DAYS) == dump_name(5)
    with pytest.raises(BackupError, match=f"or earlier; the oldest is {dump_name(9)}"):
        choose(vault, Kind.DUMP, "latest", NOW - 10 * DAYS)
    with pytest.raises(BackupError, match=f"no dump backup 'x'; there are: {dump_name(9)}"):
        choose(vault, Kind.DUMP, "x")


def test_a_backup_comes_back_as_its_manifest_says(vault: Vault, store: Store, tmp_path: Path) -> None:
    put(vault, Kind.DUMP, dump_name(1), tmp_path)
    back = tmp_path / "back"
    back.mkdir()
    manifest = fetch_backup(vault, Kind.DUMP, dump_name(1), back)
    assert (back / "file").read_text() == dump_name(1)
    assert manifest.files["file"].bytes == len(dump_name(1))
    where = f"backups/a/b/dumps/{dump_name(1)}"
    assert store.objects[f"{where}/file.enc"] != (back / "file").read_bytes()
    assert manifest.files["file"].storedBytes == len(store.objects[f"{where}/file.enc"])
    # Genuine, but not the one that belongs there: what was there before under the same name.
    (tmp_path / "file").write_text("something else")
    vault.put(f"dumps/{dump_name(1)}/file", tmp_path / "file")
    with pytest.raises(BackupError, match="is not the file that its manifest names"):
        fetch_backup(vault, Kind.DUMP, dump_name(1), back)
    store.objects[f"{where}/file.enc"] = store.objects[f"{where}/manifest.json.enc"]
    with pytest.raises(BackupError, match="another one's"):
        fetch_backup(vault, Kind.DUMP, dump_name(1), back)
    assert sorted(path.name for path in back.iterdir()) == ["file"]
