"""WAL, from the folder that it is received into to the store, and back."""

import gzip
import hashlib
import logging
import os
import shutil
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from inventory.backups.cipher import PieceReader
from inventory.backups.errors import BackupError
from inventory.backups.naming import HISTORY, SEGMENT, WAL, following, needed, position, preceding
from inventory.backups.vault import Vault
from inventory.objectstore import StoreError

logger = logging.getLogger("inventory")

# In the spool; its time says when WAL was last lost before it was received.
GAP = ".gap"
# src/include/access/xlog_internal.h of PostgreSQL: a segment's first page has a long header.
_LONG_HEADER = struct.Struct("<HHIQI4xQII")
_LONG_HEADER_FLAG = 0x0002


@dataclass(slots=True)
class Waiting:
    """What has been received and is not in the store yet."""

    segments: int = 0
    bytes: int = 0
    oldest_seconds: float = 0
    # Segments that the store has with another content.
    conflicts: list[str] = field(default_factory=list)


def waiting_files(spool: Path) -> list[Path]:
    """Whole segments and timeline files, in the log's order; what is still received has another ending."""
    names = [path for path in spool.iterdir() if SEGMENT.fullmatch(path.name) or HISTORY.fullmatch(path.name)]
    return sorted(names, key=lambda path: (position(path.name), path.name))


def measure(spool: Path, conflicts: list[str], now: float) -> Waiting:
    stats = [path.stat() for path in waiting_files(spool)]
    oldest = min((each.st_mtime for each in stats), default=now)
    return Waiting(len(stats), sum(each.st_size for each in stats), max(0.0, now - oldest), conflicts)


def system_of(segment: Path) -> str:
    """The system identifier in a segment's first page, once that is known to be the page of this segment."""
    with segment.open("rb") as file:
        header = file.read(_LONG_HEADER.size)
    if len(header) == _LONG_HEADER.size:
        _, info, _, address, _, system, size, _ = _LONG_HEADER.unpack(header)
        log, number = int(segment.name[8:16], 16), int(segment.name[16:24], 16)
        starts = ((log * (0x1_0000_0000 // size)) + number) * size if size else None
        if info & _LONG_HEADER_FLAG and address == starts and segment.stat().st_size == size:
            return str(system)
    raise BackupError(f"{segment.name} is no segment of WAL, or it is not the one that its name says.")


def ship(vault: Vault, spool: Path, system: Callable[[], str | None]) -> list[str]:
    """
    Brings everything that waits into the store, and removes from the spool what is safe there. What the store
    has already is left as it is: a run that was killed before it could remove the file has brought it there.

    :param system: the server's system identifier, or None while it cannot be asked
    :returns: names of which the store has another content; they stay in the spool
    :raises StoreError: the store does not take it; everything that is not safe is still in the spool
    """
    conflicts: list[str] = []
    for file in waiting_files(spool):
        owner = system_of(file) if SEGMENT.fullmatch(file.name) else system()
        if owner is None:
            continue
        name = f"{WAL}/{owner}/{file.name}.gz"
        if vault.exists(name):
            if _same(vault, name, file):
                logger.info("%s is in the store already", file.name)
            else:
                conflicts.append(file.name)
                continue
        else:
            if SEGMENT.fullmatch(file.name) and _follows_gap(vault, owner, file.name):
                logger.error("WAL was lost before %s; recovery needs a base backup from now on", file.name)
                # Not the time of now: a base backup that was taken meanwhile leads on from here.
                received = file.stat().st_mtime
                (spool / GAP).touch()
                os.utime(spool / GAP, (received, received))
            _put(vault, name, file)
        file.unlink()
    return conflicts


def _follows_gap(vault: Vault, system: str, segment: str) -> bool:
    """Whether the store has the server's log, but not up to this segment: the spool has been lost."""
    before = preceding(position(segment))
    if vault.exists(f"{WAL}/{system}/{segment[:8]}{before}.gz"):
        return False
    # The first one of a timeline: what comes before it is of another one.
    names = [each.name.rpartition("/")[2].removesuffix(".gz") for each in vault.list(f"{WAL}/{system}")]
    places = {position(name) for name in names if SEGMENT.fullmatch(name)}
    return before not in places and any(place < before for place in places)


def _put(vault: Vault, name: str, file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder) / f"{file.name}.gz"
        # The same segment is packed the same way each time.
        with (
            file.open("rb") as source,
            packed.open("wb") as target,
            gzip.GzipFile("", "wb", 6, target, mtime=0) as archive,
        ):
            shutil.copyfileobj(source, archive, 1 << 20)
        vault.put(name, packed)


def _same(vault: Vault, name: str, file: Path) -> bool:
    kept, here = hashlib.sha256(), hashlib.sha256(file.read_bytes())
    with gzip.GzipFile(fileobj=cast("BinaryIO", PieceReader(vault.pieces(name)))) as archive:
        while piece := archive.read(1 << 20):
            kept.update(piece)
    return kept.digest() == here.digest()


def fetch_wal(vault: Vault, system: str, start: str, folder: Path, *, whole: bool) -> int:
    """
    Brings every segment and timeline file from a segment on into a folder, packed; returns how many.

    :param whole: whether all that is there is wanted; else what lies behind a gap is left out
    :raises BackupError: there is a gap, and all is wanted: PostgreSQL would take it for the end of the log
    """
    found = {each.name.rpartition("/")[2].removesuffix(".gz") for each in vault.list(f"{WAL}/{system}")}
    names = {name for name in found if needed(name, start)}
    segments = {name for name in names if SEGMENT.fullmatch(name)}
    places = {position(name) for name in segments}
    end = position(start)
    while end in places:
        end = following(end)
    beyond = {name for name in segments if position(name) > end}
    if beyond and whole:
        raise BackupError(
            f"The log from segment {end} on is missing, and goes on with {min(map(position, beyond))}:"
            " recover to a time before that, or from a base backup that was taken later."
        )
    for name in sorted(names - beyond):
        vault.get(f"{WAL}/{system}/{name}.gz", folder / f"{name}.gz")
    return len(names - beyond)


@dataclass(slots=True)
class Shipper:
    """Ships again and again; what fails now is tried again later, and nothing is lost meanwhile."""

    vault: Callable[[], Vault]
    spool: Path
    system: Callable[[], str | None]
    # What waits after a round, and whether nothing was in the way.
    observe: Callable[[Waiting, bool], None]
    stop: threading.Event
    interval_seconds: float = 5
    _told: str = ""

    def run(self) -> None:
        while not self.stop.is_set():
            self.round()
            self.stop.wait(self.interval_seconds)

    def round(self) -> None:
        conflicts: list[str] = []
        shipped = False
        try:
            conflicts = ship(self.vault(), self.spool, self.system)
            shipped = not conflicts
            self._tell(
                f"the store has another content for {', '.join(conflicts)}: two databases write to the same"
                " place; give each its own prefix"
                if conflicts
                else ""
            )
        except StoreError as error:
            self._tell(str(error))
        self.observe(measure(self.spool, conflicts, time.time()), shipped)

    def _tell(self, problem: str) -> None:
        """Once for each problem, not with every try."""
        if problem and problem != self._told:
            logger.error("WAL is not shipped: %s", problem)
        elif self._told and not problem:
            logger.info("WAL is shipped again")
        self._told = problem
