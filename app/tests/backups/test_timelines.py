"""Which base backup and which timeline lead to a time, after recoveries have begun timelines of their own."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inventory.backups.archive import store_backup
from inventory.backups.errors import BackupError
from inventory.backups.manifest import Manifest
from inventory.backups.naming import Kind, base_backup_name
from inventory.backups.timelines import choose_base
from inventory.backups.vault import Vault
from tests.support.s3 import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SYSTEM = "7"


def at(hour: float) -> datetime:
    return NOON + timedelta(hours=hour)


def base(vault: Vault, folder: Path, hour: float, timeline: int, number: int) -> str:
    """A base backup that begins and ends in a segment."""
    name = base_backup_name(at(hour), SYSTEM, f"{timeline:08X}{0:08X}{number:08X}")
    ranges = [{"Timeline": timeline, "Start-LSN": f"0/{number:X}000028", "End-LSN": f"0/{number:X}000100"}]
    (folder / "backup_manifest").write_text(json.dumps({"WAL-Ranges": ranges}))
    store_backup(
        vault, Manifest(kind=Kind.BASE, name=name, takenAt=NOON, files={}), folder, ["backup_manifest"]
    )
    return name


def history(vault: Vault, store: Store, folder: Path, hour: float, timeline: int, *lines: str) -> None:
    file = folder / "history"
    file.write_bytes(gzip.compress("\n\n".join(["# comment", *lines]).encode()))
    name = f"wal/{SYSTEM}/{timeline:08X}.history.gz"
    vault.put(name, file)
    store.modified[f"backups/a/b/{name}.enc"] = f"{at(hour):%Y-%m-%dT%H:%M:%S.000Z}"


def test_a_time_has_the_timeline_that_the_server_was_on(vault: Vault, store: Store, tmp_path: Path) -> None:
    first = base(vault, tmp_path, 0, 1, 2)
    given_up = base(vault, tmp_path, 2, 1, 6)
    assert choose_base(vault, None) == (given_up, 1)
    # Recovered at 4, to a time before the second backup, and at 6 again, to one after it.
    history(vault, store, tmp_path, 4, 2, "1\t0/4000000\tbefore 2026-03-01")
    assert choose_base(vault, None) == (first, 2)
    assert choose_base(vault, at(3)) == (given_up, 1)
    assert choose_base(vault, at(1)) == (first, 1)
    assert choose_base(vault, at(5)) == (first, 2)
    second = base(vault, tmp_path, 5, 2, 7)
    assert choose_base(vault, None) == (second, 2)
    history(vault, store, tmp_path, 6, 3, "1\t0/7000000\tbefore 2026-03-01")
    assert choose_base(vault, None) == (given_up, 3)
    assert choose_base(vault, at(5.5)) == (second, 2)
    assert choose_base(vault, at(3)) == (given_up, 1)


def test_a_backup_of_a_timeline_tells_of_it_before_its_history_is_stored(
    vault: Vault, store: Store, tmp_path: Path
) -> None:
    base(vault, tmp_path, 0, 1, 2)
    second = base(vault, tmp_path, 2, 2, 5)
    assert choose_base(vault, at(3)) == (second, 2)
    history(vault, store, tmp_path, 4, 2, "1\t0/4000000\tx")
    assert choose_base(vault, at(3)) == (second, 2)


def test_no_backup_that_leads_there_is_told(vault: Vault, store: Store, tmp_path: Path) -> None:
    base(vault, tmp_path, 0, 1, 6)
    history(vault, store, tmp_path, 1, 2, "1\t0/6000050\tx")
    with pytest.raises(BackupError, match="No base backup leads to timeline 2"):
        choose_base(vault, None)
