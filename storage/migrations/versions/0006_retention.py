"""Pairs that callers put on a generation, and an index of when each is to go.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("metadata", sa.JSON(), nullable=False, server_default=sa.text("'{}'")))
    op.create_index("ix_generations_expires_at", "generations", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_generations_expires_at", "generations")
    op.drop_column("generations", "metadata")
