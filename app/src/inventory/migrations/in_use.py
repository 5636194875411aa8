"""Keeps a contracting migration from breaking a version that serves, or that an undo would bring back."""

import re
from collections.abc import Sequence
from pathlib import Path

from inventory.migrations.revisions import MigrationError, compatible_from

_REVISION = re.compile(r"[0-9]{4}")
_MOST_LINES = 100


def read_in_use(path: Path | None) -> tuple[str, ...]:
    """The schema revisions that versions in use need, one a line; none where there is no such file."""
    if path is None or not path.exists():
        return ()
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        if not _REVISION.fullmatch(line) or number > _MOST_LINES:
            raise MigrationError(
                f"{path} has {line[:40]!r} in line {number}; it takes one schema revision of four digits a"
                " line, those of the version that serves and of the one that an undo would bring back."
                " Put that right; nothing was changed."
            )
    return tuple(lines)


def refuse_contract(pending: Sequence[str], in_use: Sequence[str], known: Sequence[str]) -> None:
    """Raises MigrationError if a pending revision takes away what a version in use needs."""
    # A revision that this build does not know is newer than all it knows, so its version bears them all.
    needed = sorted({revision for revision in in_use if revision in known}, key=known.index)
    for revision in pending if needed else ():
        oldest = compatible_from(revision)
        if known.index(oldest) > known.index(needed[0]):
            raise MigrationError(
                f"Revision {revision} is refused: once it is there, only versions made for schema {oldest} or"
                f" later work, and a version made for schema {needed[0]} serves or can still be rolled back"
                " to."
                f" First release a version with schemaRevision {oldest} or later, but before {revision}; when"
                " no older one serves or can come back any more, release this one."
                " Nothing was changed."
            )
