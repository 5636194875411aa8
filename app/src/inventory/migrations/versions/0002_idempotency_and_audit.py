"""Idempotency keys of movements, and the append-only audit trail.

Adding nullable columns locks `movements` for an instant; building the unique index blocks its writers.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from inventory.migrations.append_only import create_append_only
from inventory.migrations.revisions import record_revision

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
compatible_from = "0001"
removed_on_downgrade = ("movements.idempotency_key", "movements.request_hash")

# Table, and the column that people know a row by.
AUDITED = {"items": "sku", "locations": "code", "movements": "id"}

AUDIT_FUNCTION = """
CREATE FUNCTION write_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE to_jsonb(OLD) END;
    new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE to_jsonb(NEW) - 'request_hash' END;
BEGIN
    INSERT INTO audit_log (actor, role, request_id, action, entity, entity_key, before, after)
    VALUES (
        coalesce(nullif(current_setting('inventory.actor', true), ''), session_user),
        nullif(current_setting('inventory.role', true), ''),
        nullif(current_setting('inventory.request_id', true), ''),
        lower(TG_OP), TG_TABLE_NAME, coalesce(new_row, old_row) ->> TG_ARGV[0], old_row, new_row
    );
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    op.add_column("movements", sa.Column("idempotency_key", sa.String(128)))
    op.add_column("movements", sa.Column("request_hash", sa.String(64)))
    op.create_unique_constraint("movements_idempotency", "movements", ["actor", "idempotency_key"])

    # It is there already where this revision was downgraded before: the trail is never dropped on the way.
    exists = sa.inspect(op.get_bind()).has_table("audit_log")
    if not exists:
        op.create_table(
            "audit_log",
            sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
            sa.Column(
                "occurred_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")
            ),
            sa.Column("actor", sa.String(64), nullable=False),
            sa.Column("role", sa.String(16)),
            sa.Column("request_id", sa.String(128)),
            sa.Column("action", sa.String(16), nullable=False),
            sa.Column("entity", sa.String(32), nullable=False),
            sa.Column("entity_key", sa.String(128), nullable=False),
            sa.Column("before", JSONB),
            sa.Column("after", JSONB),
        )
        op.create_index("audit_log_entity", "audit_log", ["entity", "entity_key", "id"])
        op.create_index("audit_log_actor", "audit_log", ["actor", "id"])
        create_append_only("audit_log")
    op.execute(AUDIT_FUNCTION)
    for table, key in AUDITED.items():
        op.execute(
            f"CREATE TRIGGER {table}_audit AFTER INSERT OR UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION write_audit('{key}')"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_audit")
    record_revision(revision, compatible_from=compatible_from)


def downgrade() -> None:
    for table in AUDITED:
        op.execute(f"DROP TRIGGER {table}_audit ON {table}")
    op.execute("DROP FUNCTION write_audit()")
    op.drop_constraint("movements_idempotency", "movements", type_="unique")
    op.drop_column("movements", "request_hash")
    op.drop_column("movements", "idempotency_key")
