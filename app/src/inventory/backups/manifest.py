"""What a backup consists of; kept beside it, encrypted like everything else."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from inventory.backups.naming import Kind


class StoredFile(BaseModel):
    """One file: as it is, and as it is kept."""

    model_config = ConfigDict(frozen=True)

    bytes: int
    sha256: str
    storedBytes: int  # noqa: N815 (the manifest's own spelling)
    storedSha256: str  # noqa: N815


class Manifest(BaseModel):
    """Written last: a backup without one does not count."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    kind: Kind
    name: str
    takenAt: datetime  # noqa: N815
    files: dict[str, StoredFile]
    # Of a dump: the schema's revision, and the rows of each table when it was taken.
    schemaRevision: str | None = None  # noqa: N815
    version: str | None = None
    tables: dict[str, int] | None = None
    # Of a base backup.
    systemIdentifier: str | None = None  # noqa: N815
    startSegment: str | None = None  # noqa: N815

    @property
    def size(self) -> int:
        return sum(file.storedBytes for file in self.files.values())
