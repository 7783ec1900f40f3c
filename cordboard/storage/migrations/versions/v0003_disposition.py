"""What a talk led to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("disposition", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    raise NotImplementedError("restore a copy of the database instead")
