"""Barcodes of items: expands the schema for code to come, and disturbs none that runs.

Adding a nullable column locks `items` for an instant; the index is built without blocking anybody.
"""

import sqlalchemy as sa
from alembic import op

from inventory.migrations.revisions import record_revision

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
compatible_from = "0001"
removed_on_downgrade = ("items.barcode",)


def upgrade() -> None:
    op.execute("ALTER TABLE items ADD COLUMN IF NOT EXISTS barcode varchar(32)")
    with op.get_context().autocommit_block():
        # A concurrent build that was interrupted leaves an invalid index behind.
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS items_barcode")
        op.create_index(
            "items_barcode",
            "items",
            ["barcode"],
            unique=True,
            postgresql_where=sa.text("barcode IS NOT NULL"),
            postgresql_concurrently=True,
        )
    record_revision(revision, compatible_from=compatible_from)


def downgrade() -> None:
    op.drop_column("items", "barcode")
