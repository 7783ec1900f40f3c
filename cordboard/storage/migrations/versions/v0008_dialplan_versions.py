"""Versions of the dialplans, and switches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dialplan_versions",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("published_at", sa.Double),
        sa.Column("follows", sa.Integer),
        sa.Column("share", sa.Double, nullable=False),
        sa.Column("numbers", sa.JSON().with_variant(JSONB, "postgresql"), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_dialplan_versions"),
    )
    op.create_table(
        "switches",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("on", sa.Boolean, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_switches"),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a copy of the database instead")
