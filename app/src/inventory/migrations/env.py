"""Runs migrations on the connection that the runner hands over, all of them in one transaction.

A revision with an autocommit block ends that transaction and begins another; the runner goes back by itself
when something fails after that.
"""

from alembic import context

from inventory.models import Base

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=Base.metadata,
    transaction_per_migration=False,
    compare_server_default=False,
    on_version_apply=attributes.get("applied", ()),
)
with context.begin_transaction():
    context.run_migrations()
