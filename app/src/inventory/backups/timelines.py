"""Which of the server's timelines a recovery follows; each recovery begins one that branches off another."""

import gzip
import json
import math
from datetime import datetime

from inventory.backups.archive import LATEST, choose, find_backups
from inventory.backups.base import FILES
from inventory.backups.errors import BackupError
from inventory.backups.naming import HISTORY, WAL, Kind, read_base_name, taken_at
from inventory.backups.vault import Vault


def choose_base(vault: Vault, until: datetime | None) -> tuple[str, int]:
    """
    The newest base backup from which the log leads to a time, or to its end, and the timeline that the server
    was on then. A backup of what an earlier recovery has given up leads nowhere: PostgreSQL refuses it.

    :raises BackupError: there is none
    """
    system = read_base_name(choose(vault, Kind.BASE, LATEST, until)).system
    names = [
        name
        for name in find_backups(vault, Kind.BASE).complete
        if read_base_name(name).system == system and (until is None or taken_at(name) <= until)
    ]
    # The server tells of a timeline when it begins it, so a history that came later is of a later recovery.
    begun = {int(read_base_name(name).start[:8], 16) for name in names}
    for each in vault.list(f"{WAL}/{system}"):
        file = each.name.rpartition("/")[2].removesuffix(".gz")
        if HISTORY.fullmatch(file) and (until is None or each.modified <= until):
            begun.add(int(file[:8], 16))
    timeline = max(begun)
    ends = _ends(vault, system, timeline)
    for name in reversed(names):
        if _leads(vault, name, ends):
            return name, timeline
    raise BackupError(
        f"No base backup leads to timeline {timeline}: those that there are were taken of what a recovery has"
        " given up."
    )


def _ends(vault: Vault, system: str, timeline: int) -> dict[int, float]:
    """Up to where in the log a timeline consists of itself, and of each of those that it has come from."""
    ends = {timeline: math.inf}
    history = f"{WAL}/{system}/{timeline:08X}.history.gz"
    if vault.exists(history):
        for line in gzip.decompress(b"".join(vault.pieces(history))).decode().splitlines():
            if line.strip() and not line.startswith("#"):
                parent, end, *_ = line.split()
                ends[int(parent)] = _place(end)
    return ends


def _leads(vault: Vault, name: str, ends: dict[int, float]) -> bool:
    """Whether all that was written while the backup was taken belongs to the timeline."""
    manifest = json.loads(b"".join(vault.pieces(f"{Kind.BASE.folder}/{name}/{FILES[2]}")))
    ranges = manifest["WAL-Ranges"]
    return all(_place(each["End-LSN"]) <= ends.get(each["Timeline"], 0) for each in ranges)


def _place(lsn: str) -> int:
    log, _, offset = lsn.partition("/")
    return (int(log, 16) << 32) + int(offset, 16)
