"""Whole backups: stored with a manifest that is written last, found by name, removed when they are old."""

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from inventory.backups.errors import BackupError
from inventory.backups.manifest import Manifest
from inventory.backups.naming import MANIFEST, WAL, Kind, expired, needed, read_base_name, taken_at
from inventory.backups.vault import Listed, Vault

logger = logging.getLogger("inventory")

LATEST = "latest"
# What a try that was killed has uploaded goes after a day: one that still runs is not that old.
_UNFINISHED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long backups are kept, and how many whatever their age."""

    age: timedelta
    minimum_kept: int


@dataclass(slots=True)
class Found:
    """What is in the store of one kind, by name."""

    complete: dict[str, list[Listed]] = field(default_factory=dict)
    unfinished: dict[str, list[Listed]] = field(default_factory=dict)


def store_backup(vault: Vault, backup: Manifest, folder: Path, files: list[str]) -> Manifest:
    """Stores files of a folder and, when all are there, the manifest with what they are."""
    where = f"{backup.kind.folder}/{backup.name}"
    stored = {name: vault.put(f"{where}/{name}", folder / name) for name in files}
    manifest = backup.model_copy(update={"files": stored})
    written = folder / MANIFEST
    written.write_text(manifest.model_dump_json(indent=1, exclude_none=True), encoding="utf-8")
    vault.put(f"{where}/{MANIFEST}", written)
    return manifest


def find_backups(vault: Vault, kind: Kind) -> Found:
    """Everything of a kind; what has no such name is not touched and not counted."""
    objects: dict[str, list[Listed]] = defaultdict(list)
    for each in vault.list(kind.folder):
        _, name, *_ = each.name.split("/")
        if kind.pattern.fullmatch(name):
            objects[name].append(each)
    found = Found()
    for name, listed in sorted(objects.items()):
        complete = any(each.name.endswith(f"/{MANIFEST}") for each in listed)
        (found.complete if complete else found.unfinished)[name] = listed
    return found


def choose(vault: Vault, kind: Kind, wanted: str, before: datetime | None = None) -> str:
    """
    The name of a backup: the one that is named, or the newest, or the newest that was there at a time.

    :raises BackupError: there is none; the message names those that there are
    """
    names = list(find_backups(vault, kind).complete)
    if wanted != LATEST:
        if wanted in names:
            return wanted
        raise BackupError(
            f"There is no {kind} backup {wanted!r}; there are: {', '.join(names[-10:]) or 'none'}."
        )
    suitable = [name for name in names if before is None or taken_at(name) <= before]
    if suitable:
        return suitable[-1]
    if names and before is not None:
        raise BackupError(
            f"There is no {kind} backup of {before:%Y-%m-%dT%H:%M:%SZ} or earlier; the oldest is {names[0]}."
        )
    raise BackupError(
        f"There is no {kind} backup in the store. To begin with an empty database, take database.recovery"
        " out of the stack's settings."
    )


def read_manifest(vault: Vault, kind: Kind, name: str) -> Manifest:
    content = b"".join(vault.pieces(f"{kind.folder}/{name}/{MANIFEST}"))
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        raise BackupError(
            f"The manifest of {name} is of a format that this version does not know; take a newer one."
        ) from error


def fetch_backup(vault: Vault, kind: Kind, name: str, folder: Path) -> Manifest:
    """Brings every file of a backup into a folder."""
    manifest = read_manifest(vault, kind, name)
    for file, expected in manifest.files.items():
        if vault.get(f"{kind.folder}/{name}/{file}", folder / file) != expected.sha256:
            raise BackupError(f"{name}/{file} is not the file that its manifest names.")
    return manifest


def remove_expired(vault: Vault, kind: Kind, now: datetime, retention: Retention) -> list[str]:
    """Removes what has had its time, the manifest first: what is half removed does not count as a backup."""
    found = find_backups(vault, kind)
    gone = expired(found.complete, now, retention.age, retention.minimum_kept)
    left_over = [name for name in found.unfinished if taken_at(name) < now - _UNFINISHED]
    for name in [*gone, *left_over]:
        listed = (found.complete | found.unfinished)[name]
        for each in sorted(listed, key=lambda entry: not entry.name.endswith(f"/{MANIFEST}")):
            vault.remove(each.name)
    if kind is Kind.BASE:
        kept = [name for name in found.complete if name not in gone]
        _remove_old_segments(vault, kept, now - retention.age)
    return gone


def _remove_old_segments(vault: Vault, kept: list[str], oldest: datetime) -> None:
    """
    Removes segments that no base backup leads to any more. Those of a server that has no base backup (yet) go
    by age: its first backup may be under way.
    """
    starts: dict[str, str] = {}
    for name in kept:
        base = read_base_name(name)
        starts[base.system] = min(starts.get(base.system, base.start), base.start, key=lambda each: each[8:])
    removed = 0
    for each in vault.list(WAL):
        _, system, file = each.name.split("/")
        segment = file.removesuffix(".gz")
        start = starts.get(system)
        if (each.modified < oldest) if start is None else not needed(segment, start):
            vault.remove(each.name)
            removed += 1
    if removed:
        logger.info("removed %d segments of WAL that no base backup needs", removed)
