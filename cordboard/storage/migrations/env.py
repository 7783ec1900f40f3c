"""Run by Alembic. The connection and its transaction are `migrate`'s; this only hands them on."""

from __future__ import annotations

from alembic import context

from cordboard.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
context.run_migrations()
