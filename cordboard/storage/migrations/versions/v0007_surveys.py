"""Answers to surveys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "survey_answers",
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("survey", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("flow", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("call_id", "survey", "question", name="pk_survey_answers"),
    )
    op.create_index("ix_survey_answers_at", "survey_answers", ["at"])


def downgrade() -> None:
    raise NotImplementedError("restore a copy of the database instead")
