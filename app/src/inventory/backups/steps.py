"""What each container of a backup, a recovery and a restore test does between PostgreSQL's own programs."""

import hashlib
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from inventory.backups import base
from inventory.backups.archive import (
    LATEST,
    Retention,
    choose,
    fetch_backup,
    find_backups,
    remove_expired,
    store_backup,
)
from inventory.backups.errors import BackupError
from inventory.backups.figures import Figures
from inventory.backups.manifest import Manifest
from inventory.backups.naming import MANIFEST, Kind, base_backup_name, read_base_name, taken_at
from inventory.backups.timelines import choose_base
from inventory.backups.vault import Vault
from inventory.backups.wal import fetch_wal
from inventory.core.config import Settings
from inventory.migrations.runner import make_engine, wait_for_database
from inventory.migrations.state import read_state
from inventory.migrations.upgrade import current_revision
from inventory.snapshots.naming import CHECKSUM, snapshot_name
from inventory.snapshots.plan import write_connection

__all__ = ["Retention", "fetch", "listed", "plan", "recover_base", "recover_dump", "report_test", "store"]

logger = logging.getLogger("inventory")

DUMP = "database.dump"
# Written by the scripts that run PostgreSQL's programs, so that what they failed of is told like all else.
FAILED = "failed"
STARTED = "started"
TABLES = "tables.tsv"
_WAIT_SECONDS = 120


def plan(settings: Settings, folder: Path) -> None:
    """Writes libpq's connection files, and the name that the dump will have."""
    url = settings.database_url.get_secret_value()
    engine = make_engine(url)
    wait_for_database(engine, _WAIT_SECONDS)
    write_connection(folder, url)
    with engine.connect() as connection:
        revision = current_revision(connection)
    name = snapshot_name(datetime.now(UTC), revision, settings.version).removesuffix(".dump")
    for file, content in (("name", name), ("revision", revision or ""), ("version", settings.version)):
        (folder / file).write_text(f"{content}\n", encoding="utf-8")
    logger.info("the backup is %s", name)


def store(
    vault: Callable[[], Vault],
    kind: Kind,
    folder: Path,
    plan_folder: Path | None,
    now: datetime,
    retention: Retention,
    figures: Figures,
) -> None:
    """Keeps what PostgreSQL's program wrote, and only then removes what has had its time."""
    _refuse_failed(folder)
    if kind is Kind.DUMP:
        if plan_folder is None:
            raise BackupError("A dump is stored by its plan; give --plan.")
        manifest, files = _dump_manifest(folder, plan_folder, now), [DUMP]
    else:
        found = base.inspect(folder)
        name = base_backup_name(now, found.system, found.start)
        manifest = Manifest(
            kind=kind,
            name=name,
            takenAt=now,
            files={},
            systemIdentifier=found.system,
            startSegment=found.start,
        )
        files = base.FILES
    target = vault()
    stored = store_backup(target, manifest, folder, files)
    gone = remove_expired(target, kind, now, retention)
    figures.values = {"stored_bytes": stored.size, "duration_seconds": _seconds_since_start(folder)}
    figures.succeeded()
    logger.info(
        "stored %s (%d bytes)%s", stored.name, stored.size, f"; removed {', '.join(gone)}" if gone else ""
    )


def _dump_manifest(folder: Path, plan_folder: Path, now: datetime) -> Manifest:
    read = {name: (plan_folder / name).read_text("utf-8").strip() for name in ("name", "revision", "version")}
    return Manifest(
        kind=Kind.DUMP,
        name=read["name"],
        takenAt=now,
        files={},
        schemaRevision=read["revision"] or None,
        version=read["version"],
        tables=_tables(folder),
    )


def fetch(vault: Vault, kind: Kind, name: str, folder: Path) -> Manifest:
    """Brings a backup, and its manifest as plain text beside it."""
    (folder / STARTED).write_text(f"{time.time():.0f}\n", encoding="ascii")
    chosen = choose(vault, kind, name)
    manifest = fetch_backup(vault, kind, chosen, folder)
    (folder / MANIFEST).write_text(manifest.model_dump_json(exclude_none=True), encoding="utf-8")
    logger.info("fetched %s", chosen)
    return manifest


def listed(vault: Vault) -> Iterator[dict[str, object]]:
    for kind in Kind:
        for name, objects in find_backups(vault, kind).complete.items():
            size = sum(each.size for each in objects)
            yield {"kind": kind, "name": name, "takenAt": taken_at(name).isoformat(), "bytes": size}


def recover_dump(
    vault: Callable[[], Vault], settings: Settings, plan_folder: Path, folder: Path, name: str
) -> None:
    """Brings a dump into the folder where the database is empty, and nothing where it is not."""
    url = settings.database_url.get_secret_value()
    engine = make_engine(url)
    wait_for_database(engine, _WAIT_SECONDS)
    write_connection(plan_folder, url)
    with engine.connect() as connection:
        tables = read_state(connection).tables
    if tables:
        logger.info("nothing is recovered: the database has %d tables", len(tables))
        return
    target = vault()
    chosen = choose(target, Kind.DUMP, name)
    fetch_backup(target, Kind.DUMP, chosen, folder)
    dump = folder / f"{chosen}.dump"
    (folder / DUMP).rename(dump)
    digest = hashlib.sha256()
    with dump.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    Path(f"{dump}{CHECKSUM}").write_text(f"{digest.hexdigest()}  {dump.name}\n", encoding="ascii")
    logger.info("the database is empty and gets %s", chosen)


def recover_base(vault: Callable[[], Vault], data: Path, wanted: str) -> None:
    """
    Makes a data folder of a base backup, with the WAL that leads on from it beside it, where the volume has
    no database; what an attempt that was killed has left is begun anew.
    """
    if (data / "pgdata/PG_VERSION").exists():
        logger.info("nothing is recovered: the volume has a database")
        return
    recovering, wal = data / "pgdata.recovering", data / "recovery"
    for folder in (recovering, wal):
        shutil.rmtree(folder, ignore_errors=True)
    recovering.mkdir(mode=0o700)
    wal.mkdir(mode=0o700)
    (wal / STARTED).write_text(f"{time.time():.0f}\n", encoding="ascii")
    until = None if wanted == LATEST else datetime.fromisoformat(wanted)
    target = vault()
    name, timeline = choose_base(target, until)
    found = read_base_name(name)
    logger.info("recovering %s", name)
    base.unpack(target, name, recovering)
    count = fetch_wal(target, found.system, found.start, wal, whole=until is None)
    (wal / "target").write_text(f"{wanted}\n", encoding="ascii")
    # With a time the latest one may be of a recovery after it. Its history is there all the same: else the
    # server would begin a timeline that there is already.
    followed = LATEST if until is None else timeline
    (wal / "timeline").write_text(f"{followed}\n", encoding="ascii")
    # Last: whoever finds it finds everything.
    (wal / "ready").write_text(f"{name}\n", encoding="ascii")
    logger.info("%d segments of WAL lead on from %s", count, name)


def report_test(kind: Kind, folder: Path, figures: Figures) -> None:
    """
    Judges a restored database by what it answered: all rows that the dump was taken with, a schema revision,
    and nothing that PostgreSQL itself holds for invalid.

    :raises BackupError: a backup that cannot be relied on
    """
    _refuse_failed(folder)
    tables = _tables(folder)
    revision = (folder / "revision").read_text("utf-8").strip()
    invalid = (folder / "invalid").read_text("utf-8").split("\n")
    problems = [f"{each} is invalid" for each in invalid if each]
    if not revision:
        problems.append("there is no schema revision")
    if kind is Kind.DUMP:
        expected = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
        if revision and revision != expected.schemaRevision:
            problems.append(f"the schema is at {revision}, not at {expected.schemaRevision}")
        wanted = expected.tables or {}
        problems.extend(
            f"{table} has {tables.get(table, 'no')} rows, not {wanted.get(table, 'any')}"
            for table in sorted(wanted.keys() | tables.keys())
            if tables.get(table) != wanted.get(table)
        )
    elif not tables:
        problems.append("there is no table")
    if problems:
        raise BackupError(f"The restored database is not what was backed up: {'; '.join(problems)}.")
    figures.values = {"duration_seconds": _seconds_since_start(folder)}
    figures.succeeded()
    logger.info("restored: %d tables with %d rows", len(tables), sum(tables.values()))


def _tables(folder: Path) -> dict[str, int]:
    lines = (folder / TABLES).read_text("utf-8").splitlines()
    return {table: int(count) for table, count in (line.split("\t") for line in lines)}


def _refuse_failed(folder: Path) -> None:
    try:
        reason = (folder / FAILED).read_text("utf-8").strip()
    except FileNotFoundError:
        return
    raise BackupError(f"PostgreSQL's program failed: {reason}")


def _seconds_since_start(folder: Path) -> float:
    return max(0.0, time.time() - float((folder / STARTED).read_text("ascii")))
