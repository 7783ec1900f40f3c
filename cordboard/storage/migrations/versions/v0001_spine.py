"""Events, closed calls, agents' states."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text),
        sa.Column("agent", sa.Text),
        sa.Column("queue", sa.Text),
        sa.Column("data", sa.JSON().with_variant(JSONB, "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
    )
    with_call = sa.text("call_id IS NOT NULL")
    opening = sa.text("kind IN ('call.arrived', 'call.recovered')")
    op.create_index("ix_events_call_id", "events", ["call_id"], postgresql_where=with_call, sqlite_where=with_call)
    op.create_index("ix_events_opening_at", "events", ["at"], postgresql_where=opening, sqlite_where=opening)
    op.create_table(
        "calls",
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("arrived_at", sa.Double, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("caller_number", sa.Text, nullable=False),
        sa.Column("caller_name", sa.Text, nullable=False),
        sa.Column("dialled", sa.Text, nullable=False),
        sa.Column("flow", sa.Text, nullable=False),
        sa.Column("flow_version", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("answered_at", sa.Double),
        sa.Column("queue", sa.Text),
        sa.Column("queued_at", sa.Double),
        sa.Column("offers", sa.Integer, nullable=False),
        sa.Column("agent", sa.Text),
        sa.Column("talk_started_at", sa.Double),
        sa.Column("talk_ended_at", sa.Double),
        sa.Column("ended_at", sa.Double, nullable=False),
        sa.Column("wait_s", sa.Double, nullable=False),
        sa.Column("talk_s", sa.Double, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("ended_by", sa.Text, nullable=False),
        sa.Column("cause", sa.Integer, nullable=False),
        sa.Column("recovered", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_calls"),
    )
    op.create_index("ix_calls_ended_at", "calls", ["ended_at", "call_id"])
    op.create_table(
        "agent_states",
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("agent", name="pk_agent_states"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER events_no_{verb.lower()} BEFORE {verb} ON events "
                "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION events_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()"
    )


def downgrade() -> None:
    raise NotImplementedError("restore a copy of the database instead")
