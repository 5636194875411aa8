"""WAL on its way to the store: nothing is lost, whatever is killed or away."""

import gzip
import os
import struct
import threading
from pathlib import Path

import pytest

from inventory.backups import wal
from inventory.backups.errors import BackupError
from inventory.backups.naming import following, needed, preceding
from inventory.backups.vault import Vault
from inventory.backups.wal import Shipper, Waiting, fetch_wal, ship, system_of, waiting_files
from tests.support.s3 import Store

SIZE = 1 << 20
SYSTEM = 7_345_678_901_234_567_890


def segment(spool: Path, number: int, timeline: int = 1, content: bytes = b"x") -> Path:
    path = spool / f"{timeline:08X}{0:08X}{number:08X}"
    header = struct.pack("<HHIQI4xQII", 0xD110, 2, timeline, number * SIZE, 0, SYSTEM, SIZE, 8192)
    path.write_bytes((header + content).ljust(SIZE, b"\0"))
    return path


def key(name: str) -> str:
    return f"backups/a/b/wal/{SYSTEM}/{name}.gz.enc"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


def known() -> str | None:
    return str(SYSTEM)


def test_what_is_whole_is_shipped_in_order_and_removed(
    vault: Vault, store: Store, spool: Path, tmp_path: Path
) -> None:
    files = [segment(spool, number) for number in (2, 1, 3)]
    (spool / "00000002.history").write_text("1\t0/3000000\tno recovery target specified\n")
    partial = spool / f"{1:08X}{0:08X}{4:08X}.partial"
    partial.write_bytes(b"half")
    (spool / ".log").write_text("x")
    content = files[0].read_bytes()
    assert ship(vault, spool, known) == []
    assert sorted(path.name for path in spool.iterdir()) == [".log", partial.name]
    assert {each for each in store.objects if "/wal/" in each} == {
        *(key(each.name) for each in files),
        key("00000002.history"),
    }
    # Mostly zeros, as an idle database's are: what is kept is small, and encrypted.
    assert len(store.objects[key(files[0].name)]) < 3000
    back = tmp_path / "back"
    back.mkdir()
    assert fetch_wal(vault, str(SYSTEM), files[0].name, back, whole=True) == 3
    assert gzip.decompress((back / f"{files[0].name}.gz").read_bytes()) == content
    assert not (back / f"{files[1].name}.gz").exists()


def test_while_the_store_is_away_everything_stays(vault: Vault, store: Store, spool: Path) -> None:
    for number in (1, 2):
        segment(spool, number)
    store.broken = True
    with pytest.raises(BackupError, match="could not be looked for"):
        ship(vault, spool, known)
    assert len(waiting_files(spool)) == 2
    store.broken = False
    assert ship(vault, spool, known) == []
    assert waiting_files(spool) == []


def test_a_store_that_keeps_something_else_gets_it_again(
    vault: Vault, store: Store, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = segment(spool, 1)
    with monkeypatch.context() as broken:
        keep = store.keep
        broken.setattr(store, "keep", lambda name, content: keep(name, content[:-1]))
        with pytest.raises(BackupError, match="is kept with"):
            ship(vault, spool, known)
    assert file.exists()
    # What is there is no segment, and so not the same: it is not taken for the one that waits.
    with pytest.raises(BackupError, match="damaged"):
        ship(vault, spool, known)
    assert file.exists()


def test_killed_between_upload_and_removal_it_goes_on(
    vault: Vault, store: Store, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = segment(spool, 1)
    with monkeypatch.context() as killed:

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        killed.setattr(Path, "unlink", die)
        with pytest.raises(KeyboardInterrupt):
            ship(vault, spool, known)
    before = store.objects[key(file.name)]
    assert file.exists()
    assert ship(vault, spool, known) == []
    assert not file.exists()
    assert store.objects[key(file.name)] == before


def test_another_content_is_refused_and_the_rest_is_shipped(vault: Vault, store: Store, spool: Path) -> None:
    segment(spool, 1)
    assert ship(vault, spool, known) == []
    before = store.objects[key(f"{1:08X}{0:08X}{1:08X}")]
    other = segment(spool, 1, content=b"another history")
    segment(spool, 2)
    assert ship(vault, spool, known) == [other.name]
    assert store.objects[key(other.name)] == before
    assert waiting_files(spool) == [other]
    assert key(f"{1:08X}{0:08X}{2:08X}") in store.objects


def test_a_segment_is_what_its_name_says(spool: Path) -> None:
    file = segment(spool, 5)
    assert system_of(file) == str(SYSTEM)
    moved = file.rename(spool / f"{1:08X}{0:08X}{6:08X}")
    with pytest.raises(BackupError, match="no segment of WAL"):
        system_of(moved)
    moved.write_bytes(moved.read_bytes()[:-1])
    moved.rename(file)
    with pytest.raises(BackupError, match="no segment of WAL"):
        system_of(file)


def test_a_timeline_file_waits_until_the_server_is_known(vault: Vault, store: Store, spool: Path) -> None:
    history = spool / "00000002.history"
    history.write_text("1\t0/3000000\tx\n")
    assert ship(vault, spool, lambda: None) == []
    assert history.exists()
    assert store.objects == {}


@pytest.mark.parametrize(
    ("name", "is_needed"),
    [
        ("000000010000000000000003", False),
        ("000000010000000000000004", True),
        ("000000020000000000000004", True),
        ("000000010000000100000000", True),
        ("00000003.history", True),
    ],
)
def test_what_recovery_may_read_is_known_by_name(name: str, is_needed: bool) -> None:
    assert needed(name, "000000010000000000000004") == is_needed


def test_a_gap_is_not_taken_for_the_end(vault: Vault, spool: Path, tmp_path: Path) -> None:
    files = [segment(spool, number) for number in (1, 2, 4)]
    segment(spool, 3, timeline=2)
    segment(spool, 6, timeline=2)
    ship(vault, spool, known)
    back = tmp_path / "back"
    back.mkdir()
    told = "from segment 0000000000000005 on is missing, and goes on with 0000000000000006"
    with pytest.raises(BackupError, match=told):
        fetch_wal(vault, str(SYSTEM), files[0].name, back, whole=True)
    assert fetch_wal(vault, str(SYSTEM), files[0].name, back, whole=False) == 4
    assert fetch_wal(vault, str(SYSTEM), f"{2:08X}{0:08X}{6:08X}", back, whole=True) == 1


def test_segments_that_were_lost_with_the_spool_are_told(vault: Vault, spool: Path) -> None:
    for number in (3, 4):
        segment(spool, number)
    segment(spool, 5, timeline=2)
    assert ship(vault, spool, known) == []
    assert not (spool / ".gap").exists()
    os.utime(segment(spool, 9, timeline=2), (1000, 1000))
    segment(spool, 10, timeline=2)
    assert ship(vault, spool, known) == []
    assert (spool / ".gap").stat().st_mtime == 1000
    (spool / ".gap").unlink()
    segment(spool, 11, timeline=2)
    assert ship(vault, spool, known) == []
    assert not (spool / ".gap").exists()


def test_positions_follow_each_other() -> None:
    assert following("0000000000000001") == "0000000000000002"
    assert following("00000000000000FF") == "0000000100000000"
    assert preceding("0000000000000002") == "0000000000000001"
    assert preceding("0000000100000000") == "00000000000000FF"


def test_it_goes_on_after_failures_and_says_each_once(
    vault: Vault, store: Store, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    segment(spool, 1)
    seen: list[tuple[int, bool]] = []
    stop = threading.Event()

    def observe(waiting: Waiting, shipped: bool) -> None:
        seen.append((waiting.segments, shipped))

    shipper = Shipper(lambda: vault, spool, known, observe, stop, 0)
    store.broken = True
    with caplog.at_level("INFO"):
        shipper.round()
        shipper.round()
        store.broken = False
        shipper.round()
        segment(spool, 1, content=b"other")
        shipper.round()
    assert seen == [(1, False), (1, False), (0, True), (1, False)]
    told = [record.getMessage() for record in caplog.records]
    assert len([each for each in told if "could not be looked for" in each]) == 1
    assert "WAL is shipped again" in told
    assert "two databases write to the same place" in told[-1]


def test_what_waits_is_measured(spool: Path) -> None:
    assert wal.measure(spool, [], 1000.0) == Waiting(0, 0, 0, [])
    file = segment(spool, 1)
    changed = file.stat().st_mtime
    assert wal.measure(spool, ["x"], changed + 60) == Waiting(1, SIZE, 60.0, ["x"])
