"""Items, locations, stock levels and movements.

Creates everything on an empty database, so it locks nothing that anybody uses.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

from inventory.migrations.append_only import FUNCTION, create_append_only
from inventory.migrations.revisions import record_revision

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
compatible_from = "0001"
removed_on_downgrade = ("audit_log", "movements", "stock_levels", "locations", "items")

NOW = sa.text("now()")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _time(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=NOW)


def _reference(name: str, target: str, *, key: bool = False, nullable: bool = False) -> sa.Column[int]:
    target_id = sa.ForeignKey(f"{target}.id", ondelete="RESTRICT")
    return sa.Column(name, sa.BigInteger, target_id, primary_key=key, nullable=nullable)


def _version() -> sa.Column[int]:
    return sa.Column("version", sa.BigInteger, nullable=False, server_default="1")


def upgrade() -> None:
    op.create_table(
        "schema_revisions",
        sa.Column("revision", sa.String(32), primary_key=True),
        sa.Column("compatible_from", sa.String(32), nullable=False),
        _time("applied_at"),
    )
    op.create_table(
        "items",
        _id(),
        sa.Column("sku", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(16), nullable=False),
        sa.Column("reorder_level", sa.Numeric(14, 3), nullable=False),
        sa.Column("price", sa.Numeric(14, 2), nullable=False),
        _version(),
        _time("created_at"),
        _time("updated_at"),
        sa.CheckConstraint("reorder_level >= 0", name="items_reorder_level_not_negative"),
        sa.CheckConstraint("price >= 0", name="items_price_not_negative"),
    )
    op.create_index("items_name", "items", ["name", "id"])
    op.create_index("items_price", "items", ["price", "id"])
    op.create_index("items_category", "items", ["category", "sku"])
    op.create_table(
        "locations",
        _id(),
        sa.Column("code", sa.String(32), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        _version(),
        _time("created_at"),
        _time("updated_at"),
    )
    op.create_table(
        "stock_levels",
        _reference("item_id", "items", key=True),
        _reference("location_id", "locations", key=True),
        sa.Column("quantity", sa.Numeric(14, 3), nullable=False),
        _time("updated_at"),
        sa.CheckConstraint("quantity >= 0", name="stock_levels_not_negative"),
        postgresql_with={"fillfactor": "80"},  # room for updates on the same page: no index is touched
    )
    op.create_index("stock_levels_location", "stock_levels", ["location_id"])
    op.create_table(
        "movements",
        _id(),
        sa.Column("kind", sa.String(16), nullable=False),
        _reference("item_id", "items"),
        _reference("source_id", "locations", nullable=True),
        _reference("destination_id", "locations", nullable=True),
        sa.Column("quantity", sa.Numeric(14, 3), nullable=False),
        sa.Column("source_balance", sa.Numeric(14, 3)),
        sa.Column("destination_balance", sa.Numeric(14, 3)),
        sa.Column("reference", sa.String(64)),
        sa.Column("note", sa.String(500)),
        sa.Column("actor", sa.String(64), nullable=False),
        _time("created_at"),
        sa.CheckConstraint("quantity > 0", name="movements_quantity_positive"),
        sa.CheckConstraint(
            """CASE kind
                WHEN 'receipt' THEN source_id IS NULL AND destination_id IS NOT NULL
                WHEN 'issue' THEN source_id IS NOT NULL AND destination_id IS NULL
                WHEN 'transfer' THEN coalesce(source_id <> destination_id, false)
                WHEN 'adjustment' THEN num_nonnulls(source_id, destination_id) = 1
                ELSE false END""",
            name="movements_kind_fits_locations",
        ),
    )
    for column in ("item_id", "source_id", "destination_id"):
        op.create_index(f"movements_{column.removesuffix('_id')}", "movements", [column, "id"])
    op.execute(FUNCTION)
    create_append_only("movements")
    record_revision(revision, compatible_from=compatible_from)


def downgrade() -> None:
    # The audit trail outlives a downgrade to 0001, so the last step removes it with everything else.
    for table in ("audit_log", "movements", "stock_levels", "locations", "items", "schema_revisions"):
        op.execute(f"DROP TABLE IF EXISTS {table}")
    op.execute("DROP FUNCTION refuse_change()")
