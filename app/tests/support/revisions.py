"""Revisions that exist in a test only, after those of the service."""

import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path

from inventory.migrations import revisions

NEWEST = "0004"


@dataclass
class ExtraRevisions:
    """A folder with the service's revisions to which a test adds its own."""

    folder: Path
    newest: str = NEWEST

    @staticmethod
    def create(folder: Path) -> "ExtraRevisions":
        for file in revisions.VERSIONS.glob("*.py"):
            shutil.copy(file, folder)
        return ExtraRevisions(folder)

    def add(self, upgrade: str, downgrade: str = "pass", *, compatible_from: str | None = "0001") -> str:
        """Adds a revision with these bodies; returns its name."""
        revision = f"{int(self.newest) + 1:04}"
        oldest = "" if compatible_from is None else f'compatible_from = "{compatible_from}"'
        record = "record_revision(revision, compatible_from=compatible_from)" if oldest else "pass"
        text = f"""
from alembic import op

from inventory.migrations.revisions import record_revision

revision = "{revision}"
down_revision = "{self.newest}"
branch_labels = None
depends_on = None
{oldest}


def upgrade():
{textwrap.indent(textwrap.dedent(upgrade).strip(), "    ")}
    {record}


def downgrade():
{textwrap.indent(textwrap.dedent(downgrade).strip(), "    ")}
"""
        (self.folder / f"{revision}_test.py").write_text(text)
        self.newest = revision
        return revision
