"""Base backups: what they say of themselves, and how they become a data folder again."""

import gzip
import json
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from inventory.backups.cipher import PieceReader
from inventory.backups.errors import BackupError
from inventory.backups.naming import Kind
from inventory.backups.vault import Vault

FILES = ["base.tar.gz", "pg_wal.tar.gz", "backup_manifest"]
_CONTROL = "global/pg_control"
_LABEL = "backup_label"
_SYSTEM_BYTES = 8


@dataclass(frozen=True, slots=True)
class Inspected:
    system: str
    start: str


def inspect(folder: Path) -> Inspected:
    """
    Reads what pg_basebackup wrote to its end.

    :raises BackupError: one of the archives is cut, or no base backup
    """
    found: dict[str, bytes] = {}
    try:
        for name in FILES[:2]:
            with tarfile.open(folder / name, "r:gz") as archive:
                for member in archive:
                    if member.name in (_CONTROL, _LABEL) and (content := archive.extractfile(member)):
                        found[member.name] = content.read()
        json.loads((folder / FILES[2]).read_bytes())
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise BackupError(f"What pg_basebackup wrote cannot be read: {error}.") from error
    label = found.get(_LABEL, b"").decode("utf-8", "replace")
    start = re.search(r"^START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)", label, re.MULTILINE)
    if start is None or len(found.get(_CONTROL, b"")) < _SYSTEM_BYTES:
        raise BackupError("What pg_basebackup wrote has no backup label or no control file.")
    return Inspected(str(int.from_bytes(found[_CONTROL][:_SYSTEM_BYTES], "little")), start[1])


def unpack(vault: Vault, name: str, data: Path) -> None:
    """Makes a data folder of a base backup on its way from the store; nothing else of it touches the disk."""
    where = f"{Kind.BASE.folder}/{name}"
    for archive, target in ((FILES[0], data), (FILES[1], data / "pg_wal")):
        target.mkdir(mode=0o700, exist_ok=True)
        source = PieceReader(vault.pieces(f"{where}/{archive}"))
        try:
            # pg_basebackup writes several gzip members, of which tarfile's own stream reads one.
            with (
                gzip.GzipFile(fileobj=cast("BinaryIO", source)) as unpacked,
                tarfile.open(fileobj=cast("BinaryIO", unpacked), mode="r|") as files,
            ):
                # Only what was encrypted with the stack's own key gets here.
                files.extraction_filter = staticmethod(lambda member, _path: member)
                files.extractall(target)  # noqa: S202  # nosec B202
        except (tarfile.TarError, EOFError, OSError) as error:
            raise BackupError(f"{name}/{archive} could not be unpacked: {error}.") from error
        # To the very end: only there it is certain that nothing is missing.
        while source.read(1 << 20):
            pass
    vault.get(f"{where}/{FILES[2]}", data / FILES[2])
    data.chmod(0o700)
