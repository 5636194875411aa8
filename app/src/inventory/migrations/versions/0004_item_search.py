"""A full-text index for searching items: expands the schema, needed by no code, only faster.

The index is built without blocking anybody.
"""

from alembic import op

from inventory.migrations.revisions import record_revision

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
compatible_from = "0001"
removed_on_downgrade = ()


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # A concurrent build that was interrupted leaves an invalid index behind.
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS items_search")
        # The query in domain/items.py uses the same expression.
        op.execute(
            "CREATE INDEX CONCURRENTLY items_search ON items"
            " USING gin (to_tsvector('simple', sku || ' ' || name || ' ' || category))"
        )
    record_revision(revision, compatible_from=compatible_from)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS items_search")
