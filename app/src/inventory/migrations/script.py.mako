"""${message}

What it does, why, and how long it locks which table.
"""

from alembic import op

from inventory.migrations.revisions import record_revision

revision = "${up_revision}"
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None
# The oldest revision whose code still works on this schema; raise it in contracting migrations only.
compatible_from = "0001"
# Each table, and each column as "table.column", that the downgrade removes.
removed_on_downgrade = ()


def upgrade() -> None:
    ${upgrades if upgrades else "raise NotImplementedError"}
    record_revision(revision, compatible_from=compatible_from)


def downgrade() -> None:
    ${downgrades if downgrades else "raise NotImplementedError"}
