"""Names of backups and of WAL segments, and which of them have had their time."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

ENCRYPTED = ".enc"
MANIFEST = "manifest.json"
WAL = "wal"


class Kind(StrEnum):
    """`DUMP`: the database as pg_dump writes it. `BASE`: the server's files, from which WAL leads on."""

    DUMP = "dump"
    BASE = "base"

    @property
    def folder(self) -> str:
        return "dumps" if self is Kind.DUMP else "base"

    @property
    def pattern(self) -> re.Pattern[str]:
        tail = r"(?:[0-9]{4}|none)-[0-9A-Za-z.+-]{1,63}" if self is Kind.DUMP else r"[0-9]{1,20}-[0-9A-F]{24}"
        return re.compile(rf"inventory-[0-9]{{8}}T[0-9]{{6}}Z-{tail}")


SEGMENT = re.compile(r"[0-9A-F]{24}")
HISTORY = re.compile(r"[0-9A-F]{8}\.history")


@dataclass(frozen=True, slots=True)
class BaseName:
    """What the name of a base backup says."""

    system: str
    # The segment that recovery begins with.
    start: str


def base_backup_name(at: datetime, system: str, start: str) -> str:
    return f"inventory-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{system}-{start}"


def read_base_name(name: str) -> BaseName:
    _, _, system, start = name.split("-")
    return BaseName(system, start)


def taken_at(name: str) -> datetime:
    """When a backup was taken; names sort by it."""
    return datetime.strptime(name.split("-")[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def expired(names: Iterable[str], now: datetime, retention: timedelta, minimum_kept: int) -> list[str]:
    """Backups older than `retention`, but for the newest `minimum_kept`; oldest first."""
    ordered = sorted(names)
    candidates = ordered[: max(0, len(ordered) - minimum_kept)]
    return [name for name in candidates if taken_at(name) < now - retention]


def position(segment: str) -> str:
    """Where a segment lies in the log, whatever its timeline; positions sort as the log goes."""
    return segment[8:24]


def following(place: str) -> str:
    """The position after another one, with segments of 16 MiB as the platform's database has them."""
    log, number = int(place[:8], 16), int(place[8:], 16)
    return f"{log + (number + 1 >> 8):08X}{(number + 1) & 0xFF:08X}"


def preceding(place: str) -> str:
    log, number = int(place[:8], 16), int(place[8:], 16)
    return f"{log - (number == 0):08X}{(number - 1) & 0xFF:08X}"


def needed(segment: str, start: str) -> bool:
    """Whether recovery that begins with `start` may read this segment or history file."""
    return bool(HISTORY.fullmatch(segment)) or position(segment) >= position(start)
