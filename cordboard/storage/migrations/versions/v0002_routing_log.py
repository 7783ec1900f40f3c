"""What the engine was told, and states to begin a replay at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "routing_log",
        sa.Column("number", number, autoincrement=False, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("offers", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_routing_log"),
    )
    with_call, begins = sa.text("call_id IS NOT NULL"), sa.text("kind = 'Began'")
    op.create_index(
        "ix_routing_log_call_id", "routing_log", ["call_id"], postgresql_where=with_call, sqlite_where=with_call
    )
    op.create_index("ix_routing_log_begins", "routing_log", ["number"], postgresql_where=begins, sqlite_where=begins)
    op.create_table(
        "routing_states",
        sa.Column("number", number, autoincrement=False, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_routing_states"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER routing_log_no_update BEFORE UPDATE ON routing_log "
            "BEGIN SELECT RAISE(ABORT, 'lines of the routing log are never changed'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION routing_log_unchanged() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'lines of the routing log are never changed'; END $$"
    )
    op.execute(
        "CREATE TRIGGER routing_log_unchanged BEFORE UPDATE ON routing_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION routing_log_unchanged()"
    )


def downgrade() -> None:
    raise NotImplementedError("restore a copy of the database instead")
